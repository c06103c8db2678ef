"""Data sets of OpenML: files in the form in which its server gives them, and no server at all."""

import gzip
import hashlib
import json
import re
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from bitwright import data
from bitwright.data import DataError, Source, openml, places
from bitwright.extras import MissingError

ARFF = """% A comment
@RELATION sensors
@ATTRIBUTE 'ax y' REAL
@ATTRIBUTE run INTEGER
@ATTRIBUTE kind {red,'dark blue'}
@ATTRIBUTE class {walk,'fall down'}
@DATA
0.5,1,red,walk
1.5,1,'dark blue','fall down'
2.5,2,red,walk
3.5,2,red,'fall down'
4.5,3,red,walk
5.5,3,red,'fall down'
"""
COLUMNS = [("ax y", "numeric", "false"), ("run", "numeric", "false"), ("kind", "nominal", "false"),
           ("class", "nominal", "true")]


def served(root, number, arff=ARFF, columns=COLUMNS, **changes):
    """What a download leaves in a folder."""
    def write(name, content):
        path = root / "openml" / "openml.org" / f"{name}.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content.encode()))

    rows = arff.partition("@DATA\n")[2].count("\n")
    description = {"id": str(number), "name": "sensors", "version": "1", "format": "ARFF",
                   "status": "active", "file_id": "77", "description": "Made for this test.",
                   "url": "https://api.openml.org/data/v1/download/77/sensors.arff",
                   "md5_checksum": hashlib.md5(arff.encode()).hexdigest()} | changes
    write(f"api/v1/json/data/{number}", json.dumps({"data_set_description": description}))
    features = [{"index": str(n), "name": name, "data_type": kind, "is_target": target,
                 "is_ignore": "false", "is_row_identifier": "false",
                 "number_of_missing_values": "0"}
                for n, (name, kind, target) in enumerate(columns)]
    write(f"api/v1/json/data/features/{number}",
          json.dumps({"data_features": {"feature": features}}))
    write(f"api/v1/json/data/qualities/{number}", json.dumps(
        {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": str(rows)}]}}))
    write("data/v1/download/77/sensors.arff", arff)
    return root


@pytest.fixture(autouse=True)
def no_server(monkeypatch, tmp_path):
    """Whatever asks for the net is told that there is none; nothing is written at home."""
    import sklearn.datasets._openml as module

    def urlopen(request, *args, **kwargs):
        raise OSError("no network in a test")

    monkeypatch.setattr(module, "urlopen", urlopen)
    monkeypatch.setattr(places, "CACHE", tmp_path / "cache")
    monkeypatch.delenv(places.ENVIRONMENT, raising=False)


def test_a_table(tmp_path):
    source = Source(ignore="kind")
    loaded = data.load("openml:5", served(tmp_path, 5), source)
    assert (loaded.name, loaded.classes) == ("openml:5", ("fall down", "walk"))
    assert loaded.columns == ("ax y", "run")
    assert (len(loaded.labels), len(loaded.y_test)) == (4, 2)
    again = data.recorded({"data": {"name": "openml:5"}, "recipe": {"source": {"ignore": "kind"}}},
                          tmp_path)
    assert again.digest == loaded.digest


def test_recordings(tmp_path):
    loaded = data.load("openml:5", served(tmp_path, 5), Source(ignore="3", group="run"))
    assert loaded.columns == ("ax y",)
    assert (len(loaded.labels), len(loaded.y_test), loaded.y_test.tolist()) in [(4, 2, [1, 0])]


def test_numbers_as_targets(tmp_path):
    source = Source(task="regression", label="ax y", ignore="kind,class")
    loaded = data.load("openml:5", served(tmp_path, 5), source)
    assert (loaded.answers, loaded.columns) == (("ax y",), ("run",))
    assert sorted([*loaded.labels, *loaded.y_test]) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_jets(tmp_path):
    """The form of data set 42468: sixteen numbers, five classes."""
    rng = np.random.default_rng(0)
    names = [f"f{n}" for n in range(16)]
    columns = [*((name, "numeric", "false") for name in names), ("class", "nominal", "true")]
    head = "".join(f"@ATTRIBUTE {name} REAL\n" for name in names)
    rows = "".join(f"{','.join(f'{x:.4f}' for x in rng.normal(size=16))},{'gqtwz'[n % 5]}\n"
                   for n in range(100))
    arff = f"@RELATION jets\n{head}@ATTRIBUTE class {{g,q,t,w,z}}\n@DATA\n{rows}"
    loaded = data.load("jsc", served(tmp_path, openml.JETS, arff, columns))
    assert (loaded.name, loaded.classes, loaded.shape) == ("jsc", tuple("gqtwz"), (16,))
    assert (len(loaded.labels), len(loaded.y_test)) == (75, 25)


QUOTED = "'fall down'"
HOLE = ARFF.replace("2.5,2", "?,2")


@pytest.mark.parametrize(("arff", "source", "message"), [
    (ARFF, {}, ("openml:5: column 'kind' must hold numbers, and holds names of classes; "
               'source.ignore = "kind" leaves it out')),
    (HOLE, {"ignore": "kind"}, ('openml:5: row 3, column 1 must be a number (source.missing = '
                                '"median" puts the median of its column there, "drop" leaves the '
                                "row out), not nan")),
    (ARFF, {"ignore": "colour"}, ("openml:5: source.ignore = 'colour' names no column; there are 3 "
                                  "columns, the first is 'ax y'")),
    (ARFF.partition("0.5")[0], {}, "openml:5: holds no sample"),
    (ARFF.replace("0.5", "half"), {}, "openml:5: is not to be had from www.openml.org, nor whole "),
    (ARFF, {"label": "what"}, "openml:5: is not to be had from www.openml.org, nor whole in "),
    (ARFF, {"test": "x.csv"}, ("openml:5: must be openml: and the number of a data set of OpenML, "
                               "without a source.test")),
])
def test_refusals(tmp_path, arff, source, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}") as error:
        data.load("openml:5", served(tmp_path, 5, arff), Source(**source))
    assert "\n" not in str(error.value)


def test_missing_numbers(tmp_path):
    served(tmp_path, 5, HOLE)
    loaded = data.load("openml:5", tmp_path, Source(ignore="kind", missing="drop"))
    assert len(loaded.labels) + len(loaded.y_test) == 5
    assert data.load("openml:5", tmp_path, Source(ignore="kind", missing="median")
                     ).preparation.fills


def test_no_window_goes_over_a_row_that_was_dropped(tmp_path):
    rows = "".join(f"{'?' if n == 20 else n},1,red,{('walk', QUOTED)[n // 10 % 2]}\n"
                   for n in range(40))
    served(tmp_path, 5, ARFF.partition("0.5")[0] + rows)
    loaded = data.load("openml:5", tmp_path, Source(ignore="2,3", missing="drop", window=2,
                                                    bits=16))
    made = loaded.preparation
    both = np.concatenate([loaded.features, loaded.x_test])
    steps = np.rint(both / made.scale[0] + made.offset[0])
    assert set((steps[:, 1] - steps[:, 0]).tolist()) == {1}


def test_numbers_that_binary32_does_not_tell_apart(tmp_path):
    rows = "".join(f"{1700000000 + n},1,red,walk\n{1700000000 + n},2,red,'fall down'\n"
                   for n in range(20))
    served(tmp_path, 5, ARFF.partition("0.5")[0] + rows)
    with pytest.raises(DataError, match=r"^openml:5: column 'ax y': 20 different numbers are "
                       "only 1 in binary32; subtract an offset from them, or scale them$"):
        data.load("openml:5", tmp_path, Source(ignore="kind"))


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingError, match=r"^scikit-learn is not installed; install it with "
                       r"`pip install 'bitwright\[data\]'`$"):
        data.load("openml:5")


def test_another_file_than_was_promised(tmp_path):
    served(tmp_path, 5, md5_checksum="0" * 32)
    with pytest.raises(DataError, match=r"^openml:5: is not to be had from www\.openml\.org, nor "):
        data.load("openml:5", tmp_path)


def test_without_a_net(tmp_path):
    roots = f"{tmp_path / 'openml'}, {tmp_path / 'cache' / 'openml'}"
    message = re.escape(f"jsc: is not to be had from www.openml.org, nor whole in {roots} (no ")
    with pytest.raises(DataError, match=f"^{message}network in a test\\)$"):
        data.load("jsc", tmp_path)


@pytest.mark.parametrize("name", ["openml:", "openml:iris", "openml:-3", "openml:1 2"])
def test_names(name):
    with pytest.raises(DataError, match=f"^{name}: must be openml: and the number of a data set of "
                                        "OpenML, without a source.test$"):
        data.load(name)
