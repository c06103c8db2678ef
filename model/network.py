"""A trainable network: modulation, a chain of layers, a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import ir
from model.data import DataSet
from model.layers import BitLayer, Context, Head, Modulator
from model.layers import modulate as modulation

__all__ = ["BinaryNetwork", "build_network"]

_CHUNK = 1000
"""Samples that are evaluated together."""


class BinaryNetwork(nn.Module):
    """Chain from integer features to scores, in which every value between is a bit.

    Parameters
    ----------
    modulator : Modulator
    layers : sequence of BitLayer
    head : Head
    """

    def __init__(self, modulator: Modulator, layers: Sequence[BitLayer], head: Head) -> None:
        super().__init__()
        self.modulator = modulator
        self.layers = nn.ModuleList(layers)
        self.head = head

    @property
    def named_layers(self) -> list[tuple[str, BitLayer]]:
        """Layers by the names of their frozen nodes: the kind and a count from 0 for each kind."""
        seen: dict[str, int] = {}
        result = []
        for layer in self.layers:
            count = seen.setdefault(layer.kind, 0)
            seen[layer.kind] += 1
            result.append((f"{layer.kind}{count}", layer))
        return result

    def forward(self, features: Tensor) -> Tensor:
        """Map integers, shape (batch, n), to logits, shape (batch, classes).

        The logits are the mean of the frames' scores, over the temperature: the decision is that
        of the scores.
        """
        x = self.modulator(features)
        for layer in self.layers:
            x = layer(x)
        scores = self.head(x)
        frames = self.modulator.frames
        summed = scores.view(frames, len(features), -1).sum(0)
        return summed / (self.head.temperature * frames)

    @torch.no_grad()
    def scores(self, features: NDArray[Any]) -> NDArray[np.int64]:
        """Integer scores of a batch in evaluation mode, added over the frames.

        Parameters
        ----------
        features : array of integers, shape (batch, n)

        Returns
        -------
        array of int64, shape (batch, classes)
        """
        was_training = self.training
        self.eval()
        parts = []
        for start in range(0, len(features), _CHUNK):
            chunk = torch.from_numpy(features[start : start + _CHUNK])
            x = self.modulator(chunk)
            for layer in self.layers:
                x = layer(x)
            scores = self.head(x).view(self.modulator.frames, len(chunk), -1)
            parts.append(scores.sum(0).round().long().numpy())
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

    def freeze(self) -> tuple[ir.Entry, ...]:
        """Nodes of the frozen chain."""
        chain = [("modulate", self.modulator), *self.named_layers, ("head", self.head)]
        names = ["input", *(name for name, _ in chain)]
        return tuple(ir.Entry(name, part.freeze(), (names[index],))
                     for index, (name, part) in enumerate(chain))


def build_network(modulate: modulation.Settings, layers: Sequence[tuple[type[BitLayer], Any]],
                  head: tuple[type[Head], Any], data: DataSet, training: NDArray[np.int32],
                  generator: torch.Generator) -> BinaryNetwork:
    """Make an untrained network.

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
    if modulate.levels == "even":
        if data.signed:
            raise ValueError("modulate.levels must be a quantile for signed features, not 'even'")
        thresholds = modulation.even_thresholds(training.shape[1], data.full_scale, modulate.depth,
                                                modulate.frames)
    else:
        thresholds = modulation.quantile_thresholds(
            training, modulate.depth, modulate.frames,
            together=modulate.levels == "global-quantile")
    modulator = Modulator(thresholds, data.shape, bits=data.bits, signed=data.signed)
    geometry, classes = modulator.geometry, len(data.classes)
    made = []
    for index, (cls, settings) in enumerate(layers):
        last = index == len(layers) - 1
        groups = classes if last and head[0].grouped else 1
        try:
            layer = cls.build(settings, Context(geometry, classes, groups), generator)
        except ValueError as error:
            raise ValueError(f"layers.{index}: {error}") from error
        made.append(layer)
        geometry = layer.geometry
    try:
        top = head[0].build(head[1], Context(geometry, classes), generator)
    except ValueError as error:
        raise ValueError(f"head: {error}") from error
    return BinaryNetwork(modulator, made, top)
