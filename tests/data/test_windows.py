"""Windows of time series: of one recording each, and a recording on one side of a split."""

import re

import numpy as np
import pytest

from bitwright import data
from bitwright.data import DataError, Source
from bitwright.data.samples import Samples
from bitwright.data.windows import windows


def rows(count, labels=None, groups=None, breaks=()):
    values = np.arange(2.0 * count, dtype=np.float32).reshape(count, 1, 2)
    places = [f"line {n}" for n in range(count)]
    return Samples("x.csv", values, list(labels) if labels else None, places, ("u", "v"), "what",
                   list(groups) if groups else None, frozenset(breaks))


def starts(found):
    return [int(window[0, 0]) // 2 for window in found.values]


def test_length_and_step():
    found = windows(rows(10), Source(window=4, step=3))
    assert found.values.shape == (3, 4, 2)
    assert starts(found) == [0, 3, 6]
    assert found.values[1].tolist() == [[6, 7], [8, 9], [10, 11], [12, 13]]
    assert found.places == ["line 3", "line 6", "line 9"]
    assert starts(windows(rows(5), Source(step=2))) == [0, 2, 4]
    same = rows(3)
    assert windows(same, Source()) is same


def test_no_window_goes_over_the_end_of_a_recording_or_a_row_that_was_dropped():
    assert starts(windows(rows(9, groups="aaaabbbba"), Source(window=3))) == [0, 1, 4, 5]
    assert starts(windows(rows(9, breaks={4}), Source(window=3))) == [0, 1, 4, 5, 6]
    found = windows(rows(6, groups="aabbaa"), Source(window=2))
    assert found.groups == ["a", "b", "a"]


@pytest.mark.parametrize(("vote", "labels"), [("majority", ["a", "b", "b"]),
                                              ("last", ["b", "b", "a"])])
def test_label(vote, labels):
    assert windows(rows(5, labels="aabba"), Source(window=3, vote=vote)).labels == labels
    assert windows(rows(5, labels="aaaba"), Source(window=3, vote=vote)).labels == (
        ["a", "a", "a"] if vote == "majority" else ["a", "b", "a"])
    assert windows(rows(4, labels="abab"), Source(window=4)).labels == ["a"]  # the first of equal


def test_numbers_as_labels():
    source = Source(window=2, task="regression")
    assert windows(rows(3, labels=["1", "2", "4.5"]), source).labels == ["1.5", "3.25"]


def test_too_short():
    with pytest.raises(DataError, match=r"^x\.csv: no recording has the 4 rows of a window; there "
                                        r"are 6 rows in 2$"):
        windows(rows(6, groups="aaabbb"), Source(window=4))


def table(folder, recordings=12, length=30):
    rng = np.random.default_rng(0)
    lines = ["run,u,v,what"]
    for run in range(recordings):
        lines += [f"r{run},{run * 1000 + row},{rng.normal():.3f},{'ab'[run % 2]}"
                  for row in range(length)]
    path = folder / "x.csv"
    path.write_text("\n".join(lines))
    return path


def recordings(features, loaded):
    """Recordings that windows are of, as their first column tells."""
    made = loaded.preparation
    first = features.reshape(len(features), *made.shape)[:, :, 0] / made.scale[0] + made.offset[0]
    return {int(np.floor(value / 1000 + 0.1)) for value in first.ravel()}


def test_a_recording_is_on_one_side(tmp_path):
    source = Source(window=5, step=2, group="run", bits=16)
    loaded = data.load(str(table(tmp_path)), source=source)
    train, test = recordings(loaded.features, loaded), recordings(loaded.x_test, loaded)
    assert not train & test
    assert len(train | test) == 12
    assert (loaded.shape, loaded.columns) == ((5, 2), ("u", "v"))
    assert len(set(loaded.groups)) == len(train)


def test_without_recordings_no_row_is_on_both_sides(tmp_path):
    source = Source(window=5, ignore="run", bits=16)
    loaded = data.load(str(table(tmp_path)), source=source)
    made = loaded.preparation

    def values(features):
        first = features.reshape(len(features), 5, 2)[:, :, 0] / made.scale[0] + made.offset[0]
        return set(first.ravel().round().astype(int).tolist())

    assert not values(loaded.features) & values(loaded.x_test)
    assert len(set(loaded.groups)) < 20


def test_what_a_window_may_not_be(tmp_path):
    path = table(tmp_path)
    with pytest.raises(DataError, match=re.escape(f"{path}: no recording has the 31 rows of a ")):
        data.load(str(path), source=Source(window=31, group="run"))
    with pytest.raises(DataError, match=r"x\.csv: all windows together must have at most "
                                        r"2,147,483,648 bytes, not "):
        windows(Samples("x.csv", np.zeros((70000, 1, 9), np.float32), None, range(70000)),
                Source(window=30000))
