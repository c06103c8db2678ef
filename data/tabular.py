"""The data sets that scikit-learn carries: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitwright.data.dataset import DataSet, stratified

__all__ = ["digits", "iris"]

SPLIT_SEED = 20240229
"""Seed of the split into training and test part. Fixed, so that figures of all runs compare."""

TEST_SHARE = 0.25


def digits(_data_dir: Path | None = None) -> DataSet:
    """Handwritten digits of 8 x 8 pixels from 0 to 16, 1,797 samples."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    features, labels = raw.data.astype(np.int32), raw.target.astype(np.int64)
    train, test = stratified(labels, share=TEST_SHARE, seed=SPLIT_SEED)
    return DataSet("digits", features[train], labels[train], features[test], labels[test],
                   bits=5, signed=False, full_scale=16, shape=(8, 8),
                   classes=tuple(str(name) for name in raw.target_names),
                   feature_map="the pixel, 0 to 16")


def iris(_data_dir: Path | None = None) -> DataSet:
    """Four measures of three species of iris, 150 samples, scaled to 8 bits."""
    from sklearn.datasets import load_iris

    raw = load_iris()
    values, labels = raw.data.astype(np.float64), raw.target.astype(np.int64)
    train, test = stratified(labels, share=TEST_SHARE, seed=SPLIT_SEED)
    low, high = values[train].min(axis=0), values[train].max(axis=0)
    scaled = np.rint((values - low) / (high - low) * 255).clip(0, 255).astype(np.int32)
    rules = ", ".join(f"({a:g} cm to {b:g} cm)" for a, b in zip(low, high, strict=True))
    return DataSet("iris", scaled[train], labels[train], scaled[test], labels[test],
                   bits=8, signed=False, full_scale=255, shape=(4,),
                   classes=tuple(str(name) for name in raw.target_names),
                   feature_map=f"per feature {rules} mapped to 0 to 255, rounded to nearest even, "
                               "clipped")
