"""Joins and merges: channels side by side, residual connections of one bit."""

import itertools
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright.model.layers import JoinLayer, LearnedMergeLayer, MergeLayer
from bitwright.model.layers.merge import Parts, Settings
from bitwright.model.recipe import Recipe
from bitwright.model.rules import Rule
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

PICTURE = data_sets()["picture"]  # 6 x 6 pixels, 4 classes
KINDS = {"fbf": ("bmab_convolution", "bmab", "bma"),
         "bernoulli": ("bernoulli_convolution", "bernoulli", "expectation"),
         "forward-forward": ("convolution", "xnor", "goodness")}
SETTINGS = {"fbf": {"signal": "wish", "mask": "rank", "update_rate": 0.05},
            "forward-forward": {"loss": "symba", "temperature": 0.1, "learning_rate": 0.03},
            "unsupervised-forward-forward": {"loss": "symba", "temperature": 0.1,
                                             "readout_rate": 0.05}}


def rate_of(rule):
    """A learning rate that is high, if the rule has one."""
    return {"learning_rate": 0.1} if hasattr(Rule.kinds[rule].Settings, "learning_rate") else {}


def recipe_of(rule, *layers, **others):
    convolution, dense, head = KINDS.get(rule, ("convolution", "xnor", "scores"))
    names = {"conv": {"kind": convolution, "neurons": 4, "kernel": 1},
             "dense": {"kind": dense, "neurons": 8}}
    made = [names.get(layer.pop("like", ""), {}) | layer for layer in map(dict, layers)]
    labels = {"modulate": {"labels": "first"}} if head == "goodness" else {}
    return Recipe.of({"name": "x", "learning": rule, "epochs": 3, "batch": 16, "layers": made,
                      "head": {"kind": head},
                      rule: rate_of(rule) | SETTINGS.get(rule, {}), **labels, **others})


RESIDUAL = ({"like": "conv", "name": "a", "kernel": 3}, {"like": "conv", "name": "b"},
            {"kind": "join", "inputs": ["a", "b"]}, {"kind": "merge"}, {"like": "dense"})


def test_channels_of_a_pixel_lie_side_by_side():
    first, second = np.arange(12), 100 + np.arange(6)  # 2 by 3 pixels of two channels and of one
    layer = JoinLayer((Geometry.of((2, 3), 2), Geometry.of((2, 3))))
    expected = [value for pixel in range(6)
                for value in (2 * pixel, 2 * pixel + 1, 100 + pixel)]
    x = torch.from_numpy(np.concatenate([first, second])).float()[:, None].repeat(1, 4)
    assert layer(x)[:, 3].tolist() == expected
    wide = layer(x.T.contiguous().T)
    assert wide[:, 2].tolist() == expected
    assert wide.stride(0) == 1
    assert (layer.geometry.shape, layer.geometry.depth) == ((2, 3), 3)
    lines = JoinLayer((Geometry.line(2), Geometry.line(3)))
    assert torch.equal(lines(x[:5]), x[:5])
    assert (lines.geometry.shape, lines.geometry.width) == ((), 5)


FUNCTIONS = {"xor": lambda bits: sum(bits) % 2, "and": min, "or": max,
             "majority": lambda bits: int(2 * sum(bits) > len(bits))}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("parts", [2, 3])
def test_functions_by_hand(function, parts):
    """Of every combination of bits, at two pixels of two channels."""
    layer = MergeLayer(Geometry.of((1, 2), 2 * parts), Settings(parts=parts, function=function))
    samples = [*itertools.product(itertools.product((0, 1), repeat=2 * parts), repeat=2)]
    expected = [[FUNCTIONS[function](bits[channel::2]) for bits in pixels for channel in (0, 1)]
                for pixels in samples]
    assert layer(torch.tensor(samples).flatten(1).T).T.tolist() == expected


def test_slopes_are_the_differences_that_a_bit_makes():
    layer = MergeLayer(Geometry.line(3), Settings(parts=3, function="majority"))
    for bits, slopes in (((0, 0, 0), (0, 0, 0)), ((1, 0, 0), (0, 1, 1)), ((1, 1, 0), (1, 1, 0))):
        x = torch.tensor(bits, dtype=torch.float)[:, None].requires_grad_()
        layer(x).sum().backward()
        assert x.grad[:, 0].tolist() == list(slopes)


def test_a_learned_table_is_that_of_its_entries():
    layer = LearnedMergeLayer(Geometry.of((1, 3), 4), Parts(),
                              generator=torch.Generator().manual_seed(0))
    with torch.no_grad():  # channel 0 an implication, channel 1 an XOR; part 0 is bit 0
        layer.entries.copy_(torch.tensor([[.1, .0, -.1, .1], [-.1, .1, .1, -.1]]))
    x = torch.tensor([[0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 1]]).float().flatten()[:, None]
    y = layer(x)
    # Channels 0 and 1 of part 0, then those of part 1.
    assert y[:, 0].tolist() == [1, 0, 1, 1, 1, 1]
    y.sum().backward()
    hits = [[1, 1, 0, 1], [1, 1, 1, 0]]  # entries at the addresses of the three pixels
    assert layer.entries.grad.tolist() == hits


@pytest.mark.parametrize("rule", Rule.kinds)
def test_every_rule_learns_a_residual_connection(rule):
    trainer = Trainer(recipe_of(rule, *RESIDUAL), PICTURE)
    learning = [layer for _, layer in trainer.network.learning_layers]
    before = [layer.weights.bits.clone() for layer in learning]
    for _ in range(3):
        trainer.run_epoch(lambda samples, metric: None)
    for old, layer in zip(before, learning, strict=True):
        assert (layer.weights.bits != old).any()
    frozen = trainer.freeze()
    assert [entry.node.kind for entry in frozen.entries[1:-1]] == [
        "convolution", "convolution", "join", "convolution", "xnor"]
    assert frozen.entries[3].inputs == ("a", "b")
    merge = frozen.entries[4].node
    assert (merge.window.kernel, merge.channels, merge.body[0].kind) == ((1, 1), 4, "lut")


def test_learned_tables_learn():
    layers = [*RESIDUAL[:3], {"kind": "learned_merge"}, RESIDUAL[4]]
    trainer = Trainer(recipe_of("backprop", *layers), PICTURE)
    before = trainer.network.layers[3].tables.clone()
    for _ in range(3):
        trainer.run_epoch(lambda samples, metric: None)
    assert (trainer.network.layers[3].tables != before).any()
    trainer.freeze()


def test_a_merge_of_bits_that_are_no_image_is_a_layer_of_tables():
    trainer = Trainer(recipe_of("backprop", {"like": "dense"}, {"like": "dense"},
                                {"kind": "merge", "inputs": ["xnor0", "xnor1"]}), PICTURE)
    trainer.run_epoch(lambda samples, metric: None)
    node = trainer.freeze().entries[-2].node
    assert (node.kind, node.in_width, node.out_width) == ("lut", 16, 8)
    assert node.sources.tolist() == [[n, 8 + n] for n in range(8)]


@pytest.mark.parametrize(("layers", "message"), [
    ([{"kind": "join"}], "layers.0: inputs must be at least two for a join, not 1"),
    ([{"like": "dense"}, {"kind": "join", "inputs": ["xnor0", "modulate"]}],
     "layers.1: inputs of a join must be images of one size, or none, not 8 bits, 6 by 6"),
    ([{"like": "conv", "kernel": 2}, {"kind": "join", "inputs": ["modulate", "convolution0"]}],
     "layers.1: inputs of a join must be images of one size, or none, not 6 by 6, 5 by 5"),
    ([{"kind": "merge"}],
     "layers.0: parts must divide the 1 channels of a pixel of the input, not be 2"),
    ([{"like": "dense", "neurons": 7}, {"kind": "merge"}],
     "layers.1: parts must divide the 7 bits of the input, not be 2"),
])
def test_places_refused(layers, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Trainer(recipe_of("backprop", *layers), PICTURE)


@pytest.mark.parametrize("parts", [1, 7])
def test_parts_refused(parts):
    with pytest.raises(ValueError, match=f"^parts must be between 2 and 6, not {parts}$"):
        Settings(parts=parts)
