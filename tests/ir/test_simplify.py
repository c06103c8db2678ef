"""Each rewriting by hand. tests/conformance proves that scores stay the same."""

import re

import numpy as np
import pytest

from bitwright import ir

WIRE, INVERTER, ONE = [False, True], [True, False], [True, True]


def chain(*nodes, thresholds=((1,), (2,), (3,))):
    entries = [ir.Entry("m", ir.Modulate(np.array([thresholds], np.int32), 2), ("input",))]
    for index, node in enumerate(nodes):
        name = "head" if isinstance(node, ir.HeadNode) else f"n{index}"
        entries.append(ir.Entry(name, node, (entries[-1].name,)))
    return ir.Network(tuple(entries))


def lut(width, sources, tables):
    return ir.Lut(width, np.array(sources, np.int32), np.array(tables, bool))


def shape(network):
    return {entry.name: (entry.inputs, entry.node.out_width) for entry in network.entries}


AND, XOR = [0, 0, 0, 1], [0, 1, 1, 0]


def test_dead_nodes_go():
    net = ir.simplify(chain(lut(3, [[0, 1], [1, 2], [0, 2]], [AND, AND, AND]),
                            lut(3, [[0, 1], [0, 1]], [XOR, AND]), ir.GroupSum(2, 2)))
    assert shape(net) == {"m": (("input",), 3), "n0": (("m",), 2), "n1": (("n0",), 2),
                          "head": (("n1",), 2)}


def test_ignored_inputs_go():
    # Slot 1 never matters; slots 0 and 2 are one bit.
    table = [0, 1, 0, 1, 0, 1, 0, 1]
    net = ir.simplify(chain(lut(3, [[0, 1, 0], [1, 2, 0]], [table, [0] * 7 + [1]]),
                            ir.GroupSum(2, 2)))
    node = net.entry("n0").node
    assert node.sources.tolist() == [[0, -1, -1], [0, 1, 2]]
    assert node.tables[0].tolist() == [False, True] * 4


def test_constants_propagate():
    net = ir.simplify(chain(lut(3, [[0], [1], [2]], [ONE, WIRE, WIRE]),
                            lut(3, [[0, 1], [1, 2]], [AND, XOR]), ir.GroupSum(2, 2)))
    # n0 is a constant and two wires, so nothing of it is left.
    assert shape(net) == {"m": (("input",), 3), "n1": (("m",), 2), "head": (("n1",), 2)}
    assert net.entry("n1").node.sources.tolist() == [[1, -1], [1, 2]]


def test_inverters_are_absorbed():
    net = ir.simplify(chain(lut(3, [[0], [1]], [INVERTER, WIRE]),
                            lut(2, [[0, 1], [0, 1]], [AND, XOR]), ir.GroupSum(2, 2)))
    assert net.entry("n1").node.tables.astype(int).tolist() == [[0, 0, 1, 0], [1, 0, 0, 1]]


def test_duplicates_merge():
    net = ir.simplify(chain(lut(3, [[0, 1], [1, 0], [0, 2]], [AND, AND, XOR]),
                            lut(3, [[0, 2], [1, 2]], [AND, XOR]), ir.GroupSum(2, 2)))
    assert net.entry("n0").node.out_width == 2
    assert net.entry("n1").node.sources.tolist() == [[0, 1], [0, 1]]


def test_constant_comparisons():
    """Threshold 0 is always reached and 4 never, with features of two bits."""
    net = ir.simplify(chain(lut(3, [[0, 2], [1, 2]], [AND, XOR]), ir.GroupSum(2, 2),
                            thresholds=((0,), (4,), (3,))))
    assert net.entry("n0").node.sources.tolist() == [[2], [2]]
    assert net.read_mask("m").tolist() == [False, False, True]


def test_equal_comparisons_merge():
    net = ir.simplify(chain(lut(4, [[0, 1], [2, 3]], [AND, XOR]), ir.GroupSum(2, 2),
                            thresholds=((2, 2), (1, 3))))
    assert net.entry("n0").node.sources.tolist() == [[0, -1], [2, 3]]


def test_positional_readers_keep_their_width():
    xnor = ir.Xnor(np.ones((2, 3), bool), np.array([[1], [2]], np.int32))
    net = ir.simplify(chain(lut(3, [[0], [0], [1]], [ONE, WIRE, WIRE]), xnor, ir.GroupSum(2, 2)))
    assert shape(net)["n0"] == (("m",), 3)


def neighbours():
    """Two tables of two neighbours each, at both windows of three pixels."""
    return ir.Convolution((lut(2, [[0, 1], [0, 1]], [AND, XOR]),), ir.Window(1, 3, 1, (1, 2)))


def test_a_convolution_stays_whole_and_keeps_the_width_of_what_it_reads():
    net = ir.simplify(chain(lut(3, [[0], [0], [1]], [ONE, WIRE, WIRE]), neighbours(),
                            lut(4, [[3, 0], [3, 1]], [AND, XOR]), ir.GroupSum(2, 2)))
    assert shape(net) == {"m": (("input",), 3), "n0": (("m",), 3), "n1": (("n0",), 4),
                          "n2": (("n1",), 2), "head": (("n2",), 2)}
    assert net.entry("n1").node == neighbours()
    assert net.entry("n2").node.sources.tolist() == [[0, 3], [1, 3]]


def test_an_unread_convolution_goes():
    net = chain(neighbours(), ir.GroupSum(4, 2))
    entries = (*net.entries[:2], ir.Entry("w", lut(3, [[0], [1]], [WIRE, WIRE]), ("m",)),
               ir.Entry("head", ir.GroupSum(2, 2), ("w",)))
    assert shape(ir.simplify(ir.Network(entries))) == {
        "m": (("input",), 3), "w": (("m",), 2), "head": (("w",), 2)}


def test_unread_neurons_go():
    xnor = ir.Xnor(np.eye(3, dtype=bool), np.array([[1, 2]] * 3, np.int32))
    net = ir.simplify(chain(xnor, lut(6, [[0, 5], [4, 5]], [AND, XOR]), ir.GroupSum(2, 2)))
    assert net.entry("n0").node.weights.astype(int).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert net.entry("n1").node.sources.tolist() == [[0, 3], [2, 3]]


def test_kept_nodes_stay_as_they_are():
    """Duplicates, a constant, a wire and neurons without readers, all of which would go."""
    first = lut(3, [[0, 1], [1, 0], [0, 2], [1, 1]], [AND, AND, [1] * 4, [0, 1, 0, 1]])
    xnor = ir.Xnor(np.eye(4, dtype=bool), np.array([[1, 2]] * 4, np.int32))
    net = chain(first, xnor, lut(8, [[0, 1], [0, 1]], [AND, XOR]), ir.GroupSum(2, 2))
    kept = ir.simplify(net, keep={"n0", "n1"})
    assert kept.entries == net.entries
    kept = ir.simplify(net, keep=["n1"])
    assert kept.entry("n1") == net.entry("n1")
    assert kept.entry("n0").node.out_width == 4
    assert ir.simplify(net).entry("n1").node.neurons == 1


def test_a_kept_node_stays_though_nobody_reads_it():
    net = chain(lut(3, [[0], [1]], [INVERTER, WIRE]), ir.GroupSum(2, 2))
    dead = ir.Entry("dead", lut(3, [[0, 1]], [AND]), ("m",))
    net = ir.Network((*net.entries[:2], dead, net.entries[2]))
    assert shape(ir.simplify(net, keep={"dead"}))["dead"] == (("m",), 1)
    assert "dead" not in shape(ir.simplify(net))


def test_nothing_is_concluded_from_kept_thresholds():
    net = ir.simplify(chain(lut(3, [[0, 2], [1, 2]], [AND, XOR]), ir.GroupSum(2, 2),
                            thresholds=((0,), (4,), (3,))), keep={"m"})
    assert net.entry("n0").node.sources.tolist() == [[0, 2], [1, 2]]


def test_keep_names_nodes():
    with pytest.raises(ValueError, match=r"^Keep must name nodes of the network, not 'n7'$"):
        ir.simplify(chain(lut(3, [[0], [1]], [WIRE, WIRE]), ir.GroupSum(2, 2)), keep={"m", "n7"})


@pytest.mark.parametrize(("first", "second"), [(AND, [1, 1, 1, 0]), ([1, 1, 1, 0], AND)])
def test_inverse_tables_merge(first, second):
    net = ir.simplify(chain(lut(3, [[0, 1], [1, 0], [0, 2]], [first, second, XOR]),
                            lut(3, [[0, 2], [1, 2]], [AND, XOR]), ir.GroupSum(2, 2)))
    assert net.entry("n0").node.out_width == 2
    assert net.entry("n1").node.sources.tolist() == [[0, 1], [0, 1]]
    assert net.entry("n1").node.tables.astype(int).tolist() == [AND, [1, 0, 0, 1]]


def test_claims_are_believed():
    """A table is taken for the inverse of another, a comparison for a constant."""
    net = chain(lut(3, [[0, 1], [0, 2], [1, 2]], [AND, XOR, XOR]),
                lut(3, [[0, 1], [0, 2]], [AND, AND]), ir.GroupSum(2, 2))
    simple = ir.simplify(net, claims={("m", 1): ir.Signal(None, True),
                                      ("n0", 1): ir.Signal(("n0", 0), True)})
    # n0[0] is m[0] then, n0[1] its inverse, and n0[2] the inverse of m[2].
    assert shape(simple) == {"m": (("input",), 3), "n1": (("m",), 2), "head": (("n1",), 2)}
    assert simple.entry("n1").node.sources.tolist() == [[-1, -1], [0, 2]]
    assert simple.entry("n1").node.tables.astype(int).tolist() == [[0, 0, 0, 0], [0, 1, 0, 0]]


def test_claims_of_what_a_head_reads_become_tables():
    net = chain(lut(3, [[0, 1], [1, 2], [0, 2], [1, 2]], [AND, XOR, XOR, AND]), ir.GroupSum(4, 2))
    simple = ir.simplify(net, claims={
        ("n0", 1): ir.Signal(("n0", 0), True), ("n0", 2): ir.Signal(("m", 1)),
        ("n0", 3): ir.Signal(None, True)})
    node = simple.entry("n0").node
    assert node.sources.tolist() == [[0, 1], [0, 1], [1, -1], [-1, -1]]
    assert node.tables.astype(int).tolist() == [AND, [1, 1, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]]


@pytest.mark.parametrize(("bit", "claim", "message"), [
    (("head", 0), ir.Signal(None),
     "Claim must be of a bit of a look-up table or a comparison, not ('head', 0)"),
    (("n0", 2), ir.Signal(None),
     "Claim must be of a bit of a look-up table or a comparison, not ('n0', 2)"),
    (("n0", 0), ir.Signal(("n0", 1)),
     "Claim of ('n0', 0) must be of an earlier bit, not ('n0', 1)"),
    (("n0", 0), ir.Signal(("m", 3)), "Claim of ('n0', 0) must be of an earlier bit, not ('m', 3)"),
    (("m", 0), ir.Signal(("m", 0)), "Claim of ('m', 0) must be of an earlier bit, not ('m', 0)"),
])
def test_claims_are_of_earlier_bits(bit, claim, message):
    net = chain(lut(3, [[0, 1], [1, 2]], [AND, XOR]), ir.GroupSum(2, 2))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ir.simplify(net, claims={bit: claim})
