"""Heads: counts in slices, which become a number a sample at the end."""

from __future__ import annotations

from bitwright import ir
from bitwright.native.emission import emit
from bitwright.native.program import Program

__all__ = []


@emit.register
def _(node: ir.GroupSum, program: Program, entry: ir.Entry) -> None:
    digits = node.group.bit_length()
    program.calls.append(f"group_sum({program.input(entry)}, {node.classes}, {node.group}, "
                         f"{digits}, w->score);")


@emit.register
def _(node: ir.Goodness, program: Program, entry: ir.Entry) -> None:
    digits = node.width.bit_length()
    program.calls.append(f"group_sum({program.input(entry)}, 1, {node.width}, {digits}, "
                         "w->score + frame);")


@emit.register
def _(node: ir.Scores, program: Program, entry: ir.Entry) -> None:
    x, name = program.input(entry), entry.name
    program.need("PAIRS", node.width)
    program.bits(64, f"{name}_weights", node.weights)
    program.array("int32_t", f"{name}_biases", node.biases.tolist())
    program.calls.append(f"scores({x}, w->pair, {node.width}, {node.out_width}, {name}_weights, "
                         f"{node.scale}, {name}_biases, {node.width.bit_length()}, w->score);")
