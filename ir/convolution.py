"""Dense nodes that slide over an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import LANES, Bits, Words, with_constants
from bitwright.ir.fields import MAX_WIDTH, Field, Integer, shown
from bitwright.ir.lut import Lut
from bitwright.ir.nested import Nodes
from bitwright.ir.node import BitNode
from bitwright.ir.signs import CHUNK, reached, signs, signs_of_words
from bitwright.ir.window import Window
from bitwright.ir.xnor import Xnor

__all__ = ["Convolution"]

_CHUNK_BITS = 1 << 24
"""Window bits of all samples that are evaluated together, which bounds the memory of a body."""

_CHUNK_SIGNS = 1 << 20
"""Signs that a row of windows sees, or products in it, of some samples, of 4 bytes each."""


@dataclass(frozen=True, eq=False)
class Convolution(BitNode, kind="convolution"):
    """The same dense nodes at every position of a window: ``y[p] = body(x[window.index[p]])``.

    The outputs form an image again, of the positions as pixels and the outputs of the body as
    channels: bit ``p * channels_out + c``. A body of one :class:`ir.Xnor` is the binary
    convolution of XNOR-Net (arXiv:1603.05279); a body of look-up tables is a convolution by logic.

    In groups, each group has dense nodes of its own, which read the channels of that group only;
    with as many groups as channels that is a depthwise convolution.

    Parameters
    ----------
    body : tuple of Lut and Xnor
        A chain a group, all equally long, one after the other. The first node of a chain reads what
        the window sees of the channels of its group, each of the others the one before.
    window : Window
    groups : int
        Equal parts of the channels of a pixel, lowest first; the outputs of the groups are
        concatenated in that order.

    Raises
    ------
    ValueError
        If the body is empty, or has another kind of node, or a width disagrees; or if the groups
        divide neither the channels nor the nodes of the body.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        *Window.fields,
        Integer("groups", 1, MAX_WIDTH, 1),
        Nodes("body", (Lut, Xnor)),
    )

    body: tuple[BitNode, ...]
    window: Window
    groups: int = 1

    def validate(self) -> None:
        if not isinstance(self.window, Window):
            raise ValueError(f"Window must be an ir.Window, not {shown(self.window)}")
        for what, count in (("channels of a pixel", self.window.channels),
                            ("nodes of the body", len(self.body))):
            if count % self.groups:
                raise ValueError(f"Groups must divide the {count} {what}, not be {self.groups}")
        length = len(self.body) // self.groups
        for index, node in enumerate(self.body):
            if index % length == 0:
                width = self.window.bits // self.groups
                driver = "the window shows" if self.groups == 1 else "a group of the window shows"
            if node.in_width != width:
                raise ValueError(f"Body node {index} reads {node.in_width} bits, but {driver} "
                                 f"{width}")
            width, driver = node.out_width, f"body node {index} drives"

    def values(self) -> dict[str, Any]:
        return {**self.window.values(), "groups": self.groups, "body": self.body}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        return cls(values["body"], Window.from_values(values), values["groups"])

    @property
    def chains(self) -> tuple[tuple[BitNode, ...], ...]:
        """Nodes of each group."""
        length = len(self.body) // self.groups
        return tuple(self.body[start : start + length]
                     for start in range(0, len(self.body), length))

    @property
    def seen(self) -> NDArray[np.int64]:
        """Bits of the window that each group reads, shape (groups, bits of a group)."""
        bits = np.arange(self.window.bits).reshape(self.window.pixels, self.groups, -1)
        return bits.transpose(1, 0, 2).reshape(self.groups, -1)

    @property
    def channels(self) -> int:
        """Output bits of a position."""
        return sum(chain[-1].out_width for chain in self.chains)

    @property
    def in_width(self) -> int:
        return self.window.in_width

    @property
    def out_width(self) -> int:
        return self.window.positions * self.channels

    @property
    def reads(self) -> Bits:
        read = np.zeros(self.window.bits, bool)
        for chain, seen in zip(self.chains, self.seen, strict=True):
            read[seen[chain[0].reads]] = True
        mask = np.zeros(self.in_width + 2, bool)
        mask[self.window.index[:, read]] = True
        return mask[:-2]

    def evaluate_words(self, x: Words) -> Words:
        shown, columns = with_constants(x), x.shape[1]
        y = np.empty((self.window.positions, self.channels, columns), np.uint64)
        channel = 0
        for chain, seen in zip(self.chains, self.seen, strict=True):
            first, *others = chain
            channels = slice(channel, channel + chain[-1].out_width)
            channel = channels.stop
            if isinstance(first, Xnor) and self.groups == 1 and _few(self.window):
                parts = _slid(self.window, first, shown)
            else:
                parts = _gathered(self.window.index[:, seen], first, shown)
            for part, values in parts:
                # Positions have become further samples: nodes run on as many as they can get.
                for node in others:
                    values = node.evaluate_words(values)
                y[part, channels] = values.reshape(len(values), -1, columns).transpose(1, 0, 2)
        return y.reshape(self.out_width, columns)

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        groups = int(rng.choice([1, 1, 1, 2, 3]))
        window = Window.sample(rng, groups if groups > 1 else int(rng.integers(1, 3)))
        length = int(rng.integers(1, 3))
        body: list[BitNode] = []
        for _ in range(groups):
            in_width = window.bits // groups
            for _ in range(length):
                body.append(_sample_node(in_width, rng))
                in_width = body[-1].out_width
        return cls(tuple(body), window, groups)


def _gathered(index: NDArray[np.int64], node: BitNode, shown: Words
              ) -> Iterator[tuple[slice, Words]]:
    """Some positions, and what a node that reads the window makes of them.

    Parameters
    ----------
    index : array of int64, shape (positions, bits)
        What it reads.
    node : BitNode
    shown : Words
        The image, and constants 0 and 1.

    Yields
    ------
    slice, Words
        Positions, and their outputs, shape (out_width, positions * words).
    """
    step = max(1, _CHUNK_BITS // max(1, 64 * index.shape[1] * shown.shape[1]))
    for start in range(0, len(index), step):
        part = slice(start, start + step)
        yield part, node.evaluate_words(shown[index[part].T].reshape(index.shape[1], -1))


def _few(window: Window) -> bool:
    """Whether what a row of positions sees is little enough to have its signs at once."""
    return window.padded_shape[1] * window.kernel[0] * window.channels * LANES <= CHUNK


def _slid(window: Window, node: Xnor, shown: Words) -> Iterator[tuple[slice, Words]]:
    """The same of neurons, a row of positions at a time.

    The signs of all that the row sees are made once, column by column of the image, so that each
    window is a part of them as it lies there.
    """
    (rows, columns), (high, wide), words = window.shape, window.kernel, shown.shape[1]
    image = window.padded.reshape(*window.padded_shape, window.channels)
    # Columns that are the dilation apart lie side by side.
    order = sorted(range(image.shape[1]), key=lambda column: column % window.dilation[1])
    places = [order.index(column * window.stride[1]) for column in range(columns)]
    turned = node.weights.reshape(-1, high, wide, window.channels).transpose(0, 2, 1, 3)
    weights = signs(turned.reshape(node.neurons, -1))
    tall = high * window.channels
    most = max(tall * image.shape[1], columns * node.neurons)
    step = max(1, _CHUNK_SIGNS // (LANES * most))
    for row in range(rows):
        top = row * window.stride[0]
        seen = image[top : top + window.extent[0] : window.dilation[0], order]
        index = seen.transpose(1, 0, 2).reshape(-1)
        y = np.empty((columns, node.out_width, words), np.uint64)
        for start in range(0, words, step):
            part = slice(start, start + step)
            strip = signs_of_words(shown[index, part])
            products = np.empty((columns, node.neurons, strip.shape[1]), np.float32)
            for place, product in zip(places, products, strict=True):
                np.matmul(weights, strip[place * tall : (place + wide) * tall], out=product)
            y[:, :, part] = reached(products, node.thresholds, node.width)
        yield (slice(row * columns, (row + 1) * columns),
               y.transpose(1, 0, 2).reshape(node.out_width, -1))


def _sample_node(in_width: int, rng: np.random.Generator) -> Lut | Xnor:
    rows = int(rng.integers(1, 5))
    if rng.integers(2):
        fan_in = int(rng.integers(1, 5))
        sources = rng.integers(-1, in_width, size=(rows, fan_in)).astype(np.int32)
        return Lut(in_width, sources, rng.integers(2, size=(rows, 1 << fan_in)).astype(bool))
    depth = int(rng.integers(1, 3))
    thresholds = rng.integers(0, in_width + 2, size=(rows, depth)).astype(np.int32)
    return Xnor(rng.integers(2, size=(rows, in_width)).astype(bool), thresholds)
