"""The interface of one node of a frozen network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Bits, Words, slice_bits, unslice

__all__ = ["Attributes", "BitNode", "HeadNode", "Node", "Tensors"]

Attributes = Mapping[str, int | bool | str]
"""Serial form of the scalars of a node, by field name."""

Tensors = dict[str, NDArray[Any]]
"""Serial form of the arrays of a node, by field name."""


class Node(ABC):
    """One named step of a network: exact, stateless, integer.

    Concrete nodes are final frozen dataclasses that check themselves on construction. The kinds
    are :class:`ir.Modulate` (features to bits), every :class:`BitNode` (bits to bits) and every
    :class:`HeadNode` (bits to scores).
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Node]]] = {}

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is None:
            return  # an abstract group of kinds
        if kind in Node.kinds:
            raise TypeError(f"Node kind {kind!r} is already taken by {Node.kinds[kind]!r}")
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

    @abstractmethod
    def attributes(self) -> Attributes:
        """Scalar fields, for the file header."""

    @abstractmethod
    def tensors(self) -> Tensors:
        """Array fields, for the file body."""

    @classmethod
    @abstractmethod
    def from_parts(cls, attributes: dict[str, Any], tensors: Tensors) -> Self:
        """Rebuild a node from :meth:`attributes` and :meth:`tensors`.

        Raises
        ------
        KeyError
            If a field is missing.
        ValueError
            If the fields do not make a valid node.
        """

    @classmethod
    @abstractmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        """Draw a small valid node. Feeds the conformance tests."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Node)
        mine, theirs = self.tensors(), other.tensors()
        return (self.attributes() == other.attributes() and mine.keys() == theirs.keys()
                and all(np.array_equal(mine[name], theirs[name]) for name in mine))

    __hash__ = None  # type: ignore[assignment]  # arrays inside: compared, never hashed


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

    @abstractmethod
    def evaluate_words(self, x: Words) -> NDArray[np.int64]:
        """Map bit-sliced inputs, shape (in_width, words), to scores, shape (64 * words, out_width).

        This is the golden model. Rows past the batch hold any value.
        """

    def evaluate(self, x: Bits) -> NDArray[np.int64]:
        """Map bit vectors, shape (batch, in_width), to scores, shape (batch, out_width)."""
        return self.evaluate_words(slice_bits(x))[: len(x)]
