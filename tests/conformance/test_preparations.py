"""Every kind of preparation, and the answer: equal to the naive reference, and given back."""

import copy
import dataclasses
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitwright import ir
from tests.networks import around
from tests.reference import preparation as reference

SEEDS = st.integers(0, 2**32)
KINDS = sorted(ir.Preparation.kinds)
NUMBERS = [kind for kind in KINDS if issubclass(ir.Preparation.kinds[kind], ir.Numbers)]
ODD = [0.0, -0.0, 1e-45, -1e-45, 1e-38, 3.4028234e38, -3.4028234e38, 16777217.0, 0.5, -0.5, 1.5]
REFUSED = [np.inf, -np.inf, 3.5e38, -1e300]


def sampled(kind, seed):
    return ir.Preparation.kinds[kind].sample(np.random.default_rng(seed))


def raw_samples(preparation, rng, count=20):
    """Raw samples that are allowed, with edges, halves and limits among them."""
    if not isinstance(preparation, ir.Numbers):
        return rng.integers(256, size=(count, *preparation.shape)).astype(np.uint8)
    raw = rng.normal(scale=10, size=(count, *preparation.shape))
    halves = rng.integers(-40, 300, size=raw.shape) + 0.5
    if isinstance(preparation, ir.Affine):
        halves = halves / preparation.scale + preparation.offset
    elif isinstance(preparation, ir.Quantile):
        halves = preparation.edges[np.arange(preparation.columns),
                                   rng.integers(preparation.edges.shape[1], size=raw.shape)]
    odd = rng.choice([*ODD, *[np.nan] * preparation.fills], size=raw.shape)
    return np.choose(rng.integers(3, size=raw.shape), [raw, halves, odd])


@pytest.mark.parametrize("kind", KINDS)
@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_it_makes_the_integers_of_the_page(kind, seed):
    rng = np.random.default_rng(seed)
    preparation = ir.Preparation.kinds[kind].sample(rng)
    raw = raw_samples(preparation, rng)
    found = preparation.apply(raw)
    assert found.dtype == np.int32
    assert found.tolist() == [reference.features(preparation, sample) for sample in raw.tolist()]
    low, high = preparation.range
    assert low <= found.min() <= found.max() <= high
    assert preparation.apply(raw[:0]).shape == (0, preparation.features)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64,
                                   np.uint64])
@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_type_are_rounded_to_binary32_first(kind, dtype):
    preparation = sampled(kind, 1)
    rng = np.random.default_rng(1)
    raw = rng.integers(0, 100, size=(50, *preparation.shape)).astype(dtype)
    if raw.dtype.itemsize == 8 and raw.dtype.kind != "f":  # where two roundings are not one
        raw += dtype(2**60 + 2**36)
        raw.flat[::2] += dtype(1)
    elif raw.dtype.kind == "f":
        raw += rng.normal(size=raw.shape).astype(dtype)
    expected = [reference.features(preparation, sample) for sample in raw.tolist()]
    assert preparation.apply(raw).tolist() == expected


def test_ties_go_to_the_even_integer_and_all_else_to_the_limits():
    none = np.zeros(0, np.float32)
    half = ir.Affine(1, 3, True, False, np.float32([1]), np.float32([0.5]), none)
    raw = np.array([2, 4, 6, 0, -2, 7.99, 8.01, 1e38, -1e38, 1])[:, None, None]
    assert half.apply(raw).ravel().tolist() == [0, 2, 2, 0, -2, 3, 3, 3, -4, 0]
    steep = dataclasses.replace(half, scale=np.float32([3e38]))  # the product is infinite
    assert steep.apply(np.array([[[9.0]], [[-9.0]]])).tolist() == [[3], [-4]]
    rank = ir.Quantile(1, False, np.float32([[-1, 0, 0, 2]]), none)
    assert rank.apply(np.array([-2, -1, -0.0, 1, 2, 9])[:, None, None]).ravel().tolist() == [
        0, 1, 3, 3, 4, 4]


def test_bytes_go_to_the_nearest_integer():
    five = ir.Picture(1, 1, False, False, 5)
    assert five.apply(np.uint8([[[0]], [[25]], [[26]], [[255]]])).ravel().tolist() == [0, 0, 1, 5]
    for full in (1, 16, 255, 65535):
        every = ir.Picture(16, 16, False, False, full).apply(
            np.arange(256, dtype=np.uint8).reshape(1, 16, 16))
        assert every.ravel().tolist() == [int(p * full / 255 + 0.5) for p in range(256)]


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("fills", [False, True])
@pytest.mark.parametrize("value", [*REFUSED, np.nan])
def test_no_finite_number(kind, fills, value):
    some = next(found for seed in range(99) if (found := sampled(kind, seed)).fills == fills
                and found.steps > 1 and found.columns > 1)
    raw = np.zeros((3, *some.shape))
    raw[1, 1, 0] = raw[2, 0, 1] = value
    if fills and np.isnan(value):
        filled = raw.copy()
        filled[1, 1, 0], filled[2, 0, 1] = some.fill[0], some.fill[1]
        assert (some.apply(raw) == some.apply(filled)).all()
        return
    with pytest.raises(ValueError, match=rf"^Sample 1, column 0 of step 1 must be a finite number "
                                         rf"of binary32, not {re.escape(str(value))}$"):
        some.apply(raw)
    with pytest.raises(reference.Refused):
        reference.features(some, raw[1].tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_other_shapes_and_types(kind):
    some = sampled(kind, 0)
    good = raw_samples(some, np.random.default_rng(0), 2)
    sides = ", ".join(map(str, some.shape))
    what = "numbers" if isinstance(some, ir.Numbers) else "bytes"
    for raw in (good[0], good[:, :, :-1], good[..., None], good.astype(bool), good.astype("U9"),
                good.astype(complex), good > 0):
        with pytest.raises(ValueError, match=rf"^Samples must be {what} of shape \(samples, "
                           rf"{sides}\), not {raw.dtype} of {re.escape(str(raw.shape))}$"):
            some.apply(raw)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_serial_form_round_trip(kind, seed):
    some = sampled(kind, seed)
    for again in (type(some).from_parts(*some.parts()), copy.deepcopy(some),
                  pickle.loads(pickle.dumps(some))):
        assert again == some
    assert "\n" not in some.describe()


@pytest.mark.parametrize("kind", KINDS)
def test_equality_sees_every_field(kind):
    """The round trips above can fail."""
    some = sampled(kind, 1)
    for field in dataclasses.fields(some):
        value = getattr(some, field.name)
        if field.name in ("steps", "fills") or (isinstance(value, np.ndarray) and not value.size):
            continue  # would need a fill of another size
        other = (value + np.float32(1) if isinstance(value, np.ndarray)
                 else not value if isinstance(value, bool) else value + 1)
        assert dataclasses.replace(some, **{field.name: other}) != some


def with_preparation(preparation):
    """A network of its features."""
    low, high = preparation.range
    modulate = ir.Modulate(np.full((1, preparation.features, 1), high), high.bit_length()
                           + (low < 0), signed=low < 0)
    width = modulate.out_width
    return ir.Network((ir.Entry("m", modulate, ("input",)), ir.Entry(
        "head", ir.Scores(np.zeros((2, width), bool), 1, np.zeros(2, int)), ("m",))),
        preparation=preparation)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_the_file_gives_it_back(kind, seed, tmp_path):
    net = with_preparation(sampled(kind, seed))
    path, again = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    ir.save(path, net)
    found = ir.load(path)
    ir.save(again, found)
    assert found.preparation == net.preparation
    assert found.preparation is not None
    assert ir.simplify(found).preparation == net.preparation
    assert path.read_bytes() == again.read_bytes()


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_an_answer_gives_the_numbers_of_the_page(seed):
    rng = np.random.default_rng(seed)
    answer = ir.Answer.sample(rng)
    scores = rng.integers(-2**rng.integers(1, 62), 2**rng.integers(1, 62),
                          size=(20, answer.scores))
    found = answer.apply(scores)
    assert found.dtype == np.float32
    assert found.tolist() == [reference.answers(answer, row) for row in scores.tolist()]
    assert ir.Answer.from_parts(*answer.parts()) == answer == copy.deepcopy(answer)


def test_an_answer_takes_scores_of_its_own_number():
    answer = ir.Answer(np.float32([1, 2]), np.float32([1, 1]))
    for scores in (np.zeros((3, 1), int), np.zeros(2, int), np.zeros((1, 2))):
        with pytest.raises(ValueError, match=r"^Scores must be integers of shape \(batch, 2\), not "
                           rf"{scores.dtype} of {re.escape(str(scores.shape))}$"):
            answer.apply(scores)


@pytest.mark.parametrize("head", [ir.GroupSum(6, 1), ir.Scores(np.ones((1, 3), bool), 2,
                                                               np.array([-4]))])
def test_one_score_is_answered_and_given_back(head, tmp_path):
    bare = around(ir.Lut(2, np.array([[0, 1]]), np.array([[0, 1, 1, 1]], bool)))
    wide = ir.Lut(1, np.zeros((head.in_width, 1), int), np.eye(head.in_width, 2, dtype=bool))
    net = ir.Network((*bare.entries[:3], ir.Entry("last", wide, ("node",)),
                      ir.Entry("head", head, ("last",))),
                     answer=ir.Answer(np.float32([20]), np.float32([0.25])),
                     names=ir.Names(answers=("temperature, °C",)))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    again = ir.load(path)
    assert (again.answer, again.names) == (net.answer, net.names)
    x = np.arange(15).reshape(3, 5)
    scores = again.evaluate(x).scores
    assert scores.shape == (3, 1)
    assert (ir.simplify(again).evaluate(x).scores == scores).all()
    assert (ir.simplify(again).answer, ir.simplify(again).names) == (net.answer, net.names)
