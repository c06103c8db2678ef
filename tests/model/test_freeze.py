"""The frozen network equals the trained one, and a difference is never written."""

import re
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import (
    data,
    ir,
)
from bitwright.model.figures import confusion
from bitwright.model.heads import ScoresHead
from bitwright.model.inputs.modulate import Modulator
from bitwright.model.layers import LutLayer, XnorLayer
from bitwright.model.recipe import load_recipe
from bitwright.model.training.freeze import FreezeError
from bitwright.model.training.trainer import Trainer


@pytest.fixture(scope="module")
def sets():
    return {name: data.load(name) for name in ("digits", "iris")}


def trained(sets, recipe, *overrides):
    settings = load_recipe(recipe, ["epochs=1", *overrides])
    trainer = Trainer(settings, sets[settings.data])
    trainer.run_epoch(lambda samples, accuracy: None)
    return trainer


@pytest.mark.parametrize(("recipe", "overrides"), [
    ("digits", ()),
    ("digits", ("modulate.frames=3", "modulate.depth=2", "layers.0.wiring=learnable")),
    ("digits", ("head.kind=scores", "modulate.levels=quantile")),
    ("digits-xnor", ("layers.0.depth=3", "modulate.levels=global-quantile")),
    ("digits-mixed", ("modulate.frames=2",)),
    ("iris", ("modulate.levels=quantile",)),
])
def test_frozen_scores_equal_those_of_torch(sets, recipe, overrides):
    trainer = trained(sets, recipe, *overrides)
    network = trainer.freeze()
    source = trainer.data
    expected = trainer.network.scores(source.x_test)
    assert (network.evaluate(source.x_test).scores == expected).all()
    assert (network.golden.scores == expected[:100]).all()
    assert (network.golden.features == source.x_test[:100]).all()


def test_logits_are_the_scores_of_all_frames_over_the_temperature(sets):
    trainer = trained(sets, "digits", "modulate.frames=2")
    features = trainer.data.x_test[:50]
    scores = trainer.network.scores(features)
    with torch.no_grad():
        logits = trainer.network.eval()(torch.from_numpy(features))
    assert np.allclose(logits.numpy(), scores / (2 * trainer.recipe.head.temperature))


def test_provenance(sets):
    provenance = trained(sets, "digits", "seed=5").freeze().provenance
    assert set(provenance) == {"recipe", "seed", "data", "tools", "epochs", "task", "figures",
                               "accuracy", "confusion", "curve", "measures"}
    assert provenance["seed"] == provenance["recipe"]["seed"] == 5
    assert provenance["data"] == {"name": "digits", "digest": sets["digits"].digest,
                                  "test_samples": 450}
    assert set(provenance["tools"]) == {"bitwright", "python", "torch", "numpy"}
    accuracy = provenance["accuracy"]
    assert accuracy["test"] == accuracy["test_ir"]
    assert sum(map(sum, provenance["confusion"])) == 450
    assert [entry["epoch"] for entry in provenance["curve"]] == [1]
    assert {"train_loss", "train_accuracy", "validation_accuracy"} < set(provenance["curve"][0])


def test_names_of_the_nodes(sets):
    names = [entry.name for entry in trained(sets, "digits-mixed").freeze().entries]
    assert names == ["modulate", "lut0", "xnor0", "head"]


def flipped_table(node):
    tables = node.tables.copy()
    tables[:, :] ^= True
    return ir.Lut(node.width, node.sources, tables)


def swapped_wires(node):
    return ir.Lut(node.width, node.sources[:, ::-1].copy(), node.tables)


def raised_threshold(node):
    return ir.Modulate(node.thresholds + 1, node.bits)


def other_count(node):
    return ir.Xnor(node.weights, np.minimum(node.thresholds + 1, node.in_width + 1))


def other_bias(node):
    return ir.Scores(node.weights, node.scale, node.biases + np.arange(10, dtype=np.int32))


@pytest.mark.parametrize(("recipe", "cls", "fault"), [
    ("digits", LutLayer, flipped_table),
    ("digits", LutLayer, swapped_wires),
    ("digits", Modulator, raised_threshold),
    ("digits-xnor", XnorLayer, other_count),
    ("digits-xnor", ScoresHead, other_bias),
])
def test_a_planted_fault_is_refused(sets, monkeypatch, recipe, cls, fault):
    trainer = trained(sets, recipe)
    right = cls.freeze
    monkeypatch.setattr(cls, "freeze", lambda self: fault(right(self)))
    with pytest.raises(FreezeError, match=(
            r"^The frozen network differs from the trained one on \d+ of 450 test samples: "
            r"sample \d+, class \d scores -?\d+ for -?\d+$")):
        trainer.freeze()


def test_one_flipped_bit_of_one_table_is_refused(sets, monkeypatch):
    trainer = trained(sets, "digits")
    right = LutLayer.freeze
    bits = trainer.network.modulator(torch.from_numpy(sets["digits"].x_test))
    first = trainer.network.layers[0]

    def fault(self):
        node = right(self)
        if self is trainer.network.layers[1]:
            # Node 0, at the address that test sample 0 hits.
            hidden = first(bits)[:, 0].bool().numpy()
            address = sum(int(hidden[source]) << slot
                          for slot, source in enumerate(node.sources[0]))
            tables = node.tables.copy()
            tables[0, address] ^= True
            return replace(node, tables=tables)
        return node

    monkeypatch.setattr(LutLayer, "freeze", fault)
    with pytest.raises(FreezeError, match=r": sample 0, class 0 scores \d+ for \d+$"):
        trainer.freeze()


def test_confusion_by_hand():
    matrix = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(("overrides", "message"), [
    (("layers.1.width=305",), "layers.1: Width must be a multiple of 10 classes, not 305"),
    (("layers.0.window=65",), "layers.0: Window must be between 1 and 64 sites, not 65"),
    (("layers.1.kind=xnor", "layers=[{kind='xnor', neurons=7}]"),
     "head: Width must be a multiple of 10 classes, not 7"),
    (("layers.0.window=1", "modulate.depth=3"),
     "layers.0: A node of 4 inputs needs as many bits to choose from, not 3"),
])
def test_recipes_that_do_not_fit_the_data(sets, overrides, message):
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        Trainer(load_recipe("digits", overrides), sets["digits"])
