"""Thresholds that move: what they part stays, and no comparison could do with fewer bits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitwright import ir
from bitwright.minimise.steps import applied, tried
from bitwright.minimise.thresholds import compared, rounded
from tests.networks import features, network

BITS = 5


def counted(modulate):
    """A network of comparisons alone, which a head counts."""
    return ir.Network((ir.Entry("m", modulate, ("input",)),
                       ir.Entry("head", ir.GroupSum(modulate.out_width, 2), ("m",))))


def comparing(*thresholds, signed=False):
    """A network of two features: one with a threshold a frame, and one with the middle, which is
    of one bit."""
    middle = 0 if signed else 16
    frames = [[[threshold], [middle]] for threshold in thresholds]
    return counted(ir.Modulate(np.array(frames, np.int32), BITS, signed))


def outcomes(threshold, low):
    return [value >= threshold for value in range(low, low + (1 << BITS))]


def needed(threshold, low):
    """Upper bits of a feature that tell how a comparison comes out, by trying."""
    found = outcomes(threshold, low)
    return next(bits for bits in range(BITS + 1)
                if all(len(set(found[start : start + (1 << BITS - bits)])) == 1
                       for start in range(0, 1 << BITS, 1 << BITS - bits)))


def test_compared_are_the_bits_that_tell():
    for signed, low in ((False, 0), (True, -16)):
        thresholds = np.arange(low, low + (1 << BITS) + 1)
        found = compared(ir.Modulate(thresholds.astype(np.int32)[None, None], BITS, signed))
        assert found.ravel().tolist() == [needed(each, low) for each in thresholds.tolist()]


@given(st.lists(st.integers(0, 31), min_size=1, max_size=12), st.integers(1, 31),
       st.integers(0, 3), st.booleans())
def test_a_threshold_moves_to_the_fewest_bits(values, threshold, few, signed):
    low = -16 if signed else 0
    samples, threshold = np.repeat(np.array(values)[:, None] + low, 2, axis=1), threshold + low
    net = comparing(threshold, signed=signed)

    def parted(other):
        return int(((samples[:, 0] >= threshold) != (samples[:, 0] >= other)).sum())

    allowed = [other for other in range(low + 1, low + (1 << BITS)) if parted(other) <= few]
    least = min(needed(other, low) for other in allowed)
    best = [other for other in allowed if needed(other, low) == least]
    changes = rounded(net, samples, few)
    if needed(threshold, low) == least:
        assert changes == {}
    else:
        ((bit, (found,)),) = changes.items()
        assert bit == ("m", 0)
        assert abs(found - threshold) == min(abs(other - threshold) for other in best)
        assert found in best
        assert applied(net, changes).modulate.thresholds[0, 0].tolist() == [found]


@given(st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=25)
def test_samples_keep_every_bit(seed, frames):
    net = ir.simplify(network(seed, frames=frames))
    samples = features(net, 25, seed)
    changes = rounded(net, samples, 0)
    name, read = net.entries[0].name, net.read_mask(net.entries[0].name)
    assert all(read[index] for _, index in changes)
    other = applied(net, changes)
    assert (other.evaluate(samples).scores == net.evaluate(samples).scores).all()
    assert compared(other.modulate).sum() <= compared(net.modulate).sum()
    assert name == other.entries[0].name


def test_samples_of_any_type_of_integers():
    net = counted(ir.Modulate(np.array([[[50], [0]]], np.int32), 8, True))
    samples = np.array([[-100, 0], [5, 0], [100, 0]])
    for kind in (np.int8, np.int16, np.int64):
        assert rounded(net, samples.astype(kind), 0) == {("m", 0): (64,)}


def test_frames_share_what_may_change():
    samples = np.array([[5], [7], [7], [15]]).repeat(2, axis=1)
    for few, expected in ((0, (6, 8)), (1, (6, 8)), (2, (4, 16)), (4, (8, 16))):
        assert rounded(comparing(7, 9), samples, few) == {("m", 0): expected}


def test_thresholds_of_a_noise_stay():
    drawn = ir.Modulate.drawn(ir.Noise(5, 3), np.array([0, 4]), 2, 6, 4)
    samples = np.zeros((3, 6), int)
    assert rounded(counted(drawn), samples, 0) == {}
    assert rounded(counted(ir.Modulate(drawn.thresholds, 4)), samples, 0)


def test_a_change_of_thresholds_that_costs_too_much_is_not_made():
    net = comparing(7)
    samples = np.array([[3, 0], [9, 31]])
    changes = rounded(net, samples, 0)
    assert changes == {("m", 0): (8,)}
    for least, kept in ((1.0, 0), (0.5, 1)):
        step = tried("rounded", net, changes, lambda other: float(
            other.modulate.thresholds[0, 0, 0] == 7) or 0.5, least)
        assert (step.wanted, step.kept) == (1, kept)
        assert step.size.compared_bits == (6, 3)[kept]
