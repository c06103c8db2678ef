"""The interface of one trainable layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.wiring import Geometry

__all__ = ["BitLayer", "Context", "Head", "Layer", "RealHead", "RealLayer"]


@dataclass(frozen=True)
class Context:
    """Where in a network a layer stands.

    Parameters
    ----------
    geometry : Geometry
        Where the layer's input bits lie. Its ``width`` is the layer's ``in_width``.
    classes : int
        Scores of the network.
    groups : int
        Equal groups that the layer's outputs form: the number of classes in front of a head that
        sums groups, else 1. Each group should see the whole field.
    widths : tuple of int
        Values that come from the modulator and from each layer before this one.
    """

    geometry: Geometry
    classes: int
    groups: int = 1
    widths: tuple[int, ...] = ()


class Layer(nn.Module, ABC):
    """One trainable step of a network.

    Values are in arrays of shape ``(width, batch)``: a value of all samples is contiguous, so
    that wiring moves whole rows.

    A concrete layer has a class attribute ``kind`` (what a recipe calls it; with a count it names
    its node) and a class ``Settings``, the frozen dataclass of what a recipe may say about it.
    """

    kind: ClassVar[str]
    Settings: ClassVar[type]

    settles: ClassVar[bool] = False
    """Whether its running statistics must be measured anew, with the weights as they have become,
    before it is evaluated."""

    @classmethod
    @abstractmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        """Make a layer as a recipe describes it.

        Raises
        ------
        ValueError
            If the settings do not fit the place.
        """

    def constrain(self) -> None:
        """Return parameters to their range, after a learning rule has changed them."""

    def measures(self) -> dict[str, float]:
        """Figures of the layer worth a line in the log, by name."""
        return {}


class _Top(Layer):
    """Last layer of a network: it makes the scores."""

    reads: slice = slice(-1, None)
    """What it reads, in the list of the modulator's values and those of each layer."""
    per_frame: ClassVar[bool] = False
    """Whether it has one output, the score of the class that the frame stands for."""


class _Frozen(Layer):
    """Layer on bits whose :meth:`forward` in evaluation mode is exactly :meth:`freeze`'s node."""

    @abstractmethod
    def freeze(self) -> ir.Node:
        """Node with the same function as :meth:`forward` on 0/1 inputs."""

    @classmethod
    @abstractmethod
    def sample(cls, generator: torch.Generator) -> Self:
        """Draw a small layer. Feeds the conformance tests."""


class BitLayer(_Frozen):
    """Layer from bits to bits: ``forward`` maps (in_width, batch) to (out_width, batch)."""

    kinds: ClassVar[dict[str, type[BitLayer]]] = {}

    def __init_subclass__(cls, *, kind: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = kind
        BitLayer.kinds[kind] = cls

    geometry: Geometry
    """Where the output bits lie."""

    @abstractmethod
    def freeze(self) -> ir.BitNode: ...

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...


class Head(_Frozen, _Top):
    """Layer from bits to scores: ``forward`` maps (in_width, batch) to (batch, classes).

    Scores are integers, held as floats so that gradients pass.
    """

    kinds: ClassVar[dict[str, type[Head]]] = {}

    grouped: ClassVar[bool] = False
    """Whether each class reads its own contiguous group of bits."""

    temperature: float
    """Scores are divided by it to become logits."""

    def __init_subclass__(cls, *, kind: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = kind
        Head.kinds[kind] = cls

    @abstractmethod
    def freeze(self) -> ir.HeadNode: ...

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...


class RealLayer(Layer):
    """Layer from reals to reals: ``forward`` maps (in_width, batch) to (out_width, batch).

    A software reference beside the layers of bits: it has no frozen form.
    """

    kinds: ClassVar[dict[str, type[RealLayer]]] = {}

    def __init_subclass__(cls, *, kind: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = kind
        RealLayer.kinds[kind] = cls

    geometry: Geometry
    """Where the output values lie."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...


class RealHead(_Top):
    """Layer from reals to logits: ``forward`` maps (in_width, batch) to (batch, classes)."""

    kinds: ClassVar[dict[str, type[RealHead]]] = {}

    def __init_subclass__(cls, *, kind: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = kind
        RealHead.kinds[kind] = cls

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...
