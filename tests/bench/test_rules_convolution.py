"""The docs hold the table of rules and layers of the code; every rule begins both networks."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from bench.residual import WAYS as MERGES
from bench.residual import recipe as residual
from bench.rules_convolution import NETWORKS, WAYS, matrix, recipe
from bitwright import data
from bitwright.model.training.trainer import Trainer

PAGE = Path(__file__).parents[2] / "docs" / "learning" / "convolutions.md"


def test_the_docs_hold_the_table_of_rules_and_layers():
    assert "\n".join(matrix()) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", WAYS)
def test_every_rule_begins_both_networks(name):
    """They are frozen before the first epoch, and a step changes every layer that learns."""
    source = data.load("digits")
    for network in NETWORKS:
        trainer = Trainer(recipe(name, network, 0, 4), source)
        trainer.network.train()
        trainer.rule.begin_epoch(0)
        before = [layer.weights.bits.clone() for _, layer in trainer.network.learning_layers]
        for part in range(3):
            here = slice(64 * part, 64 * part + 64)
            trainer.rule.step(trainer._features[here], trainer._labels[here])
        for old, (_, layer) in zip(before, trainer.network.learning_layers, strict=True):
            assert (layer.weights.bits != old).any()


@pytest.mark.parametrize("way", MERGES)
def test_every_merge_begins(way):
    network = Trainer(residual(way, 0, 1), data.load("digits")).network
    kinds = [layer.kind for _, layer in network.named_layers]
    assert kinds.count("join") == (0 if way == "none" else 2)
    assert kinds.count("convolution") == 5
