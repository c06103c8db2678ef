"""A board of a Platform class of one's own, by its dotted name."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

from bitwright.boards.board import Board, BoardError, VendorBoard
from bitwright.boards.classes import MAKERS, PlatformClass, site
from bitwright.boards.program import command
from bitwright.boards.reader import Platform
from bitwright.hw.families import nearest

__all__ = ["load"]

_FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")

_VALUES = ("device", "package", "speed", "part", "family")


def load(text: str) -> Board | VendorBoard:
    """The board of a platform class.

    Parameters
    ----------
    text : str
        ``MODULE:CLASS``. Modules of the working directory are found, too.

    Raises
    ------
    BoardError
        If there is no such class, or it is no platform that can be built for. One line.
    MissingError
        If Amaranth is not installed.
    """
    cls = _class(text)
    module, _, name = text.partition(":")
    try:
        platform = cls()
        hertz = platform.default_clk_frequency
    except Exception as error:  # of a user's code: anything
        raise BoardError(f"{text}: {_line(error)}") from error
    base = next((one.__name__ for one in cls.__mro__ if one.__name__ in MAKERS), None)
    if base is None:
        raise BoardError(f"{text}: must be made from a platform of amaranth.vendor")
    values = {key: getattr(cls, key) for key in _VALUES if isinstance(getattr(cls, key, None), str)}
    found = Platform(module, name, base, values, hertz, ("uart", 0) in platform.resources,
                     _program(cls))
    shown = name.removesuffix("Platform").strip("_").replace("_", "-").lower()
    try:
        return site(shown, found, PlatformClass(module, name, _sources(cls)))
    except KeyError as error:
        raise BoardError(f"{text}: its {error} must be a text") from error


def _class(text: str) -> Any:
    from amaranth.build import Platform as Base

    if not _FORM.fullmatch(text):
        raise BoardError(f"--board must be a Platform class as MODULE:CLASS, not {text!r}")
    module, _, name = text.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:  # a program that is installed does not look there
        sys.path.insert(0, folder)
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # of a user's code: anything
        if isinstance(error, ModuleNotFoundError) and error.name is not None \
                and f"{module}.".startswith(f"{error.name}."):
            raise BoardError(f"{text}: there is no module {error.name!r} in {folder} or where "
                             "Python looks") from error
        raise BoardError(f"{text}: {module} cannot be imported: {_line(error)}") from error
    classes = {key: value for key, value in vars(found).items() if isinstance(value, type)
               and issubclass(value, Base) and value.__module__ == found.__name__}
    if name in classes:
        return classes[name]
    hint = nearest(name, classes) if classes else "it has none"
    raise BoardError(f"{text}: {module} has no Platform class {name!r}; {hint}")


def _line(error: BaseException) -> str:
    """What an error says, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _sources(cls: type) -> tuple[Path, ...]:
    """Files of the class and of what it is made from, as far as they are no package's."""
    files = {inspect.getfile(one) for one in cls.__mro__
             if one.__module__.partition(".")[0] not in ("amaranth", "amaranth_boards", "builtins")}
    return tuple(sorted(map(Path, files)))


def _program(cls: Any) -> tuple[str, ...] | None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls.toolchain_program)))
    (function,) = tree.body
    return command(function) if isinstance(function, ast.FunctionDef) else None
