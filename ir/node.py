"""The interface of one node of a frozen network."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import Bits, Words, slice_bits, unslice
from bitwright.ir.fields import MAX_WIDTH, Field, Size
from bitwright.ir.fields import check as check_fields
from bitwright.ir.fields import read as read_fields
from bitwright.ir.fields import write as write_fields

__all__ = ["BitNode", "HeadNode", "Node"]


class Node(ABC):
    """One named step of a network: exact, stateless, integer.

    Concrete nodes are final frozen dataclasses that check themselves on construction. The kinds
    are :class:`ir.Modulate` (features to bits), every :class:`BitNode` (bits to bits) and every
    :class:`HeadNode` (bits to scores).

    A kind declares its :attr:`fields`; each is an argument of the constructor or a property of
    the same name. Arrays are copied on construction to where nobody can write to them.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Node]]] = {}
    fields: ClassVar[tuple[Field, ...]]
    """What the node holds, attributes before tensors."""

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
        given = {field.name: getattr(self, field.name)
                 for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        for name, value in check_fields(self.fields, given).items():
            object.__setattr__(self, name, value)
        self.validate()
        for what, width in (("read", self.in_width), ("drive", self.out_width)):
            if width > MAX_WIDTH:
                raise ValueError(f"Node must {what} at most {MAX_WIDTH} values, not {width}")

    def validate(self) -> None:  # noqa: B027  # most kinds have no such rule
        """Check what no field can check alone.

        Raises
        ------
        ValueError
            If the fields do not fit each other.
        """

    def values(self) -> dict[str, Any]:
        """What the node holds, by the names of its stored :attr:`fields`."""
        return {field.name: getattr(self, field.name) for field in self.fields
                if not isinstance(field, Size)}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Make a node of :meth:`values`."""
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        return cls(**{name: values[name] for name in names})

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, and what comes from another process, is made by the constructor like any other.
        return type(self).from_values, (self.values(),)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Form of the file: attributes for the header, and tensors."""
        return write_fields(self.fields, self.values())

    @classmethod
    def from_parts(cls, attributes: Mapping[str, Any],
                   tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild a node from its :meth:`parts`.

        Raises
        ------
        ValueError
            If a field is missing, unknown, or not what is declared for it.
        """
        return cls.from_values(read_fields(cls.fields, attributes, tensors))

    @classmethod
    @abstractmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        """Draw a small valid node. Feeds the conformance tests."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Node)
        mine, theirs = self.values(), other.values()
        return all(np.array_equal(value, theirs[name]) if isinstance(value, np.ndarray)
                   else value == theirs[name] for name, value in mine.items())

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
