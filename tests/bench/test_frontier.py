"""Accuracy over LUTs: trainings that are kept and gone on with, the choice, table and picture."""

import json

import pytest

from bench import frontier
from bench.frontier_rows import ROWS, Row
from bitwright.errors import UsageError
from bitwright.model.recipe import load_recipe, recipe_names

IRIS = Row("iris", "MNIST", "serial", ("--target", "xilinx"), 500, 90.0)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Two seeds of iris, trained as the bench trains."""
    folder = tmp_path_factory.mktemp("frontier")
    args = frontier.parser().parse_args(["run", "--out", str(folder)])
    for seed in (0, 1):
        frontier._train(IRIS, seed, args)
    return folder


def built(out, luts):
    (out / f"iris.{frontier.BUILT}").write_text(json.dumps({
        "network": "", "seed": "iris-seed0", "total": {"luts": luts}, "cycles": 4,
        "parts": {"encoder": 10, "core": 20, "head": 30, "other": 2}}), encoding="utf-8")


def test_rows_are_recipes_of_data_that_are_there():
    names = {"MNIST": "mnist", "Fashion-MNIST": "fashion-mnist"}
    for row in ROWS:
        assert row.recipe in recipe_names()
        assert load_recipe(row.recipe).data == names[row.data]


def test_seeds_differ_and_are_kept(out):
    folders = frontier.networks(IRIS, out)
    assert [folder.name for folder in folders] == ["iris-seed0", "iris-seed1"]
    first, second = ((folder / "network.safetensors").read_bytes() for folder in folders)
    assert first != second
    frontier._train(IRIS, 0, frontier.parser().parse_args(["run", "--out", str(out)]))
    assert (folders[0] / "network.safetensors").read_bytes() == first


def test_validation_chooses(out, monkeypatch):
    told = {"iris-seed0": {"validation": 0.9, "test": 1.0},
            "iris-seed1": {"validation": 0.95, "test": 0.5}}
    monkeypatch.setattr(frontier, "_accuracy", lambda folder: told[folder.name])
    assert frontier.chosen(IRIS, out).name == "iris-seed1"


def test_table_counts_everything(out, capsys, monkeypatch):
    built(out, 62)
    monkeypatch.setattr(frontier, "ROWS", (IRIS,))
    assert frontier.main(["table", "--out", str(out)]) == 0
    line = capsys.readouterr().out.splitlines()[2]
    assert line.startswith("| `iris` | serial | 2 | ")
    assert " | 90 | 10 / 20 / 30 / 2 | 62 | 500 | 4 | " in line


def test_picture(out, tmp_path, monkeypatch):
    built(out, 62)
    monkeypatch.setattr(frontier, "ROWS", (IRIS,))
    picture = tmp_path / "frontier.png"
    assert frontier.main(["draw", "--out", str(out), "--picture", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_row_that_is_not_there_is_named():
    args = frontier.parser().parse_args(["table", "--rows", "mnist-serial-1000,what"])
    with pytest.raises(UsageError) as error:
        frontier.work(args)
    assert str(error.value) == ("--rows must name rows of "
                                f"{', '.join(row.recipe for row in ROWS)}, not 'what'")
