"""The command that loads a bitstream, read from the code of a platform."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["BITSTREAM", "command"]

BITSTREAM = "{bitstream}"
"""Stands for the file."""

_CALLS = ("check_call", "run")


def command(function: ast.FunctionDef) -> tuple[str, ...] | None:
    """Command that a platform's ``toolchain_program`` runs.

    Parameters
    ----------
    function : ast.FunctionDef

    Returns
    -------
    tuple of str or None
        With :data:`BITSTREAM` in place of the file. None if the function does anything but run one
        program with the bitstream.
    """
    names = dict(_names(function))
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS]
    if len(calls) != 1 or not calls[0].args or not isinstance(calls[0].args[0], ast.List):
        return None
    words = [_word(item, names) for item in calls[0].args[0].elts]
    found = tuple(word for word in words if word is not None)
    return found if len(found) == len(words) and found.count(BITSTREAM) == 1 else None


def _names(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Variables, and what they stand for: a program or the bitstream."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            # tool = os.environ.get("TOOL", "tool")
            if isinstance(node.value, ast.Call) and len(node.value.args) == 2 \
                    and isinstance(node.value.args[1], ast.Constant):
                yield node.targets[0].id, str(node.value.args[1].value)
        elif isinstance(node, ast.With):
            # with products.extract("top.bin") as filename:
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name):
                    yield item.optional_vars.id, BITSTREAM


def _word(item: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(item, ast.Constant):
        return str(item.value)
    return names.get(item.id) if isinstance(item, ast.Name) else None
