"""Every kind of node: the evaluator equals the naive reference, and the file gives it back."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitwright import ir
from bitwright.ir import fields, nested
from tests.networks import features, labelled, network
from tests.reference import nodes as reference

SEEDS = st.integers(0, 2**32)
KINDS = sorted(ir.Node.kinds)


def inputs_and_outputs(node, rng):
    if isinstance(node, ir.Modulate):
        low, high = node.domain
        x = rng.integers(low, high + 1, size=(70, node.in_width)).astype(np.int32)
        frame = int(rng.integers(node.frames))
        y = ir.unslice(node.evaluate_frame(x, frame), len(x))
        return x, frame, y
    x = rng.integers(2, size=(70, node.in_width)).astype(bool)
    return x, 0, node.evaluate(x)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_evaluator_equals_reference(kind, seed):
    rng = np.random.default_rng(seed)
    node = ir.Node.kinds[kind].sample(rng)
    x, frame, y = inputs_and_outputs(node, rng)
    expected = [reference.node_output(node, row, frame) for row in x.astype(int).tolist()]
    assert y.astype(int).tolist() == expected


@pytest.mark.parametrize("kind", KINDS)
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_serial_form_round_trip(kind, seed):
    node = ir.Node.kinds[kind].sample(np.random.default_rng(seed))
    again = type(node).from_parts(*node.parts())
    assert again == node


@pytest.mark.parametrize("kind", KINDS)
def test_equality_sees_every_array(kind):
    """The round-trip test above can fail: a node with one changed element is another node."""
    rng = np.random.default_rng(3)
    node = ir.Node.kinds[kind].sample(rng)
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, np.ndarray) and value.dtype == np.bool_:
            changed = value.copy()
            changed.flat[0] ^= True
            assert dataclasses.replace(node, **{field.name: changed}) != node


@given(seed=SEEDS, frames=st.integers(1, 3), signed=st.booleans())
@settings(max_examples=60, deadline=None)
def test_network_equals_reference(seed, frames, signed):
    net = network(seed, frames=frames, signed=signed)
    x = features(net, 20, seed)
    expected = [reference.scores(net, row) for row in x.tolist()]
    assert net.evaluate(x).scores.tolist() == expected


@given(seed=SEEDS, classes=st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_labelled_network_equals_reference(seed, classes):
    net = labelled(seed, classes=classes)
    x = features(net, 20, seed)
    expected = [reference.scores(net, row) for row in x.tolist()]
    assert net.evaluate(x).scores.tolist() == expected
    assert (ir.simplify(net).evaluate(x).scores == expected).all()


@given(seed=SEEDS, frames=st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_simplification_keeps_every_score(seed, frames):
    net = network(seed, frames=frames)
    simple = ir.simplify(net)
    x = features(net, 150, seed)
    assert (simple.evaluate(x).scores == net.evaluate(x).scores).all()
    assert bits_of(simple) <= bits_of(net)


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_simplification_twice_changes_no_score(seed):
    net = ir.simplify(network(seed))
    x = features(net, 80, seed)
    assert (ir.simplify(net).evaluate(x).scores == net.evaluate(x).scores).all()


def other_contents(node, rng):
    """A node of the same shape that holds something else."""
    attributes, tensors = node.parts()
    sizes = fields.Sizes(node.fields)
    for field in node.fields:
        if isinstance(field, fields.Integer | fields.Flag) and field.name in attributes:
            field.read(dict(attributes), {}, sizes)
    values = dict(node.values())
    for field in node.fields:
        if isinstance(field, fields.BitArray):
            shape = values[field.name].shape
            sizes.fit(field.name, field.shape, shape)
            values[field.name] = rng.integers(2, size=shape).astype(bool)
        elif isinstance(field, fields.Array):
            shape = values[field.name].shape
            sizes.fit(field.name, field.shape, shape)
            low, high = sizes.value(field.low), sizes.value(field.high)
            values[field.name] = rng.integers(low, high + 1, size=shape)
        elif isinstance(field, nested.Nodes):
            values[field.name] = tuple(other_contents(part, rng) for part in values[field.name])
    assert len(tensors) or type(node).from_values(values) == node
    return type(node).from_values(values)


@given(seed=SEEDS, frames=st.integers(1, 2))
@settings(max_examples=150, deadline=None)
def test_simplification_allows_for_other_contents_of_kept_nodes(seed, frames):
    """Contents of kept nodes may be written anew on a device that holds the simplified network."""
    rng = np.random.default_rng(seed)
    net = network(seed, frames=frames)
    keep = {entry.name for entry in net.entries if rng.integers(2)}
    simple = ir.simplify(net, keep=keep)
    x = features(net, 100, seed)
    assert (simple.evaluate(x).scores == net.evaluate(x).scores).all()
    for name in keep:
        assert simple.entry(name) == net.entry(name)
        assert ([simple.entry(source).node.out_width for source in simple.entry(name).inputs
                 if source != "input"]
                == [net.entry(source).node.out_width for source in net.entry(name).inputs
                    if source != "input"])
    for _ in range(2):
        other = {name: other_contents(net.entry(name).node, rng) for name in keep}
        before, after = replaced(net, other), replaced(simple, other)
        assert (after.evaluate(x).scores == before.evaluate(x).scores).all()


def replaced(net, nodes):
    return ir.Network(tuple(dataclasses.replace(entry, node=nodes.get(entry.name, entry.node))
                            for entry in net.entries))


def bits_of(net):
    return sum(entry.node.out_width for entry in net.entries[1:-1])
