"""List the benches: ``python -m bench``."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["benches", "main"]


def benches() -> Iterator[tuple[str, str]]:
    """Name and first paragraph of each module that is a command, without importing it."""
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in module.body):
            what = (ast.get_docstring(module) or "").partition("\n\n")[0]
            yield path.stem, " ".join(what.split())


def main() -> int:
    """Print a line a bench."""
    found = list(benches())
    width = max(len(name) for name, _ in found)
    print("python -m bench.NAME [--help]\n")
    for name, what in found:
        print(f"{name.ljust(width)}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
