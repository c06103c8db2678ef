"""The convolution of XNOR-Net as its authors have it, with real factors: a software reference."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.base import Trait
from bitwright.model.layers.batch_norm import batch_norm
from bitwright.model.layers.real_convolution import RealConvolutionLayer, Settings
from bitwright.model.layers.windows import slide, windows
from bitwright.model.weights.surrogate import Step
from bitwright.model.wiring import Geometry

__all__ = ["XnorNetConvolutionLayer"]


class XnorNetConvolutionLayer(RealConvolutionLayer, kind="xnor_net_convolution"):
    """Batch norm, signs, a convolution of signs, and two real factors (arXiv:1603.05279).

    The sums of a neuron are multiplied by the mean magnitude of its weights, and those of a
    position by the mean magnitude of what it sees (there, alpha and K). What lies between two such
    layers is real, so that a maximum is taken over sums, as there. A binary network has neither
    factor: its batch norm, which is behind the sums, divides the first one out, and in front of
    the second one all magnitudes are 1.

    Weights are within -1 and +1, and the slopes of both signs are clipped.

    Parameters
    ----------
    geometry : Geometry
        Of the input, which must be an image.
    settings : Settings
    generator : torch.Generator
        Source of the initial weights.
    """

    traits = frozenset({Trait.GRADIENT})

    def __init__(self, geometry: Geometry, settings: Settings, *,
                 generator: torch.Generator) -> None:
        super().__init__(geometry, settings, generator=generator)
        channels = geometry.depth  # the batch norm is that of what it reads
        self.scale = torch.nn.Parameter(torch.ones(channels))
        self.shift = torch.nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.step = Step()

    def forward(self, x: Tensor) -> Tensor:
        channels, weights = self.window.channels, self.weights.values
        z = batch_norm(x.T.reshape(-1, channels), self.mean, self.variance, self.scale, self.shift,
                       training=self.training).view(-1, len(x)).T
        signs = 2 * self.step(weights) - 1
        sums = slide(2 * self.step(z) - 1, signs, self.window, self.groups)
        seen = windows(z.abs(), self.window).unflatten(3, (self.groups, -1)).mean((4, 5, 6))
        each = seen.reshape(-1, self.groups).T.repeat_interleave(len(weights) // self.groups, 0)
        return self.arrange(sums * weights.abs().mean(1)[:, None] * each)

    @torch.no_grad()
    def constrain(self) -> None:
        self.weights.values.clamp_(-1, 1)
