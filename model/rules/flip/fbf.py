"""Flip backpropagation, in the order of FBF (forward, backward, forward) or of report v1.

There is no latent weight: votes of the batch decide which weight bits are flipped. What the
report defines is ``signal = "flip"``, ``error = "sign"``, ``mask = "vote"``, ``window = 0``; the
other choices are this project's, but for the rank rule, which is v3's. Equations: docs/learning/
flip.md. Source: reports v1 and v2, code v3 of FlipBackprop-pytorch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from bitwright.model.base import Trait
from bitwright.model.inputs.frames import apart
from bitwright.model.network import Network
from bitwright.model.rules.flip import votes
from bitwright.model.rules.optimizer import adam, set_rate
from bitwright.model.rules.rule import Needs, Rule
from bitwright.model.tasks import Task

__all__ = ["FBF"]

_ONE_VOTE = 0.02
"""Least share of the votes of several batches; here each batch is counted by itself."""


@dataclass(frozen=True)
class Settings:
    """What a recipe says about flip backpropagation."""

    order: Literal["fbf", "v1"] = "fbf"
    """"fbf": flips go back to the input first, and a second forward pass changes the weights.
    "v1": each layer changes its weights before it passes on the flips that are left."""
    update: Literal["xor", "xnor"] = "xor"
    """"xnor" is the published code, with its two defects: it flips what the mask did not choose,
    and in the order "fbf" makes the mask of the flips of the first pass."""
    signal: Literal["flip", "wish"] = "flip"
    """What goes back. "flip": one bit, 1 where a bit should be inverted. "wish": what the bit
    should be, or no opinion; only those who have one are counted."""
    error: Literal["sign", "chance"] = "sign"
    """The gradient of a logit becomes its sign, or its sign with its magnitude as probability."""
    mask: Literal["vote", "rank"] = "vote"
    """Weights flipped: those that a majority wants flipped, or of those the ones with the most
    votes."""
    update_rate: float = 0.01
    """Share of the weights of a layer that the rank rule takes."""
    suppressor: int = 0
    """Of the mask, a share of 2^-suppressor is flipped."""
    suppressor_every: int = 0
    """Epochs after which the suppressor goes up by 1; 0 for never."""
    window: float = 0.0
    """Neurons farther than this from their nearest threshold, in deviations, have no target; 0
    for no limit."""
    second_epochs: int = 0
    """Last epochs, in which all samples are one batch."""
    second_suppressor: int = 1
    """Suppressor of those epochs."""
    learning_rate: float = 0.01
    """Of the modulation's batch norm, by Adam; a tenth of it in the second phase."""

    def __post_init__(self) -> None:
        if not 0 < self.update_rate <= 1:
            raise ValueError(f"update_rate must be above 0 and at most 1, not {self.update_rate}")
        for name in ("suppressor", "second_suppressor"):
            if not 0 <= getattr(self, name) <= 32:
                raise ValueError(f"{name} must be between 0 and 32, not {getattr(self, name)}")
        for name in ("suppressor_every", "second_epochs"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")
        if not 0 <= self.window < math.inf:
            raise ValueError(f"window must be at least 0 and finite, not {self.window}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError("learning_rate must be above 0 and finite, "
                             f"not {self.learning_rate}")


@dataclass
class _Pass:
    """What the first forward pass and the backward pass leave behind for a layer."""

    name: str
    layer: Any  # a layer or the head
    centred: bool  # whether its counts have a mean of their own
    seen: Tensor  # input, -1 and +1, shape (in_width, batch)
    x: Tensor  # columns of it, extended, shape (fan_in, columns)
    z: Tensor  # normalised counts, or scores of the head, shape (neurons, columns)
    targets: Tensor | None = None  # -1, 0 (none) and +1, shape (neurons, columns)


class FBF(Rule, kind="fbf"):
    """Votes flip weight bits. Real are the gradient of the loss, and a batch norm of the input."""

    Settings = Settings
    needs = Needs(Trait.FLIPS, Trait.FLIPS, input=True)
    weighs = False
    observes = True

    def __init__(self, network: Network, settings: Settings, *, epochs: int, task: Task,
                 generator: torch.Generator) -> None:
        super().__init__(network, settings, epochs=epochs, task=task, generator=generator)
        self._second = epochs - settings.second_epochs
        self._suppressor = settings.suppressor
        self._optimizer = None
        if network.modulator.learns:
            self._optimizer = adam(network.modulator.parameters(), settings.learning_rate)

    def begin_epoch(self, epoch: int) -> None:
        settings, second = self._settings, epoch >= self._second
        every = settings.suppressor_every
        self._suppressor = settings.suppressor + (epoch // every if every else 0)
        if second:
            self._suppressor = settings.second_suppressor
        if self._optimizer is not None:
            set_rate(self._optimizer, settings.learning_rate * (0.1 if second else 1))

    def end_epoch(self) -> None:
        if self.telemetry is not None:
            self.telemetry.end_epoch()

    def batch(self, epoch: int, batch: int, samples: int) -> int:
        if epoch >= self._second:
            return samples
        # A few samples left over would vote on everything, and be a tenth of the running means.
        parts = max(1, samples // batch)
        return -(-samples // parts) if 0 < 2 * (samples % batch) < batch else batch

    @torch.no_grad()
    def step(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        if self.telemetry is not None:
            self.telemetry.begin_step()
        z, bits = self._modulate(features)
        passes, logits = self._forward(bits)
        loss = self._task.loss(logits, labels)
        error = self._task.error(logits, labels)
        self._observe("head", gradient=error)
        flipped = self._backward(passes, error, z)
        if self._settings.order == "fbf":
            again = None if z is None else self._modulate(features)[1]
            flipped = self._second_forward(passes, again)
        return {"loss": loss.item(), self._task.metric_name: self._task.metric(logits, labels),
                "flipped": float(flipped)}

    def _modulate(self, features: Tensor) -> tuple[Tensor | None, Tensor]:
        """Normalised features, where they are learned, and bits."""
        modulator = self._network.modulator
        if self._optimizer is None:
            return None, modulator(features)
        with torch.enable_grad():
            z = modulator.normalise(features)
        return z, modulator.cut(z.detach())

    def _forward(self, bits: Tensor) -> tuple[list[_Pass], Tensor]:
        """First forward pass: what each layer saw, and the logits, shape (batch, classes)."""
        network, head = self._network, self._network.head
        passes: list[_Pass] = []

        def through(name: str, layer: Any, x: Tensor) -> Tensor:
            columns = layer.columns(x)
            signs = layer.weights.extend(columns)
            z = layer.neurons.normalise(layer.weights.count(signs))
            seen = signs[: len(x)] if columns is x else x.float() * 2 - 1
            passes.append(_Pass(name, layer, layer.neurons.centre == "batch", seen, signs, z))
            output = layer.arrange(layer.neurons.cut(z))
            self._observe(name, bits=output, counts=z)
            return output

        self._observe("modulate", bits=bits)
        x = network.read(network.values(bits, through))
        signs = head.weights.extend(x)
        scores = head.activate(head.weights.count(signs))
        passes.append(_Pass("head", head, head.centre == "batch", signs[: len(x)], signs, scores.T))
        self._observe("head", counts=scores / head.temperature)
        return passes, network.logits(scores)

    def _backward(self, passes: list[_Pass], error: Tensor, z: Tensor | None) -> int:
        """From the loss to the input. Returns the number of weight bits flipped."""
        flipped, signal = 0, None
        for one in reversed(passes):
            if signal is None:
                one.targets = self._targets_of_error(error)
            else:
                bits = one.layer.take(signal)
                one.targets = bits.view(*one.z.shape[:1], -1, one.z.shape[1]).sum(1).sign()
                if self._settings.window:
                    near = one.layer.neurons.distance(one.z) <= self._settings.window
                    one.targets *= near
            before = weights = one.layer.weights.signs
            if self._settings.order == "v1":
                flipped += self._change(one, one.x)
                weights = one.layer.weights.signs
            if one is passes[0] and z is None:
                return flipped  # nobody in front learns
            signal = self._signal(one, weights, before)
            self._observe(_in_front(passes, one), flips=signal * one.seen < 0)
        self._learn_modulation(z, signal)
        return flipped

    def _targets_of_error(self, error: Tensor) -> Tensor:
        """Which way each count of the head should go, shape (classes, frames * batch)."""
        targets = -error.sign()
        if self._settings.error == "chance":
            targets *= torch.rand(error.shape, generator=self._generator,
                                  device=error.device) < error.abs()
        return targets.T.repeat(1, self._network.modulator.frames)

    def _signal(self, one: _Pass, weights: Tensor, before: Tensor) -> Tensor:
        """What the input bits should be: -1, 0 (no opinion) or +1, shape (in_width, batch)."""
        inputs = slice(one.layer.weights.in_width)  # nobody is behind a bias
        weights, before, x = weights[:, inputs], before[:, inputs], one.x[inputs]
        if self._settings.signal == "wish":
            return one.layer.collect(votes.wishes_of_inputs(one.targets, weights)).sign()
        changed = before if self._settings.order == "v1" else None
        count = one.layer.collect(votes.flips_of_inputs(one.targets, weights, x, changed))
        voters = one.layer.collect(torch.full_like(x, len(weights)))
        return -one.seen * votes.over_threshold(count, voters, 0.5)

    def _learn_modulation(self, z: Tensor, signal: Tensor) -> None:
        """Binarize, backward: give the batch norm a gradient that its optimizer follows."""
        features, batch = z.shape
        pull = -apart(signal, self._network.modulator.frames).view(features, -1, batch).sum(1)
        gradient = votes.grad_of_flips(pull)
        self._observe("modulate", gradient=gradient)
        self._optimizer.zero_grad()
        z.backward(gradient)
        self._optimizer.step()

    def _second_forward(self, passes: list[_Pass], bits: Tensor | None) -> int:
        """Change weights, first layer first, each for what its input has become.

        The first layer's input has become ``bits``, or is what it was.
        """
        flipped, x = 0, bits
        for one in passes:
            layer = one.layer
            signs = one.x if x is None else layer.weights.extend(layer.columns(x))
            flipped += self._change(one, signs)
            if one is not passes[-1]:
                x = layer.activate(layer.weights.count(signs))
        return flipped

    def _change(self, one: _Pass, x: Tensor) -> int:
        """Flip the weights of a layer whose input is now ``x``. Returns their number."""
        settings, held = self._settings, one.layer.weights
        weights = held.signs
        inverted = settings.update == "xnor"
        if inverted:
            x = one.x
        if settings.signal == "wish":
            count = votes.wishes_of_weights(one.targets, weights, x,
                                            centred=one.centred)
            mask = count > 0
        else:
            count = votes.flips_of_weights(one.targets, weights, x,
                                           one.x if x is not one.x else None)
            wanted = votes.over_threshold(count, x.shape[1], 0.5)
            mask = votes.over_threshold(wanted.int(), 1, _ONE_VOTE)
        if settings.mask == "rank":
            mask = votes.highest(count, settings.update_rate) & (count > 0)
        if self._suppressor:
            mask &= votes.permitted(tuple(mask.shape), self._suppressor, self._generator)
        held.flip(mask, inverted=inverted)
        self._observe(one.name, updates=mask)
        chosen = int(mask.sum())
        return mask.numel() - chosen if inverted else chosen

    def _observe(self, name: str, **figures: Tensor) -> None:
        if self.telemetry is not None:
            self.telemetry.observe(name, **figures)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._optimizer is None else {"optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._optimizer is not None:
            self._optimizer.load_state_dict(state["optimizer"])


def _in_front(passes: list[_Pass], one: _Pass) -> str:
    """Name of what gives a layer its input."""
    index = next(index for index, other in enumerate(passes) if other is one)
    return passes[index - 1].name if index else "modulate"
