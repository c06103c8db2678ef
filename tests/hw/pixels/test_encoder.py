"""Pixels become bits one after the other, and nothing grows with the picture."""

import dataclasses
import re

import numpy as np
import pytest
from amaranth.back import rtlil

from bitwright import ir
from bitwright.hw.limits import WidthError
from bitwright.hw.pictures import Shape
from bitwright.hw.rtl.pixels.encoder import PixelEncoder
from tests.hw.pixels.pictures import TABLES, modulator
from tests.hw.streams import simulate, sink, source


def bits_of(dut):
    """Of both tables of thresholds."""
    return sum(memory.bits for memory in dut.thresholds.memories)


def encoder(modulate, shape, mask=None):
    mask = np.ones(modulate.out_width, bool) if mask is None else mask
    return PixelEncoder(modulate, Shape(*shape), mask)


def pixels(modulate, shape, samples, frames):
    """Payloads of the frames of samples, so many of each."""
    colours, low = shape[2], (1 << modulate.bits) - 1
    for sample, count in zip(samples, frames, strict=True):
        words = [sum((int(value) & low) << modulate.bits * place
                     for place, value in enumerate(pixel))
                 for pixel in sample.reshape(-1, colours)]
        for frame in range(count):
            for place, word in enumerate(words):
                yield {"data": word, "final": place == len(words) - 1, "last": frame == count - 1,
                       "drop": 0}


def wanted(modulate, shape, samples, frames):
    """Bits of every pixel, as integers."""
    for sample, count in zip(samples, frames, strict=True):
        for frame in range(count):
            bits = ir.unslice(modulate.evaluate_frame(sample[None], frame), 1)
            yield from ir.pack(bits.reshape(shape[0] * shape[1], -1))


def asked(dut, modulate, shape, samples, frames, stalls=(0.0, 0.0)):
    payloads, received = list(pixels(modulate, shape, samples, frames)), []
    simulate(dut, source(dut.i, payloads, stalls[0]),
             sink(dut.o, len(payloads), received, stalls[1]))
    views = [dut.o.payload.shape().from_bits(word) for word in received]
    for view, payload in zip(views, payloads, strict=True):
        assert (view["final"], view["last"]) == (payload["final"], payload["last"])
    return [view["data"] for view in views]


def samples(modulate, count, seed=0):
    low, high = modulate.domain
    return np.random.default_rng(seed).integers(low, high + 1, size=(count, modulate.features))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("seed", range(6))
def test_bits_are_those_of_the_evaluator(table, seed):
    """Of every frame; where a sample is left early, the next one begins with frame 0."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers((1, 1, 1), (4, 5, 4)))
    modulate = modulator(shape, frames=1 + seed % 3, depth=1 + seed % 4, bits=1 + seed,
                         signed=bool(seed % 2), table=table, seed=seed)
    x = samples(modulate, 5, seed)
    frames = rng.integers(1, modulate.frames + 1, size=len(x)).tolist()
    stalls = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.6)][seed % 3]
    found = asked(encoder(modulate, shape), modulate, shape, x, frames, stalls)
    assert found == list(wanted(modulate, shape, x, frames))


@pytest.mark.parametrize(("noise", "colours", "signed"), [
    (ir.Noise(3, 3), 1, False), (ir.Noise(4, 4), 3, True), (ir.Noise(5, 2, 4), 3, False),
    (ir.Noise(6, 5, 3), 5, False)])
def test_thresholds_that_are_made_as_they_are_needed(noise, colours, signed):
    """The same bits as those of a table, and no memory; the last case has 75 new bits a pixel."""
    offsets = np.array([1, 1 + noise.highest // 4]) - 64 * signed
    modulate = ir.Modulate.drawn(noise, offsets, 3, 6 * colours, 7, signed=signed)
    shape, x = (2, 3, colours), samples(modulate, 4)
    dut, frames = encoder(modulate, shape), [3, 1, 2, 3]
    assert bits_of(dut) == 0
    found = asked(dut, modulate, shape, x, frames, (0.2, 0.2))
    assert found == list(wanted(modulate, shape, x, frames))
    table = encoder(dataclasses.replace(modulate, noise=None), shape)
    assert bits_of(table) > 0


def test_unread_bits_are_zero():
    modulate, mask = modulator((2, 2, 2), depth=3), np.zeros((4, 6), bool)
    mask[1, 2] = mask[3, 5] = True
    x = samples(modulate, 4)
    found = asked(encoder(modulate, (2, 2, 2), mask.reshape(-1)), modulate, (2, 2, 2), x, [1] * 4)
    assert found == [word & 0b100100 for word in wanted(modulate, (2, 2, 2), x, [1] * 4)]


def test_tables_have_only_what_changes():
    """Equal thresholds of all pixels take no memory, those of frames a word each."""
    shape = 6, 5, 3
    sizes = [bits_of(encoder(modulator(shape, frames=4, table=table), shape))
             for table in TABLES]
    assert sizes[0] == 0
    assert 0 < sizes[1] <= 4 * 6 * 5
    assert sizes[2] == 4 * 30 * 6 * 5
    # A single frame has no table at all, and one changed threshold one bit of each pixel.
    assert bits_of(encoder(modulator(shape, table="frame"), shape)) == 0
    even = modulator(shape, table="constant")
    changed = even.thresholds.copy()
    changed[0, 7, 1] ^= 1
    assert bits_of(encoder(ir.Modulate(changed, 4), shape)) == 30


def flip_flops(dut):
    return sum(map(int, re.findall(r"cell \$dff \S+\n +parameter \\WIDTH (\d+)\n",
                                   rtlil.convert(dut))))


def test_nothing_grows_with_the_picture():
    """A pixel's bits and marks, one register each, and where it is if there is a table."""
    sizes = [flip_flops(encoder(modulator((side, side, 3), table="constant"), (side, side, 3)))
             for side in (2, 64)]
    assert sizes == [6 + 3 + 1] * 2


def test_a_pixel_that_is_too_wide():
    modulate = modulator((1, 1, 700), depth=12, bits=7)
    with pytest.raises(WidthError, match=r"^Thresholds of a pixel must have at most 65,536 bits, "
                                         r"not 67,200$"):
        encoder(modulate, (1, 1, 700))
