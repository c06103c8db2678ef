"""Pictures shifted at random: training samples that no data set has."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from bitwright.model import processes

__all__ = ["Border", "check_pixels", "inside", "jittered", "within"]

Border = Literal["zero", "replicate", "reflect"]
"""What moves in from outside: zeros, the pixel at the edge, or the picture mirrored at it."""

MOST = (1 << 31) - 1
"""Pixels of a setting: more than any side, and places around them are numbers of 64 bits."""


def check_pixels(name: str, pixels: int) -> None:
    """See that a setting is a number of pixels.

    Raises
    ------
    ValueError
        If it is not.
    """
    if pixels < 0:
        raise ValueError(f"{name} must be at least 0, not {pixels}")
    if pixels > MOST:
        raise ValueError(f"{name} must be at most {MOST}, not {pixels}")


def jittered(features: Tensor, shape: tuple[int, int], pixels: int, generator: torch.Generator,
             border: Border = "zero") -> Tensor:
    """Shift every picture by up to some pixels each way, all shifts equally likely.

    Parameters
    ----------
    features : Tensor, shape (batch, height * width * colours)
        The colours of a pixel are neighbours.
    shape : (height, width)
    pixels : int
        For a border that reflects, below height and width.
    generator : torch.Generator
        On the device of the features.
    border : Border

    Returns
    -------
    Tensor of the same shape and type
    """
    height, width = shape
    device = features.device
    images = features.view(-1, height, width, features.shape[1] // (height * width))
    drawn = torch.randint(2 * pixels + 1, (2, processes.everyone(len(features)), 1),
                          generator=generator, device=device)
    shifts = processes.mine(drawn, 1) - pixels
    rows, columns = (torch.arange(size, device=device) + shift
                     for size, shift in zip(shape, shifts, strict=True))
    samples = torch.arange(len(features), device=device)[:, None, None]
    moved = images[samples, within(rows, height, border)[:, :, None],
                   within(columns, width, border)[:, None, :]]
    if border == "zero":
        moved = moved * inside(rows[:, :, None], columns[:, None, :], shape)[..., None]
    return moved.flatten(1)


def inside(rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> Tensor:
    """Which places lie in a picture."""
    height, width = shape
    return (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)


def within(places: Tensor, size: int, border: Border) -> Tensor:
    """Places within a picture, of a side of `size`, that stand for places around it."""
    if border == "reflect":
        places = places % max(2 * size - 2, 1)  # there and back
        return size - 1 - (size - 1 - places).abs()
    return places.clamp(0, size - 1)
