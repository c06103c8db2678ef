"""What a stored result depends on besides what it was made from: programs, and our own sources."""

import functools
import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import bitwright
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain

__all__ = ["digest", "files", "program", "sources", "yosys"]

ROOMS = ("boards", "hw", "ir", "sim")
SUFFIXES = (".py", ".v")


def digest(*values: object) -> str:
    """SHA-256 of JSON values, as short as a folder's name should be."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:20]


def files(paths: Iterable[Path]) -> str:
    """SHA-256 of the contents of files, in hexadecimal."""
    state = hashlib.sha256()
    for path in paths:
        state.update(path.name.encode() + b"\n" + hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()


@functools.cache
def sources() -> str:
    """SHA-256 of all the sources that a design and its harness are made by, in hexadecimal."""
    folders = {Path(folder) / room for folder in bitwright.__path__ for room in ROOMS}
    own = Path(bitwright.__file__).parent.glob("*.py")
    return files(sorted([*own, *(path for folder in folders for path in folder.rglob("*")
                                 if path.suffix in SUFFIXES)]))


def program(command: Sequence[str]) -> list[object]:
    """What tells a program from every other: where it is, its size and when it was made.

    Another one, or a new version in its place, is another key, whatever it says about itself.
    """
    path = Path(shutil.which(command[0]) or command[0]).resolve()
    state = path.stat()
    return [*command, str(path), state.st_size, state.st_mtime_ns]


def yosys() -> list[object]:
    """The Yosys that writes Verilog and synthesises, and the Amaranth before it.

    Raises
    ------
    ToolError
        If there is none.
    """
    tool = toolchain.find(YOSYS)
    return [tool.label, *program(tool.command), importlib.metadata.version("amaranth")]
