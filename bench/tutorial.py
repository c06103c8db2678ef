"""Run the commands of docs/tutorial.md, as a reader would: python -m bench.tutorial."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks", "follow", "main"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"

_BLOCK = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Fenced text of a page.

    Parameters
    ----------
    note : str
        What the comment before it says: ``slow``, or ``file: NAME``.
    kind : str
        ``console`` for commands and what they print.
    text : str
    """

    note: str
    kind: str
    text: str

    @property
    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command, and the lines that it is said to print."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, *printed = part.splitlines()
            yield command, printed


def blocks(page: Path = PAGE) -> list[Block]:
    """All fenced text of a page."""
    text = page.read_text(encoding="utf-8")
    return [Block(note, kind, content) for note, kind, content in _BLOCK.findall(text)]


def follow(found: list[Block], folder: Path) -> Iterator[tuple[str, str]]:
    """Do what blocks say, in a folder.

    Yields
    ------
    command, problem
        What is wrong with it, or nothing: it failed, or did not print what stands below it. Any
        number is as good as another.
    """
    for block in found:
        if block.note.startswith("file: "):
            (folder / block.note.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.kind == "console":
            for command, printed in block.commands:
                yield command, _problem(command, printed, folder)


def _problem(command: str, printed: list[str], folder: Path) -> str:
    program, *arguments = shlex.split(command)
    module = {"bitwright": ["-m", "bitwright"], "python": []}[program]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *module, *arguments], cwd=folder, env=environment,
                          capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        return f"exit status {done.returncode}: {done.stderr}"
    lines = {_shape(line) for line in done.stdout.splitlines()}
    missing = [line for line in printed if _shape(line) not in lines]
    return f"does not print {missing[0]!r} but {done.stdout!r}" if missing else ""


def _shape(line: str) -> str:
    """A line without its numbers and spaces."""
    return re.sub(r"[\d,.%]+", "0", "".join(line.split()))


def main(argv: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m bench.tutorial", description=__doc__).parse_args(argv)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for command, problem in follow(blocks(), Path(folder)):
            print(f"{'FAILED' if problem else 'ok'}: {command}", problem, flush=True)
            failed += bool(problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
