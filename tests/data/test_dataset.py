"""What a data set is made of is checked when it is made: thing, rule, value."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bitwright import ir
from bitwright.data import DataError, DataSet, Source, split

GOOD = {"name": "own", "features": np.arange(12, dtype=np.int32).reshape(4, 3),
        "labels": np.array([0, 1, 1, 0]), "x_test": np.zeros((2, 3), np.int32),
        "y_test": np.array([1, 0]), "bits": 4, "signed": False, "full_scale": 15, "shape": (3,),
        "classes": ("a", "b"), "preparation": None, "columns": ("u", "v", "w"), "answers": (),
        "groups": np.array([7, 7, 9, 8]), "source": Source()}
TEN = np.full(3, 10, np.float32)
AFFINE = ir.Affine(1, 4, False, False, TEN, TEN, np.zeros(0, np.float32))


def refused(message, **changes):
    with pytest.raises(DataError, match=rf"^{re.escape(message)}$"):
        DataSet(**GOOD | changes)


def test_every_field_has_a_case_below():
    assert {field.name for field in fields(DataSet)} == set(GOOD)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, ">i2"])
def test_integers_of_any_type_are_taken_as_they_are(kind):
    own = DataSet(**GOOD | {"features": GOOD["features"].astype(kind),
                            "labels": GOOD["labels"].astype(kind)})
    assert own.features.dtype == np.int32
    assert own.labels.dtype == np.int64
    assert own.features.tolist() == GOOD["features"].tolist()
    assert own.digest == DataSet(**GOOD).digest


def test_signed_features():
    own = replace(DataSet(**GOOD), signed=True, full_scale=7,
                  features=np.array([[-8, 7, 0]] * 4))
    assert own.domain == (-8, 7)
    refused("Data set 'own': features must be from -8 to 7, not -9 (sample 3)", signed=True,
            full_scale=7, features=np.array([[-8, 7, 0]] * 3 + [[0, -9, 0]]))
    refused("Data set 'own': x_test must be from -8 to 7, not 8 (sample 0)", signed=True,
            full_scale=7, features=np.zeros((4, 3), int), x_test=np.full((2, 3), 8))


@pytest.mark.parametrize("field", ["features", "x_test"])
def test_samples(field):
    good = GOOD[field]
    where = f"Data set 'own': {field} must be "
    refused(f"{where}an array of integers, not list", **{field: good.tolist()})
    refused(f"{where}an array of integers, not of float64", **{field: good * 1.0})
    refused(f"{where}an array of integers, not of float64", **{field: good * np.nan})
    refused(f"{where}an array of integers, not of bool", **{field: good > 2})
    refused(f"{where}an array of 2 dimensions, not 1", **{field: good[0]})
    refused(f"{where}an array of one sample at least, not 0", **{field: good[:0]})
    refused(f"{where}an array of 3 columns, the product of shape (3,), not 2",
            **{field: good[:, :2]})
    refused(f"{where}an array of 3 columns, the product of shape (3,), not 0",
            **{field: good[:, :0]})
    for value in (16, -1, 1 << 40):
        wrong = good.astype(np.int64)
        wrong[1, 2] = value
        refused(f"{where}from 0 to 15, not {value} (sample 1)", **{field: wrong})


@pytest.mark.parametrize(("field", "of"), [("labels", "features"), ("y_test", "x_test")])
def test_labels(field, of):
    good = GOOD[field]
    where = f"Data set 'own': {field} must be "
    refused(f"{where}an array of integers, not of float64", **{field: good * 1.0})
    refused(f"{where}an array of integers, not of <U1", **{field: good.astype("U1")})
    refused(f"{where}an array of 1 dimensions, not 2", **{field: good[None]})
    refused(f"{where}one label for each of the {len(good)} samples of {of}, not {len(good) - 1}",
            **{field: good[1:]})
    for value in (2, -1):
        wrong = good.copy()
        wrong[1] = value
        refused(f"{where}from 0 to 1, not {value} (sample 1)", **{field: wrong})


@pytest.mark.parametrize(("field", "value", "rule"), [
    ("source", {}, "a Source"),
    ("bits", 0, "an integer from 1 to 16"), ("bits", 17, "an integer from 1 to 16"),
    ("bits", 4.0, "an integer from 1 to 16"), ("bits", True, "an integer from 1 to 16"),
    ("signed", [], "True or False"), ("signed", 0, "True or False"),
    ("full_scale", 0, "an integer from 1 to 16"), ("full_scale", 17, "an integer from 1 to 16"),
    ("full_scale", 1.0, "an integer from 1 to 16"),
    ("shape", (), "a tuple of one to three integers from 1 up"),
    ("shape", [3], "a tuple of one to three integers from 1 up"),
    ("shape", (-1, -3), "a tuple of one to three integers from 1 up"),
    ("shape", (3.0,), "a tuple of one to three integers from 1 up"),
    ("shape", (1, 1, 1, 3), "a tuple of one to three integers from 1 up"),
    ("classes", ("a",), "a tuple of two strings at least"),
    ("classes", "ab", "a tuple of two strings at least"),
    ("answers", ("a",), "a tuple of one name where there are no classes, else empty"),
    ("answers", [], "a tuple of one name where there are no classes, else empty"),
    ("columns", ("u", "v"), "empty, or names of the 3 columns of a table"),
    ("preparation", "affine",
     "an ir.Preparation of 3 features, the product of shape (3,)"),
    ("groups", [1, 2, 3, 4], "an array of integers of one dimension"),
    ("groups", None.__class__, "an array of integers of one dimension"),
])
def test_description(field, value, rule):
    refused(f"Data set 'own': {field} must be {rule}, not {value!r}", **{field: value})


def test_names():
    refused("Data set 'own': Names of classes must differ, not be 'a' twice", classes=("a", "a"))
    refused("Data set 'own': Names of classes must be 1 to 1000 printable characters with no space "
            "at either end, not 1", classes=("a", 1))
    for name in ("", None, 3):
        refused("Name of a data set must be a string of one character at least, "
                f"not {name!r}", name=name)


def test_shape_is_that_of_the_features():
    refused("Data set 'own': features must be an array of 6 columns, the product of shape (2, 3), "
            "not 3", shape=(2, 3), columns=())
    assert DataSet(**GOOD | {"shape": (1, 1, 3)}).shape == (1, 1, 3)


def test_preparation():
    own = DataSet(**GOOD | {"preparation": AFFINE})
    assert own.names == ir.Names(("a", "b"), ("u", "v", "w"), ())
    refused("Data set 'own': preparation must be an ir.Preparation of 6 features, the product of "
            "shape (2, 3), not 3", preparation=AFFINE, shape=(2, 3))
    refused("Data set 'own': preparation must be of integers from 0 to 15, not from 0 to 16",
            preparation=ir.Picture(1, 3, False, False, 16), columns=())
    pixels = ir.Picture(1, 3, False, False, 15)
    refused("Data set 'own': columns must be empty, or names of the 3 columns of a table, not "
            "('u', 'v', 'w')", preparation=pixels)
    refused("Data set 'own': groups must be one for each of the 4 samples of features, not 3",
            groups=np.arange(3))


def test_labels_may_be_numbers():
    numbers = {"classes": (), "answers": ("mm",), "labels": np.array([0.5, 1, 2, -3]),
               "y_test": np.array([1, 2])}
    own = DataSet(**GOOD | numbers)
    assert (own.labels.dtype, own.y_test.dtype) == (np.float32, np.float32)
    refused("Data set 'own': answers must be a tuple of one name where there are no classes, else "
            "empty, not ()", **numbers | {"answers": ()})
    refused("Data set 'own': labels must be one finite number at least, and no other, not "
            "array([nan, 1.])", **numbers | {"labels": np.array([np.nan, 1])})
    refused("Data set 'own': labels must be an array of numbers of one dimension, not "
            "array(['1'], dtype='<U1')", **numbers | {"labels": np.array(["1"])})


def test_a_split_keeps_groups_together_and_every_class_in_the_first_part():
    labels = np.repeat([0, 1, 2], [10, 40, 50])
    groups = np.repeat(np.arange(10), 10)  # class 0 is in one group only
    for seed in range(30):
        first, second = split(labels, groups, share=0.25, seed=seed)
        assert not set(groups[first]) & set(groups[second])
        assert set(labels[first]) == {0, 1, 2}
        assert len(second) == 30
        assert sorted([*first, *second]) == list(range(100))


def test_a_small_class_is_in_both_parts():
    first, second = split(np.array([0, 0, 1, 1, 1, 2]), None, share=0.1, seed=0)
    assert (len(first), len(second)) == (4, 2)
    assert 5 in first  # the only one of its class


ANY = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 40), 1 << 40), st.floats(),
                st.text(max_size=3), st.lists(st.integers(0, 3), max_size=3),
                st.tuples(st.integers(-1, 4), st.integers(-1, 4)),
                arrays.arrays(arrays.scalar_dtypes(),
                              arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)))


@given(field=st.sampled_from(sorted(GOOD)), value=ANY)
def test_whatever_is_given_is_refused_in_one_line_or_trains(field, value):
    try:
        own = DataSet(**GOOD | {field: value})
    except DataError as error:
        lines = str(error).splitlines()
    else:
        lines = [own.name]
        low, high = own.domain
        for x, y in ((own.features, own.labels), (own.x_test, own.y_test)):
            assert (x.dtype, y.dtype) == (np.int32, np.int64)
            assert x.shape == (len(y), np.prod(own.shape))
            assert low <= x.min() <= x.max() <= high
            assert 0 <= y.min() <= y.max() < len(own.classes)
    assert len(lines) == 1
