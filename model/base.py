"""The interfaces of the parts of a network: what makes values, layers, heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from bitwright import ir
from bitwright.model.kinds import Named
from bitwright.model.weights.weights import Weights
from bitwright.model.wiring import Geometry

__all__ = ["BitHead", "BitLayer", "Context", "Head", "Input", "Layer", "Part", "RealHead",
           "RealLayer", "Summing", "Trait", "Values"]

Values = Literal["bits", "reals"]
"""What lies between the parts of a network."""


class Trait(Enum):
    """What a layer or a head offers to a learning rule."""

    GRADIENT = "gradient"
    """A loss gives a gradient to all that it learns and to its input, and what it does in
    evaluation follows what it does in training."""
    MATRIX = "matrix"
    """It is :class:`Summing`: gradients may go back through another matrix than its weights."""
    LATENT = "latent"
    """Its weights are the signs of latent reals, and bits come of normalised counts by a surrogate
    of which a rule may choose the slope."""
    FLIPS = "flips"
    """Its weights are bits, and votes flip them."""
    DOUBT = "doubt"
    """Its weights are probabilities, which have to become bits."""
    PASSES = "passes"
    """It has nothing to learn, and hands on any signal, forward and back, by its derivative: every
    rule passes it by."""


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
    parts : tuple of Geometry
        Where the values of each of the layer's inputs lie, if there are several.
    """

    geometry: Geometry
    classes: int
    groups: int = 1
    widths: tuple[int, ...] = ()
    parts: tuple[Geometry, ...] = ()


class Input(nn.Module, ABC):
    """What turns the integer features of samples into the values of a network.

    Values are in arrays of shape ``(width, batch)`` and of any strides: for wiring, which moves
    whole rows, a value of all samples lies together, and for layers that slide over pictures all
    values of a sample. Frames are merged into the batch, see
    :mod:`bitwright.model.inputs.frames`.
    """

    values: ClassVar[Values]
    freezes: ClassVar[bool] = False
    """As :attr:`Part.freezes`."""
    learns: ClassVar[bool] = False
    """Whether it has parameters, which the rule then has to train."""
    traits: ClassVar[frozenset[Trait]] = frozenset()
    """What it offers to a learning rule that trains it."""
    levels: str = ""
    """What a recipe calls it, if it learns."""
    batch_statistics: ClassVar[bool] = False
    """As :attr:`Part.batch_statistics`."""

    geometry: Geometry
    """Where the values lie."""
    frames: int
    """Frames of a sample in evaluation, and where it is frozen."""
    draws: bool = False
    """Whether it leaves something to chance in training."""
    generator: torch.Generator | None = None
    """What it then draws from, on its device."""

    @property
    def frames_now(self) -> int:
        """Frames of a sample in the mode that it is in."""
        return self.frames

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Map integers, shape (batch, n), to values, shape (width, frames_now * batch)."""

    def frame(self, features: Tensor, frames: Tensor) -> Tensor:
        """Map each sample in a frame of its own, shape (batch,), to values, (width, batch)."""
        raise NotImplementedError

    def freeze(self) -> ir.Modulate:
        """Node with the same function as :meth:`forward` in evaluation mode."""
        raise NotImplementedError


class Part(nn.Module, Named, ABC):
    """A layer or a head.

    A concrete one is known by its ``kind`` (what a recipe calls it; with a count it names its
    node) and has a class ``Settings``, the frozen dataclass of what a recipe may say about it.
    """

    Settings: ClassVar[type]

    values: ClassVar[Values]
    """What it reads."""
    freezes: ClassVar[bool] = False
    """Whether it has a frozen form. References in software have none."""
    traits: ClassVar[frozenset[Trait]] = frozenset()
    """What it offers to a learning rule."""
    batch_statistics: bool = False
    """Whether a training pass normalises over the batch, of which it then needs two samples."""

    @classmethod
    @abstractmethod
    def build(cls, settings: Any, context: Context, generator: torch.Generator) -> Self:
        """Make a part as a recipe describes it.

        Raises
        ------
        ValueError
            If the settings do not fit the place.
        """

    def constrain(self) -> None:
        """Return parameters to their range, after a learning rule has changed them."""

    def measures(self) -> dict[str, float]:
        """Figures of the part worth a line in the log, by name."""
        return {}


class Layer(Part):
    """Layer: ``forward`` maps values of shape (in_width, batch) to (out_width, batch)."""

    kinds: ClassVar[dict[str, type[Layer]]] = {}

    makes: ClassVar[Values]
    vanishes: ClassVar[bool] = False
    """Whether it does nothing in evaluation, and so has no node."""

    geometry: Geometry
    """Where the output values lie."""
    draws: ClassVar[bool] = False
    """Whether it leaves something to chance in training."""
    generator: torch.Generator | None = None
    """What it then draws from, on its device."""

    @property
    def passes(self) -> bool:
        """Whether it has nothing to learn."""
        return Trait.PASSES in self.traits

    @property
    def settles(self) -> bool:
        """Whether its running statistics must be measured anew, with the weights as they have
        become, before it is evaluated."""
        return False

    @property
    def decaying(self) -> list[nn.Parameter]:
        """What weight decay draws to 0: that which tables are made of."""
        return []

    def dependences(self) -> list[Tensor]:
        """How far tables depend on each of their inputs, from 0 to 1, differentiable.

        See :func:`bitwright.model.lookup.dependence`.
        """
        return []

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...


class Head(Part):
    """Last layer of a network: ``forward`` maps (in_width, batch) to scores, (batch, scores)."""

    kinds: ClassVar[dict[str, type[Head]]] = {}

    per_frame: ClassVar[bool] = False
    """Whether it has one output, the score of the class that the frame stands for."""
    grouped: ClassVar[bool] = False
    """Whether each class reads its own contiguous group of bits."""
    gathers: ClassVar[bool] = False
    """Whether it reads several layers, which :attr:`reads` names."""
    reads: slice = slice(-1, None)
    """What it reads, in the list of the modulator's values and those of each layer."""
    inverted: bool = False
    """Whether the least active class has the highest score."""
    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "regression"})
    """Kinds of tasks that its scores can serve."""
    middle: float = 0.0
    """Score half-way between the least and the highest, before training."""
    temperature: float = 1.0
    """Scores are divided by it to become logits."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...


class BitLayer(Layer):
    """Layer from bits to bits. Its :meth:`forward` in evaluation mode is the node it freezes to."""

    values = makes = "bits"
    freezes = True

    @abstractmethod
    def freeze(self) -> ir.BitNode:
        """Node with the same function as :meth:`forward` on 0/1 inputs."""

    @classmethod
    @abstractmethod
    def sample(cls, generator: torch.Generator) -> Self:
        """Draw a small layer. Feeds the conformance tests."""


class BitHead(Head):
    """Head on bits. Its :meth:`forward` in evaluation mode is the node that it freezes to.

    Scores are whole numbers: of floats in training, so that gradients pass; else of int64.
    """

    values = "bits"
    freezes = True

    @abstractmethod
    def freeze(self) -> ir.HeadNode:
        """Node with the same function as :meth:`forward` on 0/1 inputs."""

    @classmethod
    @abstractmethod
    def sample(cls, generator: torch.Generator) -> Self:
        """Draw a small head. Feeds the conformance tests."""


class RealLayer(Layer):
    """Layer with something real about it: a reference in software, without a frozen form.

    It reads and makes reals, unless it says otherwise.
    """

    values = makes = "reals"


class RealHead(Head):
    """Head on reals, whose scores are logits."""

    values = "reals"


class Summing(nn.Module):
    """Layer or head that multiplies what it reads by a matrix, then acts on each sum alone.

    In training, ``forward(x)`` is ``activate(product(x))``. Where the matrix sees one window of
    the input after another, each is a column of its own.
    """

    depth: int = 1
    """Outputs of a sum."""

    weights: Weights

    def columns(self, x: Tensor) -> Tensor:
        """What the matrix multiplies: (in_width, batch) to (fan_in, columns)."""
        return x

    def arrange(self, y: Tensor) -> Tensor:
        """Put what was made of each column in its place: (n, columns) to (out_width, batch)."""
        return y

    def take(self, y: Tensor) -> Tensor:
        """Undo :meth:`arrange`."""
        return y

    def collect(self, columns: Tensor) -> Tensor:
        """Add what columns say of the same input: (fan_in, columns) to (in_width, batch)."""
        return columns

    def product(self, x: Tensor) -> Tensor:
        """Map inputs, shape (in_width, batch), to sums, shape (neurons, columns)."""
        return self.weights.product(self.columns(x))

    @abstractmethod
    def activate(self, sums: Tensor) -> Tensor:
        """Map sums to the outputs."""

    def spread(self, sums: Tensor) -> Tensor:
        """Give every output what belongs to its sum: (neurons, columns) to (out_width, batch)."""
        return self.arrange(sums.repeat_interleave(self.depth, 0))

    def carry(self, signal: Tensor) -> Tensor:
        """Take a signal through the matrix alone, (in_width, batch) to (out_width, batch)."""
        return self.spread(self.weights.matrix @ self.columns(signal))
