"""Orders of nodes that change no score, and those of chance that they are compared with."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from bench.shuffled import features_shuffled, nodes_shuffled
from bitwright import ir
from bitwright.minimise.arrange import arranged, layers, length


@pytest.fixture(scope="module")
def network():
    """Two layers of tables on a picture, of which the second reads the bits of both."""
    rng = np.random.default_rng(3)
    thresholds = np.sort(rng.integers(1, 16, (1, 36, 2)), axis=2).astype(np.int32)
    layers = [ir.Lut(width, np.where(rng.random((tables, 4)) < 0.1, -1, rng.integers(
        width, size=(tables, 4))).astype(np.int32), rng.integers(2, size=(tables, 16)).astype(bool))
        for width, tables in ((72, 40), (112, 30))]
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("first", layers[0], ("modulate",)),
        ir.Entry("second", layers[1], ("modulate", "first")),
        ir.Entry("head", ir.GroupSum(30, 3), ("second",))),
        preparation=ir.Picture(6, 6, False, False, 15))


def test_the_same_function_with_shorter_wires(network):
    found = arranged(network)
    x = ir.draw(network, 300, 0)
    assert (found.evaluate(x).scores == network.evaluate(x).scores).all()
    assert length(found) < 0.9 * length(network)
    # Nodes moved, those of a class among themselves: a row each of what a node is.
    for name, groups in (("first", 1), ("second", 3)):
        before, after = (np.sort(each.entry(name).node.tables.reshape(groups, -1, 16) @ (
            1 << np.arange(16)), axis=1) for each in (network, found))
        assert (before == after).all()
    assert (found.entry("first").node.tables != network.entry("first").node.tables).any()


def test_what_stays_where_it_is():
    rng = np.random.default_rng(5)
    lut = ir.Lut(6, rng.integers(6, size=(8, 3)).astype(np.int32),
                 rng.integers(2, size=(8, 8)).astype(bool))
    found = ir.Network((
        ir.Entry("modulate", ir.Modulate(np.full((1, 6, 1), 3, np.int32), 3), ("input",)),
        ir.Entry("tables", lut, ("modulate",)),
        ir.Entry("neurons", ir.Xnor(rng.integers(2, size=(4, 8)).astype(bool),
                                    np.full((4, 1), 4, np.int32)), ("tables",)),
        ir.Entry("head", ir.GroupSum(4, 2), ("neurons",))))
    assert layers(found) == []  # neurons read by position
    assert ir.digest(arranged(found)) == ir.digest(found)
    assert length(found) == 0


def test_shuffled(network):
    x = ir.draw(network, 300, 0)
    scores = network.evaluate(x).scores
    nodes = nodes_shuffled(network, np.random.default_rng(1))
    assert (nodes.evaluate(x).scores == scores).all()
    assert (nodes.entry("second").node.sources != network.entry("second").node.sources).any()
    features = features_shuffled(network, np.random.default_rng(1))
    order = np.random.default_rng(1).permutation(36)
    assert (features.evaluate(x[:, order]).scores == scores).all()
    assert (features.evaluate(x).scores != scores).any()
