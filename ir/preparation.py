"""How what a user has becomes the integer features of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.declared import Declared

__all__ = ["Preparation"]


class Preparation(Declared, ABC):
    """A part of the frozen file, in numbers, so that everybody makes the same integers.

    Each kind is a file of its own. docs/format.md says what each computes.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Preparation]]] = {}

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is None:
            return  # an abstract group of kinds
        if kind in Preparation.kinds:
            raise TypeError(f"Preparation {kind!r} is already taken by "
                            f"{Preparation.kinds[kind]!r}")
        if "fields" not in vars(cls):
            raise TypeError(f"Preparation {kind!r} must declare its fields")
        cls.kind = kind
        Preparation.kinds[kind] = cls

    @property
    @abstractmethod
    def features(self) -> int:
        """Integers of a sample."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """What a raw sample is: ``(steps, columns)`` numbers, or ``(height, width[, 3])`` bytes."""

    @property
    @abstractmethod
    def range(self) -> tuple[int, int]:
        """Smallest and largest feature that may come out, both inclusive."""

    @abstractmethod
    def apply(self, raw: NDArray[Any]) -> NDArray[np.int32]:
        """Map raw samples, shape ``(samples, *shape)``, to features, shape (samples, features).

        Raises
        ------
        ValueError
            If the shape or the type is another, or a number is missing or infinite that must not
            be. The message names sample and column, both from 0.
        """

    @abstractmethod
    def describe(self) -> str:
        """What it does, in a few words."""

    @classmethod
    @abstractmethod
    def sample(cls, rng: np.random.Generator) -> Preparation:
        """Draw a small one. Feeds the conformance tests."""
