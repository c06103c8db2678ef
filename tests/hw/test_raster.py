"""Steps of a window over an image that comes pixel by pixel."""

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.raster import Axis, Raster


def window(size, kernel, stride=(1, 1), padding=(0, 0, 0, 0), border="zero", dilation=(1, 1)):
    return ir.Window(*size, 1, kernel, stride, padding, border, dilation)


def test_an_axis_by_hand():
    """Five columns, three of them seen, one added at each end."""
    axis = Axis(5, 3, 1, 1, 1, 1, "zero")
    assert axis.sources == ((None, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, None))
    assert (axis.ahead, axis.reach) == (1, 2)
    assert [axis.back(position, 0) for position in range(5)] == [None, 2, 2, 2, 2]


@pytest.mark.parametrize(("border", "first", "last"), [
    ("zero", (None, 0), (4, None)), ("one", (None, 0), (4, None)), ("replicate", (0, 0), (4, 4)),
    ("reflect", (1, 0), (4, 3)),
])
def test_borders_by_hand(border, first, last):
    axis = Axis(5, 2, 5, 1, 1, 1, border)
    assert axis.sources[0] == first
    assert Axis(5, 2, 1, 1, 1, 1, border).sources[-1] == last


@pytest.mark.parametrize(("shape", "pitch", "steps"), [
    (window((4, 5), (3, 3)), 5, 20),
    (window((4, 5), (1, 1)), 5, 20),
    # What is added below and at the right: another row, and the first place of the next.
    (window((4, 5), (3, 3), padding=(1, 1, 1, 1)), 5, 26),
    (window((4, 5), (3, 3), padding=(2, 0, 2, 0)), 5, 20),
    (window((4, 5), (1, 1), padding=(0, 0, 1, 1)), 7, 28),  # more positions than pixels
    (window((6, 6), (2, 2), (4, 4)), 6, 36),  # the last row and column are not seen, and come
])
def test_steps_by_hand(shape, pitch, steps):
    raster = Raster(shape)
    assert (raster.pitch, raster.steps) == (pitch, steps)


@pytest.mark.parametrize("seed", range(60))
def test_every_place_of_every_position(seed):
    """What is kept holds each pixel that a position needs, and not one that has yet to come."""
    rng = np.random.default_rng(seed)
    window = ir.Window.sample(rng, 1)
    raster = Raster(window)
    assert (raster.rows.positions, raster.columns.positions) == window.shape
    assert sum(map(raster.takes, range(raster.steps))) == window.height * window.width
    index = window.index.reshape(*window.shape, *window.kernel)
    found = np.full(index.shape, window.in_width)
    for row, column, y, x in np.ndindex(index.shape):
        step = raster.rows.complete(row) * raster.pitch + raster.columns.complete(column)
        back = raster.rows.back(row, y), raster.columns.back(column, x)
        if None in back:
            found[row, column, y, x] += window.border == "one"
            continue
        assert back[0] <= raster.rows.reach
        assert back[1] <= raster.columns.reach
        at = raster.rows.complete(row) - back[0], raster.columns.complete(column) - back[1]
        assert at[0] * raster.pitch + at[1] <= step < raster.steps
        found[row, column, y, x] = at[0] * window.width + at[1]
    assert (found == index).all()
    complete = [raster.rows.complete(row) * raster.pitch + raster.columns.complete(column)
                for row, column in np.ndindex(window.shape)]
    assert complete == np.flatnonzero(raster.completed).tolist()  # in order, one a step
