"""A trainable network: modulation, a chain of layers, a head."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitwright import ir
from bitwright.data import DataSet
from bitwright.model.base import Context, Head, Layer
from bitwright.model.inputs import modulate as modulation
from bitwright.model.inputs.batch_norm import NormModulator
from bitwright.model.inputs.labels import make_code
from bitwright.model.inputs.modulate import Modulator
from bitwright.model.inputs.scaler import Scaler

__all__ = ["BinaryNetwork", "Chain", "RealNetwork", "build_network"]

_CHUNK = 1000
"""Samples that are evaluated together."""


class Chain(nn.Module):
    """Chain from integer features to logits: what a learning rule trains.

    Parameters
    ----------
    modulator : Modulator, NormModulator or Scaler
    layers : sequence of Layer
    head : Layer
    """

    def __init__(self, modulator: Modulator | NormModulator | Scaler, layers: Sequence[Layer],
                 head: Layer) -> None:
        super().__init__()
        self.modulator = modulator
        self.layers = nn.ModuleList(layers)
        self.head = head

    @property
    def named_layers(self) -> list[tuple[str, Layer]]:
        """Layers by name: the kind and a count from 0 for each kind."""
        seen: dict[str, int] = {}
        result = []
        for layer in self.layers:
            count = seen.setdefault(layer.kind, 0)
            seen[layer.kind] += 1
            result.append((f"{layer.kind}{count}", layer))
        return result

    @property
    @abstractmethod
    def scale(self) -> float:
        """Scores are divided by it to become logits."""

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(itertools.chain(self.parameters(), self.buffers())).device

    @property
    def live_layers(self) -> list[Layer]:
        """Layers up to the last one that the head reads."""
        stop = self.head.reads.stop
        return list(self.layers)[: None if stop is None else stop - 1]

    def score(self, features: Tensor) -> Tensor:
        """Map features, shape (batch, n), to scores, shape (batch, classes).

        The scores of the frames are added, or each frame is a class of its own.
        """
        scores = self.top(self.modulator(features))
        frames = scores.view(self.modulator.frames, len(features), -1)
        return frames[..., 0].T if self.head.per_frame else frames.sum(0)

    def top(self, x: Tensor) -> Tensor:
        """Map what the modulator gives, shape (width, batch), to what the head does."""
        values = [x]
        for layer in self.live_layers:
            values.append(layer(values[-1]))
        read = values[self.head.reads]
        return self.head(read[0] if len(read) == 1 else torch.cat(read))

    def forward(self, features: Tensor) -> Tensor:
        """Map features, shape (batch, n), to logits, shape (batch, classes)."""
        return self.score(features) / self.scale

    @torch.no_grad()
    def scores(self, features: NDArray[Any] | Tensor) -> NDArray[Any]:
        """Scores of a batch in evaluation mode.

        Parameters
        ----------
        features : array or Tensor of integers, shape (batch, n)

        Returns
        -------
        array, shape (batch, classes)
        """
        was_training = self.training
        self.eval()
        parts = [self.score(torch.as_tensor(features[start : start + _CHUNK],
                                            device=self.device)).cpu().numpy()
                 for start in range(0, len(features), _CHUNK)]
        self.train(was_training)
        return np.concatenate(parts)

    def constrain(self) -> None:
        """Return the parameters of every layer to their range."""
        for layer in (*self.layers, self.head):
            layer.constrain()

    def measures(self) -> dict[str, float]:
        """Figures of the layers, by ``node.figure``."""
        return {f"{name}.{key}": value for name, layer in self.named_layers
                for key, value in layer.measures().items()}


class BinaryNetwork(Chain):
    """Chain in which every value between features and scores is a bit: it can be frozen.

    Parameters
    ----------
    modulator : Modulator or NormModulator
    layers : sequence of BitLayer
    head : Head
    """

    modulator: Modulator | NormModulator
    head: Head

    @property
    def scale(self) -> float:
        """The logits are the mean of the frames that add up, over the temperature."""
        return self.head.temperature * (1 if self.head.per_frame else self.modulator.frames)

    def scores(self, features: NDArray[Any] | Tensor) -> NDArray[np.int64]:
        """Integer scores of a batch in evaluation mode, shape (batch, classes)."""
        return np.rint(super().scores(features)).astype(np.int64)

    def freeze(self) -> tuple[ir.Entry, ...]:
        """Nodes of the frozen chain. The head may read several of them."""
        chain = [("modulate", self.modulator), *self.named_layers[: len(self.live_layers)]]
        names = ["input", *(name for name, _ in chain)]
        entries = [ir.Entry(name, part.freeze(), (names[index],))
                   for index, (name, part) in enumerate(chain)]
        read = tuple(names[1:][self.head.reads])
        return (*entries, ir.Entry("head", self.head.freeze(), read))


class RealNetwork(Chain):
    """Chain of real-valued layers: the reference in software. It cannot be frozen.

    Parameters
    ----------
    modulator : Scaler
    layers : sequence of RealLayer
    head : RealHead
    """

    scale = 1.0


def build_network(modulate: modulation.Settings, layers: Sequence[tuple[type[Layer], Any]],
                  head: tuple[type[Layer], Any], data: DataSet, training: NDArray[np.int32],
                  generator: torch.Generator) -> Chain:
    """Make an untrained network: a :class:`RealNetwork` where the levels are real.

    Parameters
    ----------
    modulate : modulate.Settings
    layers : sequence of (class, settings)
    head : (class, settings)
    data : DataSet
        Gives the shape and range of the features.
    training : array of int32, shape (samples, n)
        The training split, for quantile thresholds.
    generator : torch.Generator

    Raises
    ------
    ValueError
        If a layer does not fit its place. The message starts with the layer.
    """
    if head[0].per_frame and modulate.labels == "none":
        raise ValueError("modulate.labels must not be 'none' in front of a head of kind "
                         f"{head[0].kind!r}")
    if not head[0].per_frame and modulate.labels != "none":
        raise ValueError("modulate.labels must be 'none' in front of a head of kind "
                         f"{head[0].kind!r}, not {modulate.labels!r}")
    modulator = _modulator(modulate, data, training, generator)
    geometry, classes = modulator.geometry, len(data.classes)
    widths = [geometry.width]
    made = []
    for index, (cls, settings) in enumerate(layers):
        last = index == len(layers) - 1
        groups = classes if last and getattr(head[0], "grouped", False) else 1
        try:
            context = Context(geometry, classes, groups, tuple(widths))
            layer = cls.build(settings, context, generator)
        except ValueError as error:
            raise ValueError(f"layers.{index}: {error}") from error
        made.append(layer)
        geometry = layer.geometry
        widths.append(geometry.width)
    try:
        context = Context(geometry, classes, widths=tuple(widths))
        top = head[0].build(head[1], context, generator)
    except ValueError as error:
        raise ValueError(f"head: {error}") from error
    kind = RealNetwork if isinstance(modulator, Scaler) else BinaryNetwork
    return kind(modulator, made, top)


def _modulator(modulate: modulation.Settings, data: DataSet,
               training: NDArray[np.int32], generator: torch.Generator,
               ) -> Modulator | NormModulator | Scaler:
    code = make_code(modulate.labels, modulate.label_width, len(data.classes), training, generator)
    if modulate.levels == "real":
        scaled = {"mean": training.mean() / data.full_scale,
                  "deviation": training.std() / data.full_scale} if modulate.standard else {}
        return Scaler(data.shape, data.full_scale, code, **scaled)
    if modulate.levels == "batch-norm":
        return NormModulator(data.shape, modulate.depth, modulate.frames, bits=data.bits,
                             signed=data.signed)
    if modulate.levels == "even":
        if data.signed:
            raise ValueError("modulate.levels must be a quantile for signed features, not 'even'")
        thresholds = modulation.even_thresholds(training.shape[1], data.full_scale, modulate.depth,
                                                modulate.frames)
    else:
        thresholds = modulation.quantile_thresholds(
            training, modulate.depth, modulate.frames,
            together=modulate.levels == "global-quantile")
    if code is not None:
        low = -(1 << data.bits - 1) if data.signed else 0
        thresholds = code.modulate(thresholds, low, low + (1 << data.bits) - 1)
    return Modulator(thresholds, data.shape, bits=data.bits, signed=data.signed)
