"""From a trained network to the frozen file, proven equal on the whole test set."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import numpy as np
import torch

from bitwright import ir
from bitwright.data import DataSet
from bitwright.model.confusion import confusion
from bitwright.model.network import BinaryNetwork

__all__ = ["FreezeError", "freeze"]

GOLDEN = 100
"""Test samples that travel in the file, with the scores that torch gave them."""


class FreezeError(ValueError):
    """The frozen network differs from the trained one."""


def freeze(network: BinaryNetwork, data: DataSet, training: dict[str, Any]) -> ir.Network:
    """Freeze a trained network.

    Parameters
    ----------
    network : BinaryNetwork
    data : DataSet
        Its whole test part is the proof.
    training : dict
        What the provenance says about the training: ``recipe``, ``seed``, ``epochs``,
        ``validation`` (accuracy) and ``curve``.

    Raises
    ------
    FreezeError
        If a single score of a single test sample differs between torch and the frozen network.
    """
    entries = network.freeze()
    expected = network.scores(data.x_test)
    result = ir.Network(entries).evaluate(data.x_test)
    if not np.array_equal(result.scores, expected):
        sample, label = (int(n) for n in np.argwhere(result.scores != expected)[0])
        wrong = int((result.scores != expected).any(axis=1).sum())
        raise FreezeError(f"The frozen network differs from the trained one on {wrong} of "
                          f"{len(expected)} test samples: sample {sample}, class {label} scores "
                          f"{result.scores[sample, label]} for {expected[sample, label]}")
    matrix = confusion(data.y_test, result.decision, len(data.classes))
    right = float((np.argmax(expected, axis=1) == data.y_test).mean())
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
        "feature_map": data.feature_map,
        "classes": list(data.classes),
    }
    golden = ir.Golden(data.x_test[:GOLDEN], expected[:GOLDEN])
    return ir.Network(entries, provenance, golden)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
