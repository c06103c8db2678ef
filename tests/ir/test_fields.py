"""Declarations of fields: the page, the read-only arrays, and a kind that is added."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from bitwright import ir
from bitwright.ir import fields
from bitwright.ir.fields import Array, BitArray, Integer, Reals, Size
from bitwright.ir.listed import Integers, Word
from bitwright.ir.nested import Nodes
from tests.ir.format_tables import PAGE, with_tables
from tests.reference import nodes as reference
from tests.stored import rewrite

KINDS = sorted(ir.Node.kinds)
DECLARED = {**ir.Node.kinds, **ir.Preparation.kinds, "answer": ir.Answer}


def test_the_tables_of_the_page_are_the_declarations():
    page = PAGE.read_text()
    assert page == with_tables(page), "run `python -m tests.ir.format_tables`"


@pytest.mark.parametrize(("old", "new"), [
    ("| `fan_in` | integer |  | 1 … 8 |", "| `fan_in` | integer |  | 1 … 9 |"),
    ("| `biases` | I32 |", "| `biases` | I64 |"),
    ("| `GOLDEN.scores` | I64 | (vectors, classes) |  |\n", ""),
    ("| `edges` | F32 | (columns, levels) |  |", "| `edges` | F64 | (columns, levels) |  |"),
    ("| `ANSWER.scale` | F32 | (scores,) | above 0 |", "| `ANSWER.scale` | F32 | (scores,) |  |"),
])
def test_a_table_that_drifts_is_seen(old, new):
    page = PAGE.read_text()
    assert page.count(old) == 1
    assert with_tables(page.replace(old, new)) == page


def test_a_section_too_many_is_seen():
    with pytest.raises(ValueError, match=r"^Sections must be those of the kinds; these differ: "
                                         r"\['### `sort`'\]$"):
        with_tables(PAGE.read_text() + "\n### `sort`\n")


def arrays(node):
    """Name and value of every array, those of a body included."""
    for name, value in node.values().items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif isinstance(value, tuple):
            for part in value:
                yield from arrays(part) if isinstance(part, ir.Node) else ()


@pytest.mark.parametrize("kind", sorted(DECLARED))
def test_arrays_are_read_only(kind):
    node = DECLARED[kind].sample(np.random.default_rng(0))
    copies = node, copy.deepcopy(node), pickle.loads(pickle.dumps(node))
    assert copies[1:] == (node, node)
    for _, array in (item for one in copies for item in arrays(one)):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            array.flags.writeable = True
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            array.reshape(-1).flags.writeable = True


def test_what_was_handed_in_may_change():
    thresholds, weights = np.array([[1]], np.int32), np.zeros((1, 2), bool)
    view = weights[:]
    weights.flags.writeable = False  # which keeps no older view from writing
    node = ir.Xnor(weights, thresholds)
    thresholds[0, 0], view[0, 0] = 2, True
    assert node == ir.Xnor(np.zeros((1, 2), bool), np.array([[1]]))
    assert dataclasses.replace(node).weights is node.weights  # no copy of a copy


def test_golden_vectors_are_read_only():
    features = np.zeros((1, 2), int)
    golden = ir.Golden(features, np.zeros((1, 2), int))
    features[:] = 1
    assert (golden.features.dtype, golden.features.any()) == (np.int32, False)
    for one in (golden, copy.deepcopy(golden)):
        with pytest.raises(ValueError, match="read-only"):
            one.scores[0, 0] = 1


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8, np.uint64])
def test_any_integers_become_those_of_the_file(dtype):
    node = ir.Xnor(np.zeros((1, 2), bool), np.array([[3]], dtype))
    assert node.thresholds.dtype == np.int32
    assert node == ir.Xnor(np.zeros((1, 2), bool), np.array([[3]], np.int32))


def numbers():
    """Every array of whole numbers of every kind."""
    for kind in KINDS:
        for field in ir.Node.kinds[kind].fields:
            if isinstance(field, Array):
                yield kind, field.name


@pytest.mark.parametrize(("kind", "name"), list(numbers()))
def test_numbers_are_never_truncated(kind, name):
    node = ir.Node.kinds[kind].sample(np.random.default_rng(0))
    for dtype in (np.float32, np.float64, bool, object, complex):
        value = getattr(node, name).astype(dtype)
        with pytest.raises(ValueError, match=rf"^{name.capitalize()} must hold integers, "
                                             rf"not {np.dtype(dtype)}$"):
            dataclasses.replace(node, **{name: value})
    for value in (2**31, 2**32, 2**63 - 1, -2**63):
        wide = getattr(node, name).astype(np.int64)
        wide.flat[0] = value
        with pytest.raises(ValueError, match=rf"^{name.capitalize()} must be between -?\d+ and "
                                             rf"\d+, not between -?\d+ and -?\d+$"):
            dataclasses.replace(node, **{name: wide})
    with pytest.raises(ValueError, match=rf"^{name.capitalize()} must be an array, not \[1, 2\]$"):
        dataclasses.replace(node, **{name: [1, 2]})


@pytest.mark.parametrize("kind", sorted(DECLARED))
def test_every_size_is_limited(kind):
    """A declaration without a limit would let a file ask for any memory."""
    names = set()
    for field in DECLARED[kind].fields:
        if isinstance(field, Integer):
            assert field.low <= field.high < 1 << 31
            names.add(field.name)
        elif isinstance(field, Integers):
            assert field.low <= field.high < 1 << 31
            assert field.least <= field.most < 1 << 16
        elif isinstance(field, Array | BitArray | Reals):
            assert {text for text in field.shape if text.isidentifier()} <= names
        else:
            assert isinstance(field, fields.Flag | Word | Nodes)


def test_the_width_of_a_node_is_limited():
    with pytest.raises(ValueError,
                       match=r"^Node must drive at most 16777215 values, not 16777216$"):
        ir.Convolution((ir.Lut(1, np.zeros((16, 1), int), np.zeros((16, 2), bool)),),
                       ir.Window(1 << 10, 1 << 10, 1, (1, 1)))


def test_a_window_is_a_window():
    with pytest.raises(ValueError, match=r"^Window must be an ir\.Window, not 5$"):
        ir.Convolution((ir.Lut(1, np.zeros((1, 1), int), np.zeros((1, 2), bool)),), 5)
    with pytest.raises(ValueError, match=r"^Body must be a tuple of nodes, not 5$"):
        ir.Convolution(5, ir.Window(1, 1, 1, (1, 1)))


@pytest.mark.parametrize("formula", ["width / 2", "width.x", "f(width)", "1.5 + 0.5"])
def test_a_formula_that_cannot_be(formula):
    sizes = fields.Sizes((Size("width", 1, 9),))
    sizes.learn("width", 4)
    assert sizes.value("2**width - 3*width + 1") == 5
    assert sizes.value("-width") == -4
    with pytest.raises(TypeError) as error:
        sizes.value(formula)
    assert str(error.value).startswith("Formula may have names, numbers, + - * and **, not ")


def test_a_kind_is_added_by_one_file(tmp_path, monkeypatch):
    """A toy: a class that declares its fields and says what it computes, and nothing else."""
    monkeypatch.setattr(ir.Node, "kinds", dict(ir.Node.kinds))

    @dataclasses.dataclass(frozen=True, eq=False)
    class Flip(ir.BitNode, kind="flip"):
        """Bits that some counts of times are inverted."""

        fields = (Integer("limit", 1, 9), Size("width", 1, fields.MAX_WIDTH),
                  Array("times", ("width",), 0, "limit"))

        limit: int
        times: np.ndarray

        @property
        def in_width(self):
            return len(self.times)

        out_width = in_width

        def evaluate_words(self, x):
            return x ^ np.where(self.times % 2, np.uint64(2**64 - 1), np.uint64(0))[:, None]

        @classmethod
        def sample(cls, rng):
            return cls(3, rng.integers(0, 4, size=5))

    modulate = ir.Modulate(np.array([[[1], [2]]]), 2)
    net = ir.Network((ir.Entry("m", modulate, ("input",)),
                      ir.Entry("flip", Flip(4, np.array([3, 4])), ("m",)),
                      ir.Entry("head", ir.GroupSum(2, 2), ("flip",))))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    again = ir.load(path)
    assert again.entries == net.entries
    assert again.evaluate(np.array([[1, 1], [0, 2]])).scores.tolist() == [[0, 0], [1, 1]]
    assert ir.simplify(net).entries == net.entries
    with pytest.raises(TypeError, match=r"^Reference has no rule for Flip$"):
        reference.scores(net, [1, 1])
    rewrite(path, lambda header, tensors: header["nodes"][1]["attributes"].update(limit=3))
    with pytest.raises(ir.ArtifactError, match=r": node 'flip': Times must be between 0 and 3, "
                                               r"not between 3 and 4$"):
        ir.load(path)


def test_a_kind_declares_its_fields():
    with pytest.raises(TypeError, match=r"^Node kind 'bare' must declare its fields$"):
        type("Bare", (ir.BitNode,), {}, kind="bare")
