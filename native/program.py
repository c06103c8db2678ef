"""The C text of a network while it grows, node by node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bitwright import ir

__all__ = ["MOST_STEPS", "Places", "Program"]

Places = NDArray[np.int64]
"""Where in memory the bits of a node are, shape (out_width,); -1 for one that nobody reads."""

MOST_STEPS = 150_000
"""Operations that are written out. Further tables are data, which run at a third of the speed, but
are compiled at once: a compiler takes some ten seconds for so many operations."""

_IN_A_LINE = 12
"""Constants in a line of the text."""


class Program:
    """What is written so far.

    Parameters
    ----------
    network : ir.Network

    Attributes
    ----------
    parts : list of str
        Constants and functions.
    calls : list of str
        Statements that run the nodes in order.
    sizes : dict of str to int
        Words that the working memory must have, by the names in ``runtime.c``.
    steps : int
        Operations that are written out.
    """

    def __init__(self, network: ir.Network) -> None:
        self.network = network
        self.parts: list[str] = []
        self.calls: list[str] = []
        self.sizes = {"VALUES": 0, "INPUT": 1, "SEEN": 1, "BETWEEN": 1, "PAIRS": 1}
        self.steps = 0
        self._places: dict[str, Places] = {}

    def place(self, entry: ir.Entry, *, whole: bool = False) -> Places:
        """Find a place for each output of a node that another one reads, or for all."""
        read = self.network.read_mask(entry.name) | whole
        first = self.sizes["VALUES"]
        places = np.where(read, first - 1 + np.cumsum(read), -1)
        self.sizes["VALUES"] += int(read.sum())
        self.settle(entry, places)
        return places

    def settle(self, entry: ir.Entry, places: Places) -> None:
        """Tell where the outputs of a node are."""
        self._places[entry.name] = places

    def sources(self, entry: ir.Entry) -> Places:
        """Where the inputs of a node are, shape (in_width,)."""
        return np.concatenate([self._places[name] for name in entry.inputs])

    def input(self, entry: ir.Entry) -> str:
        """Pointer to the inputs of a node, side by side. They are moved if they are not so."""
        sources = self.sources(entry)
        if (np.diff(sources) == 1).all() and sources[0] >= 0:
            return f"(w->value + {sources[0]})"
        name = f"{entry.name}_input"
        self.array("int32_t", name, sources.tolist())
        self.need("INPUT", len(sources))
        self.calls.append(f"move(w->value, {name}, {len(sources)}, w->input);")
        return "w->input"

    def need(self, name: str, words: int) -> None:
        """Have at least so much working memory of a kind."""
        self.sizes[name] = max(self.sizes[name], words)

    def array(self, kind: str, name: str, values: Iterable[int | str]) -> None:
        """Add constants, one at least, as C has no empty arrays."""
        texts = [str(value) for value in values] or ["0"]
        lines = (", ".join(texts[start : start + _IN_A_LINE])
                 for start in range(0, len(texts), _IN_A_LINE))
        self.parts.append(f"static const {kind} {name}[] = {{\n    " + ",\n    ".join(lines)
                          + "\n};")

    def bits(self, size: int, name: str, rows: NDArray[np.bool_]) -> None:
        """Add constants of so many bits each, a row from the first bit of a new one."""
        packed = np.packbits(rows, axis=1, bitorder="little")
        padded = np.zeros((len(rows), -(-rows.shape[1] // size) * size // 8), np.uint8)
        padded[:, : packed.shape[1]] = packed
        self.array(f"uint{size}_t", name,
                   (f"{value:#x}" for value in padded.view(f"<u{size // 8}").flat))

    def function(self, name: str, arguments: Sequence[str], lines: Iterable[str]) -> None:
        """Add a function."""
        body = "\n".join(f"    {line}" for line in lines)
        self.parts.append(f"static void {name}({', '.join(arguments)})\n{{\n{body}\n}}")
