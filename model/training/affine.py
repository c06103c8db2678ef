"""Pictures turned and zoomed at random: training samples that no data set has."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model import processes
from bitwright.model.training.jitter import Border, inside, within

__all__ = ["turned"]

STEPS = 128
"""Angles and zooms each way that are drawn, all equally likely."""

ONE = 14
"""Bits behind the point of what turns and zooms."""

SHARE = 8
"""Bits of the share of a neighbour in a pixel."""


def turned(features: Tensor, shape: tuple[int, int], rotate: float, zoom: float,
           generator: torch.Generator, border: Border = "zero") -> Tensor:
    """Turn every picture about its centre, and make it larger or smaller.

    A pixel is what lies between the four that are nearest to where it comes from. But for the
    angles all is reckoned in integers, so that pictures are the same on every device.

    Parameters
    ----------
    features : Tensor, shape (batch, height * width * colours)
        The colours of a pixel are neighbours.
    shape : (height, width)
    rotate : float
        Degrees up to which it is turned either way.
    zoom : float
        Share up to which it is larger, or its inverse smaller.
    generator : torch.Generator
        On the device of the features.
    border : Border
        What moves in from outside.

    Returns
    -------
    Tensor of the same shape and type
    """
    height, width = shape
    device = features.device
    drawn = torch.randint(2 * STEPS + 1, (2, processes.everyone(len(features))),
                          generator=generator, device=device)
    angles, zooms = (processes.mine(drawn, 1) - STEPS).cpu().double() / STEPS
    angles = torch.deg2rad(rotate * angles)
    sizes = (1 + zoom) ** zooms
    along, across = (torch.round(part / sizes * (1 << ONE)).to(device, torch.int32)[:, None, None]
                     for part in (angles.cos(), angles.sin()))
    down = (2 * torch.arange(height, device=device, dtype=torch.int32) - (height - 1))[:, None]
    right = 2 * torch.arange(width, device=device, dtype=torch.int32) - (width - 1)
    rows = along * down + across * right + ((height - 1) << ONE)  # in halves of 2 ** -ONE
    columns = along * right - across * down + ((width - 1) << ONE)
    images = features.view(len(features), height * width, -1)
    wide = torch.int64 if features.dtype == torch.int32 else torch.int32
    found = torch.zeros_like(images, dtype=wide)
    for row, of_row in _neighbours(rows):
        for column, of_column in _neighbours(columns):
            places = within(row, height, border) * width + within(column, width, border)
            share = of_row * of_column
            if border == "zero":
                share = share * inside(row, column, shape)
            read = images.gather(1, places.long().flatten(1)[..., None].expand_as(images))
            found = found + read.to(wide) * share.flatten(1)[..., None]
    return ((found + (1 << (2 * SHARE - 1))) >> (2 * SHARE)).to(features.dtype).flatten(1)


def _neighbours(places: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The two whole places around each place, and the share of each."""
    whole = places >> (ONE + 1)
    share = (places >> (ONE + 1 - SHARE)) & ((1 << SHARE) - 1)
    return (whole, (1 << SHARE) - share), (whole + 1, share)
