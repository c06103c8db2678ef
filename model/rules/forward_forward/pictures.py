"""Hybrids: pictures mixed out of two, which no data set has."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["hybrid_masks", "hybrids"]


def hybrid_masks(count: int, shape: tuple[int, int], blurs: int,
                 generator: torch.Generator) -> Tensor:
    """Draw masks of large blobs: random bits, blurred, and cut at a half.

    A blur is the filter ``[1/4, 1/2, 1/4]`` down and across; the border is repeated outside
    (Hinton, arXiv:2212.13345, section 3.2, which leaves the border and their number open).

    Returns
    -------
    Tensor of bool, shape (count, height, width)
    """
    image = torch.randint(2, (count, 1, *shape), generator=generator,
                          device=generator.device).float()
    for _ in range(blurs):
        wide = pad(image, (1, 1, 1, 1), mode="replicate")
        down = (wide[..., :-2, :] + 2 * wide[..., 1:-1, :] + wide[..., 2:, :]) / 4
        image = (down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]) / 4
    return image[:, 0] > 0.5


def hybrids(features: Tensor, shape: tuple[int, int], blurs: int,
            generator: torch.Generator) -> Tensor:
    """Mix every picture with another one of the batch: true nearby, false over a distance.

    Parameters
    ----------
    features : Tensor, shape (batch, height * width * colours)
        At least two pictures; the colours of a pixel are neighbours.
    shape : (height, width)
    blurs : int
        See :func:`hybrid_masks`.
    generator : torch.Generator
        On the device of the features.

    Returns
    -------
    Tensor of the same shape and type
    """
    masks = hybrid_masks(len(features), shape, blurs, generator).flatten(1)
    masks = masks.repeat_interleave(features.shape[1] // masks.shape[1], 1)
    shift = int(torch.randint(1, len(features), (), generator=generator, device=generator.device))
    return torch.where(masks, features, features.roll(shift, 0))
