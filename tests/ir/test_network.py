import re

import numpy as np
import pytest

from bitwright import ir

MODULATE = ir.Entry("m", ir.Modulate(np.array([[[1], [2]]], np.int32), 2), ("input",))
HEAD = ir.Entry("head", ir.GroupSum(2, 2), ("m",))
LUT = ir.Lut(2, np.array([[0], [1]], np.int32), np.array([[0, 1], [1, 0]], bool))


def test_taps_hold_one_row_a_frame():
    thresholds = np.array([[[1], [2]], [[2], [3]]], np.int32)
    net = ir.Network((ir.Entry("m", ir.Modulate(thresholds, 2), ("input",)),
                      ir.Entry("lut", LUT, ("m",)), ir.Entry("head", HEAD.node, ("lut",))))
    result = net.evaluate(np.array([[1, 2]]), taps=("m", "lut", "head"))
    assert result.taps["m"].astype(int).tolist() == [[[1, 1]], [[0, 0]]]
    assert result.taps["lut"].astype(int).tolist() == [[[1, 0]], [[0, 1]]]
    assert result.taps["head"].tolist() == [[[1, 0]], [[0, 1]]]
    assert result.scores.tolist() == [[1, 1]]
    assert result.decision.tolist() == [0]  # the lowest index on a tie


def test_more_samples_than_a_chunk():
    net = ir.Network((MODULATE, HEAD))
    x = np.random.default_rng(0).integers(0, 4, size=(5000, 2))
    done = []
    scores = net.evaluate(x, progress=done.append).scores
    assert (scores == (x >= [1, 2])).all()
    assert sum(done) == 5000
    assert len(done) > 1


def test_a_goodness_head_makes_a_class_of_every_frame():
    thresholds = np.array([[[1], [2]], [[2], [3]], [[0], [4]]], np.int32)
    net = ir.Network((ir.Entry("m", ir.Modulate(thresholds, 2), ("input",)),
                      ir.Entry("lut", LUT, ("m",)),
                      ir.Entry("head", ir.Goodness(4), ("m", "lut"))))
    assert (net.classes, net.score_range) == (3, (0, 4))
    result = net.evaluate(np.array([[1, 3], [0, 0]]), taps=["head"])
    # Frame 0 of the first sample: bits 1 1, tables 1 0; and so on.
    assert result.scores.tolist() == [[3, 1, 3], [1, 1, 3]]
    assert result.taps["head"].tolist() == [[[3], [1]], [[1], [1]], [[3], [3]]]
    assert result.decision.tolist() == [0, 2]  # a tie in the first


def test_no_samples():
    net = ir.Network((MODULATE, ir.Entry("lut", LUT, ("m",)),
                      ir.Entry("head", HEAD.node, ("lut",))))
    result = net.evaluate(np.zeros((0, 2), int), taps=["lut", "head"])
    assert (result.scores.shape, result.decision.shape) == ((0, 2), (0,))
    assert (result.taps["lut"].shape, result.taps["lut"].dtype) == ((1, 0, 2), bool)
    assert (result.taps["head"].shape, result.taps["head"].dtype) == ((1, 0, 2), np.int64)


def test_a_tap_named_twice_is_there_once():
    net = ir.Network((MODULATE, HEAD))
    taps = net.evaluate(np.array([[1, 2], [0, 0]]), taps=["m", "m"]).taps
    assert taps["m"].astype(int).tolist() == [[[1, 1], [0, 0]]]


def test_a_wide_network_is_evaluated_in_smaller_parts(monkeypatch):
    net = ir.Network((MODULATE, HEAD))
    x = np.random.default_rng(0).integers(0, 4, size=(200, 2))
    expected = net.evaluate(x).scores
    done = []
    monkeypatch.setattr("bitwright.ir.network._CHUNK_BITS", 2 * 130)
    assert (net.evaluate(x, progress=done.append).scores == expected).all()
    assert done == [128, 72]


def test_concatenated_inputs_start_with_the_first():
    wide = ir.Lut(4, np.array([[0], [2]], np.int32), np.array([[0, 1], [0, 1]], bool))
    net = ir.Network((MODULATE, ir.Entry("lut", LUT, ("m",)),
                      ir.Entry("both", wide, ("lut", "m")),
                      ir.Entry("head", HEAD.node, ("both",))))
    result = net.evaluate(np.array([[0, 3]]), taps=["both"])
    assert result.taps["both"].astype(int).tolist() == [[[0, 0]]]
    assert net.read_mask("lut").tolist() == [True, False]
    assert net.read_mask("m").tolist() == [True, True]


@pytest.mark.parametrize(("entries", "message"), [
    ((MODULATE,), "Network must have a modulate node and a head, not 1 nodes"),
    ((HEAD, ir.Entry("last", HEAD.node, ("head",))),
     "Modulate must be the first node and no other, but 'head' is 'group_sum'"),
    ((MODULATE, ir.Entry("m", HEAD.node, ("m",))), "Node name 'm' is taken twice"),
    ((MODULATE, ir.Entry("Head", HEAD.node, ("m",))),
     "Node name must match [a-z][a-z0-9_]* and not be 'input', not 'Head'"),
    ((MODULATE, ir.Entry("input", HEAD.node, ("m",))),
     "Node name must match [a-z][a-z0-9_]* and not be 'input', not 'input'"),
    ((MODULATE, ir.Entry("lut", LUT, ("m",))),
     "A head must be the last node and no other, but 'lut' is 'lut'"),
    ((MODULATE, ir.Entry("a", HEAD.node, ("m",)), HEAD),
     "A head must be the last node and no other, but 'a' is 'group_sum'"),
    ((MODULATE, ir.Entry("head", HEAD.node, ("later",))),
     "Node 'head' reads 'later', which is no earlier node"),
    ((MODULATE, ir.Entry("head", HEAD.node, ())), "Node 'head' must read at least one node"),
    ((ir.Entry("m", MODULATE.node, ("x",)), HEAD), "Node 'm' must read 'input', not ('x',)"),
    ((MODULATE, ir.Entry("head", ir.Goodness(2), ("m",))),
     "Head 'head' takes every frame for a class, and so must have at least 2 frames, not 1"),
    ((MODULATE, ir.Entry("head", ir.GroupSum(4, 2), ("m",))),
     "Node 'head' reads 4 bits, but its inputs ('m',) drive 2"),
])
def test_refused(entries, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ir.Network(entries)


def test_refused_in_other_than_json():
    with pytest.raises(ValueError, match=r"^Provenance must be a mapping of JSON values, not 5$"):
        ir.Network((MODULATE, HEAD), 5)
    with pytest.raises(ValueError, match=r"^Node 'lut' must be an ir\.Node, not 5$"):
        ir.Network((MODULATE, ir.Entry("lut", 5, ("m",)), HEAD))
    with pytest.raises(ValueError, match=r"^Node name must match .* not be 'input', not 5$"):
        ir.Network((MODULATE, ir.Entry(5, LUT, ("m",)), HEAD))


def test_unknown_names():
    net = ir.Network((MODULATE, HEAD))
    with pytest.raises(KeyError):
        net.entry("x")
    with pytest.raises(KeyError):
        net.evaluate(np.zeros((1, 2), int), taps=["x"])


@pytest.mark.parametrize(("features", "scores", "message"), [
    (np.zeros((1, 2), np.int32), np.zeros((2, 2), np.int64),
     "Golden vectors: Scores must have shape (1, classes), not (2, 2)"),
    (np.zeros((1, 2), np.int32), np.zeros((1, 3), np.int64),
     "Golden scores must have 2 columns, not 3"),
    (np.zeros((1, 3), np.int32), np.zeros((1, 2), np.int64),
     "Golden vectors: Features must have shape (batch, 2), not (1, 3)"),
    (np.full((1, 2), 4, np.int32), np.zeros((1, 2), np.int64),
     "Golden vectors: Features must be between 0 and 3, not between 4 and 4"),
    (np.zeros((0, 2), np.int32), np.zeros((0, 2), np.int64),
     "Golden vectors: Vectors must be between 1 and 16777216, not 0"),
    (np.zeros((1, 2)), np.zeros((1, 2), np.int64),
     "Golden vectors: Features must hold integers, not float64"),
    (np.zeros((1, 2), np.int32), np.full((1, 2), 0.5),
     "Golden vectors: Scores must hold integers, not float64"),
    (np.zeros(2, np.int32), np.zeros((1, 2), np.int64),
     "Golden vectors: Features must have shape (vectors, inputs), not (2,)"),
])
def test_golden_refused(features, scores, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ir.Network((MODULATE, HEAD), {}, ir.Golden(features, scores))
