"""Thresholds drawn at random: their distributions, what has a draw of its own, seeds."""

import re
from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright import ir
from bitwright.model.inputs.drawn import DEVIATION, drawn_thresholds
from bitwright.model.inputs.noise import noise_modulator
from bitwright.model.recipe import Recipe, RecipeError
from bitwright.model.training.trainer import Trainer

SETS = data_sets()
SETTINGS = {"normal": False, "each": "pixel", "mean": 0.5, "deviation": DEVIATION, "seed": 0,
            "highest": 1 << 16}


def draw(features=2000, full_scale=60000, depth=1, frames=1, **settings):
    return drawn_thresholds(features, full_scale, depth, frames, **SETTINGS | settings)


def trainer_of(modulate, name="picture"):
    return Trainer(Recipe.of({"name": "x", "epochs": 3, "batch": 16, "modulate": modulate,
                              "layers": [{"kind": "xnor", "neurons": 8}],
                              "backprop": {"learning_rate": 0.1},
                              "head": {"kind": "scores"}}), SETS[name])


def test_bits_are_those_of_binarybrain():
    """``u * depth - d > v``, of a full scale that is small enough to try every value."""
    words = ir.Noise(7, 16).numbers(3 * 5).reshape(3, 5)
    thresholds = draw(5, 13, 4, 3, seed=7, highest=31)
    for frame in range(3):
        for feature in range(5):
            v = (int(words[frame, feature]) + Fraction(1, 2)) / (1 << 16)
            for d in range(4):
                for x in range(32):
                    expected = Fraction(x, 13) * 4 - d > v
                    assert (x >= thresholds[frame, feature, d]) == expected


def test_uniform_draws_fill_the_step():
    share = (draw(20000)[0, :, 0] - 1) / 60000
    counts, _ = np.histogram(share, 10, (0, 1))
    assert counts.sum() == 20000
    assert abs(counts - 2000).max() < 200
    narrow = (draw(mean=0.25, deviation=DEVIATION / 10)[0, :, 0] - 1) / 60000
    assert (narrow.min(), narrow.max()) == pytest.approx((0.2, 0.3), abs=0.001)


def test_normal_draws_are_normal():
    values = (draw(20000, normal=True, mean=0.4, deviation=0.1)[0, :, 0] - 0.5) / 60000
    assert values.mean() == pytest.approx(0.4, abs=0.003)
    assert values.std() == pytest.approx(0.1, abs=0.002)
    within = [np.mean(np.abs(values - 0.4) < n * 0.1) for n in (1, 2)]
    assert within == pytest.approx([0.683, 0.954], abs=0.015)


def test_what_is_never_reached_and_always():
    thresholds = draw(normal=True, mean=0.5, deviation=3.0, full_scale=255, highest=255)[..., 0]
    assert (thresholds.min(), thresholds.max()) == (0, 256)
    assert 0.3 < (thresholds == 256).mean() < 0.5


def test_each_frame_or_each_pixel():
    by_frame, by_pixel = (draw(50, depth=2, frames=4, each=each) for each in ("frame", "pixel"))
    assert by_frame.shape == by_pixel.shape == (4, 50, 2)
    assert (by_frame == by_frame[:, :1]).all()
    assert len(np.unique(by_frame[:, 0, 0])) == 4
    assert len(np.unique(by_pixel[..., 0])) > 190
    steps = by_pixel[..., 1] - by_pixel[..., 0]
    assert set(steps.flatten().tolist()) <= {30000}  # the same place in both steps


def test_seeds_and_lengths():
    assert (draw(seed=1) != draw(seed=2)).mean() > 0.99
    assert np.array_equal(draw(frames=2), draw(frames=5)[:2])


@pytest.mark.parametrize(("levels", "each"), [("uniform", "pixel"), ("normal", "frame")])
def test_a_network_learns_on_what_it_is_frozen_with(levels, each):
    modulate = {"levels": levels, "each": each, "frames": 3, "seed": 5, "deviation": 0.2}
    trainer = trainer_of(modulate)
    for _ in range(3):
        entry = trainer.run_epoch(lambda samples, metric: None)
    assert entry["train_accuracy"] > 0.5
    frozen = trainer.freeze().modulate.thresholds
    expected = draw(36, 15, 1, 3, normal=levels == "normal", each=each, seed=5, deviation=0.2,
                    highest=15)
    assert np.array_equal(frozen, expected)


def test_training_may_see_more_draws_than_are_frozen():
    modulate = {"levels": "uniform", "frames": 2, "trained_frames": 7, "draw": True}
    modulator = trainer_of(modulate).network.modulator
    assert len(modulator.train().limits) == 7
    assert torch.equal(modulator.limits[:2], modulator.eval().limits)


@pytest.mark.parametrize(("modulate", "message"), [
    ({"levels": "even", "seed": 3},
     "modulate.seed must be left out where levels is 'even', not 3"),
    ({"each": "frame"},
     "modulate.each must be left out where levels is 'even', not 'frame'"),
    ({"levels": "normal", "deviation": 0.0},
     "modulate.deviation must be above 0 and finite, not 0.0"),
    ({"levels": "normal", "mean": float("nan")}, "modulate.mean must be finite, not nan"),
    ({"levels": "normal", "seed": -1}, "modulate.seed must be from 0 to 2^31 - 1, not -1"),
])
def test_settings_refused(modulate, message):
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        trainer_of(modulate)


def test_signed_features_refused():
    with pytest.raises(ValueError, match=(r"^modulate\.levels must be a quantile for signed "
                                          r"features, not 'uniform'$")):
        trainer_of({"levels": "uniform"}, "signed")


def test_noise_is_frozen_as_such():
    """About uniform within each step, and a file that needs no table in hardware."""
    node, plain = (trainer_of({"levels": levels, "depth": 2, "frames": 3, "seed": 5}
                              ).network.freeze()[0].node for levels in ("noise", "uniform"))
    full = SETS["picture"].full_scale
    assert node.noise == ir.Noise(5, (full // 2).bit_length() - 1)
    low, high = node.offsets
    assert high - low == full // 2
    assert node.thresholds.min() >= 1
    assert node.thresholds.max() <= full
    assert plain.noise is None


def test_noise_has_a_seed_alone():
    message = "modulate.mean must be left out where levels is 'noise', not 0.4"
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        trainer_of({"levels": "noise", "mean": 0.4})


def test_a_step_that_is_too_small_for_a_noise():
    message = "modulate.depth must be at most 4 where modulate.levels is 'noise', not 5"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        noise_modulator(3, 9, 5, 1, bits=4, seed=0)
