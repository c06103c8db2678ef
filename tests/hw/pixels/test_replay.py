"""Frames of samples: the same picture again, or a picture each, until one says stop."""

import numpy as np
import pytest

from bitwright.hw.flow import synth
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.naming import Naming
from bitwright.hw.rtl.pixels.replay import Replay, Sent
from tests.hw.streams import simulate, sink, source

PIXELS, FRAMES = 5, 3


def handed_on(dut, pictures, stop, stalls):
    """Pixels with their marks. ``stop`` tells of sample and frame whether to stop after it."""
    payloads = [{"data": word, "final": place == PIXELS - 1, "drop": drop}
                for words, drop in pictures for place, word in enumerate(words)]
    received, count = [], sum(len(words) for words, _ in wanted(dut, pictures, stop))

    async def say(ctx):
        sample = frame = 0
        while True:
            ctx.set(dut.stop, (sample, frame) in stop)
            _, _, fire, word = await ctx.tick().sample(dut.o.valid & dut.o.ready, dut.o.payload)
            if fire and word["final"]:
                sample, frame = (sample + 1, 0) if word["last"] else (sample, frame + 1)

    simulate(dut, source(dut.i, payloads, stalls[0]), sink(dut.o, count, received, stalls[1]),
             background=[say])
    views = [dut.o.payload.shape().from_bits(word) for word in received]
    frames = [views[start : start + PIXELS] for start in range(0, count, PIXELS)]
    for frame in frames:
        assert [view["final"] for view in frame] == [0] * (PIXELS - 1) + [1]
    return [([view["data"] for view in frame], (frame[-1]["last"], frame[-1]["drop"]))
            for frame in frames]


def wanted(dut, pictures, stop):
    """Frames of the pictures, by the rules."""
    found, sample, frame = [], 0, 0
    for words, drop in pictures:
        while True:
            last = frame == FRAMES - 1 or bool(drop) or (sample, frame) in stop
            found.append((words, (int(last), int(drop))))
            sample, frame = (sample + 1, 0) if last else (sample, frame + 1)
            if frame == 0 or isinstance(dut, Sent):
                break
    return found


@pytest.mark.parametrize("kind", [Replay, Sent])
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.0), (0.0, 0.6)])
def test_frames_of_samples(kind, stalls):
    rng = np.random.default_rng(0)
    pictures = [(rng.integers(256, size=PIXELS).tolist(), place in (2, 6)) for place in range(9)]
    stop = {(1, 0), (3, 1), (4, 0), (5, 2)}
    dut = kind(8, PIXELS, FRAMES)
    assert handed_on(dut, pictures, stop, stalls) == wanted(dut, pictures, stop)


def test_replay_at_full_speed():
    """A pixel every cycle, but for one cycle behind the frame that arrives."""
    dut, received, given = Replay(8, PIXELS, FRAMES), [], []
    payloads = [{"data": word, "final": word % PIXELS == PIXELS - 1, "drop": 0}
                for word in range(4 * PIXELS)]
    count = FRAMES * len(payloads)
    simulate(dut, source(dut.i, payloads), sink(dut.o, count, received, log=given))
    gaps = np.diff(given).tolist()
    assert gaps == [1 + (place % (FRAMES * PIXELS) == PIXELS) for place in range(1, count)]


def test_large_memories_begin_with_anything():
    """As those of a device do; a small one, which the bitstream fills, begins with zeros."""
    texts = [to_verilog(Replay(24, 1024, 2, large=large), Naming("frames"))
             for large in (False, True)]
    assert ["initial begin" in text for text in texts] == [True, False]
    assert ['ram_style = "huge"' in text for text in texts] == [False, True]


@pytest.mark.slow
def test_large_memories_of_a_device(tmp_path):
    """1,024 pixels of 24 bits are two of the large memories of a UP5K, or six of the small ones."""
    found = {}
    for large in (False, True):
        folder = tmp_path / str(large)
        folder.mkdir()
        text = to_verilog(Replay(24, 1024, 2, large=large), Naming("frames"))
        synth.netlist(text, "frames", "ice40", folder)
        netlist = (folder / "netlist.v").read_text(encoding="utf-8")
        found[large] = [netlist.count(f"  {cell} ") for cell in ("SB_RAM40_4K", "SB_SPRAM256KA")]
    assert found == {False: [6, 0], True: [0, 2]}
