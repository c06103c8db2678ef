"""The interface of one node of a frozen network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Bits, Words, slice_bits, unslice
from bitwright.ir.declared import Declared
from bitwright.ir.fields import MAX_WIDTH

__all__ = ["BitNode", "HeadNode", "Node"]


class Node(Declared, ABC):
    """One named step of a network: exact, stateless, integer.

    The kinds are :class:`ir.Modulate` (features to bits), every :class:`BitNode` (bits to bits) and
    every :class:`HeadNode` (bits to scores).
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Node]]] = {}

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is None:
            return  # an abstract group of kinds
        if kind in Node.kinds:
            raise TypeError(f"Node kind {kind!r} is already taken by {Node.kinds[kind]!r}")
        if "fields" not in vars(cls):
            raise TypeError(f"Node kind {kind!r} must declare its fields")
        cls.kind = kind
        Node.kinds[kind] = cls

    @property
    @abstractmethod
    def in_width(self) -> int:
        """Number of input values."""

    @property
    @abstractmethod
    def out_width(self) -> int:
        """Number of output values."""

    @property
    def reads(self) -> Bits:
        """Which input values an output may depend on, shape (in_width,)."""
        return np.ones(self.in_width, bool)

    def __post_init__(self) -> None:
        super().__post_init__()
        for what, width in (("read", self.in_width), ("drive", self.out_width)):
            if width > MAX_WIDTH:
                raise ValueError(f"Node must {what} at most {MAX_WIDTH} values, not {width}")

    @classmethod
    @abstractmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        """Draw a small valid node. Feeds the conformance tests."""


class BitNode(Node):
    """Node from bits to bits."""

    @abstractmethod
    def evaluate_words(self, x: Words) -> Words:
        """Map bit-sliced inputs, shape (in_width, words), to shape (out_width, words).

        This is the golden model. Lanes are independent; lanes past the batch hold any value.
        """

    def evaluate(self, x: Bits) -> Bits:
        """Map bit vectors, shape (batch, in_width), to shape (batch, out_width)."""
        return unslice(self.evaluate_words(slice_bits(x)), len(x))


class HeadNode(Node):
    """Node from bits to one integer score a class.

    Where :attr:`per_frame` is set, a frame gives one score, that of the class of the same index:
    the network has as many classes as frames. Otherwise the scores of the frames add up.
    """

    per_frame: ClassVar[bool] = False

    @property
    @abstractmethod
    def score_range(self) -> tuple[int, int]:
        """Smallest and largest score that one frame can give, both inclusive."""

    @property
    def gain(self) -> int:
        """Most that one class can gain on another in a frame."""
        low, high = self.score_range
        return high - low

    @abstractmethod
    def evaluate_words(self, x: Words) -> NDArray[np.int64]:
        """Map bit-sliced inputs, shape (in_width, words), to scores, shape (64 * words, out_width).

        This is the golden model. Rows past the batch hold any value.
        """

    def evaluate(self, x: Bits) -> NDArray[np.int64]:
        """Map bit vectors, shape (batch, in_width), to scores, shape (batch, out_width)."""
        return self.evaluate_words(slice_bits(x))[: len(x)]
