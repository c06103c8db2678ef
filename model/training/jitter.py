"""Pictures shifted at random: training samples that no data set has."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["jittered"]


def jittered(features: Tensor, shape: tuple[int, int], pixels: int,
             generator: torch.Generator) -> Tensor:
    """Shift every picture by up to some pixels each way, all shifts equally likely.

    Parameters
    ----------
    features : Tensor, shape (batch, height * width * colours)
        The colours of a pixel are neighbours.
    shape : (height, width)
    pixels : int
        What moves in from outside is 0.
    generator : torch.Generator

    Returns
    -------
    Tensor of the same shape and type
    """
    height, width = shape
    padded = pad(features.view(-1, height, width, features.shape[1] // (height * width)),
                 (0, 0, *(pixels,) * 4))
    down, right = torch.randint(2 * pixels + 1, (2, len(features), 1), generator=generator)
    rows = (torch.arange(height) + down)[:, :, None]
    columns = (torch.arange(width) + right)[:, None, :]
    return padded[torch.arange(len(features))[:, None, None], rows, columns].flatten(1)
