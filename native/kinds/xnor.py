"""Neurons, whose bits are counted in slices: a full adder adds a bit of each of many samples."""

from __future__ import annotations

from bitwright import ir
from bitwright.native.emission import dense, emit
from bitwright.native.program import Program

__all__ = []


@emit.register
def _(node: ir.Xnor, program: Program, entry: ir.Entry) -> None:
    x, call = program.input(entry), dense(node, program, entry.name)
    places = program.place(entry, whole=True)
    program.calls.append(call.format(x=x, y=f"w->value + {places[0]}"))


@dense.register
def _(node: ir.Xnor, program: Program, name: str) -> str:
    program.need("PAIRS", node.width)
    program.bits(64, f"{name}_weights", node.weights)
    program.array("uint32_t", f"{name}_thresholds", node.thresholds.ravel().tolist())
    return (f"xnor({{x}}, w->pair, {node.width}, {node.neurons}, {node.depth}, {name}_weights, "
            f"{name}_thresholds, {node.width.bit_length()}, {{y}});")
