"""Convolutions and pools over whole images: every border, stride, dilation, group and shape."""

import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.limits import WidthError, check_widths
from bitwright.hw.plan import FOLDED, UNROLLED, Plan, PlanError
from bitwright.hw.rtl.layers import ways
from tests.hw.ways import ask, choice, folded_node, unrolled_node

WINDOWS = {
    "zero border": ir.Window(3, 4, 1, (2, 3), (1, 1), (1, 0, 1, 1)),
    "one border": ir.Window(3, 4, 1, (2, 3), (1, 1), (1, 0, 1, 1), "one"),
    "replicated border": ir.Window(3, 4, 1, (3, 2), (2, 1), (2, 1, 0, 3), "replicate"),
    "reflected border": ir.Window(3, 4, 1, (3, 2), (2, 1), (2, 1, 0, 3), "reflect"),
    "border that a stride steps over": ir.Window(2, 5, 1, (1, 2), (1, 3), (0, 0, 2, 2), "one"),
    "stride of each side": ir.Window(5, 4, 1, (2, 2), (3, 2)),
    "dilation of each side": ir.Window(5, 4, 1, (2, 2), (1, 1), dilation=(3, 2)),
    "dilation over a border": ir.Window(3, 3, 1, (3, 2), (1, 2), (1, 2, 2, 0), "reflect", (2, 3)),
    "tall image": ir.Window(7, 2, 2, (3, 2), (2, 1)),
    "wide image": ir.Window(2, 7, 2, (2, 3), (1, 2)),
    "window that is larger than the image": ir.Window(2, 2, 1, (3, 3), (1, 1), (1, 1, 2, 1)),
}


def neurons(rng, width, count=2):
    weights = rng.integers(2, size=(count, width)).astype(bool)
    return ir.Xnor(weights, rng.integers(width // 2, width // 2 + 2, size=(count, 1)))


def check(chosen, node, seed=0):
    """The component answers as the evaluator, and that is not always the same."""
    x = np.random.default_rng(seed).integers(2, size=(4, node.in_width)).astype(bool)
    wanted = ir.pack(node.evaluate(x))
    assert len(set(wanted)) > 1
    assert ask(chosen, ir.pack(x), len(x), stalls=(0.2, 0.2)) == wanted


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("cycles", [None, 3, pytest.param(100, marks=pytest.mark.slow)])
def test_convolution(name, cycles):
    """Unrolled; in blocks of positions; and with a body that is folded too."""
    window = WINDOWS[name]
    node = ir.Convolution((neurons(np.random.default_rng(1), window.bits),), window)
    check(unrolled_node(node) if cycles is None else folded_node(node, cycles), node)


@pytest.mark.parametrize("name", WINDOWS)
def test_pool(name):
    answers = set()
    for function, ones in (("or", 0.2), ("and", 0.8), ("majority", 0.5)):
        node = ir.Pool(WINDOWS[name], function)
        x = np.random.default_rng(2).random((8, node.in_width)) < ones
        wanted = ir.pack(node.evaluate(x))
        assert ask(unrolled_node(node), ir.pack(x), len(x)) == wanted
        answers.update(wanted)
    assert len(answers) > 2


@pytest.mark.parametrize("cycles", [None, 4, 100])
def test_groups_of_unlike_chains(cycles):
    """Groups whose nodes take longer, or longer for one, than those of the others."""
    rng = np.random.default_rng(3)
    window = ir.Window(2, 3, 3, (2, 2), (1, 1))
    table = ir.Lut(4, np.array([[0, 3]], np.int32), np.array([[0, 1, 1, 0]], bool))
    wire = ir.Lut(1, np.array([[0]], np.int32), np.array([[0, 1]], bool))
    first, last = neurons(rng, 4, 5), neurons(rng, 4, 3)
    body = (first, neurons(rng, 5, 1), table, wire, last, neurons(rng, 3, 2))
    node = ir.Convolution(body, window, 3)
    chosen = unrolled_node(node, Plan(levels_per_register=1)) if cycles is None else (
        folded_node(node, cycles))
    check(chosen, node)
    estimate, taken, given = chosen.estimate(), [], []
    x = rng.integers(2, size=(5, node.in_width)).astype(bool)
    ask(chosen, ir.pack(x), len(x), taken=taken, given=given)
    assert set(np.diff(taken)) == {estimate.interval}
    assert set(np.subtract(given, taken)) == {estimate.latency}


def test_pools_and_joins_are_not_folded():
    for node in (ir.Pool(ir.Window(2, 2, 1, (2, 2)), "or"), ir.Join(1, 1, (1, 1))):
        known = tuple(sorted(ways(type(node))))
        message = (f"Plan key 'nodes.node.way' must be one of {known} for a {node.kind!r} node, "
                   "not 'folded'; the nearest is 'unrolled'")
        assert UNROLLED in known
        with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
            choice(node, Plan(), FOLDED)


def test_an_image_whose_padding_is_too_wide_is_refused():
    table = ir.Lut(1, np.zeros((1, 1), int), np.zeros((1, 2), bool))
    node = ir.Convolution((table,), ir.Window(1, 2, 1, (1, 1), (1, 40_000), (0, 0, 0, 70_000)))
    message = ("Image of a folded convolution must have at most 65,536 bits with its padding, "
               "not 70,002")
    with pytest.raises(WidthError, match=f"^{re.escape(message)}$"):
        folded_node(node, 2).build()


def test_a_window_that_sees_too_much_is_refused():
    wide = ir.Lut(70_000, np.zeros((2, 1), int), np.zeros((2, 2), bool))
    node = ir.Convolution((wide,), ir.Window(1, 1, 1, (1, 70_000), padding=(0, 0, 0, 69_999)))
    net = ir.Network((ir.Entry("m", ir.Modulate(np.ones((1, 1, 1), int), 1), ("input",)),
                      ir.Entry("c", node, ("m",)), ir.Entry("h", ir.GroupSum(2, 2), ("c",))))
    with pytest.raises(WidthError, match=r"^A window of node 'c' must see at most 65,536 bits, "
                                         r"not 70,000$"):
        check_widths(net, Plan())
