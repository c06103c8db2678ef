"""Small networks that read pictures, and the beats in which these arrive."""

import numpy as np

from bitwright import ir
from bitwright.hw.rtl.pixels.ip import PixelIp
from tests.hw.streams import simulate, sink, source

__all__ = ["answers", "beats", "expected", "modulator", "network", "pictures", "results", "sure"]

TABLES = ("constant", "frame", "pixel")
"""What the thresholds of a modulator change with."""


def modulator(shape, *, frames=1, depth=2, bits=4, signed=False, table="pixel", seed=0):
    """A modulator of pictures of ``(height, width, colours)``."""
    height, width, colours = shape
    rng, low = np.random.default_rng(seed), -(1 << bits - 1) if signed else 0
    size = {"constant": (1, 1, colours, depth), "frame": (frames, 1, colours, depth),
            "pixel": (frames, height * width, colours, depth)}[table]
    drawn = rng.integers(low, low + (1 << bits) + 1, size=size)
    whole = np.broadcast_to(drawn, (frames, height * width, colours, depth))
    return ir.Modulate(whole.reshape(frames, -1, depth).astype(np.int32), bits, signed)


def network(shape=(3, 4, 2), *, classes=3, seed=0, **modulation):
    """A modulator, a convolution of neurons, and a head of neurons."""
    height, width, colours = shape
    rng, modulate = np.random.default_rng(seed + 1), modulator(shape, seed=seed, **modulation)
    window = ir.Window(height, width, colours * modulate.depth, (min(2, height), min(2, width)))
    body = ir.Xnor(rng.integers(2, size=(classes, window.bits)).astype(bool),
                   rng.integers(window.bits // 2 - 1, window.bits // 2 + 3, size=(classes, 1)))
    weights = rng.integers(2, size=(classes, window.positions * classes)).astype(bool)
    return _chain(modulate, ir.Convolution((body,), window),
                  ir.Scores(weights, 1, rng.integers(-2, 3, size=classes)))


def sure(frames=4):
    """A network that tells dark from bright pictures, and is often sure before the last frame."""
    modulate = modulator((3, 4, 2), frames=frames, seed=5)
    window = ir.Window(3, 4, 4, (2, 2))
    body = ir.Xnor(np.ones((2, window.bits), bool), np.array([[5], [9]]))
    conv = ir.Convolution((body,), window)
    weights = np.repeat([[False], [True]], conv.out_width, axis=1)
    return _chain(modulate, conv, ir.Scores(weights, 1, np.array([1, 0])))


def _chain(modulate, conv, head):
    return ir.Network((ir.Entry("modulate", modulate, ("input",)),
                       ir.Entry("conv", conv, ("modulate",)), ir.Entry("head", head, ("conv",))))


def pictures(subject, count, seed=0):
    """Features of pictures, shape (count, features)."""
    low, high = subject.modulate.domain
    size = count, subject.features
    return np.random.default_rng(seed).integers(low, high + 1, size=size).astype(np.int32)


def beats(ip, x, *, line=None):
    """Payloads of samples; with ``line``, beats of a line, those of video."""
    found = []
    for row in x.tolist():
        words = ip.layout.pack_features(row)
        ends, begins = line or len(words), len(words) // ip.layout.copies
        found += [{"data": word, "last": (place + 1) % ends == 0,
                   "start": line is not None and place % begins == 0}
                  for place, word in enumerate(words)]
    return found


def expected(found):
    """Decisions and scores of what a network answers, as :func:`results` has them."""
    return [(int(decision), tuple(map(int, scores)))
            for decision, scores in zip(found.decision, found.scores, strict=True)]


def results(dut, words, classes):
    """Decisions and scores of what a component handed on."""
    views = [dut.o.payload.shape().from_bits(word) for word in words]
    return [(view["decision"], tuple(view["scores"][c] for c in range(classes)))
            for view in views]


def answers(subject, plan, payloads, count, stalls=(0.0, 0.0), seed=0, errors=None):
    """What a network behind a stream of pixels answers; ``errors`` collects its pulses."""
    ip = PixelIp(subject, plan)
    received = []

    async def watch(ctx):
        while True:
            _, _, error = await ctx.tick().sample(ip.error)
            if error:
                errors.append(error)

    simulate(ip, source(ip.i, payloads(ip), stalls[0], seed=seed),
             sink(ip.o, count, received, stalls[1], seed=seed + 1), cycles=6000,
             background=[] if errors is None else [watch])
    return results(ip, received, subject.classes)
