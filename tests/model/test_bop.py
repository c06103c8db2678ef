"""Bop: a step by hand, and what it refuses."""

import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model.recipe import load_recipe
from bitwright.model.rules.bop import Settings
from bitwright.model.training.trainer import Trainer


def test_a_step_flips_where_average_and_sign_agree():
    trainer = Trainer(load_recipe("digits-bop", ["bop.adaptivity=0.25", "bop.threshold=0.0005"]),
                      data.load("digits"))
    network, rule = trainer.network.train(), trainer.rule
    parts = [*network.layers, network.head]
    assert all(set(part.weights.values.unique().tolist()) == {-1.0, 1.0} for part in parts)
    averages = [torch.zeros_like(part.weights.values) for part in parts]
    expected, total = [part.weights.values.detach().clone() for part in parts], 0
    for _ in range(3):
        flipped = rule.step(trainer._features[:64], trainer._labels[:64])["flipped"]
        count = 0
        for part, average, value in zip(parts, averages, expected, strict=True):
            average.mul_(0.75).add_(0.25 * part.weights.values.grad)
            mask = (average > 0.0005) & (value == 1) | (average < -0.0005) & (value == -1)
            value[mask] *= -1
            count += int(mask.sum())
            assert torch.equal(part.weights.values, value)
        assert flipped == count
        total += count
    assert 0 < total < sum(value.numel() for value in expected)


def test_adaptivity_falls_along_half_a_cosine():
    trainer = Trainer(load_recipe("digits-bop", ["epochs=20", "bop.adaptivity=0.4"]),
                      data.load("digits"))
    seen = []
    for epoch in (0, 10, 20):
        trainer.rule.begin_epoch(epoch)
        seen.append(trainer.rule._adaptivity)
    assert seen == pytest.approx([0.4, 0.2, 0.0])


@pytest.mark.parametrize(("settings", "message"), [
    ({"adaptivity": 0.0}, "adaptivity must be above 0 and at most 1, not 0.0"),
    ({"threshold": -1.0}, "threshold must be at least 0 and finite, not -1.0"),
])
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        Settings(**settings)


def test_other_layers_are_refused():
    recipe = load_recipe("iris", ["learning=bop"])
    with pytest.raises(ValueError, match=r"^learning 'bop' cannot train layers.0 of kind 'lut'; it "
                                         r"trains convolution, xnor$"):
        Trainer(recipe, data.load("iris"))
