"""What the command `data` says of a data set, and its picture."""

import io
import json

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from bitwright import data
from bitwright.data import Source, overview, show
from tests.data.test_folder import COLOUR, FILES, put


def table(folder, unequal=False):
    rows = [f"{n},7,{'' if n == 3 else n * 0.5},{'ab'[n % (9 if unequal else 2) == 1]}"
            for n in range(40)]
    path = folder / "x.csv"
    path.write_text("u,v,w,what\n" + "\n".join(rows))
    return path


def said(capsys, *argv):
    assert show.main([str(word) for word in argv]) == 0
    return capsys.readouterr().out


def test_a_table(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path)
    lines = said(capsys, "x.csv", "--source", "missing=median").splitlines()
    assert lines[:5] == ["x.csv: 40 samples of 3 (30 to train on, 10 to test on)", "",
                         "class    train     test", "a           15        5",
                         "b           15        5"]
    assert lines[6].split() == ["column", "least", "median", "most", "missing", "integers", "one",
                                "step", "is"]
    assert lines[8].split()[:7] == ["v", "7", "7", "7", "0", "1", "1"]
    assert lines[8].endswith("  the same in every sample")
    assert lines[9].split()[:5] == ["w", "0", "10", "19.5", "1"]
    assert lines[-1] == "picture: data-x.png"
    with Image.open("data-x.png") as image:
        assert min(image.size) > 100


def test_json(tmp_path, capsys):
    path = table(tmp_path, unequal=True)
    found = json.loads(said(capsys, path, "--json", "--picture", tmp_path / "p.png", "--source",
                            "missing=drop"))
    assert found["samples"] == {"train": 30, "test": 9}
    assert [column["name"] for column in found["columns"]] == ["u", "v", "w"]
    assert found["columns"][0]["step"] == pytest.approx(39 / 255, rel=0.1)
    assert found["picture"] == str(tmp_path / "p.png")
    text = said(capsys, path, "--picture", tmp_path / "p.png", "--source", "missing=drop")
    assert "classes are of unequal size: balance = true in the recipe" in text


def test_a_named_one_a_folder_and_a_target(tmp_path, capsys):
    picture = tmp_path / "p.png"
    assert said(capsys, "iris", "--picture", picture).startswith("iris: 150 samples of 4 (114 ")
    path = put(tmp_path, FILES | {"ant/9.png": COLOUR})
    assert "pixels" in said(capsys, path, "--picture", picture)
    text = said(capsys, table(tmp_path), "--picture", picture, "--source", "task=regression",
                "--source", "label=u", "--source", "ignore=what", "--source", "missing=median")
    assert "target u: from " in text


def test_what_is_drawn():
    """Every class of a sample has its colour; thumbnails are the pixels."""
    iris = Image.open(io.BytesIO(overview.draw(data.load("iris")))).convert("RGB")
    colours = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in iris.getcolors(1 << 20)}
    assert set(overview.COLOURS[:3]) <= colours
    assert not set(overview.COLOURS[3:]) & colours
    digits = data.load("digits")
    image = np.asarray(Image.open(io.BytesIO(overview.draw(digits))))[..., 0]
    first = digits.features[digits.labels.tolist().index(0)].reshape(8, 8) * 255 // 16
    corners = [(y, x) for y in range(40) for x in range(200)]
    assert any(np.array_equal(image[y : y + 8 * size : size, x : x + 8 * size : size], first)
               for size in (7, 8) for y, x in corners)


def test_refusals(tmp_path, caplog):
    assert show.main(["x.csv", "--source", "bits=17"]) == 2
    assert show.main([str(tmp_path / "none.csv")]) == 1
    assert caplog.records[0].getMessage() == "--source: bits must be between 1 and 16, not 17"
    assert "no such file or folder" in caplog.records[1].getMessage()
    assert Source() == Source.of([])
