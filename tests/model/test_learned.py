"""Thresholds that move in training, and thresholds snapped to upper bits."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data, ir
from bitwright.model.inputs.learned import LearnedModulator
from bitwright.model.inputs.modulate import snapped
from bitwright.model.recipe import Recipe
from bitwright.model.settings import RecipeError
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.trainer import Trainer

DIGITS = data.load("digits")


def modulator_of(frames=2, depth=2, **settings):
    rng = np.random.default_rng(0)
    first = rng.integers(1, 256, (frames, 6, depth)).astype(np.int32)
    settings = {"full_scale": 255, "bits": 8, "signed": False} | settings
    return LearnedModulator(first, (2, 3), **settings)


def moved(modulator, seed=1):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        modulator.moved.copy_(torch.randn(modulator.moved.shape, generator=generator))
    return modulator


@pytest.mark.parametrize("settings", [{}, {"together": True}, {"top_bits": 3},
                                      {"signed": True, "bits": 9}], ids=str)
def test_training_evaluation_and_file_give_the_same_bits(settings):
    modulator, rng = moved(modulator_of(**settings)), np.random.default_rng(2)
    low, high = (-256, 256) if "signed" in settings else (0, 256)
    features = rng.integers(low, high, (50, 6)).astype(np.int32)
    trained = modulator.train()(torch.from_numpy(features))
    found = modulator.eval()(torch.from_numpy(features))
    assert trained.bool().tolist() == found.bool().tolist()
    node = modulator.freeze()
    expected = (features[:, None, :, None] >= node.thresholds).swapaxes(0, 1).reshape(100, -1)
    assert (found.T.numpy() == expected).all()
    if "top_bits" in settings:
        assert (node.thresholds % 32 == 0).all()
    if "together" in settings:
        assert (node.thresholds == node.thresholds[:, :1]).all()


def test_a_threshold_receives_the_gradient_of_the_features_near_it():
    modulator, rng = modulator_of(frames=1, depth=2), np.random.default_rng(3)
    features = torch.from_numpy(rng.integers(0, 256, (40, 6)).astype(np.int32))
    slopes = torch.randn(12, 40, generator=torch.Generator().manual_seed(0))
    (modulator.train()(features) * slopes).sum().backward()
    reach, unit = 255 / 4, 255 / 16
    for feature in range(6):
        for d in range(2):
            distance = features[:, feature] - int(modulator.first[0, feature, d])
            near = distance.abs() <= reach
            expected = -(slopes[2 * feature + d] * near).sum() * unit / reach
            assert torch.isclose(modulator.moved.grad[0, feature, d], expected, rtol=1e-4)


def test_thresholds_stay_numbers_of_the_node():
    modulator = modulator_of()
    for far, expected in ((99.0, 256), (-99.0, 0)):
        with torch.no_grad():
            modulator.moved.fill_(far)
        assert (modulator.freeze().thresholds == expected).all()


def recipe_of(epochs=3, **modulate):
    return Recipe.of({"name": "small", "epochs": epochs, "batch": 32,
                      "backprop": {"learning_rate": 0.05}, "modulate": modulate,
                      "layers": [{"kind": "lut", "width": 60, "window": 9}],
                      "head": {"kind": "group_sum", "temperature": 1.5}})


@pytest.mark.parametrize("levels", ["learned", "global-learned"])
def test_training_moves_thresholds_and_resumes(levels, tmp_path):
    whole, resumed = (Trainer(recipe_of(levels=levels, depth=2), DIGITS) for _ in range(2))
    first = whole.network.modulator.thresholds.clone()
    whole.run_epoch(lambda samples, metric: None)
    whole.save(tmp_path / "half")
    resumed.restore(Checkpoint.load(tmp_path / "half"), tmp_path / "half")
    for trainer in (whole, resumed):
        while not trainer.finished:
            trainer.run_epoch(lambda samples, metric: None)
    assert ir.to_bytes(whole.freeze()) == ir.to_bytes(resumed.freeze())
    assert not torch.equal(whole.network.modulator.thresholds, first)
    assert whole.best["accuracy"] > 0.4


def test_learned_thresholds_start_at_the_quantiles():
    for learned, measured in (("learned", "quantile"), ("global-learned", "global-quantile")):
        one, other = (Trainer(recipe_of(levels=levels, depth=3), DIGITS).network.modulator
                      for levels in (learned, measured))
        assert torch.equal(one.thresholds, other.thresholds)


@pytest.mark.parametrize(("signed", "expected"), [
    (False, [64, 64, 64, 64, 128, 192, 192, 192]),
    (True, [-64, -64, 64, 64, 64, 64, 64, 64])])
def test_snapped_by_hand(signed, expected):
    thresholds = torch.tensor([-200 if signed else 0, -96 if signed else 1, 33, 95, 96, 160, 250,
                               256], dtype=torch.int32)
    assert snapped(thresholds, 2, bits=8, signed=signed).tolist() == expected
    assert snapped(thresholds, 0, bits=8, signed=signed) is thresholds


@pytest.mark.parametrize("levels", ["even", "quantile", "global-quantile", "learned"])
def test_snapped_thresholds_are_a_function_of_the_top_bits(levels):
    modulator = Trainer(recipe_of(levels=levels, depth=2, top_bits=3), DIGITS).network.modulator
    node = modulator.freeze()
    assert (node.thresholds % 4 == 0).all()  # of 5 bits
    features = np.random.default_rng(0).integers(0, 32, (90, 64)).astype(np.int32)
    assert (node.evaluate_frame(features, 0) == node.evaluate_frame(features & ~3, 0)).all()


@pytest.mark.parametrize(("modulate", "message"), [
    ({"levels": "learned", "draw": True},
     r"^modulate\.draw must be false where levels is 'learned'$"),
    ({"levels": "global-learned", "labels": "slot"},
     r"^modulate\.labels must be 'none' where levels is 'global-learned', not 'slot'$"),
    ({"levels": "batch-norm", "top_bits": 2},
     r"^modulate\.top_bits must be 0 where levels is 'batch-norm', not 2$")])
def test_settings_refused(modulate, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(**modulate)
