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
        On the device of the features.

    Returns
    -------
    Tensor of the same shape and type
    """
    height, width = shape
    device = features.device
    padded = pad(features.view(-1, height, width, features.shape[1] // (height * width)),
                 (0, 0, *(pixels,) * 4))
    down, right = torch.randint(2 * pixels + 1, (2, len(features), 1), generator=generator,
                                device=device)
    rows = (torch.arange(height, device=device) + down)[:, :, None]
    columns = (torch.arange(width, device=device) + right)[:, None, :]
    samples = torch.arange(len(features), device=device)[:, None, None]
    return padded[samples, rows, columns].flatten(1)
