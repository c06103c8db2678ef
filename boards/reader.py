"""Platform classes, read from the sources of a package without running them.

Importing the ninety platforms of amaranth-boards, and Amaranth with them, takes seconds, and a
machine that only lists boards may lack both. What is needed of a class are a few constants and two
of its resources.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwright.boards.program import command

__all__ = ["Platform", "read", "shown"]

_VENDORS = ("amaranth.vendor", "amaranth.build")
"""Modules of the classes that platforms of a family are made from."""

_INTERNAL: Mapping[str, Callable[[Callable[[str], Any]], float]] = {
    "SB_HFOSC": lambda of: 48e6 / 2 ** of("hfosc_div"), "SB_LFOSC": lambda of: 10e3,
    "OSC": lambda of: of("osc_frequency"), "OSCG": lambda of: 310e6 / of("oscg_div"),
    "OSCA": lambda of: 450e6 / of("osca_div"), "OSCH": lambda of: 1e6 * of("osch_frequency"),
}
"""Oscillators inside a device, which Amaranth knows by these names, and their frequencies."""


@dataclass(frozen=True)
class Platform:
    """What is read of a platform class.

    Parameters
    ----------
    module, name : str
        Where it is imported from.
    base : str
        The class of ``amaranth.vendor`` that it is made from.
    values : dict
        Its constants: ``device``, ``package``, ``speed``, ``part``, ``default_clk`` and others.
    clock_hz : float or None
        Frequency of its default clock; None if it has none.
    uart : bool
        Whether it has the resource ``("uart", 0)``.
    program : tuple of str or None
        See :func:`boards.program.command`.
    """

    module: str
    name: str
    base: str
    values: Mapping[str, Any]
    clock_hz: float | None
    uart: bool
    program: tuple[str, ...] | None


def read(folder: Path, package: str) -> Iterator[Platform]:
    """Every platform that the modules of a folder define and that is of a device.

    Parameters
    ----------
    folder : Path
    package : str
        Whose folder it is.
    """
    modules = {path.stem: _Module(path) for path in sorted(folder.glob("*.py"))}
    for stem, module in modules.items():
        for name in module.classes:
            if name.startswith("_") or not name.endswith("Platform"):
                continue
            found = _Class(modules, stem, name)
            if found.base is not None and ("device" in found.values or "part" in found.values):
                yield Platform(f"{package}.{stem}", name, found.base, found.values,
                               found.clock_hz, found.has("uart"), found.program)


class _Module:
    """Classes of a file, and the names that it imports."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module, alias.name)


class _Class:
    """A class with those that it inherits from, the nearest first."""

    def __init__(self, modules: Mapping[str, _Module], stem: str, name: str) -> None:
        self._line: list[ast.ClassDef] = []
        self.base: str | None = None
        while True:
            module = modules[stem]
            if name not in module.classes:
                source, name = module.imports.get(name, ("", name))
                stem = source.rpartition(".")[2]
                if source in _VENDORS or stem not in modules:
                    self.base = name if source in _VENDORS else None
                    break
                continue
            node = module.classes[name]
            self._line.append(node)
            if not node.bases or not isinstance(node.bases[0], ast.Name):
                break
            name = node.bases[0].id
        self.values = dict(self._values())

    def _values(self) -> Iterator[tuple[str, Any]]:
        for node in reversed(self._line):  # the nearest last, which holds
            for item in node.body:
                if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                    with contextlib.suppress(ValueError):
                        yield item.targets[0].id, ast.literal_eval(item.value)

    def _resources(self) -> Iterator[ast.Call]:
        """Calls that make the resources, and those of the classes that it names as theirs."""
        for node in self._line:
            lists = [item for item in node.body if isinstance(item, ast.Assign)
                     and isinstance(item.targets[0], ast.Name)
                     and item.targets[0].id == "resources"]
            for item in lists:
                yield from (call for call in ast.walk(item) if isinstance(call, ast.Call))
            if lists and not any(isinstance(part, ast.Attribute) and part.attr == "resources"
                                 for item in lists for part in ast.walk(item.value)):
                return

    def _resource(self, name: str) -> ast.Call | None:
        """The call that makes number 0 of a resource."""
        for call in self._resources():
            function = getattr(call.func, "id", "")
            given = [item.value for item in call.args[:2] if isinstance(item, ast.Constant)]
            of = {"Resource": "", "UARTResource": "uart"}.get(function)
            if of is not None and given == ([name, 0] if len(given) == 2 else [0]) \
                    and (len(given) == 2 or of == name):
                return call
        return None

    def has(self, name: str) -> bool:
        return self._resource(name) is not None

    @property
    def clock_hz(self) -> float | None:
        name = self.values.get("default_clk")
        if name is not None and name in _INTERNAL:
            return float(_INTERNAL[name](self.values.__getitem__))
        resource = None if name is None else self._resource(name)
        if resource is None:
            return None
        clocks = [call for call in resource.args if isinstance(call, ast.Call)
                  and getattr(call.func, "id", "") == "Clock"]
        return float(ast.literal_eval(clocks[0].args[0])) if clocks else None

    @property
    def program(self) -> tuple[str, ...] | None:
        for node in self._line:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "toolchain_program":
                    return command(item)
        return None


def shown(platform: Platform, siblings: int) -> str:
    """Name of a board: its module's, and what tells the class from others there.

    Parameters
    ----------
    platform : Platform
    siblings : int
        Platforms of the same module, this one among them.
    """
    stem = platform.module.rpartition(".")[2].removeprefix("ice40_")
    module = re.sub(r"_r(\d+)_(\d+)$", r"-r\1.\2", stem).replace("_", "-").lower()
    if siblings == 1:
        return module
    own = platform.name.removesuffix("Platform").strip("_")
    plain, start = own.replace("_", "").lower(), stem.replace("_", "").lower()
    if not plain.startswith(start):
        return own.replace("_", "-").lower()
    return "-".join([module, *filter(None, [plain.removeprefix(start)])])
