"""A trainable network: modulation, layers in a chain or a graph, a head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitwright import ir
from bitwright.data import DataSet
from bitwright.model.base import Context, Head, Input, Layer
from bitwright.model.graph import MODULATE, Place, agree, joined, settled, together
from bitwright.model.inputs import modulate as modulation
from bitwright.model.inputs.batch_norm import BatchNormModulator
from bitwright.model.inputs.drawn import drawn_thresholds
from bitwright.model.inputs.labels import make_code
from bitwright.model.inputs.learned import LearnedModulator
from bitwright.model.inputs.modulate import Modulator
from bitwright.model.inputs.noise import noise_modulator
from bitwright.model.inputs.scaler import Scaler

__all__ = ["Network", "build_network"]

_CHUNK = 1000
"""Samples that are evaluated together, at most."""

_CHUNK_VALUES = 1 << 26
"""Values of the widest layer that are, which bounds the memory."""

Pass = Callable[[str, Layer, Tensor], Tensor]
"""How a layer of a name maps its input to its output."""


class Network(nn.Module):
    """Graph from integer features to scores: what a learning rule trains.

    Whatever its parts hand on (bits or reals), it is trained and evaluated in one way. It can be
    frozen where all of its parts can.

    Parameters
    ----------
    modulator : Input
    layers : sequence of Layer
    head : Head
    places : sequence of Place, optional
        Name and inputs of each layer. Left out, each reads the one before.

    Raises
    ------
    ValueError
        If a part reads other values than the one before it makes, a place does not fit, or nothing
        reads a layer.
    """

    def __init__(self, modulator: Input, layers: Sequence[Layer], head: Head,
                 places: Sequence[Place] = ()) -> None:
        super().__init__()
        self.places = settled([layer.kind for layer in layers], places)
        agree(self.places, (*layers, head), modulator.values,
              f"behind a modulation that makes {modulator.values}")
        self.modulator = modulator
        self.layers = nn.ModuleList(layers)
        self.head = head
        self._check_read()

    def _check_read(self) -> None:
        read = {*self.read_names}
        for index, (name, _) in reversed([*enumerate(self.live_layers)]):
            if name not in read:
                raise ValueError(f"layers.{index}: nothing reads {name!r}")
            read.update(self.places[index].inputs)

    @property
    def device(self) -> torch.device:
        """Where parameters and buffers are."""
        tensors = [*self.parameters(), *self.buffers()]
        return tensors[0].device if tensors else torch.device("cpu")

    @property
    def freezes(self) -> bool:
        """Whether it has a frozen form. References in software, of real numbers, have none."""
        return all(part.freezes for part in (self.modulator, *self.layers, self.head))

    @property
    def named_layers(self) -> list[tuple[str, Layer]]:
        """Layers by name, in an order in which each reads what comes before it."""
        return [(place.name, layer)
                for place, layer in zip(self.places, self.layers, strict=True)]

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """Names of what each layer reads, by its own; ``modulate`` is what comes first."""
        return {place.name: place.inputs for place in self.places}

    @property
    def live_layers(self) -> list[tuple[str, Layer]]:
        """Layers by name, up to the last one that the head reads."""
        stop = self.head.reads.stop
        return self.named_layers[: None if stop is None else stop - 1]

    @property
    def learning_layers(self) -> list[tuple[str, Layer]]:
        """Those of :attr:`live_layers` that have something to learn."""
        return [(name, layer) for name, layer in self.live_layers if not layer.passes]

    @property
    def first_layers(self) -> frozenset[str]:
        """Names of the layers in front of which nothing learns."""
        reached, first = {MODULATE}, set()
        for name, layer in self.named_layers:
            if reached.issuperset(self.inputs[name]):
                (reached if layer.passes else first).add(name)
        return frozenset(first | reached - {MODULATE})

    @property
    def read_names(self) -> tuple[str, ...]:
        """Names of what the head reads."""
        return tuple([MODULATE, *(name for name, _ in self.live_layers)][self.head.reads])

    def widths(self, names: Sequence[str]) -> list[int]:
        """Values that come under names."""
        known = {MODULATE: self.modulator.geometry.width,
                 **{name: layer.geometry.width for name, layer in self.named_layers}}
        return [known[name] for name in names]

    @property
    def scale(self) -> float:
        """Scores of evaluation are divided by it to become logits: those are the mean of the frames
        that add up, over the temperature."""
        return self.head.temperature * (1 if self.head.per_frame else self.modulator.frames)

    def values(self, x: Tensor, through: Pass | None = None) -> list[Tensor]:
        """Take what the modulator gives through the layers that the head reads.

        Parameters
        ----------
        x : Tensor, shape (width, frames * batch)
        through : callable, optional
            How a layer is passed. Left out, it is called.

        Returns
        -------
        list of Tensor
            ``x`` and the output of each layer.
        """
        values, inputs = {MODULATE: x}, self.inputs
        for name, layer in self.live_layers:
            seen = together(values, inputs[name])
            values[name] = layer(seen) if through is None else through(name, layer, seen)
        return list(values.values())

    def read(self, values: Sequence[Tensor]) -> Tensor:
        """What the head reads of the values that :meth:`values` gives."""
        read = values[self.head.reads]
        return read[0] if len(read) == 1 else torch.cat(read)

    def top(self, x: Tensor) -> Tensor:
        """Map what the modulator gives to what the head makes of it."""
        return self.head(self.read(self.values(x)))

    def combine(self, outputs: Tensor) -> Tensor:
        """Make scores, shape (batch, classes), of what the head made of every frame.

        The scores of the frames are added, or each frame is a class of its own.

        Parameters
        ----------
        outputs : Tensor, shape (frames * batch, scores)
        """
        frames = outputs.view(self.modulator.frames_now, -1, outputs.shape[1])
        return frames[..., 0].T if self.head.per_frame else frames.sum(0)

    def logits(self, outputs: Tensor) -> Tensor:
        """Make logits, shape (batch, classes), of what the head made of every frame."""
        frames = 1 if self.head.per_frame else self.modulator.frames_now
        return self.combine(outputs) / (self.head.temperature * frames)

    def score(self, features: Tensor) -> Tensor:
        """Map features, shape (batch, n), to scores, shape (batch, classes)."""
        return self.combine(self.top(self.modulator(features)))

    def forward(self, features: Tensor) -> Tensor:
        """Map features, shape (batch, n), to logits, shape (batch, classes)."""
        return self.logits(self.top(self.modulator(features)))

    @torch.no_grad()
    def scores(self, features: Tensor | NDArray[Any]) -> NDArray[Any]:
        """Scores of samples in evaluation mode.

        Parameters
        ----------
        features : Tensor or array of integers, shape (samples, n)

        Returns
        -------
        array, shape (samples, classes)
            Of int64 where the network can be frozen.
        """
        was_training, device = self.training, self.device
        self.eval()
        widest = max(self.modulator.geometry.width,
                     *(layer.geometry.width for layer in self.layers), 1)
        chunk = max(1, min(_CHUNK, _CHUNK_VALUES // (widest * self.modulator.frames)))
        parts = [self.score(torch.as_tensor(features[start : start + chunk], device=device))
                 .cpu().numpy() for start in range(0, len(features), chunk)]
        self.train(was_training)
        return np.concatenate(parts)

    def draw_from(self, generator: torch.Generator) -> None:
        """Let parts that leave something to chance in training draw from a generator."""
        for part in (self.modulator, *self.layers):
            if part.draws:
                part.generator = generator

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Training mode, but for layers that are nothing in evaluation: values as they will be."""
        modes = [layer.training for layer in self.layers]
        for layer in self.layers:
            layer.train(layer.training and not layer.vanishes)
        try:
            yield
        finally:
            for layer, mode in zip(self.layers, modes, strict=True):
                layer.train(mode)

    def constrain(self) -> None:
        """Return the parameters of every layer to their range."""
        for layer in (*self.layers, self.head):
            layer.constrain()

    def measures(self) -> dict[str, float]:
        """Figures of the layers, by ``node.figure``."""
        return {f"{name}.{key}": value for name, layer in self.named_layers
                for key, value in layer.measures().items()}

    def freeze(self) -> tuple[ir.Entry, ...]:
        """Nodes of the frozen graph. The head may read several of them."""
        assert self.freezes
        entries = [ir.Entry(MODULATE, self.modulator.freeze(), ("input",))]
        drivers: dict[str, tuple[str, ...]] = {MODULATE: (MODULATE,)}
        for name, layer in self.live_layers:
            read = tuple(driver for one in self.inputs[name] for driver in drivers[one])
            drivers[name] = read if layer.vanishes else (name,)
            if not layer.vanishes:
                entries.append(ir.Entry(name, layer.freeze(), read))
        read = tuple(driver for one in self.read_names for driver in drivers[one])
        return (*entries, ir.Entry("head", self.head.freeze(), read))


def build_network(modulate: modulation.Settings, layers: Sequence[tuple[type[Layer], Any]],
                  head: tuple[type[Head], Any], data: DataSet, training: NDArray[np.int32],
                  generator: torch.Generator, places: Sequence[Place] = ()) -> Network:
    """Make an untrained network, on the CPU.

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
    places : sequence of Place
        See :class:`Network`.

    Raises
    ------
    ValueError
        If a layer does not fit its place. The message starts with the layer.
    """
    if not data.classes and "regression" not in head[0].tasks:
        known = sorted(kind for kind, other in Head.kinds.items()
                       if "regression" in other.tasks and other.values == head[0].values)
        raise ValueError(f"head.kind must be one of {', '.join(known)} for regression, "
                         f"not {head[0].kind!r}")
    if head[0].per_frame and modulate.labels == "none":
        raise ValueError("modulate.labels must not be 'none' in front of a head of kind "
                         f"{head[0].kind!r}")
    if not head[0].per_frame and modulate.labels != "none":
        raise ValueError("modulate.labels must be 'none' in front of a head of kind "
                         f"{head[0].kind!r}, not {modulate.labels!r}")
    modulator = _modulator(modulate, data, training, generator)
    geometries, classes = {MODULATE: modulator.geometry}, len(data.classes) or len(data.answers)
    made = []
    chosen = settled([cls.kind for cls, _ in layers], places)
    for index, ((cls, settings), place) in enumerate(zip(layers, chosen, strict=True)):
        last = index == len(layers) - 1
        groups = classes if last and head[0].grouped else 1
        parts = tuple(geometries[name] for name in place.inputs)
        widths = tuple(geometry.width for geometry in geometries.values())
        try:
            context = Context(joined(parts), classes, groups, widths, parts)
            layer = cls.build(settings, context, generator)
        except ValueError as error:
            raise ValueError(f"layers.{index}: {error}") from error
        made.append(layer)
        geometries[place.name] = layer.geometry
    *_, geometry = geometries.values()
    try:
        context = Context(geometry, classes,
                          widths=tuple(geometry.width for geometry in geometries.values()))
        top = head[0].build(head[1], context, generator)
    except ValueError as error:
        raise ValueError(f"head: {error}") from error
    return Network(modulator, made, top, chosen)


def _modulator(modulate: modulation.Settings, data: DataSet, training: NDArray[np.int32],
               generator: torch.Generator) -> Input:
    code = make_code(modulate.labels, modulate.label_width, len(data.classes), training, generator)
    if modulate.top_bits > data.bits:
        raise ValueError(f"modulate.top_bits must be at most the {data.bits} bits of a feature,"
                         f" not {modulate.top_bits}")
    if modulate.levels == "real":
        scaled = {"mean": training.mean() / data.full_scale,
                  "deviation": training.std() / data.full_scale} if modulate.standard else {}
        dropped = data.bits - modulate.top_bits if modulate.top_bits else 0
        return Scaler(data.shape, data.full_scale, code, dropped=dropped, **scaled)
    if modulate.levels == "batch-norm":
        return BatchNormModulator(data.shape, modulate.depth, modulate.frames, bits=data.bits,
                                  signed=data.signed)
    if data.signed and (modulate.levels in ("even", "noise") or modulate.drawn):
        raise ValueError("modulate.levels must be a quantile for signed features, "
                         f"not {modulate.levels!r}")
    (thresholds, noise), (trained, _) = (
        _thresholds(modulate, frames, data, training) if frames else (None, None)
        for frames in (modulate.frames, modulate.trained_frames))
    assert thresholds is not None
    if modulate.learned:
        return LearnedModulator(thresholds, data.shape, full_scale=data.full_scale, bits=data.bits,
                                signed=data.signed, together=modulate.together,
                                top_bits=modulate.top_bits)
    if code is not None:
        low = -(1 << data.bits - 1) if data.signed else 0
        thresholds, noise = code.modulate(thresholds, low, low + (1 << data.bits) - 1), None
    return Modulator(thresholds, data.shape, bits=data.bits, signed=data.signed, trained=trained,
                     draw=modulate.draw, noise=noise)


def _thresholds(modulate: modulation.Settings, frames: int, data: DataSet,
                training: NDArray[np.int32]) -> tuple[NDArray[np.int32], ir.Noise | None]:
    """Thresholds, shape (frames, features, depth), and the noise that they are, if any."""
    form = training.shape[1], data.full_scale, modulate.depth, frames
    if modulate.levels == "noise":
        node = noise_modulator(*form, bits=data.bits, seed=modulate.seed)
        return node.thresholds.copy(), node.noise
    if modulate.drawn:
        return drawn_thresholds(*form, normal=modulate.levels == "normal", each=modulate.each,
                                mean=modulate.mean, deviation=modulate.deviation,
                                seed=modulate.seed, highest=(1 << data.bits) - 1), None
    if modulate.levels == "even":
        thresholds = modulation.even_thresholds(*form)
    else:
        thresholds = modulation.quantile_thresholds(training, modulate.depth, frames,
                                                    together=modulate.together)
    return modulation.snapped(torch.from_numpy(thresholds), modulate.top_bits, bits=data.bits,
                              signed=data.signed).numpy(), None
