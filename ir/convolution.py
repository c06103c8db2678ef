"""Dense nodes that slide over an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bitwright.ir.bits import Bits, Words
from bitwright.ir.lut import Lut
from bitwright.ir.node import Attributes, BitNode, Tensors
from bitwright.ir.window import Window
from bitwright.ir.xnor import Xnor

__all__ = ["Convolution"]

BODY: dict[str, type[Lut] | type[Xnor]] = {cls.kind: cls for cls in (Lut, Xnor)}
"""Kinds that a body may have, by name."""

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

    body: tuple[BitNode, ...]
    window: Window

    def __post_init__(self) -> None:
        if not self.body:
            raise ValueError("Body must have at least one node, not 0")
        width, driver = self.window.bits, "the window shows"
        for index, node in enumerate(self.body):
            if not isinstance(node, Lut | Xnor):
                raise ValueError(f"Body node {index} must be a Lut or an Xnor, "
                                 f"not {type(node).__name__}")
            if node.in_width != width:
                raise ValueError(f"Body node {index} reads {node.in_width} bits, but {driver} "
                                 f"{width}")
            width, driver = node.out_width, f"body node {index} drives"

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

    def attributes(self) -> Attributes:
        window = self.window
        attributes: dict[str, int | bool | str] = {
            "height": window.height, "width": window.width, "channels": window.channels,
            "kernel_height": window.kernel[0], "kernel_width": window.kernel[1],
            "stride_down": window.stride[0], "stride_across": window.stride[1],
            "nodes": len(self.body),
        }
        for index, node in enumerate(self.body):
            attributes[f"body{index}.kind"] = node.kind
            attributes |= {f"body{index}.{name}": value
                           for name, value in node.attributes().items()}
        return attributes

    def tensors(self) -> Tensors:
        return {f"body{index}.{name}": value for index, node in enumerate(self.body)
                for name, value in node.tensors().items()}

    @classmethod
    def from_parts(cls, attributes: dict[str, Any], tensors: Tensors) -> Self:
        window = Window(attributes["height"], attributes["width"], attributes["channels"],
                        (attributes["kernel_height"], attributes["kernel_width"]),
                        (attributes["stride_down"], attributes["stride_across"]))
        count = attributes["nodes"]
        if type(count) is not int:
            raise ValueError(f"Nodes must be an integer, not {count!r}")
        body = tuple(_body_node(index, attributes, tensors) for index in range(count))
        return cls(body, window)

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


def _body_node(index: int, attributes: dict[str, Any], tensors: Tensors) -> BitNode:
    """Node of a body from the fields that begin with its name."""
    kind = attributes[f"body{index}.kind"]
    if not isinstance(kind, str) or kind not in BODY:
        raise ValueError(f"Body node {index} must be one of {sorted(BODY)}, not {kind!r}")
    try:
        return BODY[kind].from_parts(_own(index, attributes), _own(index, tensors))
    except KeyError as error:
        raise KeyError(f"body{index}.{error.args[0]}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"Body node {index}: {error}") from error


def _own(index: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    prefix = f"body{index}."
    return {name.removeprefix(prefix): value for name, value in fields.items()
            if name.startswith(prefix)}


def _sample_node(in_width: int, rng: np.random.Generator) -> Lut | Xnor:
    rows = int(rng.integers(1, 5))
    if rng.integers(2):
        fan_in = int(rng.integers(1, 5))
        sources = rng.integers(-1, in_width, size=(rows, fan_in)).astype(np.int32)
        return Lut(in_width, sources, rng.integers(2, size=(rows, 1 << fan_in)).astype(bool))
    depth = int(rng.integers(1, 3))
    thresholds = rng.integers(0, in_width + 2, size=(rows, depth)).astype(np.int32)
    return Xnor(rng.integers(2, size=(rows, in_width)).astype(bool), thresholds)
