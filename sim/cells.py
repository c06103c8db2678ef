"""The cells that a netlist is made of, and their behaviour."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bitwright.errors import UserError

__all__ = ["CellError", "instances", "library"]

_INSTANCE = re.compile(r"^  (\w+) (?:#\(|\S+ +\()$", re.MULTILINE)
"""Of a netlist as Yosys writes it: a cell, and its parameters or its name."""

_MODULE = re.compile(r"^[ \t]*((?:\(\*[^\n]*\*\)\s*)*)module\s+\\?(\S+?)\s*[(#;].*?\bendmodule\b",
                     re.MULTILINE | re.DOTALL)
_INCLUDE = re.compile(r'^\s*`include\s+"([^"]+)".*$', re.MULTILINE)


class CellError(UserError):
    """A netlist has a cell that nothing tells the behaviour of. One line, which names it."""


def instances(netlist: str) -> set[str]:
    """Types of the cells of a netlist that Yosys wrote."""
    return set(_INSTANCE.findall(netlist))


def library(netlist: str, sources: Iterable[Path], includes: Iterable[Path]) -> str:
    """Verilog of the cells that a netlist has, and no others.

    A black box has no behaviour, but a simulator would take it for a cell that does nothing.

    Parameters
    ----------
    netlist : str
    sources, includes : iterable of Path
        Files with models, and the folders that those include from.

    Raises
    ------
    CellError
        If a cell has no behaviour.
    """
    around, modules = _read([_text(source, list(includes)) for source in sources])
    used = instances(netlist)
    if not used:
        raise CellError("Netlist has no cells")
    unknown = sorted(used - modules.keys())
    if unknown:
        raise CellError("Netlist has cells without a behaviour to simulate (black boxes): "
                        f"{', '.join(unknown)}")
    found: dict[str, str] = {}
    while used:
        name = used.pop()
        found[name] = modules[name]
        used |= set(re.findall(r"\w+", modules[name])) & modules.keys() - found.keys()
    return "\n\n".join([around, *(found[name] for name in sorted(found))]) + "\n"


def _text(source: Path, includes: Sequence[Path]) -> str:
    """A file, with those that it includes in their places; one that is nowhere is left out."""
    def included(match: re.Match[str]) -> str:
        files = [folder / match[1] for folder in includes if (folder / match[1]).is_file()]
        return _text(files[0], includes) if files else ""

    return _INCLUDE.sub(included, source.read_text(encoding="utf-8"))


def _read(texts: Iterable[str]) -> tuple[str, dict[str, str]]:
    """What stands outside of modules (macros, the unit of time), and every module but black
    boxes, by name."""
    outside, modules = [], {}
    for text in texts:
        modules |= {match[2]: match[0] for match in _MODULE.finditer(text)
                    if "blackbox" not in match[1]}
        outside.append(_MODULE.sub("", text))
    return "\n".join(outside), modules
