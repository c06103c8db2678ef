"""What a checkout is made of: lines that each command runs and loads, help, circles, functions.

Needs `pip install coverage`. The checkout may be any version of this project.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).parents[1]

STEPS = {
    "train digits": ("model.train", "digits", "--set", "epochs=2", "--out", "{work}/run"),
    "build": ("hw.build", "{work}/run", "--board", "icebreaker", "--out", "{work}/build"),
    "sim": ("sim.run", "{work}/run", "--vectors", "20", "--out", "{work}/sim"),
}
HELP = ("model.train", "model.evaluate", "hw.build", "answers.predict", "answers.infer", "sim.run",
        "boards.list")
ROOMS = ("answers", "bitwright", "boards", "data", "hw", "ir", "minimise", "model", "sim")


def sources(tree):
    """Python files of the package, by path within the checkout."""
    return {path.relative_to(tree).as_posix(): path
            for room in ROOMS for path in sorted((tree / room).rglob("*.py"))}


def executed(tree, arguments, work):
    """Files and lines that a command loads, and lines of functions that it runs."""
    data = work / "coverage"
    command = [sys.executable, "-m", "coverage", "run", f"--data-file={data}",
               f"--source={tree}", "-m", *(text.format(work=work) for text in arguments)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    report = work / "coverage.json"
    subprocess.run([sys.executable, "-m", "coverage", "json", f"--data-file={data}", "-q",
                    "-o", str(report)], cwd=tree, check=True, capture_output=True)
    files = lines = run = 0
    known = sources(tree)
    for name, found in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        path = Path(name) if Path(name).is_absolute() else tree / name
        name = path.relative_to(tree).as_posix() if path.is_relative_to(tree) else name
        if name in known and found["executed_lines"]:
            files += 1
            lines += len(path.read_text(encoding="utf-8").splitlines())
            run += len(found["executed_lines"])
    return files, lines, run


def help_seconds(tree, module, repeats=5):
    """Wall time of a command's --help, the best of a few: seconds."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", module, "--help"], cwd=tree, check=True,
                       capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def functions(tree):
    """Lengths of all functions, the longest first: lines, file, name."""
    found = []
    for name, path in sources(tree).items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((node.end_lineno - node.lineno + 1, name, node.name))
    return sorted(found, reverse=True)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.structure", description=__doc__)
    parser.add_argument("tree", metavar="DIR", type=Path, nargs="?", default=ROOT,
                        help="the checkout (default: this one)")
    parser.add_argument("--quick", action="store_true", help="run no command but --help")
    args = parser.parse_args(argv)
    tree = args.tree.resolve()
    os.environ.pop("PYTHONPATH", None)
    if not args.quick:
        with tempfile.TemporaryDirectory() as folder:
            for title, arguments in STEPS.items():
                files, lines, run = executed(tree, arguments, Path(folder))
                print(f"| `{title}` | {files} files, {lines:,} lines loaded, {run:,} executed |",
                      flush=True)
    for module in (name for name in HELP if (tree / f"{name.replace('.', '/')}.py").exists()):
        print(f"| `python -m {module} --help` | {help_seconds(tree, module):.2f} s |", flush=True)
    lengths = functions(tree)
    print("| ten longest functions | " + ", ".join(f"{size}" for size, _, _ in lengths[:10])
          + " lines |")
    for size, name, function in lengths[:10]:
        print(f"    {size:4} {name} {function}")
    everything = sources(tree)
    total = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in everything.values())
    print(f"| all | {len(everything)} files, {total:,} lines |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
