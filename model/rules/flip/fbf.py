"""Flip backpropagation, in the order of FBF (forward, backward, forward) or of report v1.

There is no latent weight: votes of the batch decide which weight bits are flipped. What the
report defines is ``signal = "flip"``, ``error = "sign"``, ``mask = "vote"``, ``window = 0``; the
other choices are this project's, but for the rank rule, which is v3's. Equations: docs/learning/
flip.md. Source: reports v1 and v2, code v3 of FlipBackprop-pytorch.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.base import Layer, Trait
from bitwright.model.graph import MODULATE, together
from bitwright.model.inputs.frames import apart
from bitwright.model.network import Network
from bitwright.model.rules.flip import votes
from bitwright.model.rules.optimizer import adam, set_rate
from bitwright.model.rules.passed import Passed
from bitwright.model.rules.rule import Needs, Report, Rule
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


class _Passing(NamedTuple):
    """A layer that has nothing to learn, in the first forward pass."""

    name: str
    layer: Layer
    passed: Passed


class FBF(Rule, kind="fbf"):
    """Votes flip weight bits. Real are the gradient of the loss, and a batch norm of the input."""

    Settings = Settings
    needs = Needs(Trait.FLIPS, Trait.FLIPS, input=Trait.FLIPS)
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
    def step(self, features: Tensor, labels: Tensor) -> Report:
        if self.telemetry is not None:
            self.telemetry.begin_step()
        z, bits = self._modulate(features)
        passes, logits = self._forward(bits)
        loss = self._task.loss(logits, labels)
        error = self._task.error(logits, labels)
        self._observe("head", gradient=error)
        flipped = self._backward(passes, error, z)
        if self._settings.order == "fbf":
            again = bits if z is None else self._modulate(features)[1]
            flipped = self._second_forward(passes, again, anew=z is not None)
        return {"loss": loss, self._task.metric_name: self._task.metric(logits, labels),
                "flipped": float(flipped)}

    def _modulate(self, features: Tensor) -> tuple[Tensor | None, Tensor]:
        """Normalised features, where they are learned, and bits."""
        modulator = self._network.modulator
        if self._optimizer is None:
            return None, modulator(features)
        with torch.enable_grad():
            z = modulator.normalise(features)
        return z, modulator.cut(z.detach())

    def _forward(self, bits: Tensor) -> tuple[list[_Pass | _Passing], Tensor]:
        """First forward pass: what each layer saw, and the logits, shape (batch, classes)."""
        network, head = self._network, self._network.head
        passes: list[_Pass | _Passing] = []

        def through(name: str, layer: Any, x: Tensor) -> Tensor:
            if layer.passes:
                passes.append(_Passing(name, layer, Passed(layer, x)))
                return passes[-1].passed.output
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

    def _backward(self, passes: list[_Pass | _Passing], error: Tensor, z: Tensor | None) -> int:
        """From the loss to the input. Returns the number of weight bits flipped."""
        flipped, inputs = 0, self._inputs
        signals: defaultdict[str, list[Tensor]] = defaultdict(list)
        for one in reversed(passes):
            if isinstance(one, _Passing):
                signal = one.passed.back(self._together(signals.pop(one.name))).sign()
            else:
                one.targets = (self._targets_of_error(error) if one.name == "head" else
                               self._targets_of_signal(one, self._together(signals.pop(one.name))))
                before = weights = one.layer.weights.signs
                if self._settings.order == "v1":
                    flipped += self._change(one, one.x)
                    weights = one.layer.weights.signs
                if z is None and inputs[one.name] == (MODULATE,):
                    continue  # nobody in front learns
                signal = self._signal(one, weights, before)
                self._observe_flips(inputs[one.name], signal * one.seen < 0)
            for name, part in zip(inputs[one.name], signal.split(
                    self._network.widths(inputs[one.name])), strict=True):
                signals[name].append(part)
        if z is not None:
            self._learn_modulation(z, self._together(signals[MODULATE]))
        return flipped

    @property
    def _inputs(self) -> dict[str, tuple[str, ...]]:
        """What layers and head read."""
        return self._network.inputs | {"head": self._network.read_names}

    def _together(self, signals: list[Tensor]) -> Tensor:
        """What those who read a bit want of it: the majority of those who have an opinion.

        Where signals are flips, it is the majority of all, since to keep it is one.
        """
        if len(signals) == 1:
            return signals[0]
        total = torch.stack(signals).sum(0)
        if self._settings.signal == "flip":
            total *= 2 * total.abs() > len(signals)
        return total.sign()

    def _targets_of_signal(self, one: _Pass, signal: Tensor) -> Tensor:
        """Which way each count of a layer should go, shape (neurons, columns)."""
        bits = one.layer.take(signal)
        targets = bits.view(*one.z.shape[:1], -1, one.z.shape[1]).sum(1).sign()
        if self._settings.window:
            targets *= one.layer.neurons.distance(one.z) <= self._settings.window
        return targets

    def _targets_of_error(self, error: Tensor) -> Tensor:
        """Which way each count of the head should go, shape (classes, frames * batch)."""
        targets = -error.sign()
        if self._settings.error == "chance":
            chance = torch.rand(processes.everyone(len(error)), error.shape[1],
                                generator=self._generator, device=error.device)
            targets *= processes.mine(chance, 0) < error.abs()
        return targets.T.repeat(1, self._network.modulator.frames_now)

    def _signal(self, one: _Pass, weights: Tensor, before: Tensor) -> Tensor:
        """What the input bits should be: -1, 0 (no opinion) or +1, shape (in_width, batch)."""
        inputs = slice(one.layer.weights.in_width)  # nobody is behind a bias
        weights, before, x = weights[:, inputs], before[:, inputs], one.x[inputs]
        if self._settings.signal == "wish":
            return one.layer.collect(votes.wishes_of_inputs(one.targets, weights)).sign()
        changed = before if self._settings.order == "v1" else None
        count = one.layer.collect(votes.flips_of_inputs(one.targets, weights, x, changed))
        voters = one.layer.collect(torch.full_like(x, len(weights)))
        return -one.seen * votes.over_threshold(count, voters, 0.5, sampled=True)

    def _learn_modulation(self, z: Tensor, signal: Tensor) -> None:
        """Binarize, backward: give the batch norm a gradient that its optimizer follows."""
        features, batch = z.shape
        pull = -apart(signal, self._network.modulator.frames_now).view(features, -1, batch).sum(1)
        gradient = votes.grad_of_flips(pull)
        self._observe("modulate", gradient=gradient)
        self._optimizer.zero_grad()
        z.backward(gradient)
        processes.add_up(self._network.modulator.parameters())
        self._optimizer.step()

    def _second_forward(self, passes: list[_Pass | _Passing], bits: Tensor, *,
                        anew: bool) -> int:
        """Change weights, first layers first, each for what its input has become.

        Parameters
        ----------
        passes : list
        bits : Tensor
            What the modulation gives now.
        anew : bool
            Whether that is something else than in the first pass.
        """
        flipped, inputs, values = 0, self._inputs, {MODULATE: bits}
        same = set() if anew else {MODULATE}
        for one in passes:
            kept = same.issuperset(inputs[one.name])
            if isinstance(one, _Passing):
                if kept:
                    same.add(one.name)
                values[one.name] = one.passed.output if kept else Passed(
                    one.layer, together(values, inputs[one.name])).output
                continue
            layer = one.layer
            signs = one.x if kept else layer.weights.extend(
                layer.columns(together(values, inputs[one.name])))
            flipped += self._change(one, signs)
            if one is not passes[-1]:
                values[one.name] = layer.activate(layer.weights.count(signs))
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
            wanted = votes.over_threshold(count, processes.everyone(x.shape[1]), 0.5)
            mask = votes.over_threshold(wanted.int(), 1, _ONE_VOTE)
        if settings.mask == "rank":
            mask = votes.highest(count, settings.update_rate) & (count > 0)
        if self._suppressor:
            mask &= votes.permitted(tuple(mask.shape), self._suppressor, self._generator)
        held.flip(mask, inverted=inverted)
        self._observe(one.name, updates=mask)
        chosen = int(mask.sum())
        return mask.numel() - chosen if inverted else chosen

    def _observe_flips(self, names: tuple[str, ...], flips: Tensor) -> None:
        """Tell of the bits of each input that should be inverted."""
        parts = flips.split(self._network.widths(names))
        for name, part in zip(names, parts, strict=True):
            self._observe(name, flips=part)

    def _observe(self, name: str, **figures: Tensor) -> None:
        if self.telemetry is not None:
            self.telemetry.observe(name, **figures)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._optimizer is None else {"optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._optimizer is not None:
            self._optimizer.load_state_dict(state["optimizer"])

