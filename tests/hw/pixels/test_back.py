"""Scores of frames become results, as soon as they may."""

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.pixels.back import Back
from bitwright.hw.rtl.pixels.front import SAMPLES
from tests.hw.pixels.pictures import expected, network, results
from tests.hw.streams import simulate, sink, source

FRAMES, COUNT = 4, 12


def asked(plan, scores, dropped=(), surplus=0, stall=0.0):
    """Results of samples, and how many frames were handed over of each.

    Parameters
    ----------
    scores : array, shape (frames, samples, classes)
    dropped : samples that are malformed, after their first frame
    surplus : frames that still come when the back has its result
    """
    subject = network(frames=FRAMES, classes=scores.shape[2])
    dut, received, handed = Back(subject, plan), [], []

    async def send(ctx):
        for sample in range(scores.shape[1]):
            late = 0
            for frame in range(FRAMES):
                await ctx.tick().repeat(scores.shape[2] + 4)  # time enough for a result
                if plan.early_exit and ctx.get(dut.decided.valid):
                    assert ctx.get(dut.decided.sample) == sample % (1 << SAMPLES)
                    late += 1
                drop = sample in dropped
                last = drop or frame == FRAMES - 1 or late > surplus
                ctx.set(dut.frames.payload, {"last": last, "drop": drop})
                ctx.set(dut.frames.valid, 1)
                await source(dut.i, [scores[frame, sample].tolist()])(ctx)
                ctx.set(dut.frames.valid, 0)
                if last:
                    handed.append(frame + 1)
                    break

    count = scores.shape[1] - len(dropped)
    simulate(dut, send, sink(dut.o, count, received, stall))
    return results(dut, received, scores.shape[2]), handed


def drawn(classes, seed=0):
    """Scores of frames, with many ties, and many that agree from frame to frame."""
    subject = network(frames=FRAMES, classes=classes)
    low, high = subject.head.score_range
    rng = np.random.default_rng(seed)
    shape = FRAMES, COUNT, classes
    favourite = np.where(np.arange(classes) == rng.integers(classes, size=(COUNT, 1)), high, low)
    return subject, np.where(rng.random(shape) < 0.7, favourite,
                             rng.integers(low, high + 1, size=shape))


@pytest.mark.parametrize("classes", [2, 5])
def test_sums_and_decisions_of_all_frames(classes):
    _, scores = drawn(classes)
    wanted = expected(ir.Result(scores.sum(axis=0), {}))
    assert asked(Plan(), scores, stall=0.5) == (wanted, [FRAMES] * COUNT)
    dropped = {0, 5, COUNT - 1}
    found, handed = asked(Plan(), scores, dropped)
    assert found == [one for sample, one in enumerate(wanted) if sample not in dropped]
    assert handed == [1 if sample in dropped else FRAMES for sample in range(COUNT)]


@pytest.mark.parametrize("lead", [0, 2])
@pytest.mark.parametrize("surplus", [0, 1, 2])
def test_early_exit_is_that_of_the_evaluator(lead, surplus):
    """Whatever comes after the result is not counted, and the next sample begins anew."""
    subject, scores = drawn(3, seed=surplus)
    exits = ir.Exit.of(subject, lead).apply(scores)
    assert len(set(exits.frames.tolist())) > 1
    found, handed = asked(Plan(early_exit=True, exit_lead=lead), scores, surplus=surplus)
    assert found == expected(exits)
    # With a frame that is told of, the sample ends; a surplus comes first.
    assert handed == [min(FRAMES, count + 1 + surplus) for count in exits.frames.tolist()]
