"""What samples do not show, and what is kept of it."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitwright import ir
from bitwright.minimise.lossy import lossy
from bitwright.minimise.seen import Seen
from bitwright.minimise.size import Size
from bitwright.minimise.steps import applied, readers, tried
from tests.networks import features, labelled, network

ZOO = Path(__file__).parents[2] / "zoo"
AND, XOR, OR, NOR = [0, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 1], [1, 0, 0, 0]


def lut(width, sources, tables):
    return ir.Lut(width, np.array(sources, np.int32), np.array(tables, bool))


def chain(*layers, features=3):
    """A network of features of one bit, each with one comparison, and two classes."""
    entries = [ir.Entry("m", ir.Modulate(np.ones((1, features, 1), np.int32), 1), ("input",))]
    for index, layer in enumerate(layers):
        entries.append(ir.Entry(f"n{index}", layer, (entries[-1].name,)))
    head = ir.GroupSum(layers[-1].out_width, 2)
    return ir.Network((*entries, ir.Entry("head", head, (entries[-1].name,))))


def same(net, samples):
    """Worth 1 if the scores of the samples are those of a network, else 0."""
    scores = net.evaluate(samples).scores
    return lambda other: float((other.evaluate(samples).scores == scores).all())


@given(st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=25)
def test_answers_to_the_samples_stay(seed, frames):
    net = network(seed, frames=frames)
    samples = features(net, 25, seed)
    steps = list(lossy(net, samples, same(net, samples), parallel=frames == 1))
    assert (steps[-1].name == "rounded") == (frames == 1)
    assert [step.kept for step in steps] == [step.wanted for step in steps]
    assert {step.quality for step in steps} == {1.0}
    assert steps[-1].size.table_bits <= steps[0].size.table_bits
    assert Size.of(steps[-1].network) == steps[-1].size


@given(st.integers(0, 2**32))
@settings(max_examples=8)
def test_answers_of_a_label_a_frame_stay(seed):
    net = labelled(seed, classes=3)
    samples = features(net, 25, seed)
    *_, last = lossy(net, samples, same(net, samples))
    assert last.quality == 1.0


@given(st.integers(0, 2**32), st.integers(1, 2))
@settings(max_examples=15)
def test_seen_is_what_the_taps_say(seed, frames):
    net = network(seed, frames=frames)
    samples = features(net, 21, seed)
    seen = Seen(net, samples)
    names = [entry.name for entry in net.entries[:-1]]
    taps = {name: bits.reshape(-1, bits.shape[2])
            for name, bits in net.evaluate(samples, names).taps.items()}
    assert seen.vectors == 21 * frames
    for name, counts in seen.addresses.items():
        entry = net.entry(name)
        x = np.hstack([taps[source] for source in entry.inputs]).astype(int)
        expected = np.zeros_like(counts)
        for row in x.tolist():
            for j, sources in enumerate(entry.node.sources.tolist()):
                expected[j, sum(row[s] << i for i, s in enumerate(sources) if s >= 0)] += 1
        assert (counts == expected).all()
    columns = {bit: taps[bit[0]][:, bit[1]] for bit in seen.bits}
    claims = seen.alike()
    for bit, column in columns.items():
        assert seen.ones(bit) == column.sum()
        earlier = [other for other in columns if list(columns).index(other) < list(columns).index(
            bit) and ((columns[other] == column).all() or (columns[other] != column).all())]
        assert (bit in claims) == bool(earlier)
        if earlier:
            assert claims[bit] == ir.Signal(earlier[0],
                                            bool((columns[earlier[0]] != column).all()))


def test_unreached_addresses_let_inputs_go():
    """The last feature is the XOR of the others: their majority is an OR of any two. The first two
    are read by another table, too."""
    net = chain(lut(3, [[0, 1, 2], [0, 1, -1]], [[0, 0, 0, 1, 0, 1, 1, 1], AND + AND]))
    samples = np.array([[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 0]])
    *_, last = lossy(net, samples, lambda other: 1.0)
    node = last.network.entry("n0").node
    assert node.sources.tolist() == [[0, 1], [0, 1]]
    assert node.tables.astype(int).tolist() == [OR, AND]
    assert (last.name, last.wanted, last.kept) == ("unreached n0", 1, 1)
    assert last.size == Size(2, 2, 2, 4, 8)


def test_rare_addresses_count_as_unreached():
    net = chain(lut(3, [[0, 2], [0, 1]], [AND, XOR]))
    samples = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]] * 4
                       + [[1, 1, 0]])
    for rare, left in ((0.0, [[0, 2], [0, 1]]), (0.05, [[0, -1], [0, 1]])):
        *_, last = lossy(net, samples, lambda other: 1.0, rare=rare)
        assert last.network.entry("n0").node.sources.tolist() == left


def test_of_changes_those_that_cost_too_much_are_not_made():
    """One of eight, whichever it is: the others are kept."""
    net = chain(lut(3, [[0, 1]] * 8, [XOR] * 8))
    changes = {("n0", index): ir.Signal(None, False) for index in range(8)}
    for bad in range(8):
        # The table that must not become constant.
        step = tried("constant", net, changes, lambda other, bad=bad: float(
            other.entry("n0").node.tables[bad].any()), 1.0)
        tables = step.network.entry("n0").node.tables.any(axis=1)
        assert tables.tolist() == [index == bad for index in range(8)]
        assert (step.wanted, step.kept, step.quality) == (8, 7, 1.0)


def test_where_nothing_may_change_nothing_does():
    net = chain(lut(3, [[0, 1], [1, 2]], [XOR, AND]))
    step = tried("constant", net, {("n0", 0): ir.Signal(None, True)},
                 lambda other: float(other is net), 1.0)
    assert step.network is net
    assert (step.kept, step.quality) == (0, 1.0)


def test_the_allowance_counts_from_the_beginning():
    """A network is worth what its tables hold: of a fifth that is allowed no more goes in all."""
    net = ir.simplify(ir.load(ZOO / "iris.safetensors"))
    samples, whole = features(net, 10, 4), Size.of(net).table_bits
    ends = []
    for allow in (0.0, 0.2, 0.9):
        *_, last = lossy(net, samples, lambda other: Size.of(other).table_bits / whole, allow)
        ends.append(last.size.table_bits / whole)
    assert ends[0] == 1.0 > ends[1] >= 0.8 > ends[2]


def test_readers_are_counted():
    net = chain(lut(3, [[0, 2], [0, -1]], [AND, XOR]))
    assert readers(net, "n0").tolist() == [2, 0, 1, 0]
    assert applied(net, {("n0", 0): 0b0110}).entry("n0").node.tables[0].astype(int).tolist() == XOR
