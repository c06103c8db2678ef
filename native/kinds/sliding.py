"""Convolutions and pools: what a window shows is moved side by side, position after position."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bitwright import ir
from bitwright.native.emission import dense, emit
from bitwright.native.program import Program

__all__ = []

See = Callable[[int, int], str]
"""Statement that moves what the window shows of some channels: the first, and how many."""


@emit.register
def _(node: ir.Convolution, program: Program, entry: ir.Entry) -> None:
    def body(see: See) -> Iterable[str]:
        channel, some = 0, node.window.channels // node.groups
        for group, chain in enumerate(node.chains):
            yield see(group * some, some)
            x = "w->seen"
            for index, inner in enumerate(chain):
                last = index == len(chain) - 1
                y = f"y + {channel}" if last else f"w->between[{index % 2}]"
                program.need("BETWEEN", inner.out_width)
                yield dense(inner, program, f"{entry.name}_{group}_{index}").format(x=x, y=y)
                x = y
            channel += chain[-1].out_width

    _positions(program, entry, node.window, node.channels, body)


@emit.register
def _(node: ir.Pool, program: Program, entry: ir.Entry) -> None:
    channels, pixels = node.channels, node.window.pixels

    def body(see: See) -> Iterable[str]:
        yield see(0, channels)
        yield f"pool(w->seen, {pixels}, {channels}, {node.least}, {pixels.bit_length()}, y);"

    _positions(program, entry, node.window, channels, body)


def _positions(program: Program, entry: ir.Entry, window: ir.Window, channels: int,
               body: Callable[[See], Iterable[str]]) -> None:
    """Write a function that goes from position to position, and its call."""
    name, x = entry.name, program.input(entry)
    program.need("SEEN", window.bits)
    program.array("int32_t", f"{name}_pixels", _pixels(window))
    (rows, columns), wide = window.shape, window.padded_shape[1]
    down, across = window.stride
    high, broad = window.kernel

    def see(first: int, some: int) -> str:
        return (f"see(x, {name}_pixels + {down * wide} * row + {across} * column, "
                f"{window.channels}, {first}, {some}, {high}, {broad}, "
                f"{window.dilation[0] * wide}, {window.dilation[1]}, w->seen);")

    program.function(name, ("struct work *w", "const W *x", "W *y"), [
        f"for (size_t row = 0; row < {rows}; row++)",
        f"    for (size_t column = 0; column < {columns}; column++, y += {channels}) {{",
        *(f"        {line}" for text in body(see) for line in text.splitlines()),
        "    }",
    ])
    places = program.place(entry, whole=True)
    program.calls.append(f"{name}(w, {x}, w->value + {places[0]});")


def _pixels(window: ir.Window) -> list[int]:
    """Pixel of the image that each of the padded image is; -1 for one of zeros, -2 of ones."""
    first = window.padded.reshape(-1, window.channels)[:, 0]
    constants = {window.in_width: -1, window.in_width + 1: -2}
    return [constants.get(bit, bit // window.channels) for bit in first.tolist()]
