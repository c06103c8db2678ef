"""Files of one's own: from a table to a data set and to the inputs of a network."""

import re

import numpy as np
import pytest

from bitwright import data, ir
from bitwright.data import DataError, Source

ROWS = [(0.5, -3, "a"), (1.5, 5, "b"), (2.5, 1, "a"), (4.5, 2, "b"), (0.25, 9, "a"), (3, 4, "b")]


def table(folder, text=None, name="x.csv"):
    """A table in a file; left out, six rows of two columns and a label."""
    rows = [",".join(map(str, row)) for row in ROWS]
    path = folder / name
    path.write_text("\n".join(["u,v,what", *rows]) + "\n" if text is None else text, "utf-8",
                    newline="")
    return path


def refused(path, message, **source):
    with pytest.raises(DataError, match=f"^{re.escape(message.replace('PATH', str(path)))}$"):
        data.load(str(path), source=Source(**source))


def network(loaded):
    """One that takes what a data set holds."""
    n = loaded.features.shape[1]
    thresholds = np.full((1, n, 1), 100, np.int32)
    modulate = ir.Modulate(thresholds, loaded.bits, False)
    return ir.Network((ir.Entry("modulate", modulate, ("input",)),
                       ir.Entry("head", ir.GroupSum(n, 2), ("modulate",))), {}, None,
                      loaded.preparation, names=loaded.names)


def test_a_table_becomes_a_data_set(tmp_path):
    loaded = data.load("x.csv", table(tmp_path).parent)
    assert (loaded.classes, loaded.columns, loaded.shape) == (("a", "b"), ("u", "v"), (2,))
    assert (loaded.bits, loaded.signed, loaded.full_scale) == (8, False, 255)
    assert sorted(np.bincount(loaded.y_test)) == [1, 1]
    # Fitted to the training part: its least number is 0, its largest 255.
    assert loaded.features.min(axis=0).tolist() == [0, 0]
    assert loaded.features.max(axis=0).tolist() == [255, 255]


def test_inputs_are_those_of_the_data_set(tmp_path):
    path = table(tmp_path)
    loaded = data.load(str(path))
    inputs = data.read_inputs(path, network(loaded))
    assert inputs.labels == [row[2] for row in ROWS]
    assert inputs.places == [f"line {n}" for n in range(2, 8)]
    assert inputs.targets(network(loaded)).tolist() == [0, 1, 0, 1, 0, 1]
    both = np.concatenate([loaded.features, loaded.x_test])
    assert sorted(map(tuple, both)) == sorted(map(tuple, inputs.features))
    assert inputs.raw.tolist() == [[[np.float32(u), v]] for u, v, _ in ROWS]


def test_columns_are_found_by_name(tmp_path):
    loaded = data.load(str(table(tmp_path)))
    mixed = table(tmp_path, "when,v,u\n1,5,1.5\n", "mixed.csv")
    plain = table(tmp_path, "1.5,5\n", "plain.csv")
    labelled = table(tmp_path, "1.5,5,b\n", "labelled.csv")
    results = [data.read_inputs(path, network(loaded)) for path in (mixed, plain, labelled)]
    assert len({tuple(result.features[0]) for result in results}) == 1
    assert [result.labels for result in results] == [None, None, ["b"]]


def test_what_a_network_was_trained_on(tmp_path):
    path = table(tmp_path, "u;w\n" + "\n".join(f"{'ab'[n % 2]};{n}" for n in range(8)))
    source = {"label": "u", "separator": "semicolon", "seed": 3}
    loaded = data.load(str(path), source=Source(**source))
    again = data.recorded({"data": {"name": str(path)}, "recipe": {"source": source}})
    assert again.digest == loaded.digest


def test_a_hole_is_refused_by_line_and_column(tmp_path):
    path = table(tmp_path, "temp,load,state\n-3.5,17,ok\n2.25,,fault\n8.0,19,ok\n")
    refused(path, "PATH: line 3, column 2 'load' is empty; source.missing = \"median\" puts the "
            'median of its column there, "drop" leaves the line out')
