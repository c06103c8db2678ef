"""Times of pixels without a circuit. That circuits keep to them is in test_stream_core.py."""

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.raster import Raster
from bitwright.hw.schedule import (
    Fit,
    Flow,
    Part,
    StuckError,
    Work,
    alone,
    bottleneck,
    fit,
    run,
)


def slide(name, reads, size, kernel, *, stride=1, padding=0, pace=1, latency=2):
    window = ir.Window(size, size, 1, (kernel, kernel), (stride, stride), (padding,) * 4)
    return Part(name, (reads,), Raster(window), pace, latency)


def document(pace):
    """Convolutions and pools as in a network for pictures of 16 by 16 pixels, balanced."""
    return Flow("m", 256, 1, (
        slide("c0", "m", 16, 3, padding=1, pace=pace, latency=pace + 4),
        slide("c1", "c0", 16, 3, padding=1, pace=pace, latency=pace + 4),
        slide("p0", "c1", 16, 2, stride=2),
        slide("c2", "p0", 8, 3, padding=1, pace=4 * pace, latency=4 * pace + 4),
        slide("p1", "c2", 8, 2, stride=2),
        slide("c3", "p1", 4, 3, pace=64 * pace, latency=64 * pace + 4)), ("c3",))


def residual(latency):
    """A pixel goes on at once, and through a window."""
    return Flow("m", 64, 1, (slide("c", "m", 8, 3, padding=1, latency=latency),
                             Part("j", ("m", "c"))), ("j",))


def test_one_part_by_hand():
    """Three by three places of five by five pixels, with three cycles each."""
    part = slide("c", "m", 5, 3, pace=3, latency=4)
    # 13 pixels until the first window, then all others, while the last pixels of a row go by.
    assert alone(part) == (13 + 8 * 3, 3 + 4)


def test_a_window_of_one_pixel():
    assert alone(slide("c", "m", 4, 1, latency=3)) == (16, 1 + 3)
    assert alone(slide("c", "m", 4, 1, pace=5, latency=7)) == (80, 5 + 7)


@pytest.mark.parametrize("pace", [1, 2, 5])
def test_balanced_folds_do_not_wait(pace):
    """The slowest part works nine cycles of ten, and none is slower than it."""
    flow = document(pace)
    found = fit(flow)
    slowest = max(alone(part)[0] for part in flow.parts)
    assert found.interval == max(slowest, flow.pixels)
    busy = {part.name: part.pace * flow.count(part.name) / found.interval for part in flow.parts}
    assert min(busy[name] for name in ("c0", "c1", "c2", "c3")) > 0.9


@pytest.mark.parametrize("flow", [document(1), document(3), residual(2), residual(9)])
def test_one_place_less_is_slower_or_stuck(flow):
    found = fit(flow)
    assert any(count > 2 for count in found.places.values())
    left = run(flow, found.places, 6).left
    assert set(np.diff(left[1:])) == {found.interval}
    for edge, count in found.places.items():
        if count == 1:
            continue
        try:
            left = run(flow, {**found.places, edge: count - 1}, 6).left
        except StuckError:
            continue
        assert max(np.diff(left[1:])) > found.interval


def test_a_join_waits_for_what_the_window_holds_back():
    """A row and a pixel, as long as it takes to come out, and what the other buffers hold."""
    flow = residual(2)
    found = fit(flow)
    assert found.places["m", "j"] == 15
    with pytest.raises(StuckError, match=r"^0 of 5 frames have left$"):
        run(flow, {**found.places, ("m", "j"): 9}, 5)


def test_pixels_that_come_slowly():
    """Their source is what all wait for."""
    flow = document(1)
    slow = Flow(flow.source, flow.pixels, 3, flow.parts, flow.readers)
    assert fit(slow).interval == 3 * 256


def test_what_leaves_is_held_back():
    flow = document(1)
    slow = Flow(flow.source, flow.pixels, 1, flow.parts, flow.readers, 1000)
    found = fit(slow)
    assert found.interval == 1000
    assert isinstance(found, Fit)


def test_the_bottleneck_is_named():
    works = [Work("a", "streamed", 5, 3), Work("b", "folded", 9, 9), Work("c", "folded", 9, 9)]
    assert bottleneck(works).node == "b"
