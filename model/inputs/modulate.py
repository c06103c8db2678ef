"""Thresholds that turn integer features into bits: depth, frames, or both."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitwright import ir
from bitwright.integers import domain
from bitwright.model import processes
from bitwright.model.base import Input, Values
from bitwright.model.inputs.drawn import DEVIATION, Each
from bitwright.model.inputs.frames import merged
from bitwright.model.wiring import Geometry

__all__ = ["Modulator", "even_thresholds", "quantile_thresholds", "snapped"]

_MEASURED = ("quantile", "global-quantile")
_LEARNED = ("learned", "global-learned")


@dataclass(frozen=True)
class Settings:
    """What a recipe says about the modulation."""

    levels: Literal["even", "quantile", "global-quantile", "learned", "global-learned", "uniform",
                    "normal", "noise", "batch-norm", "real"] = "even"
    """Thresholds spread over the full scale, over each feature's values in the training split, or
    over all features' values together. ``learned``, ``global-learned``: they start there, and move
    in training. ``uniform``, ``normal``: drawn once, at random, between one
    step of the depth and the next, as BinaryBrain draws them. ``noise``: about the same as
    ``uniform``, but made by hardware without a table. ``batch-norm``: over each feature's
    normal distribution, with a scale and a shift that a rule may learn. ``real``: no thresholds,
    for layers of real numbers."""
    standard: bool = False
    """Whether real features are shifted and scaled so that those of the training split have
    together mean 0 and variance 1."""
    depth: int = 1
    """Thresholds of a feature, each one bit."""
    frames: int = 1
    """Sets of thresholds. The network runs once with each, and the scores add up."""
    trained_frames: int = 0
    """Such sets in training, if others than when it is frozen; 0 for as many and the same."""
    draw: bool = False
    """Whether a step of training shows each sample in one frame, drawn at random, in place of
    all."""
    each: Each = "pixel"
    """What has a draw of its own where thresholds are drawn: every feature in every frame, or every
    frame."""
    mean: float = 0.5
    """Of what is drawn, where a step of the depth goes from 0 to 1."""
    deviation: float = DEVIATION
    """Standard deviation of what is drawn. Left out, uniform draws fill the step."""
    seed: int = 0
    """Of what is drawn."""
    top_bits: int = 0
    """Upper bits that thresholds compare: each is snapped to the nearest one that the others cannot
    change. Of real features those that are kept, the others read 0. 0 keeps all."""
    labels: Literal["none", "first", "dull", "slot"] = "none"
    """Labels as inputs, one a frame, for heads that make every frame a class: one bit a label in
    place of the first features; a random code in place of the features that vary least, or in
    further bits of every feature."""
    label_width: int = 1
    """Features that ``dull`` gives to the code, or bits of every feature that ``slot`` adds."""

    @property
    def values(self) -> Values:
        """What the modulation makes: the whole network behind it is one of bits, or of reals."""
        return "reals" if self.levels == "real" else "bits"

    def __post_init__(self) -> None:
        for name in ("depth", "frames"):
            if not 1 <= getattr(self, name) <= 64:
                raise ValueError(f"{name} must be between 1 and 64, not {getattr(self, name)}")
        self._check_drawn()
        if not 0 <= self.trained_frames <= 64:
            raise ValueError("trained_frames must be between 0 and 64, "
                             f"not {self.trained_frames}")
        if not 0 <= self.top_bits <= 16:
            raise ValueError(f"top_bits must be between 0 and 16, not {self.top_bits}")
        if self.top_bits and self.levels not in ("real", "even", *_MEASURED, *_LEARNED):
            raise ValueError(f"top_bits must be 0 where levels is {self.levels!r}, "
                             f"not {self.top_bits}")
        if self.levels in ("real", "batch-norm", *_LEARNED) or self.labels != "none":
            where = (f"levels is {self.levels!r}" if self.labels == "none"
                     else "labels take the frames")
            if self.draw:
                raise ValueError(f"draw must be false where {where}")
            if self.trained_frames:
                raise ValueError(f"trained_frames must be 0 where {where}, "
                                 f"not {self.trained_frames}")
        if self.label_width < 1:
            raise ValueError(f"label_width must be at least 1, not {self.label_width}")
        if self.labels != "none" and self.frames != 1:
            raise ValueError(f"frames must be 1 where labels take them, not {self.frames}")
        if self.labels != "none" and self.levels in ("batch-norm", *_LEARNED):
            raise ValueError(f"labels must be 'none' where levels is {self.levels!r}, "
                             f"not {self.labels!r}")
        if self.standard and self.levels != "real":
            raise ValueError(f"standard must be false where levels is {self.levels!r}")
        if self.labels == "slot" and self.levels == "real":
            raise ValueError("labels must not be 'slot' where levels is 'real'")

    @property
    def learned(self) -> bool:
        """Whether thresholds themselves move in training."""
        return self.levels in _LEARNED

    @property
    def together(self) -> bool:
        """Whether all features have the same thresholds, of all values together."""
        return self.levels.startswith("global")

    @property
    def drawn(self) -> bool:
        """Whether thresholds are drawn."""
        return self.levels in ("uniform", "normal")

    def _check_drawn(self) -> None:
        if not self.drawn:
            for field in fields(self):
                value = getattr(self, field.name)
                if field.name == "seed" and self.levels == "noise":
                    continue
                if field.name in ("each", "mean", "deviation", "seed") and value != field.default:
                    raise ValueError(f"{field.name} must be left out where levels is "
                                     f"{self.levels!r}, not {value!r}")
        if not math.isfinite(self.mean):
            raise ValueError(f"mean must be finite, not {self.mean}")
        if not 0 < self.deviation < math.inf:
            raise ValueError(f"deviation must be above 0 and finite, not {self.deviation}")
        if not 0 <= self.seed < 1 << 31:
            raise ValueError(f"seed must be from 0 to 2^31 - 1, not {self.seed}")


def even_thresholds(features: int, full_scale: int, depth: int, frames: int) -> NDArray[np.int32]:
    """Thresholds at ``(d + (f + 1/2) / frames) / depth`` of full scale, shape (frames, n, depth).

    They are rounded up, which is exact: an integer reaches a bound where it reaches its ceiling.
    """
    f, d = np.meshgrid(np.arange(frames), np.arange(depth), indexing="ij")
    numerator, denominator = (2 * d * frames + 2 * f + 1) * full_scale, 2 * depth * frames
    levels = -(-numerator // denominator)
    return np.repeat(levels[:, None, :], features, axis=1).astype(np.int32)


def quantile_thresholds(features: NDArray[np.int32], depth: int, frames: int, *,
                        together: bool) -> NDArray[np.int32]:
    """Thresholds at the same ladder of levels, but of the values' distribution.

    Parameters
    ----------
    features : array of int32, shape (samples, n)
        The training split.
    depth, frames : int
    together : bool
        One distribution of all features, of which zeros are left out (the background of a picture
        is no level), rather than one for each.

    Returns
    -------
    array of int32, shape (frames, n, depth)
        A bit is 1 where the feature is above the quantile.
    """
    f, d = np.meshgrid(np.arange(frames), np.arange(depth), indexing="ij")
    levels = (d + (f + 0.5) / frames) / depth
    if together:
        values = features[features != 0]
        cuts = np.quantile(values if len(values) else features, levels, method="lower")
        cuts = np.repeat(cuts[:, None, :], features.shape[1], axis=1)
    else:
        cuts = np.quantile(features, levels, axis=0, method="lower").transpose(0, 2, 1)
    return (cuts + 1).astype(np.int32)


def snapped(thresholds: Tensor, top_bits: int, *, bits: int, signed: bool) -> Tensor:
    """Move thresholds to the nearest ones that are decided by upper bits alone.

    Those are the multiples of ``2 ** (bits - top_bits)`` between the least and the highest value of
    a feature: a comparison with one of them is a function of so many bits, and with ``top_bits`` of
    1 it is a wire. Of two equally near the higher one is taken. Thresholds that are near each other
    become one.

    Parameters
    ----------
    thresholds : Tensor of int32
    top_bits : int
        At most ``bits``; 0 leaves all as they are.
    bits : int
        Width of a feature.
    signed : bool
    """
    if not top_bits:
        return thresholds
    step = 1 << bits - top_bits
    low, high = domain(bits, signed)
    nearest = torch.div(thresholds + step // 2, step, rounding_mode="floor") * step
    return nearest.clamp(low + step, high + 1 - step)


class Modulator(Input):
    """Comparison of integer features with fixed thresholds: bits as bytes.

    Parameters
    ----------
    thresholds : array of int32, shape (frames, features, depth)
    shape : tuple of int
        ``(height, width)`` of an image, else ``(features,)``.
    bits : int
        Width of a feature.
    signed : bool
    trained : array of int32, shape (any, features, depth), optional
        Thresholds of the frames of training, if those are others.
    draw : bool
        Whether training draws a frame for each sample.
    noise : ir.Noise, optional
        Where the thresholds come from.
    """

    values = "bits"
    freezes = True

    thresholds: Tensor
    trained: Tensor | None

    def __init__(self, thresholds: NDArray[np.int32], shape: tuple[int, ...], *, bits: int,
                 signed: bool, trained: NDArray[np.int32] | None = None,
                 draw: bool = False, noise: ir.Noise | None = None) -> None:
        super().__init__()
        self.frames, _, depth = thresholds.shape
        self.bits, self.signed, self.draws, self.noise = bits, signed, draw, noise
        self.geometry = Geometry.of(shape, depth)
        self.register_buffer("thresholds", torch.from_numpy(thresholds))
        self.register_buffer("trained", None if trained is None else torch.from_numpy(trained))

    @property
    def limits(self) -> Tensor:
        """Thresholds of the mode that it is in, shape (frames, features, depth)."""
        return self.trained if self.training and self.trained is not None else self.thresholds

    @property
    def frames_now(self) -> int:
        return 1 if self.training and self.draws else len(self.limits)

    def forward(self, features: Tensor) -> Tensor:
        if self.training and self.draws:
            frames = torch.randint(len(self.limits), (processes.everyone(len(features)),),
                                   device=features.device, generator=self.generator)
            return self.frame(features, processes.mine(frames, 0))
        columns = features.T.contiguous()
        limits = self.limits.permute(1, 2, 0).contiguous()  # (n, depth, frames)
        bits = columns[:, None, None, :] >= limits[..., None]
        return merged(bits).to(torch.uint8)

    def frame(self, features: Tensor, frames: Tensor) -> Tensor:
        bits = features[:, :, None] >= self.limits[frames]
        return bits.flatten(1).T.to(torch.uint8)

    def freeze(self) -> ir.Modulate:
        return ir.Modulate(self.thresholds.cpu().numpy(), self.bits, self.signed, self.noise)
