"""The interface of weights: a matrix that a layer or a head holds, whatever it is made of."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

__all__ = ["BinaryWeights", "Weights"]


class Weights(nn.Module):
    """Matrix of weights, shape (neurons, in_width).

    Attributes
    ----------
    feedback : Tensor or None
        Matrix of that shape by which gradients go back to the input in place of the weights. It is
        the state of the rule that puts it here, and so is kept with the rule's.
    """

    feedback: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("feedback", None, persistent=False)

    @property
    @abstractmethod
    def matrix(self) -> Tensor:
        """Weights as the product has them, without a gradient."""

    @abstractmethod
    def product(self, x: Tensor) -> Tensor:
        """Map inputs, shape (in_width, columns), to sums, shape (neurons, columns).

        Of binary weights the sums are counts: of inputs of 0 and 1 that agree.
        """

    def constrain(self) -> None:
        """Return weights to their range, after a learning rule has changed them."""

    def measures(self) -> dict[str, float]:
        """Figures worth a line in the log, by name."""
        return {}


class BinaryWeights(Weights):
    """Weights that a frozen network knows as bits: a 1 stands for +1, a 0 for -1."""

    @property
    @abstractmethod
    def bits(self) -> Tensor:
        """Weights as bool. The one place where what is trained becomes a bit."""

    @property
    def constants(self) -> Tensor | int:
        """What each neuron counts beside its inputs, shape (neurons,)."""
        return 0
