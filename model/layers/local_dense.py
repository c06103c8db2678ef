"""Local receptive fields without weight sharing, of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from bitwright.ir.window import Window
from bitwright.model.base import Context, RealLayer, Trait
from bitwright.model.layers.real_dense import unit
from bitwright.model.layers.windows import output_geometry, window_of
from bitwright.model.weights.reals import uniform

__all__ = ["LocalDenseLayer"]


@dataclass(frozen=True)
class Settings:
    """What a recipe says about local receptive fields."""

    channels: int
    """Neurons of each position."""
    kernel: int
    """Rows and columns that a neuron sees."""
    stride: int = 1
    """Rows and columns from one position to the next."""

    def __post_init__(self) -> None:
        for name in ("channels", "kernel", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


class LocalDenseLayer(RealLayer, kind="local_dense"):
    """Neurons that see a window of an image, each position with weights of its own.

    A convolution that shares no weights; the input is scaled to unit length first, as in
    :class:`RealDenseLayer` does it on demand (Hinton, arXiv:2212.13345, section 3.2).

    Parameters
    ----------
    window : Window
    channels : int
    generator : torch.Generator
        Source of the initial weights.
    """

    Settings = Settings
    traits = frozenset({Trait.GRADIENT})

    index: Tensor

    def __init__(self, window: Window, channels: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("index", torch.from_numpy(window.index), persistent=False)
        shape = window.positions, channels, window.bits
        self.weights = uniform(shape, window.bits, generator)
        self.bias = nn.Parameter(torch.zeros(*shape[:2], 1))

    def forward(self, x: Tensor) -> Tensor:
        seen = unit(x)[self.index]  # (position, value, sample)
        return torch.relu(self.weights @ seen + self.bias).flatten(0, 1)

    @classmethod
    def build(cls, settings: Settings, context: Context, generator: torch.Generator) -> Self:
        window = window_of(context.geometry, settings.kernel, settings.stride)
        layer = cls(window, settings.channels, generator=generator)
        layer.geometry = output_geometry(context.geometry, window, settings.channels)
        return layer
