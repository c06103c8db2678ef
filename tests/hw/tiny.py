"""Small networks that build in seconds."""

from dataclasses import replace

import numpy as np

from bitwright import ir

__all__ = ["PROVENANCE", "tiny", "wide"]

PROVENANCE = {
    "data": {"name": "made-up", "digest": "0" * 64, "test_samples": 20},
    "accuracy": {"validation": 0.75, "test": 0.8, "test_ir": 0.8},
    "confusion": [[9, 1], [3, 7]],
    "curve": [{"epoch": 1, "train_loss": 0.9, "train_accuracy": 0.5, "validation_accuracy": 0.5},
              {"epoch": 2, "train_loss": 0.4, "train_accuracy": 0.9, "validation_accuracy": 0.75}],
}


def tiny(provenance=PROVENANCE):
    """Four features, eight tables, two classes."""
    return replace(_network(8, features=4, provenance=provenance),
                   names=ir.Names(("left", "right")))


def wide(tables):
    """As many tables as asked for: a network that is too large for its board."""
    return _network(tables, features=64, provenance=PROVENANCE)


def _network(tables, *, features, provenance):
    rng = np.random.default_rng(7)
    width = 2 * features
    thresholds = np.sort(rng.integers(1, 16, size=(1, features, 2)), axis=2).astype(np.int32)
    sources = np.stack([rng.choice(width, size=4, replace=False) for _ in range(tables)])
    contents = rng.integers(2, size=(tables, 16)).astype(bool)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("lut0", ir.Lut(width, sources.astype(np.int32), contents), ("modulate",)),
        ir.Entry("head", ir.GroupSum(tables, 2), ("lut0",))), provenance)
