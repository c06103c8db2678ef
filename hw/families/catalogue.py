"""Every family by its name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable

from bitwright.errors import UsageError
from bitwright.hw.families.family import Family
from bitwright.hw.families.part import Part, PartError, nearest

__all__ = ["FAMILIES", "FamilyError", "discover", "get", "part"]


class FamilyError(UsageError):
    """There is no such family. The message names the nearest one."""


def discover(folders: Iterable[str], package: str) -> dict[str, Family]:
    """Families of some folders: each module with a ``FAMILY``, so that a new one is one new file.

    Parameters
    ----------
    folders : iterable of str
    package : str
        Whose path they are.
    """
    names = sorted(info.name for info in pkgutil.iter_modules(folders)
                   # This module, and what it stands on.
                   if info.name not in ("catalogue", "family", "part", "pll", "plls", "resources",
                                        "routed", "tool"))
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    return {module.FAMILY.name: module.FAMILY for module in modules}


_PACKAGE = __name__.rpartition(".")[0]

FAMILIES = discover(importlib.import_module(_PACKAGE).__path__, _PACKAGE)
"""Families by name."""


def get(name: str) -> Family:
    """Family of that name.

    Raises
    ------
    FamilyError
        If there is none.
    """
    if name in FAMILIES:
        return FAMILIES[name]
    near = difflib.get_close_matches(name, FAMILIES, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FAMILIES)}"
    raise FamilyError(f"{name}: no such family; {hint}")


def part(text: str) -> tuple[Family, Part]:
    """The part that a text names, and its family.

    Parameters
    ----------
    text : str
        As its maker writes it, such as ``LFE5U-25F-6BG381C``, or its device alone.

    Raises
    ------
    PartError
        If no family has it. One line, which names the nearest.
    """
    if not text.strip():
        raise PartError(f"{text!r}: no part; name one as its maker does, such as LFE5U-25F-6BG381C")
    for family in FAMILIES.values():
        found = family.named(text)
        if found is not None:
            return family, found
    known = [found.name for family in FAMILIES.values() if family.parts is not None
             for found in family.parts]
    raise PartError(f"{text}: no part that the open tools place; {nearest(text, known)}")
