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
from bitwright.model.figures import confusion
from bitwright.model.network import Network
from bitwright.model.tasks import Task
from bitwright.model.training.device import in_main_memory

__all__ = ["FreezeError", "freeze", "rehearse"]

GOLDEN = 100
"""Test samples that travel in the file, with the scores that torch gave them."""

_REHEARSED = 16
"""Samples of a rehearsal."""


class FreezeError(UserError, ValueError):
    """A network has no frozen form, or one that differs from the trained network."""


def rehearse(network: Network, features: NDArray[np.int32], answer: ir.Answer | None) -> None:
    """Freeze a network that is not trained yet, and compare it on a few samples.

    What cannot be frozen is known before the first epoch, then, and not after the last.

    Raises
    ------
    FreezeError
        See :func:`freeze`.
    """
    _frozen(network, features[:_REHEARSED], answer, "samples of the rehearsal")


def freeze(network: Network, data: DataSet, task: Task, training: dict[str, Any]) -> ir.Network:
    """Freeze a trained network.

    Parameters
    ----------
    network : Network
    data : DataSet
        Its whole test part is the proof.
    task : Task
    training : dict
        What the provenance says about the training: ``recipe``, ``seed``, ``epochs``, ``figures``
        (of the ``validation`` split and the ``test`` part) and ``curve``.

    Raises
    ------
    FreezeError
        If a node refuses what it would be made of, or a single score of a single test sample
        differs between torch and the frozen network.
    """
    frozen, result = _frozen(network, data.x_test, task.answer, "test samples")
    figures = task.figures(result.scores, data.y_test)
    provenance = {
        "recipe": training["recipe"],
        "seed": training["seed"],
        "data": {"name": data.name, "digest": data.digest, "test_samples": len(data.y_test)},
        "tools": {"bitwright": _version("bitwright"), "python": platform.python_version(),
                  "torch": torch.__version__, "numpy": np.__version__},
        "epochs": training["epochs"],
        "task": task.kind,
        "figures": {"validation": _few(training["figures"]["validation"]), "test": figures},
        "curve": training["curve"],
        "measures": network.measures(),
    }
    if task.answer is None:
        provenance["accuracy"] = {
            "validation": training["figures"]["validation"]["accuracy"],
            "test": training["figures"]["test"]["accuracy"], "test_ir": figures["accuracy"]}
        provenance["confusion"] = confusion(data.y_test, result.decision,
                                            len(data.classes)).tolist()
    golden = ir.Golden(data.x_test[:GOLDEN], result.scores[:GOLDEN])
    return ir.Network(frozen.entries, provenance, golden, data.preparation, frozen.answer,
                      data.names)


def _few(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures without those of each class."""
    return {name: value for name, value in figures.items() if name != "per_class"}


def _frozen(network: Network, features: NDArray[np.int32], answer: ir.Answer | None,
            samples: str) -> tuple[ir.Network, ir.Result]:
    """Frozen form of a network, and what it gives: both proven on the features."""
    expected = network.scores(features)
    try:
        with in_main_memory(network):
            frozen = ir.Network(network.freeze(), answer=answer)
        result = frozen.evaluate(features)
    except (TypeError, ValueError) as error:
        raise FreezeError(f"The network cannot be frozen: {error}") from error
    if not np.array_equal(result.scores, expected):
        sample, label = (int(n) for n in np.argwhere(result.scores != expected)[0])
        wrong = int((result.scores != expected).any(axis=1).sum())
        which = f"class {label}" if answer is None else "it"
        raise FreezeError(f"The frozen network differs from the trained one on {wrong} of "
                          f"{len(expected)} {samples}: sample {sample}, {which} scores "
                          f"{result.scores[sample, label]} for {expected[sample, label]}")
    return frozen, result


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
