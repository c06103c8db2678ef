"""Labels as inputs, for networks that are asked about one label at a time.

A forward-forward network (Hinton, arXiv:2212.13345) sees a sample together with a label, and says
how well they go together. Here the labels ride on the frames: frame ``f`` of the modulation shows
the sample with label ``f``, so that nothing downstream knows of labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["LabelCode", "label_code", "make_code"]

_DRAWS = 64
"""Codes of which the best is taken."""


@dataclass(frozen=True, eq=False)
class LabelCode:
    """Bits that stand for each label, and where they go.

    Parameters
    ----------
    bits : array of bool, shape (classes, length)
    places : array of int64, shape (length,), optional
        Features that they replace. Left out, they are added behind the bits of the features, of
        which ``length`` is a multiple: bit ``slot * features + i`` goes to feature ``i``.
    """

    bits: NDArray[np.bool_]
    places: NDArray[np.int64] | None = None

    def modulate(self, thresholds: NDArray[np.int32], low: int, high: int) -> NDArray[np.int32]:
        """Add labels to thresholds: a frame a label, constant where a label is.

        Parameters
        ----------
        thresholds : array of int32, shape (1, features, depth)
        low, high : int
            Smallest and largest feature value: ``low`` as a threshold makes a bit that is always
            1, ``high + 1`` one that never is.

        Returns
        -------
        array of int32, shape (classes, features, depth or more)
        """
        result = np.repeat(thresholds, len(self.bits), axis=0)
        constant = np.where(self.bits, low, high + 1).astype(np.int32)
        if self.places is not None:
            result[:, self.places] = constant[:, :, None]
            return result
        slots = constant.reshape(len(result), -1, result.shape[1]).swapaxes(1, 2)
        return np.concatenate([result, slots], axis=2)


def make_code(kind: str, width: int, classes: int, training: NDArray[Any],
              generator: torch.Generator) -> LabelCode | None:
    """Make the label code that a recipe asks for.

    Parameters
    ----------
    kind, width
        ``labels`` and ``label_width`` of :class:`model.inputs.modulate.Settings`.
    classes : int
    training : array of integers, shape (samples, features)
        The training split, for the features that vary least.
    generator : torch.Generator

    Raises
    ------
    ValueError
        If there are too few features.
    """
    features = training.shape[1]
    if kind == "none":
        return None
    if kind == "first":
        if features < classes:
            raise ValueError(f"modulate.labels must not be 'first' for {classes} classes and "
                             f"{features} features")
        return LabelCode(np.eye(classes, dtype=bool), np.arange(classes))
    if kind == "slot":
        return LabelCode(label_code(classes, width * features, generator))
    if width >= features:
        raise ValueError(f"modulate.label_width must be below the {features} features, "
                         f"not {width}")
    places = np.sort(np.argsort(training.var(axis=0), kind="stable")[:width])
    return LabelCode(label_code(classes, width, generator), places)


def label_code(classes: int, length: int, generator: torch.Generator) -> NDArray[np.bool_]:
    """Draw random codes of which half the bits are 1: as far apart as the best of a few draws.

    Returns
    -------
    array of bool, shape (classes, length)
        Distinct rows.

    Raises
    ------
    ValueError
        If there are fewer such codes than classes.
    """
    if comb(length, length // 2) < classes:
        raise ValueError(f"modulate.label_width must be larger: {length} label bits do not tell "
                         f"{classes} classes apart")
    best, farthest = None, 0
    draws = 0
    while draws < _DRAWS or best is None:
        order = torch.rand(classes, length, generator=generator).argsort(1)
        bits = (order < length // 2).numpy()
        distances = (bits[:, None] != bits).sum(2)
        nearest = int(distances[np.triu_indices(classes, 1)].min())
        if nearest > farthest:
            best, farthest = bits, nearest
        draws += 1
    return best
