"""Whatever arrives, whole pictures leave, and the next one that is whole is right."""

import numpy as np
import pytest

from bitwright.hw.rtl.pixels.gate import Gate, picture_layout
from bitwright.hw.rtl.pixels.repack import Repack
from tests.hw.streams import simulate, sink, source

LINE, LINES = 3, 2
WHOLE = LINE * LINES


def picture(first, lines=(LINE,) * LINES, *, start=True, video=True):
    """Beats of a picture that counts from ``first``, with lines of those lengths."""
    data, found = first, []
    for length in lines:
        for place in range(length):
            found.append({"data": data % 256, "last": place == length - 1, "start": 0})
            data += 1
    if not video:
        for beat in found[:-1]:
            beat["last"] = 0
    elif start and found:
        found[0]["start"] = 1
    return found


def passed(payloads, *, video, stalls=(0.0, 0.0), seed=0):
    """Pictures that left, and pulses of ``error``. All of them have their length."""
    dut = Gate(8, LINE if video else WHOLE, LINES if video else 1, video=video)
    taken, errors = [], []

    async def watch(ctx):
        while True:
            _, _, valid, ready, word, error = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, dut.error)
            if valid and ready:
                taken.append((word["data"], word["final"], word["drop"]))
            errors.append(error)

    async def send(ctx):
        await source(dut.i, payloads, stalls[0], seed=seed)(ctx)
        await ctx.tick().repeat(40)

    rng = np.random.default_rng(seed + 1)

    async def take(ctx):
        while True:
            ctx.set(dut.o.ready, rng.random() >= stalls[1])
            await ctx.tick()

    simulate(dut, send, background=[watch, take])
    pictures = [taken[place : place + WHOLE] for place in range(0, len(taken), WHOLE)]
    for beats in pictures[:-1] if len(taken) % WHOLE else pictures:
        assert [final for _, final, _ in beats] == [0] * (WHOLE - 1) + [1]
    good = [[data for data, _, _ in beats] for beats in pictures
            if len(beats) == WHOLE and not beats[-1][2]]
    return good, sum(errors)


def data(*firsts):
    return [list(range(first, first + WHOLE)) for first in firsts]


GOOD = picture(0), picture(100)
BROKEN = {
    "short line": picture(50, (2, 3)), "short last line": picture(50, (3, 2)),
    "long line": picture(50, (4, 3)), "long last line": picture(50, (3, 4)),
    "short frame": picture(50, (3,)), "torn frame": picture(50)[:4],
    "torn line": [*picture(50)[:1]], "one beat with last": picture(50, (1,)),
    "lines without end": [{**beat, "last": 0} for beat in picture(50, (3, 3, 3))],
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_picture_after_a_broken_one_is_right(fault):
    payloads = [*GOOD[0], *BROKEN[fault], *GOOD[1], *GOOD[0]]
    assert passed(payloads, video=True) == (data(0, 100, 0), 1)


@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.4, 0.5)])
def test_lines_after_a_whole_picture_are_skipped(stalls):
    """A long frame: the picture was whole, and has its answer."""
    payloads = [*picture(0, (3, 3, 3, 3)), *GOOD[1]]
    assert passed(payloads, video=True, stalls=stalls) == (data(0, 100), 1)


def test_what_comes_before_the_first_start_is_nothing():
    payloads = [*picture(50, (3, 3, 2), start=False), *GOOD[1]]
    assert passed(payloads, video=True) == (data(100), 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("video", [True, False])
def test_random_pictures(video, seed):
    rng = np.random.default_rng(seed)
    payloads, wanted, errors = [], [], 0
    for first in range(0, 250, 10):
        if rng.random() < 0.5:
            payloads += picture(first, video=video)
            wanted += data(first)
        elif video:
            payloads += list(BROKEN.values())[int(rng.integers(len(BROKEN)))]
            errors += 1
        else:
            length = int(rng.choice([*range(1, WHOLE), *range(WHOLE + 1, 3 * WHOLE)]))
            payloads += picture(first, (length,), video=False)
            errors += 1
    stalls = [(0.0, 0.0), (0.5, 0.2), (0.1, 0.6)][seed]
    payloads += picture(0, video=video)
    assert passed(payloads, video=video, stalls=stalls, seed=seed) == ([*wanted, *data(0)], errors)


@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.4, 0.5)])
@pytest.mark.parametrize(("bits", "width"), [(4, 4), (12, 4), (4, 12)])
def test_pixels_of_beats(bits, width, stalls):
    """Several pixels a beat, or several beats a pixel, lowest bits first."""
    rng, dut, received = np.random.default_rng(0), Repack(bits, width), []
    nibbles = rng.integers(16, size=36).tolist()
    words = {size: [sum(n << 4 * place for place, n in enumerate(nibbles[start : start + size]))
                    for start in range(0, 36, size)] for size in (1, 3)}
    sent, wanted = words[bits // 4], words[width // 4]
    payloads = [{"data": word, "final": place % 3 == 2, "drop": place % 2}
                for place, word in enumerate(sent)]
    simulate(dut, source(dut.i, payloads, stalls[0]),
             sink(dut.o, len(wanted), received, stalls[1]))
    views = [picture_layout(width).from_bits(word) for word in received]
    assert [view["data"] for view in views] == wanted
    finals = [place * bits // width + max(0, bits // width - 1)
              for place in range(len(sent)) if place % 3 == 2]
    if bits < width:
        finals = [place // 3 for place in range(len(sent)) if place % 3 == 2]
    assert [place for place, view in enumerate(views) if view["final"]] == finals
