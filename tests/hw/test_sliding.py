"""Folded convolutions: blocks of positions, and bodies of several parts. The conformance of every
folded kind is in test_fold.py."""

import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.folding import Block
from bitwright.hw.limits import WidthError
from tests.hw.ways import ask, folded_node, unrolled_node


def xnor(rng, width, neurons, depth=1):
    return ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool),
                   rng.integers(width // 2, width // 2 + 2, size=(neurons, depth)).astype(np.int32))


@pytest.mark.parametrize(("cycles", "size", "count"), [
    (35, (1, 1), 35), (34, (1, 2), 20), (10, (1, 4), 10), (9, (1, 7), 5), (4, (2, 7), 3),
    (2, (3, 7), 2), (1, (5, 7), 1),
])
def test_blocks_by_hand(cycles, size, count):
    """Of five rows of seven positions."""
    block = Block.within(ir.Window(5, 7, 1, (1, 1)), cycles)
    assert ((block.rows, block.columns), block.count) == (size, count)


def test_a_block_sees_its_own_pixels():
    """Two of three positions in a row, by steps of two pixels; then down to the next row."""
    block = Block(ir.Window(4, 6, 2, (1, 2), (3, 2)), 1, 2)
    assert block.seen() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (block.shape, block.across, block.across + block.down) == ((2, 2), 8, 36)
    assert block.places() == [0, 1, 2, 4, 5, 6]  # the fourth and the last are none


@pytest.mark.parametrize("cycles", [2, 3, 9, 30, 90])
@pytest.mark.parametrize("neurons", [(2, 5), (6, 2)])
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.5)])
def test_bodies_of_two_parts(cycles, neurons, stalls):
    """The second takes longer than the first, or the other way round."""
    rng = np.random.default_rng(cycles)
    first = xnor(rng, 4, neurons[0], depth=2)
    body = (first, xnor(rng, first.out_width, neurons[1]))
    node = ir.Convolution(body, ir.Window(4, 4, 1, (2, 2), (1, 2)))
    x = rng.integers(2, size=(4, node.in_width)).astype(bool)
    chosen = folded_node(node, cycles)
    estimate, taken, given = chosen.estimate(), [], []
    received = ask(chosen, ir.pack(x), len(x), stalls=stalls, taken=taken, given=given)
    assert received == ir.pack(node.evaluate(x))
    assert len(set(received)) > 1
    if stalls == (0.0, 0.0):
        assert set(np.diff(taken)) == {estimate.interval}
        assert set(np.subtract(given, taken)) == {estimate.latency}
    assert estimate.interval <= cycles


def test_collected_outputs_that_are_too_wide_are_refused():
    """Blocks of two rows of three, of which the last is half empty."""
    rng = np.random.default_rng(0)
    node = ir.Convolution((xnor(rng, 1, 7000),), ir.Window(3, 3, 1, (1, 1)))
    message = ("Outputs of a folded convolution must have at most 65,536 bits, not 84,000 (2 times "
               "42,000)")
    with pytest.raises(WidthError, match=f"^{re.escape(message)}$"):
        folded_node(node, 2).build()


def test_an_unrolled_body_has_all_its_weights():
    """A convolution of one position is its body, and each altered weight is seen."""
    rng = np.random.default_rng(1)
    body = xnor(rng, 4, 2)
    every = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(bool)
    wanted = ir.pack(body.evaluate(every))
    for build in (unrolled_node, lambda node: folded_node(node, 1),
                  lambda node: folded_node(node, 8)):
        for place in range(-1, body.weights.size):
            weights = body.weights.copy()
            if place >= 0:
                weights.flat[place] ^= True
            node = ir.Convolution((ir.Xnor(weights, body.thresholds),), ir.Window(2, 2, 1, (2, 2)))
            assert (ask(build(node), ir.pack(every), 16) == wanted) == (place < 0)
