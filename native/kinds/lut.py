"""Look-up tables: a few operations each, or data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.ir.lut import UNCONNECTED
from bitwright.native.emission import dense, emit
from bitwright.native.functions import Steps
from bitwright.native.program import MOST_STEPS, Places, Program

__all__ = []

_IN_A_FUNCTION = 1000
"""Steps, about. A compiler takes more than twice as long for a function of twice the length."""


@emit.register
def _(node: ir.Lut, program: Program, entry: ir.Entry) -> None:
    wires = np.where(node.sources == UNCONNECTED, UNCONNECTED,
                     program.sources(entry)[node.sources])
    places = program.place(entry)
    read = places >= 0
    call = _written(program, entry.name, wires[read], node.tables[read], places[read])
    program.calls.append(call.format(x="w->value", y="w->value"))


@dense.register
def _(node: ir.Lut, program: Program, name: str) -> str:
    return _written(program, name, node.sources.astype(np.int64), node.tables,
                    np.arange(node.out_width))


def _written(program: Program, name: str, wires: Places, tables: NDArray[np.bool_],
             places: Places) -> str:
    """Write tables that read, and whose outputs are, where they are told. Returns the call."""
    calls, lines, steps = list[str](), list[str](), 0
    for row in range(len(tables)):
        if program.steps + steps > MOST_STEPS:
            calls += _function(program, name, lines, row)
            return "\n".join([*calls, _data(program, name, wires[row:], tables[row:],
                                            places[row:])])
        text, more = _table(wires[row], tables[row], int(places[row]))
        lines.append(text)
        steps += more
        if steps > _IN_A_FUNCTION:
            calls += _function(program, name, lines, row + 1)
            program.steps, steps, lines = program.steps + steps, 0, []
    program.steps += steps
    return "\n".join([*calls, *_function(program, name, lines, len(tables))])


def _table(wires: Places, table: NDArray[np.bool_], place: int) -> tuple[str, int]:
    """One table, and how many steps it has."""
    for slot in np.flatnonzero(wires == UNCONNECTED)[::-1]:  # where it reads 0
        table = table.reshape(-1, 2, 1 << slot)[:, 0].reshape(-1)
    wires = wires[wires != UNCONNECTED]
    steps = Steps(table.astype(np.uint8).tobytes(), [f"x[{wire}]" for wire in wires])
    known = "".join(f"const W {term} = {expression}; " for term, expression in steps.lines)
    return f"{{ {known}y[{place}] = {steps.result}; }}", len(steps.lines) + 1


def _function(program: Program, name: str, lines: list[str], stop: int) -> list[str]:
    """Make a function of what is written, if anything is. Returns the calls."""
    if not lines:
        return []
    name = f"{name}_{stop - len(lines)}"
    program.function(name, ("const W *x", "W *y"), ["(void)x;", *lines])
    return [f"{name}({{x}}, {{y}});"]


def _data(program: Program, name: str, wires: Places, tables: NDArray[np.bool_],
          places: Places) -> str:
    program.array("int32_t", f"{name}_wires", wires.ravel().tolist())
    program.bits(8, f"{name}_tables", tables)
    program.array("int32_t", f"{name}_places", places.tolist())
    count, fan_in = wires.shape
    return (f"look_up({{x}}, {count}, {fan_in}, {name}_wires, {name}_tables, {name}_places, "
            "{y});")
