"""One layer that learns by the forward-forward algorithm: its goodness, its loss, its optimizer.

Everything that a layer needs to learn is here, since no gradient leaves it: G. Hinton, "The
Forward-Forward Algorithm: Some Preliminary Investigations", arXiv:2212.13345, section 2.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from bitwright.model import processes
from bitwright.model.base import Layer
from bitwright.model.network import Network
from bitwright.model.rules.optimizer import adam, set_rate

__all__ = ["Figures", "Learner", "Loss", "check_layers", "goodness", "pair_loss"]

Loss = Literal["softplus", "relu", "symba"]


def device_of(layer: Layer) -> torch.device:
    """Where the parameters of a layer are."""
    parameter = next(layer.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def check_layers(rule: str, network: Network) -> None:
    """Check that every layer that is to learn alone has something to learn.

    Raises
    ------
    ValueError
        If one has not.
    """
    for index, layer in enumerate(network.layers):
        if not layer.passes and not any(one.requires_grad for one in layer.parameters()):
            raise ValueError(f"learning {rule!r} finds nothing to train in layers.{index} of kind "
                             f"{layer.kind!r}")


class Figures(NamedTuple):
    """Of one layer and one batch."""

    loss: float
    accuracy: float
    """Share of the pairs whose positive sample is the better one."""


def goodness(activities: Tensor) -> Tensor:
    """Mean square of the activities of each sample.

    Of bits it is the popcount over the width.

    Parameters
    ----------
    activities : Tensor, shape (width, batch)

    Returns
    -------
    Tensor, shape (batch,)
    """
    return activities.square().mean(0)


def pair_loss(positive: Tensor, negative: Tensor, threshold: Tensor, kind: Loss) -> Tensor:
    """Price of the goodness of positive samples, and of the negative ones beside them.

    Parameters
    ----------
    positive, negative : Tensor, shape (batch,)
        Goodness over the temperature.
    threshold : Tensor of one element
        In the same unit.
    kind : {"softplus", "relu", "symba"}
        Softplus, or rectifier, of how far a goodness is on the wrong side of the threshold, mean
        over all samples (Hinton, equation 1, whose logarithm of the logistic function is the
        softplus); or softplus of how far each negative sample is above its positive one, without
        a threshold (Lee and Song, "SymBa", arXiv:2303.08418, equation 5).

    Returns
    -------
    Tensor of one element
    """
    if kind == "symba":
        return softplus(negative - positive).mean()
    wrong = torch.cat([threshold - positive, negative - threshold])
    return (softplus(wrong) if kind == "softplus" else relu(wrong)).mean()


class Learner:
    """A layer with all that it takes to train it alone.

    Parameters
    ----------
    layer : Layer
    loss : Loss
    threshold : float
        Goodness at which a sample is taken for a positive one, at first: it is learned too.
    temperature : float
        Goodness is divided by it.
    inverted : bool
        Whether positive samples shall have the smaller goodness.
    """

    def __init__(self, layer: Layer, loss: Loss, threshold: float, temperature: float, *,
                 inverted: bool) -> None:
        self.layer = layer
        self._loss = loss
        self._temperature = temperature
        self._inverted = inverted
        self._threshold = nn.Parameter(torch.tensor([threshold / temperature],
                                                   device=device_of(layer)))
        self._optimizer = adam([*layer.parameters(), self._threshold])

    @property
    def threshold(self) -> float:
        """Threshold of the goodness, as learned so far."""
        return self._threshold.item() * self._temperature

    def set_rate(self, rate: float) -> None:
        """Set the learning rate."""
        set_rate(self._optimizer, rate)

    def learn(self, x: Tensor) -> tuple[Tensor, Figures]:
        """Change the layer so that it tells the two halves of a batch apart better.

        Parameters
        ----------
        x : Tensor, shape (in_width, 2 * batch)
            Inputs of the layer: positive samples, then as many negative ones.

        Returns
        -------
        activities : Tensor, shape (out_width, 2 * batch)
            From before the change, and cut from the graph.
        figures : Figures
        """
        activities = self.layer(x)
        positive, negative = (goodness(activities) / self._temperature).chunk(2)
        if self._inverted:
            positive, negative = negative, positive
        loss = pair_loss(positive, negative, self._threshold, self._loss)
        self._optimizer.zero_grad()
        processes.weighed(loss).backward()
        processes.add_up([*self.layer.parameters(), self._threshold])
        self._optimizer.step()
        self.layer.constrain()
        right = (positive > negative).float().mean()
        return activities.detach(), Figures(loss.item(), right.item())

    def state_dict(self) -> dict[str, Any]:
        """Everything beside the layer: tensors and plain values."""
        return {"threshold": self._threshold.detach().clone(),
                "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""
        with torch.no_grad():
            self._threshold.copy_(state["threshold"])
        self._optimizer.load_state_dict(state["optimizer"])
