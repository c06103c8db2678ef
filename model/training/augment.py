"""Pictures changed at random, anew in every step: training samples that no data set has."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.training.affine import turned
from bitwright.model.training.jitter import Border, check_pixels, jittered

__all__ = ["Augment", "augmented", "cut_out", "flipped"]


@dataclass(frozen=True)
class Augment:
    """What a recipe says about changed training pictures, whatever the learning rule."""

    rotate: float = 0.0
    """Degrees up to which a picture is turned about its centre, either way."""
    zoom: float = 0.0
    """Share up to which a picture is larger, or its inverse smaller."""
    flip: bool = False
    """Whether half of the pictures are mirrored, left to right."""
    crop: int = 0
    """Pixels that are added on all sides, before a part of the old size is cut out at random."""
    border: Border = "zero"
    """What is added, or turned in: zeros, the pixels of the edge, or the picture mirrored at it."""
    cutout: int = 0
    """Side of a square of zeros around a pixel at random (DeVries and Taylor, arXiv:1708.04552).
    At the edge of a picture it is cut off."""

    def __post_init__(self) -> None:
        if not 0 <= self.rotate <= 180:
            raise ValueError(f"rotate must be between 0 and 180 degrees, not {self.rotate}")
        if not 0 <= self.zoom <= 1:
            raise ValueError(f"zoom must be between 0 and 1, not {self.zoom}")
        for name in ("crop", "cutout"):
            check_pixels(name, getattr(self, name))

    @property
    def changes(self) -> bool:
        """Whether it changes any picture."""
        return self._changes is not None

    @property
    def _changes(self) -> str | None:
        """The first setting that changes pictures."""
        return next((name for name in ("rotate", "zoom", "flip", "crop", "cutout")
                     if getattr(self, name)), None)

    def check(self, shape: tuple[int, ...]) -> None:
        """Check that pictures of a shape can be changed so.

        Raises
        ------
        ValueError
            If they cannot, or ``shape`` is empty and there are no pictures.
        """
        if self.changes and not shape:
            raise ValueError(f"augment.{self._changes} must be left out for features that are no "
                             "pictures")
        if self.border == "reflect" and shape and self.crop >= min(shape):
            raise ValueError(f"augment.crop must be below {min(shape)}, the smaller side of the "
                             f"pictures, where the border reflects, not {self.crop}")


def augmented(features: Tensor, shape: tuple[int, int], augment: Augment,
              generator: torch.Generator) -> Tensor:
    """Turn and zoom, crop, flip, then cut out, as far as is asked for.

    Parameters
    ----------
    features : Tensor, shape (batch, height * width * colours)
        The colours of a pixel are neighbours.
    shape : (height, width)
    augment : Augment
        One whose :meth:`Augment.check` the shape has passed.
    generator : torch.Generator
        On the device of the features.

    Returns
    -------
    Tensor of the same shape and type
    """
    if augment.rotate or augment.zoom:
        features = turned(features, shape, augment.rotate, augment.zoom, generator, augment.border)
    if augment.crop:
        features = jittered(features, shape, augment.crop, generator, augment.border)
    if augment.flip:
        features = flipped(features, shape, generator)
    if augment.cutout:
        features = cut_out(features, shape, augment.cutout, generator)
    return features


def flipped(features: Tensor, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Mirror each picture with probability 1/2. See :func:`augmented`."""
    images = features.view(len(features), *shape, -1)
    mask = torch.randint(2, (processes.everyone(len(features)), 1, 1, 1), generator=generator,
                         device=features.device)
    return torch.where(processes.mine(mask, 0).bool(), images.flip(2), images).flatten(1)


def cut_out(features: Tensor, shape: tuple[int, int], side: int,
            generator: torch.Generator) -> Tensor:
    """Set a square of each picture to 0, around a pixel at random. See :func:`augmented`."""
    device = features.device
    hit = torch.ones((), dtype=torch.bool, device=device)
    for axis, size in enumerate(shape):
        centres = processes.mine(torch.randint(
            size, (processes.everyone(len(features)), 1), generator=generator, device=device), 0)
        offset = torch.arange(size, device=device) - centres + side // 2
        within = (offset >= 0) & (offset < side)  # (batch, size)
        hit = hit & (within[:, None, :] if axis else within[:, :, None])
    return (features.view(len(features), *shape, -1) * ~hit[..., None]).flatten(1)
