"""What is printed of answers, to the letter, and that machines read it back."""

import csv
import io
import json
import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.answers.predictions import LabelError, Predictions
from tests.networks import network

NAMES = ("cat", "dog, or wolf", "mouse")
PLACES = ["row 1", "a/größe.png"]
SCORES = np.array([[3, 12, -1], [7, 7, 0]])


def animals(**changes):
    return Predictions(**{"names": NAMES, "places": PLACES, "scores": SCORES, **changes})


def test_a_table():
    assert animals().text() == (
        "sample       class         cat  dog, or wolf  mouse\n"
        "row 1        dog, or wolf    3            12     -1\n"
        "a/größe.png  cat             7             7      0\n")


def test_a_table_with_labels():
    found = animals(labels=["cat", "cat"])
    assert found.text() == (
        "sample       label  class         cat  dog, or wolf  mouse\n"
        "row 1        cat    dog, or wolf    3            12     -1\n"
        "a/größe.png  cat    cat             7             7      0\n")
    assert found.verdict() == "1 of 2 right (50.00 %)"


def test_of_many_classes_the_two_best():
    scores = np.zeros((1, 11), np.int64)
    scores[0, [2, 7]] = 5  # on a tie the lowest is the best
    found = Predictions(tuple(map(str, range(11))), ["row 1"], scores)
    assert found.text() == ("sample  class  score  next  score\n"
                            "row 1   2          5     7      5\n")
    assert json.loads(found.json())["scores"]["10"] == 0  # all of them
    assert len(next(csv.reader([found.csv().splitlines()[1]]))) == 2 + 11


def test_json_is_an_object_a_line():
    found = animals(labels=["cat", "x"])
    assert found.json().isascii()
    assert [json.loads(line) for line in found.json().splitlines()] == [
        {"sample": "row 1", "label": "cat", "class": "dog, or wolf", "index": 1,
         "scores": {"cat": 3, "dog, or wolf": 12, "mouse": -1}},
        {"sample": "a/größe.png", "label": "x", "class": "cat", "index": 0,
         "scores": {"cat": 7, "dog, or wolf": 7, "mouse": 0}}]


def test_csv_is_read_back():
    assert list(csv.reader(io.StringIO(animals(labels=["cat", "x"]).csv()))) == [
        ["sample", "label", "class", *NAMES],
        ["row 1", "cat", "dog, or wolf", "3", "12", "-1"],
        ["a/größe.png", "x", "cat", "7", "7", "0"]]


def test_a_label_of_no_class_is_told():
    assert animals(labels=["cat", "Cat"]).verdict() == (
        "0 of 2 right (0.00 %); 1 label is of no class of the network, first 'Cat' of a/größe.png")
    assert animals(labels=["?", "Cat"]).verdict() == (
        "0 of 2 right (0.00 %); 2 labels are of no class of the network, first '?' of row 1")


def test_without_labels_nothing_is_judged():
    assert animals().verdict() is None
    assert animals(places=[], scores=SCORES[:0], labels=[]).verdict() is None
    assert animals(places=[], scores=SCORES[:0]).text() == (
        "sample  class  cat  dog, or wolf  mouse\n")


def temperatures(**changes):
    numbers = np.array([[0.1], [-1e-7]], np.float32)
    return Predictions(**{"names": ("t [K]",), "places": PLACES, "scores": np.array([[4], [5]]),
                          "numbers": numbers, **changes})


def test_numbers_in_their_unit():
    found = temperatures(labels=["0.1", "1"])
    assert found.text() == ("sample       label   t [K]\n"
                            "row 1        0.1       0.1\n"
                            "a/größe.png  1      -1e-07\n")
    first, second = map(json.loads, found.json().splitlines())
    assert first == {"sample": "row 1", "label": "0.1", "answers": {"t [K]": 0.1},
                     "scores": {"t [K]": 4}}
    assert np.float32(second["answers"]["t [K]"]) == found.numbers[1, 0]
    assert found.csv() == "sample,label,t [K]\nrow 1,0.1,0.1\na/größe.png,1,-1e-07\n"
    assert found.verdict() == ("t [K]: mean absolute error 0.5, root of the mean squared error "
                               "0.707107 (samples: 2)")


def test_samples_without_a_label():
    found = animals(labels=["", "cat"])
    assert found.verdict() == "1 of 1 right (100.00 %), 1 without a label"
    assert [json.loads(line)["label"] for line in found.json().splitlines()] == [None, "cat"]
    assert found.csv().splitlines()[1] == 'row 1,,"dog, or wolf",3,12,-1'
    assert animals(labels=["", ""]).verdict() is None
    assert temperatures(labels=["", "1"]).verdict() == (
        "t [K]: mean absolute error 1, root of the mean squared error 1 (samples: 1)")


@pytest.mark.parametrize("label", ["warm", "1_000", "nan", "inf", "1e999"])
def test_a_label_that_is_no_number(label):
    with pytest.raises(LabelError, match=(
            rf"^a/größe\.png: label must be a number, not {re.escape(repr(label))}$")):
        temperatures(labels=["1", label]).verdict()


def test_every_number_is_read_back_unchanged():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 1 << 32, size=500, dtype=np.uint32).view(np.float32)
    numbers = bits[np.isfinite(bits)][:, None]
    found = Predictions(("x",), [""] * len(numbers), np.zeros(numbers.shape, np.int64), numbers)
    read = [json.loads(line)["answers"]["x"] for line in found.json().splitlines()]
    assert (np.array(read, np.float32) == numbers[:, 0]).all()
    assert (np.array([row["x"] for row in csv.DictReader(io.StringIO(found.csv()))],
                     np.float32) == numbers[:, 0]).all()


def test_names_of_a_network():
    bare = network(24)
    count = bare.classes
    assert bare.score_names == tuple(map(str, range(count)))
    classes = tuple(f"class {index}" for index in range(count))
    assert ir.Network(bare.entries, names=ir.Names(classes=classes)).score_names == classes
    answer = ir.Answer(np.zeros(count, np.float32), np.ones(count, np.float32))
    numbers = ir.Network(bare.entries, answer=answer)
    assert numbers.score_names == tuple(f"answer {index + 1}" for index in range(count))
    named = ir.Network(bare.entries, answer=answer, names=ir.Names(answers=classes))
    assert named.score_names == classes
    found = Predictions.of(named, np.full((1, count), 3), ["row 1"])
    assert (found.numbers == 3).all()
