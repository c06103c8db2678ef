"""The comparison of frames and depth: runs side by side, stopped and gone on with, and proven."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import cifar10_jpeg, modulation, modulation_figures, modulation_runs
from bench.modulation_rows import ROWS, row
from bitwright import data, ir
from bitwright.data import places
from bitwright.errors import UsageError
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer

NARROW = [f"layers.{layer}.neurons=4" for layer in (0, 1, 3, 4, 6, 7, 8)] + ["batch=8"]


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A small data set in the place of cifar10-jpeg."""
    monkeypatch.setattr(places, "CACHE", tmp_path / "cache")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "cifar10-jpeg.zip", "w") as archive:
        for part, count in (("train", 12), ("test", 4)):
            for label in "ab":
                for number in range(count):
                    pixels = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
                    archive.writestr(f"{part}/{label}/{number}.jpg", cifar10_jpeg.encode(pixels))
    return tmp_path


def arguments(what, pictures, *more):
    return modulation.parser().parse_args([
        what, "--data-dir", str(pictures), "--out", str(pictures / "runs"), "--seeds", "1",
        *(word for setting in NARROW for word in ("--set", setting)), *more])


def trained(name, args, deadline=None):
    out = modulation_runs.folder(row(name), 0, args.out)
    out.mkdir(parents=True, exist_ok=True)
    modulation_runs._train(out, row(name), 0, args, deadline)
    return out


def told(out):
    return json.loads((out / modulation_runs.CURVES).read_text(encoding="utf-8"))


def test_rows_are_recipes():
    for one in ROWS:
        made = load_recipe(one.recipe, one.settings)
        if one.bits:
            assert (made.modulate.frames, made.modulate.depth) == (one.frames, one.depth)
        assert bool(one.weights) == (one.recipe != "cifar10-real")
    assert len({one.name for one in ROWS}) == len(ROWS)
    drawn = {name for _, names in modulation_figures.PANELS for name in names}
    assert drawn <= {one.name for one in ROWS}


def test_a_recipe_is_a_row():
    assert row("digits").recipe == "digits"
    with pytest.raises(UsageError, match=(
            r"^--rows must name some of frames16-depth1, real, .*, or recipes, not 'nothing'$")):
        row("nothing")


def test_run_prove_table(pictures, capsys):
    args = arguments("run", pictures, "--epochs", "2")
    out = trained("frames1-depth2", args)
    first = told(out)
    assert [entry["epoch"] for entry in first["curve"]] == [1, 2]
    for entry in first["curve"]:
        assert {"train_accuracy", "validation_accuracy", "test_accuracy", "seconds"} <= set(entry)
    assert first["test"] == first["curve"][first["best"] - 1]["test_accuracy"]
    modulation_runs._prove(out, None, None, args)
    proved = json.loads((out / modulation_runs.PROVED).read_text(encoding="utf-8"))
    assert proved["equal"]
    assert (proved["samples"], proved["test"]) == (8, first["test"])
    provenance = ir.load(out / "network.safetensors").provenance
    assert provenance["data"]["test_samples"] == 8
    assert provenance["accuracy"]["test_ir"] == first["test"]
    found = {one: modulation_runs.found(one, args.out) for one in ROWS}
    lines = modulation_figures.table(found).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith(f"| frames 1, depth 2 | 2 | 1 | 2 | "
                               f"{100 * first['curve'][1]['train_accuracy']:.2f} | ")


@pytest.mark.slow  # it draws
def test_drawings(tmp_path):
    run = {"test": 0.5, "finished": True, "validation": 0.5, "curve": [
        {"train_accuracy": 0.1 * epoch, "test_accuracy": 0.1, "seconds": 1} for epoch in range(3)]}
    paths = modulation_figures.draw({one: [run, run] for one in ROWS}, tmp_path)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_coloured_pictures_of_ones_own(tmp_path):
    """Of any size, brought to that of the network."""
    rng = np.random.default_rng(1)
    for label in "ab":
        for number in range(8):
            path = tmp_path / "mine" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (20, 41, 3)).astype(np.uint8)).save(path)
    recipe = load_recipe("cifar10", [f"data={tmp_path / 'mine'}", "source.height=32",
                                     "source.width=32", "epochs=1", "modulate.depth=2", *NARROW])
    trainer = Trainer(recipe, data.load(recipe.data, source=recipe.source))
    assert trainer.data.shape == (32, 32, 3)
    trainer.run_epoch(lambda samples, metric: None)
    assert trainer.freeze().preparation == ir.Picture(32, 32, True, False, 255)


def test_another_network_is_not_proven(pictures):
    args = arguments("run", pictures, "--epochs", "1")
    out = trained("frames1-depth1", args)
    record = told(out)
    record["scores"][0] = record["scores"][0][::-1]
    (out / modulation_runs.CURVES).write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(SystemExit, match=(
            r"^frames1-depth1-seed0: the frozen network's scores of 8 test samples are not those "
            r"of the trained one$")):
        modulation_runs._prove(out, None, None, args)


def test_stopped_and_gone_on_with(pictures, monkeypatch):
    """As if it had not been stopped; and what is done is not done again."""
    args = arguments("run", pictures, "--epochs", "2")
    whole = told(trained("real", args))
    args.out = pictures / "again"
    stopped = trained("real", args, deadline=_after_one_epoch(monkeypatch))
    assert len(told(stopped)["curve"]) == 1
    assert "test" in told(stopped)
    assert modulation_figures.table({row("real"): [told(stopped)]}).count("\n") == 1  # no row of it
    assert trained("real", args) == stopped
    figures = ("train_accuracy", "train_loss", "validation_accuracy", "test_accuracy")
    for one, other in zip(whole["curve"], told(stopped)["curve"], strict=True):
        assert [one[name] for name in figures] == [other[name] for name in figures]
    written = (stopped / modulation_runs.CURVES).stat().st_mtime_ns
    trained("real", args)
    assert (stopped / modulation_runs.CURVES).stat().st_mtime_ns == written


def _after_one_epoch(monkeypatch):
    """A moment before which there is time for one epoch, and not for a second one."""
    clock = iter([0.0, 0.0, 10.0, 10.0])
    monkeypatch.setattr(modulation_runs, "monotonic", lambda: next(clock, 10.0))
    return 15.0


@pytest.mark.slow  # three processes import torch
def test_a_row_that_fails_stops_no_other(pictures):
    """As commands: processes of their own, what they say in their logs."""
    command = [sys.executable, "-m", "bench.modulation", "run", "--data-dir", str(pictures),
               "--out", str(pictures / "runs"), "--seeds", "1", "--epochs", "1", "--jobs", "2",
               "--rows", "frames1-depth2,real"]
    for setting in [*NARROW, "modulate.draw=true"]:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(
        __file__).parents[2], env={**os.environ, "HOME": str(pictures)})
    log = pictures / "runs" / "real-seed0" / modulation_runs.LOG
    assert done.returncode == 1, done.stderr
    assert f"real-seed0: failed with status 1; see {log}" in done.stderr
    assert "draw must be false where levels is 'real'" in log.read_text(encoding="utf-8")
    assert told(pictures / "runs" / "frames1-depth2-seed0")["test"] >= 0
