"""Proofs, against every sample that there is."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitwright import ir

pytest.importorskip("pysat")

from bitwright.minimise.exact import exact
from bitwright.minimise.proof import Prover
from bitwright.minimise.seen import Seen

AND, XOR, OR = [0, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 1]


def small(seed, frames=1):
    """A network of three features of two bits, whose 64 samples can all be tried."""
    rng = np.random.default_rng(seed)
    thresholds = rng.integers(0, 5, size=(frames, 3, 3)).astype(np.int32)
    entries = [ir.Entry("m", ir.Modulate(thresholds, 2), ("input",))]
    for index, width in enumerate((8, 7, 6)):
        inputs = tuple(dict.fromkeys(("m" if rng.random() < 0.3 else entries[-1].name,
                                      entries[-1].name)))
        read = sum(entry.node.out_width for entry in entries if entry.name in inputs)
        node = ir.Lut(read, rng.integers(-1, read, size=(width, 4)).astype(np.int32),
                      rng.random((width, 16)) < rng.choice([0.2, 0.5, 0.8], size=(width, 1)))
        entries.append(ir.Entry(f"n{index}", node, inputs))
    return ir.Network((*entries, ir.Entry("head", ir.GroupSum(6, 3), ("n2",))))


EVERY = np.indices((4, 4, 4)).reshape(3, -1).T


@given(st.integers(0, 2**32), st.integers(1, 2), st.integers(1, 4), st.sampled_from([2, 9, 8192]))
@settings(max_examples=25)
def test_every_score_stays(seed, frames, depth, samples):
    """Few samples leave much that must be refuted."""
    net = small(seed, frames)
    with mock.patch("bitwright.minimise.exact.SAMPLES", samples):
        *_, last = exact(net, depth)
    assert (last.network.evaluate(EVERY).scores == net.evaluate(EVERY).scores).all()
    assert last.size.table_bits <= sum(1 << int((row != -1).sum()) for entry in net.entries
                                       if isinstance(entry.node, ir.Lut)
                                       for row in entry.node.sources)


@given(st.integers(0, 2**32))
@settings(max_examples=8)
def test_what_is_so_is_proven_and_nothing_else(seed):
    """Looking back through all layers, in one frame."""
    net = ir.simplify(small(seed))
    prover, seen = Prover(net, 3), Seen(net, EVERY)
    for name, counts in seen.addresses.items():
        for index, row in enumerate(counts):
            used = net.entry(name).node.sources[index] != -1
            never = prover.unreachable((name, index), range(len(row)))
            assert never == np.flatnonzero(row == 0).tolist(), used
    columns = {bit: np.concatenate([net.evaluate(EVERY, [bit[0]]).taps[bit[0]][0][:, bit[1]]])
               for bit in seen.bits}
    order = list(columns)
    for place, bit in enumerate(order):
        for value in (False, True):
            assert prover.holds(bit, ir.Signal(None, value)) == (columns[bit] == value).all()
        for other in order[:place:3]:
            for inverted in (False, True):
                assert prover.holds(bit, ir.Signal(other, inverted)) == (
                    (columns[bit] == columns[other]) != inverted).all()


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=20)
def test_a_short_look_back_and_several_frames_prove_less_and_nothing_wrong(seed, frames, depth):
    net = ir.simplify(small(seed, frames))
    prover, seen = Prover(net, depth), Seen(net, EVERY)
    for name, counts in seen.addresses.items():
        for index, row in enumerate(counts):
            assert (row[prover.unreachable((name, index), range(len(row)))] == 0).all()
    for bit, claim in seen.alike().items():
        wrong = ir.Signal(claim.bit, not claim.inverted)
        assert not prover.holds(bit, wrong)


def thermometer(tables, sources):
    """One feature of two bits with three rising thresholds, and another."""
    modulate = ir.Modulate(np.array([[[1, 2, 3], [1, 2, 3]]], np.int32), 2)
    node = ir.Lut(6, np.array(sources, np.int32), np.array(tables, bool))
    return ir.Network((ir.Entry("m", modulate, ("input",)), ir.Entry("n", node, ("m",)),
                       ir.Entry("head", ir.GroupSum(len(tables), 2), ("n",))))


def test_bits_of_one_feature_rise_together():
    """The AND of two of them is the higher one, the OR the lower: address 2 is never read."""
    net = thermometer([AND, OR, XOR, XOR], [[0, 2], [0, 2], [0, 2], [0, 3]])
    prover = Prover(net, 1)
    assert [prover.unreachable(("n", index), range(4)) for index in range(4)] == [
        [2], [2], [2], []]
    *_, last = exact(net)
    node = last.network.entry("n").node
    assert node.sources.tolist() == [[2, -1], [0, -1], [0, 2], [0, 3]]
    x = np.indices((4, 4)).reshape(2, -1).T
    assert (last.network.evaluate(x).scores == net.evaluate(x).scores).all()


def test_equal_by_what_they_compute_not_by_what_they_hold():
    """XOR of an AND and an OR is the XOR of what they read: found, and merged."""
    modulate = ir.Modulate(np.ones((1, 2, 1), np.int32), 1)
    first = ir.Lut(2, np.array([[0, 1]] * 3, np.int32), np.array([AND, OR, XOR], bool))
    second = ir.Lut(3, np.array([[0, 1], [2, -1]], np.int32), np.array([XOR, [0, 1, 0, 1]], bool))
    third = ir.Lut(2, np.array([[0, 1], [0, -1]], np.int32), np.array([AND, [0, 1, 0, 1]], bool))
    net = ir.Network((ir.Entry("m", modulate, ("input",)), ir.Entry("a", first, ("m",)),
                      ir.Entry("b", second, ("a",)), ir.Entry("c", third, ("b",)),
                      ir.Entry("head", ir.GroupSum(2, 2), ("c",))))
    assert Prover(net, 2).holds(("b", 0), ir.Signal(("a", 2)))
    assert not Prover(net, 0).holds(("b", 0), ir.Signal(("a", 2)))
    *_, last = exact(net)
    assert last.size.tables == 3  # one XOR, and the two wires that the head reads
    x = np.indices((2, 2)).reshape(2, -1).T
    assert (last.network.evaluate(x).scores == net.evaluate(x).scores).all()
