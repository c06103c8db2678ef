"""Where the kinds of nodes say how they are written in C."""

from __future__ import annotations

from functools import singledispatch

from bitwright import ir
from bitwright.errors import UserError
from bitwright.native.program import Program

__all__ = ["NativeError", "dense", "emit"]


class NativeError(UserError):
    """A network cannot be compiled here. It can be evaluated all the same, by :mod:`bitwright.ir`.
    """


@singledispatch
def emit(node: ir.Node, program: Program, entry: ir.Entry) -> None:
    """Write a node of a network: its constants and functions, the calls, and places of its bits.

    Raises
    ------
    NativeError
        If nobody has said how.
    """
    raise NativeError(f"Node {entry.name!r} is of kind {node.kind!r}, which is not written in C")


@singledispatch
def dense(node: ir.BitNode, program: Program, name: str) -> str:
    """Write a node inside a node: from bits side by side to bits side by side.

    Returns
    -------
    str
        Its call, with ``{x}`` and ``{y}`` for the pointers to the two.
    """
    raise NativeError(f"Node inside {name!r} is of kind {node.kind!r}, which is not written in C")
