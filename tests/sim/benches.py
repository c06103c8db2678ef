"""Networks and settings that the simulations under test share, so that they are compiled once."""

import os
from pathlib import Path

import numpy as np

from bitwright import ir
from bitwright.hw.plan import Plan
from bitwright.sim.options import Options
from bitwright.sim.run import simulate
from bitwright.sim.vectors import Vectors

__all__ = ["CACHE", "chain", "features", "goodness", "graph", "run", "sliding", "wide", "xnor"]

CACHE = Path(__file__).parents[2] / "build" / "sim"
"""Compiled designs, found by the digest of their text: a second run of the tests is quick."""


def chain(frames=1):
    """Five unsigned features, two layers of tables, three classes."""
    rng = np.random.default_rng(5)
    thresholds = rng.integers(1, 16, size=(frames, 5, 2)).astype(np.int32)
    first = ir.Lut(10, rng.integers(10, size=(9, 3)).astype(np.int32),
                   rng.integers(2, size=(9, 8)).astype(bool))
    second = ir.Lut(9, rng.integers(9, size=(12, 3)).astype(np.int32),
                    rng.integers(2, size=(12, 8)).astype(bool))
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("lut0", first, ("modulate",)),
        ir.Entry("lut1", second, ("lut0",)),
        ir.Entry("head", ir.GroupSum(12, 3), ("lut1",)),
    ))


def wide():
    """Seven signed features of ten bits, so that a feature is two bytes."""
    rng = np.random.default_rng(6)
    thresholds = rng.integers(-500, 500, size=(1, 7, 2)).astype(np.int32)
    table = ir.Lut(14, rng.integers(14, size=(8, 4)).astype(np.int32),
                   rng.integers(2, size=(8, 16)).astype(bool))
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 10, signed=True), ("input",)),
        ir.Entry("lut0", table, ("modulate",)),
        ir.Entry("head", ir.GroupSum(8, 2), ("lut0",)),
    ))


def xnor(frames=2):
    """A layer of tables, one of weights, and the head that weighs."""
    rng = np.random.default_rng(7)
    thresholds = rng.integers(1, 8, size=(frames, 4, 2)).astype(np.int32)
    table = ir.Lut(8, rng.integers(8, size=(6, 2)).astype(np.int32),
                   rng.integers(2, size=(6, 4)).astype(bool))
    layer = ir.Xnor(rng.integers(2, size=(5, 6)).astype(bool),
                    rng.integers(1, 6, size=(5, 2)).astype(np.int32))
    head = ir.Scores(rng.integers(2, size=(3, 10)).astype(bool), 2,
                     rng.integers(-9, 9, size=3).astype(np.int32))
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 3), ("input",)),
        ir.Entry("lut0", table, ("modulate",)),
        ir.Entry("xnor1", layer, ("lut0",)),
        ir.Entry("head", head, ("xnor1",)),
    ))


def graph():
    """Nodes that read further back, constants, wires and duplicates, then simplified."""
    rng = np.random.default_rng(8)
    thresholds = rng.integers(1, 16, size=(1, 5, 2)).astype(np.int32)
    first = ir.Lut(10, rng.integers(10, size=(8, 3)).astype(np.int32),
                   rng.integers(2, size=(8, 8)).astype(bool))
    tables = rng.integers(2, size=(10, 16)).astype(bool)
    tables[0] = True
    tables[1] = np.arange(16) & 1
    tables[3] = tables[2]
    sources = rng.integers(18, size=(10, 4)).astype(np.int32)
    sources[3] = sources[2]
    second = ir.Lut(18, sources, tables)
    return ir.simplify(ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("lut0", first, ("modulate",)),
        ir.Entry("lut1", second, ("modulate", "lut0")),
        ir.Entry("last", ir.Lut(18, rng.integers(18, size=(6, 2)).astype(np.int32),
                                rng.integers(2, size=(6, 4)).astype(bool)), ("lut0", "lut1")),
        ir.Entry("head", ir.GroupSum(6, 2), ("last",)),
    )))


def sliding():
    """A picture of four by five pixels, a convolution, a layer of weights, the head that weighs."""
    rng = np.random.default_rng(9)

    def layer(in_width, neurons):
        thresholds = rng.integers(in_width // 2, in_width // 2 + 2, size=(neurons, 1))
        return ir.Xnor(rng.integers(2, size=(neurons, in_width)).astype(bool),
                       thresholds.astype(np.int32))

    window = ir.Window(4, 5, 1, (3, 3), (1, 2))
    head = ir.Scores(rng.integers(2, size=(3, 5)).astype(bool), 2,
                     rng.integers(-3, 3, size=3).astype(np.int32))
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(rng.integers(1, 4, size=(1, 20, 1)).astype(np.int32), 2),
                 ("input",)),
        ir.Entry("convolution0", ir.Convolution((layer(9, 3),), window), ("modulate",)),
        ir.Entry("xnor0", layer(12, 5), ("convolution0",)),
        ir.Entry("head", head, ("xnor0",)),
    ))


def features(network, count=60, seed=1):
    low, high = network.modulate.domain
    rng = np.random.default_rng(seed)
    return rng.integers(low, high + 1, size=(count, network.features)).astype(np.int32)


def goodness():
    """Three labels as frames, two layers of weights, and the head that reads both."""
    rng = np.random.default_rng(12)
    levels = np.broadcast_to(rng.integers(1, 16, size=(6, 1)), (3, 6, 1))
    labels = np.where(rng.integers(2, size=(3, 6, 1)), 0, 16)
    thresholds = np.concatenate([levels, labels], axis=2).astype(np.int32)
    first = ir.Xnor(rng.integers(2, size=(9, 12)).astype(bool),
                    rng.integers(5, 8, size=(9, 1)).astype(np.int32))
    second = ir.Xnor(rng.integers(2, size=(7, 9)).astype(bool),
                     rng.integers(4, 6, size=(7, 1)).astype(np.int32))
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("xnor0", first, ("modulate",)),
        ir.Entry("xnor1", second, ("xnor0",)),
        ir.Entry("head", ir.Goodness(16), ("xnor0", "xnor1")),
    ))


def run(network, name, *, vectors=None, lanes=1, plan=None, **settings):
    """Simulate with compiled designs kept. ``name`` is that of the test, for its files."""
    vectors = features(network) if vectors is None else vectors
    options = Options(plan=plan or Plan(lanes=lanes), out=CACHE, **settings)
    # A folder serves one run at a time, and workers run side by side.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "only")
    return simulate(network, Vectors(vectors, "random"), options, f"test-{name}-{worker}")
