"""From a file of one's own to a frozen network, by the commands."""

import json
import re
import tomllib
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from bitwright import data, ir
from bitwright.data import DataError, Source
from bitwright.model import catalogue, train
from bitwright.model.proposal import first_recipe, named, propose
from bitwright.model.recipe import Recipe, RecipeError, load_recipe, recipe_names
from bitwright.model.training.trainer import Trainer


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of two columns, in the working directory."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [(*rng.normal(3 * (n % 2), size=2).round(3), "ab"[n % 2]) for n in range(80)]
    text = "state,u,v\n" + "\n".join(f"{label},{u},{v}" for u, v, label in rows)
    (tmp_path / "readings ä.csv").write_text(text, "utf-8")
    return tmp_path


def test_two_commands(table, capsys):
    argv = ["new", "--data", "readings ä.csv", "--source", "label=state", "--out", "first.toml"]
    assert catalogue.main(argv) == 0
    assert capsys.readouterr().out == "first.toml\n"
    text = (table / "first.toml").read_text("utf-8")
    head = ("# A first recipe for readings ä.csv, by rules of thumb: docs/own-data.md has them.\n"
            "# Train with it: bitwright train first.toml\n\n")
    assert text.startswith(head)
    assert train.main(["first.toml", "--set", "epochs=3"]) == 0
    network = ir.load(table / "runs" / "readings-ä" / "network.safetensors")
    assert network.names == ir.Names(("a", "b"), ("u", "v"))
    assert network.preparation.shape == (1, 2)
    # What was trained on can be had again, from the file alone, and new rows too.
    again = data.recorded(network.provenance)
    assert again.digest == network.provenance["data"]["digest"]
    (table / "new.csv").write_text("v,u\n0.5,-3\n")
    inputs = data.read_inputs("new.csv", network)
    assert inputs.raw.tolist() == [[[-3, 0.5]]]


def test_one_command(table, capsys):
    argv = ["--data", "readings ä.csv", "--set", "source.label=state", "--set", "epochs=2",
            "--set", "layers.0.width=20", "--seed", "3"]
    assert train.main(argv) == 0
    written = tomllib.loads((table / "runs/readings-ä/recipe.toml").read_text("utf-8"))
    assert (written["data"], written["source"]["label"]) == ("readings ä.csv", "state")
    assert (written["seed"], written["epochs"], written["layers"][0]["width"]) == (3, 2, 20)
    assert train.main([*argv[:2], "--resume"]) == 0
    assert train.main(argv) == 1  # the folder holds a run


def test_a_recipe_for_other_data(table):
    (table / "own.toml").write_text('data = "digits"\nlayers = [{kind = "lut", width = 20, '
                                    'fan_in = 2, window = 2}]\n')
    argv = ["own.toml", "--data", "readings ä.csv", "--set", "source.label=1", "--set", "epochs=1"]
    assert train.main(argv) == 0
    written = load_recipe("runs/own/recipe.toml")
    assert (written.data, written.source.label) == ("readings ä.csv", "1")


def test_what_is_refused(table, caplog, capsys):
    def refused(message, command, *argv, status=1):
        caplog.clear()
        assert command.main(list(argv)) == status
        assert [record.getMessage() for record in caplog.records] == [message]

    refused("recipes new needs --data DATA", catalogue, "new", status=2)
    refused("--data, --source and --out are for a new recipe: recipes new --data DATA", catalogue,
            "--data", "digits", status=2)
    refused("--source: bits must be between 1 and 16, not 17", catalogue, "new", "--data", "x.csv",
            "--source", "bits=17", status=2)
    (table / "digits.toml").write_text("")
    refused("digits.toml: is there already; --force replaces it, --out names another file",
            catalogue, "new", "--data", "digits")
    refused("readings ä.csv: line 2: class '-0.132' has one sample, and must have two at least; "
            'numbers as labels need source.task = "regression"', train, "--data", "readings ä.csv",
            "--set", "source.ignore=state")
    refused("source.bits must be between 1 and 16, not 17", train, "--data", "readings ä.csv",
            "--set", "source.bits=17")


def test_recipes_are_listed(capsys):
    assert catalogue.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == recipe_names()
    assert lines[recipe_names().index("iris")].split(maxsplit=1)[1].startswith("Three species of ")


@pytest.mark.parametrize(("name", "expected"), [
    ("a/readings.csv", "readings"), ("openml:42468", "openml-42468"), ("my data.zip", "my-data"),
    ("...", "own"), ("grüße.csv", "grüße"), ("x\n.csv", "x"),
])
def test_names(name, expected):
    assert named(name) == expected


def loaded(shape, classes, samples, preparation=None):
    features = np.zeros((samples, int(np.prod(shape))), np.int32)
    labels = np.arange(samples) % max(classes, 1)
    names = {"classes": tuple(f"c{n}" for n in range(classes))} if classes else {
        "classes": (), "answers": ("mm",)}
    return data.DataSet("x.csv", features, labels, features[:1], labels[:1], 8, False, 255, shape,
                        preparation=preparation, **names)


@pytest.mark.parametrize(("of", "depth", "widths", "levels"), [
    (((2,), 2, 50), 16, [80], "quantile"), (((30,), 3, 500), 16, [120], "quantile"),
    (((4096,), 2, 100), 1, [80], "quantile"), (((10,), 300, 6000), 16, [1200], "quantile"),
    (((8, 8), 10, 1000), 2, [600, 400], "even"), (((32, 32, 3), 10, 9000), 2, [600, 400], "even"),
    (((10,), 0, 300), 64, [], "quantile"), (((2,), 1000, 2000), 16, [4000], "quantile"),
])
def test_rules_of_thumb(of, depth, widths, levels):
    values = propose(loaded(*of), Source())
    recipe = Recipe.of(values)
    assert recipe.modulate.depth == depth
    assert [layer.width for layer in recipe.layers] == widths
    assert recipe.modulate.levels == levels
    assert recipe.epochs == (100 if of[2] < 5000 else 30)
    assert 16 <= recipe.batch <= 128
    assert json.dumps(values)  # plain


def test_what_has_one_sample_a_class_left_gets_no_recipe(table, caplog):
    (table / "many.csv").write_text("".join(f"{n},{n % 7},c{n % 300}\n" for n in range(600)))
    message = ("none can be set aside for validation, as no class has two samples to train on, the "
               "first is 'c0'; add samples, or name a file of test samples with source.test")
    assert catalogue.main(["new", "--data", "many.csv"]) == 1
    assert caplog.messages == [f"Data set 'many.csv': {message}"]
    assert not (table / "many.toml").exists()
    assert train.main(["iris", "--data", "many.csv"]) == 1
    assert caplog.messages[-1] == f"Recipe iris: Data set 'many.csv': {message}"


@pytest.mark.parametrize("of", [((1, 1), 2, 20), ((1, 2), 3, 20), ((1, 1, 3), 2, 20), ((1,), 2, 20),
                                ((2,), 2, 20), ((1,), 0, 20), ((1, 1), 0, 20)])
def test_the_smallest_samples_get_a_recipe_that_trains(of):
    found = loaded(*of)
    features = np.random.default_rng(0).integers(256, size=found.features.shape, dtype=np.int32)
    labels = found.labels if of[1] else np.arange(20.0)
    found = replace(found, features=features, labels=labels)
    recipe = Recipe.of({**propose(found, Source()), "epochs": 1})
    Trainer(recipe, found).run_epoch(lambda *_: None)


def test_a_column_that_is_always_the_same_is_said(table, caplog):
    caplog.set_level("INFO")
    rows = "".join(f"{n},7,{n % 3},{'ab'[n % 2]}\n" for n in range(40))
    (table / "same.csv").write_text(f"u,v,w,what\n{rows}")
    assert train.main(["--data", "same.csv", "--set", "epochs=1"]) == 0
    assert [text for text in caplog.messages if "the same" in text] == [
        "same.csv: the same in every sample to train on, so that nothing is learnt from it: 'v'"]


def test_windows_have_steps_side_by_side():
    preparation = ir.Affine(20, 8, False, False, *(np.ones(3, np.float32),) * 2,
                            np.zeros(0, np.float32))
    values = propose(loaded((20, 3), 2, 100, preparation), Source(window=20))
    assert values["source"] == {"window": 20}
    assert (values["modulate"]["levels"], values["modulate"]["depth"]) == ("quantile", 8)
    assert [layer["window"] for layer in values["layers"]] == [49, 100]


def test_settings_that_are_refused(table):
    with pytest.raises(RecipeError, match=r"^unknown key 'source\.lable'; did you mean 'label'\?$"):
        first_recipe("readings ä.csv", None, ["source.lable=state"])
    with pytest.raises(DataError, match=f"^{re.escape('none.csv: no such file or folder')}"):
        first_recipe("none.csv", None, [])
