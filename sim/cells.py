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
    around, modules = _read(sources, list(includes))
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


def _read(sources: Iterable[Path], includes: Sequence[Path]) -> tuple[str, dict[str, str]]:
    """What stands outside of modules (macros, the unit of time), and every module but black
    boxes, by name."""
    outside, modules = [], {}
    for source in sources:
        text = source.read_text(encoding="utf-8")
        modules |= {match[2]: match[0] for match in _MODULE.finditer(text)
                    if "blackbox" not in match[1]}
        around = _MODULE.sub("", text)
        files = [folder / name for name in _INCLUDE.findall(around) for folder in includes
                 if (folder / name).is_file()]
        below, included = _read(files, includes)
        modules |= included
        outside += [below, _INCLUDE.sub("", around)]
    return "\n".join(outside), modules
