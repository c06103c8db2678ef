"""Recipes as graphs: names, inputs, what they refuse, and what they freeze to."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright.model.graph import joined
from bitwright.model.recipe import Recipe, RecipeError
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

PICTURE = data_sets()["picture"]  # 6 x 6 pixels, 4 classes
DENSE = {"kind": "xnor", "neurons": 5}
LUT = {"kind": "lut", "width": 6, "fan_in": 3}


def recipe_of(*layers, **others):
    return Recipe.of({"name": "x", "epochs": 2, "batch": 16, "layers": list(layers),
                      "head": {"kind": "scores"}, **others})


DIAMOND = (DENSE | {"name": "stem"}, LUT | {"inputs": ["stem", "modulate"]},
           DENSE | {"inputs": ["stem"], "name": "side"}, DENSE | {"inputs": ["lut0", "side"]})


def test_values_are_those_of_the_inputs_in_their_order():
    trainer = Trainer(recipe_of(*DIAMOND), PICTURE)
    network = trainer.network.eval()
    x = network.modulator(trainer._features[:9])
    stem, lut, side, last = network.layers
    first = stem(x)
    second = lut(torch.cat([first, x]))
    third = side(first)
    expected = [x, first, second, third, last(torch.cat([second, third]))]
    for found, wanted in zip(network.values(x), expected, strict=True):
        assert torch.equal(found, wanted)
    assert len({tuple(value.flatten().tolist()) for value in expected}) == 5
    assert network.inputs == {"stem": ("modulate",), "lut0": ("stem", "modulate"),
                              "side": ("stem",), "xnor2": ("lut0", "side")}


def test_a_graph_learns_and_freezes_to_a_graph():
    trainer = Trainer(recipe_of(*DIAMOND), PICTURE)
    before = [next(layer.parameters()).clone() for layer in trainer.network.layers]
    for _ in range(2):
        trainer.run_epoch(lambda samples, metric: None)
    for old, layer in zip(before, trainer.network.layers, strict=True):
        assert not torch.equal(old, next(layer.parameters()))
    frozen = trainer.freeze()  # compares every test sample
    assert [(entry.name, entry.inputs) for entry in frozen.entries] == [
        ("modulate", ("input",)), ("stem", ("modulate",)), ("lut0", ("stem", "modulate")),
        ("side", ("stem",)), ("xnor2", ("lut0", "side")), ("head", ("xnor2",))]
    assert Recipe.of(frozen.provenance["recipe"]) == trainer.recipe


def test_samples_that_are_contiguous_stay_so():
    trainer = Trainer(recipe_of(*DIAMOND), PICTURE)
    network = trainer.network.eval()
    wide = network.modulator(trainer._features[:9])
    expected = network.values(wide)[-1]
    seen = []

    def through(name, layer, x):
        seen.append(x.stride(0) == 1)
        return layer(x).T.contiguous().T

    assert torch.equal(network.values(wide.T.contiguous().T, through)[-1], expected)
    assert seen == [True] * 4


def test_what_is_not_said_is_a_chain():
    said = recipe_of(DENSE, DENSE)
    assert all(set(layer) == {"kind", "neurons", "depth"} for layer in said.plain()["layers"])
    graph = recipe_of(DENSE, DENSE | {"inputs": ["xnor0"]})
    chain, other = (Trainer(recipe, PICTURE) for recipe in (said, graph))
    assert chain.network.places == other.network.places
    for trainer in (chain, other):
        trainer.run_epoch(lambda samples, metric: None)
    for name, value in chain.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name])
    assert graph.plain()["layers"][1]["inputs"] == ["xnor0"]


@pytest.mark.parametrize(("layers", "message"), [
    ([DENSE | {"name": "Stem"}],
     ("layers.0.name must match [a-z][a-z0-9_]* and not be 'input', 'modulate' or 'head', "
     "not 'Stem'")),
    ([DENSE, DENSE | {"name": "head"}],
     ("layers.1.name must match [a-z][a-z0-9_]* and not be 'input', 'modulate' or 'head', "
     "not 'head'")),
    ([DENSE, DENSE | {"name": "xnor0"}],
     ("layers.1.name must be one that no other layer has, which layers.0 is called already, "
     "not 'xnor0'")),
    ([DENSE, DENSE | {"inputs": ["xnor1"]}],
     "layers.1.inputs must name what comes before it, not 'xnor1'; did you mean 'xnor0'?"),
    ([DENSE, DENSE | {"inputs": ["input"]}],
     ("layers.1.inputs must name what comes before it, not 'input'; "
     "known are modulate, xnor0")),
    ([DENSE | {"inputs": "modulate"}],
     "layers.0.inputs must be a list of names, not 'modulate'"),
    ([DENSE | {"inputs": [1]}], "layers.0.inputs must be a list of names, not [1]"),
    ([DENSE | {"name": 1}], "layers.0.name must be a string, not 1"),
    ([3], "layers.0 must be a table, not 3"),
])
def test_places_refused(layers, message):
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        recipe_of(*layers)


def test_what_nothing_reads_is_refused():
    recipe = recipe_of(DENSE, DENSE | {"inputs": ["modulate"]})
    with pytest.raises(ValueError, match=r"^layers\.0: nothing reads 'xnor0'$"):
        Trainer(recipe, PICTURE)


def test_layers_past_the_last_that_the_head_reads_are_not_run():
    recipe = recipe_of(DENSE, DENSE, DENSE | {"inputs": ["xnor0"]}, modulate={"labels": "first"},
                       head={"kind": "goodness", "last_layer": 2}, learning="forward-forward")
    network = Trainer(recipe, PICTURE).network
    assert [name for name, _ in network.live_layers] == ["xnor0", "xnor1"]


def test_values_lie_where_they_lay():
    picture, other = Geometry.of((2, 3), depth=2), Geometry.of((4, 4))
    both = joined([picture, other])
    assert both.width == 12 + 16
    assert np.array_equal(both.places, np.concatenate([picture.places, other.places]))
    assert joined([picture, Geometry.line(3)]).width == 15
    assert joined([picture]) is picture
