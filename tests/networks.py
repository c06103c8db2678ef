"""Random networks for tests: chains and graphs over every node kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitwright import ir
from bitwright.ir.pool import FUNCTIONS
from bitwright.ir.window import BORDERS

__all__ = ["around", "features", "labelled", "logic_only", "network", "raw_samples",
           "regression", "surrounded"]


def network(seed: int, *, frames: int = 1, signed: bool = False) -> ir.Network:
    """Draw a small valid network with constants, wires, duplicates and skips in it."""
    rng = np.random.default_rng(seed)
    size, depth, bits = (int(n) for n in rng.integers((2, 1, 2), (7, 4, 9)))
    low = -(1 << bits - 1) if signed else 0
    thresholds = rng.integers(low, low + (1 << bits) + 1, size=(frames, size, depth))
    modulate = ir.Modulate(thresholds.astype(np.int32), bits, signed)
    entries = [ir.Entry("modulate", modulate, ("input",))]
    for index in range(int(rng.integers(1, 4))):
        inputs = _inputs(rng, entries)
        width = sum(entry.node.out_width for entry in entries if entry.name in inputs)
        draw = rng.random()
        node = (_lut(rng, width) if draw < 0.7 else _xnor(rng, width) if draw < 0.85
                else _sliding(rng, width))
        entries.append(ir.Entry(f"{node.kind}{index}", node, inputs))
    classes = int(rng.integers(2, 5))
    last = entries[-1]
    if rng.random() < 0.5:
        group = int(rng.integers(1, 6))
        node = _lut(rng, last.node.out_width, out_width=classes * group)
        entries.append(ir.Entry("last", node, (last.name,)))
        head = ir.GroupSum(classes * group, classes)
        entries.append(ir.Entry("head", head, ("last",)))
    else:
        inputs = _inputs(rng, entries)
        width = sum(entry.node.out_width for entry in entries if entry.name in inputs)
        biases = rng.integers(-9, 10, size=classes).astype(np.int32)
        weights = rng.integers(2, size=(classes, width)).astype(bool)
        head = ir.Scores(weights, int(rng.integers(1, 5)), biases)
        entries.append(ir.Entry("head", head, inputs))
    return ir.Network(tuple(entries))


def labelled(seed: int, *, classes: int, size: int = 5) -> ir.Network:
    """Draw a forward-forward network: a label a frame, goodness of several layers.

    The last depth slot of every feature is a label bit, equal for all samples.
    """
    rng = np.random.default_rng(seed)
    depth, bits = (int(n) for n in rng.integers((1, 2), (3, 9)))
    levels = np.broadcast_to(rng.integers(1, 1 << bits, size=(size, depth)),
                             (classes, size, depth))
    labels = np.where(rng.integers(2, size=(classes, size, 1)), 0, 1 << bits)
    modulate = ir.Modulate(np.concatenate([levels, labels], axis=2).astype(np.int32), bits)
    first = _xnor(rng, modulate.out_width) if rng.random() < 0.5 else _lut(rng, modulate.out_width)
    second = _xnor(rng, first.out_width) if rng.random() < 0.5 else _lut(rng, first.out_width)
    return ir.Network((
        ir.Entry("modulate", modulate, ("input",)),
        ir.Entry("first", first, ("modulate",)),
        ir.Entry("second", second, ("first",)),
        ir.Entry("head", ir.Goodness(first.out_width + second.out_width), ("first", "second")),
    ))


def around(node: ir.Node, seed: int = 0) -> ir.Network:
    """A small network with a node of any kind in it, by the name ``node``."""
    rng = np.random.default_rng(seed)
    frames = 2 if isinstance(node, ir.HeadNode) and node.per_frame else 1
    thresholds = rng.integers(0, 17, size=(frames, 5, 2)).astype(np.int32)
    modulate = node if isinstance(node, ir.Modulate) else ir.Modulate(thresholds, 4)
    first = "node" if isinstance(node, ir.Modulate) else "modulate"
    entries = [ir.Entry(first, modulate, ("input",))]
    if not isinstance(node, ir.Modulate):
        wide = _lut(rng, modulate.out_width, out_width=node.in_width)
        entries += [ir.Entry("wide", wide, ("modulate",)), ir.Entry("node", node, ("wide",))]
    if not isinstance(node, ir.HeadNode):
        last = _lut(rng, entries[-1].node.out_width, out_width=6)
        entries += [ir.Entry("last", last, (entries[-1].name,)),
                    ir.Entry("head", ir.GroupSum(6, 3), ("last",))]
    single = isinstance(node, ir.HeadNode) and not node.per_frame and node.out_width == 1
    return ir.Network(tuple(entries), answer=_unit() if single else None)


def logic_only() -> ir.Network:
    """A network of which no node can be folded."""
    thresholds = np.random.default_rng(0).integers(1, 16, size=(3, 4, 1)).astype(np.int32)
    return ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
                       ir.Entry("head", ir.Goodness(4), ("modulate",))))


def regression(seed: int, *, frames: int = 1) -> ir.Network:
    """Draw a network of one score, whose head is a popcount or of neurons by turns."""
    rng = np.random.default_rng(seed)
    modulate = ir.Modulate(rng.integers(0, 17, size=(frames, 5, 2)).astype(np.int32), 4)
    lut = _lut(rng, modulate.out_width, out_width=9)
    head = ir.GroupSum(9, 1) if seed % 2 else ir.Scores(
        rng.integers(2, size=(1, 9)).astype(bool), 3, rng.integers(-20, 0, size=1))
    return ir.Network((ir.Entry("modulate", modulate, ("input",)),
                       ir.Entry("lut0", lut, ("modulate",)), ir.Entry("head", head, ("lut0",))),
                      answer=ir.Answer(np.float32([20.5]), np.float32([0.25])),
                      names=ir.Names(answers=("temperature, °C",)))


def _unit() -> ir.Answer:
    """The answer that is the score."""
    return ir.Answer(np.zeros(1, np.float32), np.ones(1, np.float32))


def surrounded(network: ir.Network, seed: int) -> ir.Network:
    """The network with a preparation, an answer and names that fit, each there or not."""
    rng = np.random.default_rng(seed)
    preparation = _preparation(rng, network) if rng.random() < 0.8 else None
    answer, columns = None, ()
    if rng.random() < 0.4:
        answer = ir.Answer(*(rng.uniform(0.5, 9, size=network.classes).astype(np.float32)
                             for _ in range(2)))
    if not isinstance(preparation, ir.Picture) and rng.random() < 0.7:
        count = preparation.columns if preparation else network.features
        columns = tuple(f"column {index}, µm" for index in range(count))
    named = rng.random() < 0.7
    named = tuple(f"水\u200d {index}" for index in range(network.classes)) if named else ()
    return replace(network, preparation=preparation, answer=answer, names=ir.Names(
        () if answer else named, columns, named if answer else ()))


def _preparation(rng: np.random.Generator, network: ir.Network) -> ir.Preparation:
    columns = int(rng.choice([n for n in range(1, network.features + 1)
                              if network.features % n == 0]))
    steps, fills, (low, high) = network.features // columns, bool(rng.integers(2)), (
        network.modulate.domain)
    fill = rng.normal(size=columns * fills).astype(np.float32)
    match int(rng.integers(3)):
        case 0:
            bits = int(rng.integers(1, network.modulate.bits + 1))
            offset, scale = rng.normal(size=columns), rng.uniform(0.5, 9, size=columns)
            return ir.Affine(steps, bits, low < 0, fills, offset.astype(np.float32),
                             scale.astype(np.float32), fill)
        case 1:
            edges = rng.normal(size=(columns, int(rng.integers(1, high + 1))))
            return ir.Quantile(steps, fills, np.sort(edges, axis=1).astype(np.float32), fill)
    return ir.Picture(steps, columns, False, bool(rng.integers(2)), int(rng.integers(1, high + 1)))


def raw_samples(preparation: ir.Preparation, count: int, seed: int) -> np.ndarray:
    """Draw raw samples, shape (count, *shape), with numbers that are missing where they may be."""
    rng = np.random.default_rng(seed)
    if not isinstance(preparation, ir.Numbers):
        return rng.integers(256, size=(count, *preparation.shape)).astype(np.uint8)
    raw = rng.normal(scale=10, size=(count, *preparation.shape))
    return np.where(preparation.fills & (rng.random(raw.shape) < 0.2), np.nan, raw)


def features(network: ir.Network, count: int, seed: int) -> np.ndarray:
    """Draw valid features, shape (count, features)."""
    low, high = network.modulate.domain
    rng = np.random.default_rng(seed)
    return rng.integers(low, high + 1, size=(count, network.features)).astype(np.int32)


def _inputs(rng: np.random.Generator, entries: list[ir.Entry]) -> tuple[str, ...]:
    """The last node, and sometimes one further back."""
    names = [entry.name for entry in entries]
    if len(names) > 1 and rng.random() < 0.4:
        return (names[int(rng.integers(len(names) - 1))], names[-1])
    return (names[-1],)


def _lut(rng: np.random.Generator, width: int, out_width: int | None = None) -> ir.Lut:
    fan_in = int(rng.integers(1, 6))
    rows = out_width or int(rng.integers(2, 12))
    sources = rng.integers(-1, width, size=(rows, fan_in)).astype(np.int32)
    tables = rng.integers(2, size=(rows, 1 << fan_in)).astype(bool)
    for row in range(rows):
        match int(rng.integers(5)):
            case 0:  # a constant
                tables[row] = rng.integers(2)
            case 1:  # a wire or an inverter
                tables[row] = (np.arange(1 << fan_in) & 1) ^ rng.integers(2)
            case 2:  # a duplicate of an earlier row
                other = int(rng.integers(row + 1))
                sources[row], tables[row] = sources[other], tables[other]
    return ir.Lut(width, sources, tables)


def _xnor(rng: np.random.Generator, width: int) -> ir.Xnor:
    neurons, depth = (int(n) for n in rng.integers((1, 1), (6, 4)))
    thresholds = rng.integers(0, width + 2, size=(neurons, depth)).astype(np.int32)
    return ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool), thresholds)


def _sliding(rng: np.random.Generator, width: int) -> ir.BitNode:
    """A node over an image of any shape that the width allows, a line of pixels included."""
    def factor(number):
        return int(rng.choice([n for n in range(1, number + 1) if number % n == 0]))

    height = factor(width)
    across = factor(width // height)
    channels = width // height // across
    if channels > 1 and rng.random() < 0.15:
        first = int(rng.integers(1, channels))
        return ir.Join(height, across, (first, channels - first))
    border = str(rng.choice(BORDERS))
    most = np.repeat((height, across), 2) if border == "reflect" else np.full(4, 3)
    padding = tuple(int(n) for n in rng.integers(0, most) * rng.integers(2))
    sides = height + padding[0] + padding[1], across + padding[2] + padding[3]
    kernel = tuple(int(rng.integers(max(1, min(side - 3, 3)), min(side, 4) + 1)) for side in sides)
    stride = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    dilation = tuple(int(rng.integers(1, (side - 1) // max(1, own - 1) + 1)) if own > 1 else 1
                     for side, own in zip(sides, kernel, strict=True))
    window = ir.Window(height, across, channels, kernel, stride, padding, border, dilation)
    if rng.random() < 0.3:
        return ir.Pool(window, str(rng.choice(FUNCTIONS)))
    groups = factor(channels) if rng.random() < 0.3 else 1
    body = tuple((_xnor if rng.random() < 0.5 else _lut)(rng, window.bits // groups)
                 for _ in range(groups))
    return ir.Convolution(body, window, groups)
