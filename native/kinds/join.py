"""Images side by side: only other places of the same bits."""

from __future__ import annotations

from bitwright import ir
from bitwright.native.emission import emit
from bitwright.native.program import Program

__all__ = []


@emit.register
def _(node: ir.Join, program: Program, entry: ir.Entry) -> None:
    program.settle(entry, program.sources(entry)[node.index])
