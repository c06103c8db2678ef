"""From a trained network to the frozen file, proven equal on the whole test set."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import DataSet
from bitwright.errors import UserError
from bitwright.model.confusion import confusion
from bitwright.model.network import Network
from bitwright.model.training.device import in_main_memory

__all__ = ["FreezeError", "freeze", "rehearse"]

GOLDEN = 100
"""Test samples that travel in the file, with the scores that torch gave them."""

_REHEARSED = 16
"""Samples of a rehearsal."""


class FreezeError(UserError, ValueError):
    """A network has no frozen form, or one that differs from the trained network."""


def rehearse(network: Network, features: NDArray[np.int32]) -> None:
    """Freeze a network that is not trained yet, and compare it on a few samples.

    What cannot be frozen is known before the first epoch, then, and not after the last.

    Raises
    ------
    FreezeError
        See :func:`freeze`.
    """
    _frozen(network, features[:_REHEARSED], "samples of the rehearsal")


def freeze(network: Network, data: DataSet, training: dict[str, Any]) -> ir.Network:
    """Freeze a trained network.

    Parameters
    ----------
    network : Network
    data : DataSet
        Its whole test part is the proof.
    training : dict
        What the provenance says about the training: ``recipe``, ``seed``, ``epochs``,
        ``validation`` (accuracy) and ``curve``.

    Raises
    ------
    FreezeError
        If a node refuses what it would be made of, or a single score of a single test sample
        differs between torch and the frozen network.
    """
    frozen, result = _frozen(network, data.x_test, "test samples")
    matrix = confusion(data.y_test, result.decision, len(data.classes))
    right = float((np.argmax(result.scores, axis=1) == data.y_test).mean())
    provenance = {
        "recipe": training["recipe"],
        "seed": training["seed"],
        "data": {"name": data.name, "digest": data.digest, "test_samples": len(data.y_test)},
        "tools": {"bitwright": _version("bitwright"), "python": platform.python_version(),
                  "torch": torch.__version__, "numpy": np.__version__},
        "epochs": training["epochs"],
        "accuracy": {"validation": training["validation"], "test": right,
                     "test_ir": float(np.trace(matrix) / matrix.sum())},
        "confusion": matrix.tolist(),
        "curve": training["curve"],
        "measures": network.measures(),
    }
    golden = ir.Golden(data.x_test[:GOLDEN], result.scores[:GOLDEN])
    return ir.Network(frozen.entries, provenance, golden, data.preparation, names=data.names)


def _frozen(network: Network, features: NDArray[np.int32],
            samples: str) -> tuple[ir.Network, ir.Result]:
    """Frozen form of a network, and what it gives: both proven on the features."""
    expected = network.scores(features)
    try:
        with in_main_memory(network):
            frozen = ir.Network(network.freeze())
        result = frozen.evaluate(features)
    except (TypeError, ValueError) as error:
        raise FreezeError(f"The network cannot be frozen: {error}") from error
    if not np.array_equal(result.scores, expected):
        sample, label = (int(n) for n in np.argwhere(result.scores != expected)[0])
        wrong = int((result.scores != expected).any(axis=1).sum())
        raise FreezeError(f"The frozen network differs from the trained one on {wrong} of "
                          f"{len(expected)} {samples}: sample {sample}, class {label} scores "
                          f"{result.scores[sample, label]} for {expected[sample, label]}")
    return frozen, result


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
