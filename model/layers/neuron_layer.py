"""What layers of binary neurons have in common, whichever bits the neurons see."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from bitwright.model.base import BitLayer, Summing
from bitwright.model.neurons import Neurons
from bitwright.model.weights.weights import BinaryWeights

__all__ = ["NeuronLayer"]


class NeuronLayer(Summing, BitLayer):
    """Layer that holds neurons, and shows them columns of its input.

    A kind is declared with the neurons that it holds: ``class X(..., kind="x", holds=Neurons)``.

    Attributes
    ----------
    neurons : Neurons
    positions : int
        Columns that a sample gives.
    """

    Neurons: ClassVar[type[Neurons]]

    positions: int = 1

    def __init_subclass__(cls, *, holds: type[Neurons] | None = None, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if holds is not None:
            cls.Neurons = holds
            cls.traits = holds.traits

    def __init__(self, neurons: Neurons) -> None:
        super().__init__()
        self.neurons = neurons
        self.depth = neurons.depth

    @property
    def weights(self) -> BinaryWeights:  # type: ignore[override]
        return self.neurons.weights

    @property
    def batch_statistics(self) -> bool:  # type: ignore[override]
        return self.neurons.batch_statistics

    def forward(self, x: Tensor) -> Tensor:
        return self.through(self.neurons, x)

    def through(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Apply a function of columns, such as one of the neurons', to the whole input."""
        return self.arrange(function(self.columns(x)))

    def activate(self, sums: Tensor) -> Tensor:
        return self.arrange(self.neurons.activate(sums))

    @property
    def certain(self) -> Tensor:
        """Which outputs come from weights that are all settled, bool, shape (out_width,)."""
        certain = self.weights.certain[:, None].expand(-1, self.positions)
        return self.arrange(certain)[:, 0]

    def constrain(self) -> None:
        self.weights.constrain()

    def measures(self) -> dict[str, float]:
        return self.weights.measures()
