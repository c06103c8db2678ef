"""What a network was trained on, and what it is judged by. The test part is neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import DataSet

__all__ = ["Validation", "quality"]

SHARE, SEED = 0.1, 0
"""Split of the training part, where the file does not say how it was split in training."""


class Validation:
    """The training part of a data set, split as it was in training.

    Parameters
    ----------
    data : DataSet
    provenance : mapping
        Of the network, whose recipe says how. Where it says nothing, a tenth is set aside.

    Raises
    ------
    DataError
        If nothing can be set aside.
    """

    def __init__(self, data: DataSet, provenance: Mapping[str, Any]) -> None:
        recipe = provenance.get("recipe")
        known = recipe if isinstance(recipe, Mapping) else {}
        share, seed = known.get("validation"), known.get("seed")
        self.share = share if isinstance(share, float) and 0 < share < 1 else SHARE
        self.seed = seed if type(seed) is int and seed >= 0 else SEED
        learnt, held_back = data.parted(self.share, self.seed)
        self.learnt: NDArray[np.int32] = data.features[learnt]
        self.features: NDArray[np.int32] = data.features[held_back]
        self._targets = data.labels[held_back]

    def quality(self, network: ir.Network) -> float:
        """What a network is worth on what was set aside, see :func:`quality`."""
        return quality(network, self.features, self._targets)


def quality(network: ir.Network, features: NDArray[Any], targets: NDArray[Any]) -> float:
    """Share of right decisions. Of numbers: share of their variance that is explained (R2)."""
    found = network.evaluate(features)
    if network.answer is None:
        return float((found.decision == targets).mean())
    wanted = targets.astype(np.float64)
    error = ((network.answer.apply(found.scores)[:, 0] - wanted) ** 2).mean()
    return float(1 - error / max(wanted.var(), np.finfo(float).tiny))
