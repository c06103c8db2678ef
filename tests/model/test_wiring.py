"""Wiring: no source twice in a node, even use, and locality where it was asked for."""

import numpy as np
import pytest

pytest.importorskip("torch")

from bitwright.model.wiring import (
    Geometry,
    butterfly,
    centres,
    choose,
    of_channels,
    serial,
    windows,
    wire_length,
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("width", "count", "fan_in"), [(6, 4, 6), (64, 100, 4), (300, 77, 6)])
def test_choose_repeats_nothing_and_uses_all_evenly(seed, width, count, fan_in):
    sources = choose(width, count, fan_in, np.random.default_rng(seed))
    assert sources.shape == (count, fan_in)
    assert all(len(set(row)) == fan_in for row in sources.tolist())
    used = np.bincount(sources.ravel(), minlength=width)
    assert used.max() - used.min() <= 1


@pytest.mark.parametrize("seed", range(3))
def test_choose_stays_within_the_candidates(seed):
    rng = np.random.default_rng(seed)
    candidates = np.sort(rng.permuted(np.tile(np.arange(30), (20, 1)), axis=1)[:, :7], axis=1)
    sources = choose(candidates, 20, 4, rng)
    for row, allowed in zip(sources.tolist(), candidates.tolist(), strict=True):
        assert len(set(row)) == 4
        assert set(row) <= set(allowed)


def test_choose_refuses_too_few_candidates():
    with pytest.raises(ValueError, match=r"^A node of 4 inputs needs as many bits to choose from, "
                                         r"not 3$"):
        choose(3, 10, 4, np.random.default_rng(0))


def test_butterfly_is_that_of_a_fourier_transform():
    assert butterfly(8, 12, 2).tolist() == [
        [0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6],
        [3, 7]]


@pytest.mark.parametrize("groups", [1, 5])
@pytest.mark.parametrize(("width", "count", "fan_in"), [
    (64, 100, 2), (7, 40, 6), (9, 20, 4), (1568, 1000, 6), (300, 75, 6), (300, 15, 4), (6, 5, 6)])
def test_butterfly_repeats_nothing_and_uses_all_evenly(width, count, fan_in, groups):
    sources = butterfly(width, count, fan_in, groups)
    assert sources.shape == (count, fan_in)
    assert all(len(set(row)) == fan_in for row in sources.tolist())
    used = np.bincount(sources.ravel(), minlength=width)
    assert used.max() - used.min() <= 1


def test_groups_of_nodes_take_turns():
    assert serial(9, 6, 2).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 0], [1, 2]]
    assert serial(9, 6, 2, groups=3).tolist() == [[0, 1], [6, 7], [2, 3], [8, 0], [4, 5], [1, 2]]
    few = butterfly(1000, 20, 4, groups=2)  # every group reads from end to end
    assert few[:10].min() < 100 < 850 < few[:10].max()
    assert few[10:].min() < 100 < 850 < few[10:].max()


def test_bits_of_channels():
    assert of_channels(3, 4, np.array([[1], [3]])).tolist() == [[1, 5, 9], [3, 7, 11]]
    assert of_channels(2, 4, np.array([[0, 2]])).tolist() == [[0, 2, 4, 6]]


def test_geometry_of_an_image():
    geometry = Geometry.of((2, 4), depth=3)
    assert geometry.width == 24
    assert geometry.dimensions == 2
    assert geometry.sites[5].tolist() == [0.75, 0.375]
    assert geometry.places[5 * 3 + 2].tolist() == [0.75, 0.375]


def test_geometry_of_a_row():
    geometry = Geometry.of((4,), depth=2)
    assert geometry.sites[:, 0].tolist() == [0.125, 0.375, 0.625, 0.875]
    assert geometry.width == 8


@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize(("count", "groups"), [(1, 1), (40, 1), (60, 3), (37, 1), (1000, 10)])
def test_centres_cover_the_field_for_each_group(dimensions, count, groups):
    places = centres(count, dimensions, groups)
    assert places.shape == (count, dimensions)
    assert places.min() > 0
    assert places.max() < 1
    each = places.reshape(groups, -1, dimensions)
    assert (each == each[0]).all()
    assert np.allclose(each[0].mean(axis=0), 0.5, atol=0.02)
    if count // groups >= 16:
        quadrants = np.unique(each[0] > 0.5, axis=0)
        assert len(quadrants) == 2**dimensions


def test_centres_refuse_unequal_groups():
    with pytest.raises(ValueError, match=r"^Width must be a multiple of 10 classes, not 25$"):
        centres(25, 2, 10)


def test_windows_are_square_patches_with_all_bits_of_a_site():
    geometry = Geometry.of((5, 5), depth=2)
    row, = windows(geometry, np.array([[0.5, 0.5]]), 9)
    sites = [5 * y + x for y in (1, 2, 3) for x in (1, 2, 3)]
    assert row.tolist() == [bit for site in sites for bit in (2 * site, 2 * site + 1)]


def test_windows_at_the_border_are_as_large():
    row, = windows(Geometry.of((5, 5)), np.array([[0.0, 0.0]]), 4)
    assert row.tolist() == [0, 1, 5, 6]


def test_windows_refuse_more_than_there_is():
    with pytest.raises(ValueError, match=r"^Window must be between 1 and 25 sites, not 26$"):
        windows(Geometry.of((5, 5)), np.array([[0.5, 0.5]]), 26)


def test_wire_length_of_known_wires():
    geometry = Geometry.line(4)
    assert wire_length(geometry, np.array([[0.125]]), np.array([[0, 2]])) == pytest.approx(0.25)


def test_windows_are_more_local_than_random_wiring():
    geometry, at = Geometry.of((16, 16)), centres(200, 2)
    rng = np.random.default_rng(0)
    far = wire_length(geometry, at, choose(geometry.width, 200, 4, rng))
    near = wire_length(geometry, at, choose(windows(geometry, at, 16), 200, 4, rng))
    assert far > 0.3
    assert near < far / 3
