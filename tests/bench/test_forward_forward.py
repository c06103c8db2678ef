"""The tables of forward-forward: recipes as they were searched, rows as they were measured."""

import numpy as np
import pytest
import torch

from bench import forward_forward, forward_forward_hinton, forward_forward_real
from bench.forward_forward_hinton import GRIDS
from bench.forward_forward_real import accuracies, layer_scores, prune, real_recipe
from bitwright import data
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer


@pytest.mark.parametrize("which", GRIDS)
def test_every_recipe_has_settings_that_were_tried(which):
    name, grid = GRIDS[which]
    chosen = load_recipe(name).plain()
    assert [load_recipe(name, overrides).plain() for overrides in grid].count(chosen) == 1


@pytest.fixture
def recipes(monkeypatch):
    """Recipes that would have been trained; seed s has an accuracy of .5 + s / 100."""
    made = []

    def result(recipe, out, data_dir=None):
        made.append(recipe)
        return {"recipe": recipe.plain(), "validation": 0.5 + recipe.seed / 100,
                "test": 0.4 + recipe.seed / 100, "seconds": 10.0 * recipe.seed}

    monkeypatch.setattr(forward_forward_hinton, "result", result)
    return made


def table(capsys, *arguments):
    assert forward_forward.main(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def test_labels_and_shifts(recipes, capsys):
    lines = table(capsys, "hinton", "--width", "30", "--layers", "3", "--epochs", "7")
    figures = "| 2 | 7 | 50.50 ± 0.71 | 40.50 ± 0.71 | 5 ± 7 |"
    assert lines == ["| 3 layers of 30 | seeds | epochs | validation, % | test, % | CPU s |",
                     "|---" * 6 + "|", f"| FF {figures}", f"| BP {figures}",
                     f"| FF, shifted by up to 2 {figures}", f"| BP, shifted by up to 2 {figures}"]
    assert [recipe.jitter for recipe in recipes] == [0] * 4 + [2] * 4
    assert [recipe.learning for recipe in recipes[::2]] == ["forward-forward", "backprop"] * 2
    assert all([layer.neurons for layer in recipe.layers] == [30] * 3 for recipe in recipes)
    assert len({(recipe.name, recipe.seed) for recipe in recipes}) == 8


@pytest.mark.parametrize(("command", "titles"), [
    ("unsupervised", ["dense", "dense, untrained", "local"]),
    ("cifar", ["reals, FF", "reals, BP", "bits, FF", "bits, STE"]),
])
def test_rows_of_networks_of_their_own(recipes, capsys, command, titles):
    lines = table(capsys, command, "--seeds", "1")
    assert [line.split(" | ")[0] for line in lines[2:]] == [f"| {title}" for title in titles]
    assert len({recipe.name for recipe in recipes}) == len(titles)


def test_a_search_shows_no_test_accuracy(recipes, capsys):
    lines = table(capsys, "search", "unsupervised", "--epochs", "1")
    assert lines[2] == ("| learning_rate 0.003, threshold 0.002, temperature 0.0005 | 1 | 1 "
                        "| 50.00 |")
    assert len({recipe.name for recipe in recipes}) == len(lines) - 2 == 6


def network(way):
    recipe = real_recipe(way, 0, 1, "digits", standard=True)
    return Trainer(recipe, data.load("digits")).network


def test_the_smallest_weights_of_each_layer_go():
    pruned = network("softplus")
    before = [layer.weights.values.detach().clone() for layer in pruned.layers]
    prune(pruned, 25)
    for layer, weights in zip(pruned.layers, before, strict=True):
        order = weights.abs().flatten().argsort()
        count = weights.numel() // 4
        left = layer.weights.values.flatten()
        assert (left[order[:count]] == 0).all()
        assert (left[order[count:]] == weights.flatten()[order[count:]]).all()


@pytest.mark.parametrize("way", ["softplus", "inverted"])
def test_scores_of_all_layers_are_those_of_the_network(way):
    chain = network(way)
    features = data.load("digits").x_test[:50]
    scores = layer_scores(chain, features)
    assert scores.shape == (3, 50, 10)
    assert np.allclose(scores[2] / 3, chain.scores(features), atol=1e-6)
    first = chain.layers[0](chain.modulator(torch.from_numpy(features))).square().mean(0)
    sign = -1 if way == "inverted" else 1
    assert np.allclose(scores[0], sign * first.detach().view(10, 50).T, atol=1e-6)


def test_accuracy_of_a_network_with_a_head_of_its_own():
    chain = network("backprop")
    features = data.load("digits").x_test[:50]
    labels = chain.scores(features).argmax(1)
    labels[:5] = (labels[:5] + 1) % 10
    assert accuracies(chain, features, labels) == [0.9]


def test_the_picture_leaves_out_the_point_of_other_samples(tmp_path, monkeypatch):
    drawn = []
    from matplotlib.axes import Axes

    plot = Axes.plot
    monkeypatch.setattr(Axes, "plot", lambda self, x, *rest, **options: (
        drawn.append(list(x)), plot(self, x, *rest, **options))[1])
    result = {"pruning": {str(percent): [0.5] for percent in forward_forward_real.PRUNED}}
    forward_forward_real.draw({"backprop": [result]}, tmp_path / "curve.svg")
    assert len(drawn[0]) == len(forward_forward_real.PRUNED) - 1
    assert 90 not in drawn[0]
    assert (tmp_path / "curve.svg").stat().st_size > 1000
