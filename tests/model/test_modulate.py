"""Thresholds: the ladder of levels, quantiles, and frames folded into the batch."""

from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model.inputs.modulate import (
    Modulator,
    Settings,
    even_thresholds,
    quantile_thresholds,
)
from bitwright.model.inputs.scaler import Scaler
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer


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


PICTURES = np.random.default_rng(3).integers(0, 256, (40, 6)).astype(np.int32)


def modulator_of(**settings):
    return Modulator(even_thresholds(6, 255, 2, 4), (6,), bits=8, signed=False, **settings)


def test_a_drawn_frame_is_one_of_all_in_training_only():
    modulator = modulator_of(draw=True)
    modulator.generator = torch.Generator().manual_seed(5)
    every = modulator_of()(torch.from_numpy(PICTURES)).view(12, 4, 40)
    modulator.train()
    assert modulator.frames_now == 1
    drawn = [modulator(torch.from_numpy(PICTURES)) for _ in range(80)]
    found = torch.stack([(bits[:, None] == every).all(0) for bits in drawn])  # (draw, frame, 40)
    assert found.any(1).all()
    assert found.any(0).all()  # every frame of every sample comes, one at a time
    modulator.generator.manual_seed(5)
    assert torch.equal(modulator(torch.from_numpy(PICTURES)), drawn[0])
    modulator.eval()
    assert modulator.frames_now == modulator.frames == 4
    assert torch.equal(modulator(torch.from_numpy(PICTURES)).view(12, 4, 40), every)


def test_training_may_have_other_frames():
    trained = even_thresholds(6, 255, 2, 3)
    modulator = modulator_of(trained=trained)
    features = torch.from_numpy(PICTURES)
    modulator.train()
    assert modulator.frames_now == 3
    alone = Modulator(trained, (6,), bits=8, signed=False)
    assert torch.equal(modulator(features), alone(features))
    modulator.eval()
    assert modulator.frames_now == modulator.frames == 4
    assert torch.equal(modulator(features), modulator_of()(features))
    assert modulator.freeze().frames == 4


def test_upper_bits_are_kept():
    features = torch.tensor([[0, 15, 16, 200, 255, 128]], dtype=torch.int16)
    x = Scaler((6,), 255, dropped=4)(features)
    assert torch.allclose(x.flatten() * 255, torch.tensor([0.0, 0, 16, 192, 240, 128]))
    signed = Scaler((2,), 7, dropped=1)(torch.tensor([[-3, 5]]))
    assert torch.allclose(signed.flatten() * 7, torch.tensor([-4.0, 4]))


@pytest.mark.parametrize(("settings", "message"), [
    ({"trained_frames": 65}, "trained_frames must be between 0 and 64, not 65"),
    ({"top_bits": 17, "levels": "real"}, "top_bits must be between 0 and 16, not 17"),
    ({"top_bits": 4, "levels": "noise"}, "top_bits must be 0 where levels is 'noise', not 4"),
    ({"draw": True, "levels": "real"}, "draw must be false where levels is 'real'"),
    ({"draw": True, "labels": "first"}, "draw must be false where labels take the frames"),
    ({"trained_frames": 2, "levels": "batch-norm"},
     "trained_frames must be 0 where levels is 'batch-norm', not 2"),
])
def test_settings_of_training_frames_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Settings(**settings)


@pytest.mark.parametrize("settings", [
    ["modulate.draw=true"], ["modulate.trained_frames=2"],
    ["modulate.draw=true", "modulate.trained_frames=6"]])
def test_a_training_with_other_frames_freezes_to_what_is_evaluated(settings):
    recipe = load_recipe("digits-xnor", ["modulate.frames=3", "epochs=1", *settings])
    trainer = Trainer(recipe, data.load(recipe.data))
    entry = trainer.run_epoch(lambda samples, metric: None)
    network = trainer.freeze()
    assert network.entries[0].node.frames == 3
    features, labels = trainer.data.features[trainer._validation], (
        trainer.data.labels[trainer._validation])
    right = (network.evaluate(features).decision == labels).mean()
    assert right == entry["validation_accuracy"]


def test_upper_bits_of_fewer_are_refused():
    recipe = load_recipe("digits-real", ["modulate.top_bits=6"])
    with pytest.raises(ValueError, match=(r"^modulate.top_bits must be at most the 5 bits of a "
                                          r"feature, not 6$")):
        Trainer(recipe, data.load(recipe.data))
