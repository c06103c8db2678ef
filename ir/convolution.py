"""Dense nodes that slide over an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from bitwright.ir.bits import Bits, Words
from bitwright.ir.fields import Field, shown
from bitwright.ir.lut import Lut
from bitwright.ir.nested import Nodes
from bitwright.ir.node import BitNode
from bitwright.ir.window import Window
from bitwright.ir.xnor import Xnor

__all__ = ["Convolution"]

_CHUNK_BITS = 1 << 24
"""Window bits of all samples that are evaluated together, which bounds the memory of a body."""


@dataclass(frozen=True, eq=False)
class Convolution(BitNode, kind="convolution"):
    """The same dense nodes at every position of a window: ``y[p] = body(x[window.index[p]])``.

    The outputs form an image again, of the positions as pixels and the outputs of the body as
    channels: bit ``p * channels_out + c``. A body of one :class:`ir.Xnor` is the binary
    convolution of XNOR-Net (arXiv:1603.05279); a body of look-up tables is a convolution by logic,
    or a pooling.

    Parameters
    ----------
    body : tuple of Lut and Xnor
        In a chain: the first reads what the window sees, each of the others the one before.
    window : Window

    Raises
    ------
    ValueError
        If the body is empty, or has another kind of node, or a width disagrees.
    """

    fields: ClassVar[tuple[Field, ...]] = (*Window.fields, Nodes("body", (Lut, Xnor)))

    body: tuple[BitNode, ...]
    window: Window

    def validate(self) -> None:
        if not isinstance(self.window, Window):
            raise ValueError(f"Window must be an ir.Window, not {shown(self.window)}")
        width, driver = self.window.bits, "the window shows"
        for index, node in enumerate(self.body):
            if node.in_width != width:
                raise ValueError(f"Body node {index} reads {node.in_width} bits, but {driver} "
                                 f"{width}")
            width, driver = node.out_width, f"body node {index} drives"

    def values(self) -> dict[str, Any]:
        return {**self.window.values(), "body": self.body}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        return cls(values["body"], Window.from_values(values))

    @property
    def channels(self) -> int:
        """Output bits of a position."""
        return self.body[-1].out_width

    @property
    def in_width(self) -> int:
        return self.window.in_width

    @property
    def out_width(self) -> int:
        return self.window.positions * self.channels

    @property
    def reads(self) -> Bits:
        mask = np.zeros(self.in_width, bool)
        mask[self.window.index[:, self.body[0].reads]] = True
        return mask

    def evaluate_words(self, x: Words) -> Words:
        # Positions become further samples: the body then runs on as many words as it can get.
        index, columns = self.window.index, x.shape[1]
        y = np.empty((self.window.positions, self.channels, columns), np.uint64)
        step = max(1, _CHUNK_BITS // max(1, 64 * columns * self.window.bits))
        for start in range(0, len(index), step):
            values: Words = x[index[start : start + step].T].reshape(self.window.bits, -1)
            for node in self.body:
                values = node.evaluate_words(values)
            y[start : start + step] = values.reshape(self.channels, -1, columns).transpose(1, 0, 2)
        return y.reshape(self.out_width, columns)

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        height, width, channels = (int(n) for n in rng.integers((1, 1, 1), (5, 5, 3)))
        kernel = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        stride = int(rng.integers(1, 3)), int(rng.integers(1, 3))
        window = Window(height, width, channels, kernel, stride)
        body: list[BitNode] = []
        in_width = window.bits
        for _ in range(int(rng.integers(1, 3))):
            body.append(_sample_node(in_width, rng))
            in_width = body[-1].out_width
        return cls(tuple(body), window)


def _sample_node(in_width: int, rng: np.random.Generator) -> Lut | Xnor:
    rows = int(rng.integers(1, 5))
    if rng.integers(2):
        fan_in = int(rng.integers(1, 5))
        sources = rng.integers(-1, in_width, size=(rows, fan_in)).astype(np.int32)
        return Lut(in_width, sources, rng.integers(2, size=(rows, 1 << fan_in)).astype(bool))
    depth = int(rng.integers(1, 3))
    thresholds = rng.integers(0, in_width + 2, size=(rows, depth)).astype(np.int32)
    return Xnor(rng.integers(2, size=(rows, in_width)).astype(bool), thresholds)
