"""Thresholds: the ladder of levels, quantiles, and frames folded into the batch."""

from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright.model.inputs.modulate import (
    Modulator,
    Settings,
    even_thresholds,
    quantile_thresholds,
)


@pytest.mark.parametrize("full_scale", [16, 255])
@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_even_thresholds_compare_exactly(full_scale, depth, frames):
    thresholds = even_thresholds(2, full_scale, depth, frames)
    assert thresholds.shape == (frames, 2, depth)
    for f in range(frames):
        for d in range(depth):
            level = (d + (f + Fraction(1, 2)) / frames) / depth * full_scale
            for x in range(full_scale + 1):
                assert (x >= thresholds[f, 1, d]) == (x >= level)


def test_even_thresholds_by_hand():
    assert even_thresholds(1, 16, 1, 1).tolist() == [[[8]]]
    assert even_thresholds(1, 255, 2, 2).tolist() == [[[32, 160]], [[96, 224]]]


def test_quantile_thresholds_split_each_feature_into_equal_shares():
    rng = np.random.default_rng(0)
    features = np.stack([rng.permutation(900), rng.permutation(900) * 7], axis=1).astype(np.int32)
    thresholds = quantile_thresholds(features, 4, 1, together=False)
    shares = (features[:, :, None] >= thresholds[0]).mean(axis=0)
    assert np.allclose(shares, [[0.875, 0.625, 0.375, 0.125]] * 2, atol=0.01)


def test_quantile_frames_lie_between_the_depths():
    features = np.arange(1000, dtype=np.int32)[:, None]
    thresholds = quantile_thresholds(features, 2, 3, together=False)
    order = thresholds[:, 0, :].T.ravel()
    assert (np.diff(order) > 100).all()


def test_quantiles_together_leave_zeros_out():
    features = np.zeros((100, 5), np.int32)
    features[:, 0] = np.arange(100)
    thresholds = quantile_thresholds(features, 1, 1, together=True)
    assert thresholds.tolist() == [[[51]] * 5] or thresholds.tolist() == [[[50]] * 5]


def test_quantile_of_a_constant_feature_is_a_valid_threshold():
    features = np.full((50, 1), 255, np.int32)
    thresholds = quantile_thresholds(features, 2, 1, together=False)
    assert thresholds.tolist() == [[[256, 256]]]


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32])
def test_forward_is_the_node_frame_by_frame(dtype):
    rng = np.random.default_rng(3)
    thresholds = rng.integers(0, 257, (3, 6, 2)).astype(np.int32)
    modulator = Modulator(thresholds, (2, 3), bits=8, signed=False)
    features = rng.integers(0, 256, (20, 6)).astype(np.int32)
    bits = modulator(torch.from_numpy(features).to(dtype)).numpy()
    assert bits.shape == (12, 3 * 20)
    for f in range(3):
        expected = (features[:, :, None] >= thresholds[f]).reshape(20, -1)
        assert (bits[:, 20 * f : 20 * (f + 1)].T == expected).all()


def test_freeze_keeps_the_thresholds():
    thresholds = even_thresholds(4, 16, 2, 2)
    node = Modulator(thresholds, (2, 2), bits=5, signed=False).freeze()
    assert node.thresholds.tolist() == thresholds.tolist()
    assert (node.bits, node.signed) == (5, False)


@pytest.mark.parametrize("name", ["depth", "frames"])
def test_settings_refused(name):
    with pytest.raises(ValueError, match=rf"^{name} must be between 1 and 64, not 0$"):
        Settings(**{name: 0})
