"""A trained network as a teacher: what it answers to training samples, as logits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bitwright import ir
from bitwright.data import DataSet
from bitwright.model.network import build_network
from bitwright.model.recipe import Recipe
from bitwright.model.training.checkpoint import Checkpoint, CheckpointError

__all__ = ["Teacher", "calibrated"]

_CHECKPOINT, _RUNS, _SUFFIX = "checkpoint.pt", Path("runs"), ".safetensors"

_TURNS = 60
"""Steps of the search for a scale, of which each leaves 62 % of its range."""


class Teacher:
    """What a trained network answers.

    Its scores become logits by the one factor by which their cross-entropy on the training split
    is least (Guo et al., arXiv:1706.04599, section 4.2): so scores of any unit will do.

    Parameters
    ----------
    which : str
        See :attr:`bitwright.model.tasks.distilled.Distill.teacher`.
    data : DataSet
        What the student is trained on.
    features : Tensor of integers, shape (samples, n)
        The training split.
    labels : Tensor of int64, shape (samples,)
    changes : bool
        Whether steps show other features than those of the split. Otherwise every answer is
        computed once.

    Raises
    ------
    UserError
        If there is no such network.
    ValueError
        If it was made for other samples or classes. The message starts with the setting.
    """

    def __init__(self, which: str, data: DataSet, features: Tensor, labels: Tensor, *,
                 changes: bool) -> None:
        self._ask = (_frozen if which.endswith(_SUFFIX) else _trained)(which, data, features.device)
        scores = self._ask(features)
        if scores.shape[1] != len(data.classes):
            raise ValueError(f"distill.teacher must know {len(data.classes)} classes, "
                             f"not {scores.shape[1]}")
        self._factor = calibrated(scores, labels)
        self._known = None if changes else scores

    def answers(self, samples: Tensor, features: Tensor) -> Tensor:
        """Logits of samples of the training split, shape (batch, classes).

        Parameters
        ----------
        samples : Tensor of int64, shape (batch,)
            Which they are.
        features : Tensor of integers, shape (batch, n)
            What is shown of them.
        """
        scores = self._ask(features) if self._known is None else self._known[samples]
        return scores * self._factor


def calibrated(scores: Tensor, labels: Tensor) -> float:
    """Find the factor by which scores become the logits of the least cross-entropy.

    Parameters
    ----------
    scores : Tensor, shape (samples, classes)
    labels : Tensor of int64, shape (samples,)
    """
    wide = scores.double()
    unit = float((wide - wide.mean(1, keepdim=True)).square().mean().sqrt()) or 1.0
    low, high = np.log(1e-3 / unit), np.log(1e3 / unit)
    golden = (5**0.5 - 1) / 2

    def loss(log: float) -> float:
        return float(cross_entropy(wide * np.exp(log), labels))

    for _ in range(_TURNS):  # of a convex function of the factor, which has one valley
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _frozen(which: str, data: DataSet, device: torch.device) -> Callable[[Tensor], Tensor]:
    network = ir.load(which)
    if network.features != data.features.shape[1]:
        raise ValueError(f"distill.teacher must read {data.features.shape[1]} features, "
                         f"not {network.features}")

    def ask(features: Tensor) -> Tensor:
        scores = network.evaluate(features.cpu().numpy()).scores
        return torch.from_numpy(scores.astype(np.float32)).to(device)

    return ask


def _trained(which: str, data: DataSet, device: torch.device) -> Callable[[Tensor], Tensor]:
    folder = Path(which) if Path(which).is_dir() else _RUNS / which
    path = folder / _CHECKPOINT
    if not path.is_file():
        raise ValueError("distill.teacher must be a .safetensors file or a run with a checkpoint, "
                         f"not {which!r}")
    checkpoint = Checkpoint.load(path)
    if checkpoint.data_digest != data.digest:
        raise CheckpointError(f"{path}: the run is of other data than {data.name!r}; a teacher "
                              "must know the same samples, or be a frozen network")
    if "network" not in checkpoint.best:
        raise CheckpointError(f"{path}: the run has no epoch yet")
    recipe = Recipe.of(checkpoint.recipe)
    train, _ = data.parted(recipe.validation, recipe.seed)
    network = build_network(recipe.modulate, recipe.layer_types, recipe.head_type, data,
                            data.features[train], torch.Generator(), recipe.places)
    network.load_state_dict(checkpoint.best["network"])
    network.to(device).eval()

    def ask(features: Tensor) -> Tensor:
        return torch.from_numpy(network.scores(features).astype(np.float32)).to(device)

    return ask
