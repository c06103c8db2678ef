"""What is around the nodes of a network: preparation, answer, names."""

import dataclasses
import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.ir.fields import shown
from tests.stored import rewrite

MODULATE = ir.Entry("m", ir.Modulate(np.array([[[1], [2]]], np.int32), 2), ("input",))
HEAD = ir.Entry("head", ir.GroupSum(2, 2), ("m",))


def none():
    return np.zeros(0, np.float32)


SINGLE = (MODULATE, ir.Entry("head", ir.GroupSum(2, 1), ("m",)))
TABLE = ir.Affine(1, 2, False, False, np.float32([0, 0]), np.float32([1, 1]), none())
WEIGHT = ir.Answer(np.float32([0]), np.float32([1]))


@pytest.mark.parametrize(("entries", "around", "message"), [
    (SINGLE, {}, "Network must have at least 2 classes, or an answer for its score, not 1 class"),
    (SINGLE, {"answer": ir.Answer(np.float32([0, 0]), np.float32([1, 1]))},
     "Answer must be of 1 scores, not 2"),
    (SINGLE, {"answer": ir.Answer(np.float32([0]), np.float32([3e38]))},
     "Answer must be finite for scores from 0 to 2, not inf"),
    (SINGLE, {"answer": ir.Answer(np.float32([3e38]), np.float32([1e38]))},
     "Answer must be finite for scores from 0 to 2, not inf"),
    (SINGLE, {"answer": 5}, "Answer must be an ir.Answer, not 5"),
    ((MODULATE, HEAD), {"preparation": TABLE.fill},
     "Preparation must be an ir.Preparation, not array([], dtype=float32)"),
    ((MODULATE, HEAD), {"preparation": ir.Picture(1, 3, False, False, 3)},
     "Preparation must make 2 features, not 3"),
    ((MODULATE, HEAD), {"preparation": ir.Picture(1, 2, False, False, 4)},
     "Preparation must make features between 0 and 3, not between 0 and 4"),
    ((MODULATE, HEAD), {"preparation": ir.Affine(1, 2, True, False, np.float32([0, 0]),
                                                 np.float32([1, 1]), none())},
     "Preparation must make features between 0 and 3, not between -2 and 1"),
    ((MODULATE, HEAD), {"names": None}, "Names must be an ir.Names, not None"),
    ((MODULATE, HEAD), {"names": ir.Names(("a", "b", "c"))}, "Names of classes must be 2, not 3"),
    ((MODULATE, HEAD), {"names": ir.Names(columns=("a",))}, "Names of columns must be 2, not 1"),
    ((MODULATE, HEAD), {"names": ir.Names(columns=("a", "b")),
                        "preparation": ir.Picture(1, 2, False, False, 3)},
     "Names of columns must be 0, not 2"),
    ((MODULATE, HEAD), {"names": ir.Names(columns=("a",)), "preparation": TABLE},
     "Names of columns must be 2, not 1"),
    ((MODULATE, HEAD), {"names": ir.Names(answers=("a", "b"))},
     "Names of answers must be 0, not 2"),
    (SINGLE, {"names": ir.Names(("a",)), "answer": WEIGHT}, "Names of classes must be 0, not 1"),
    (SINGLE, {"names": ir.Names(answers=("a", "b")), "answer": WEIGHT},
     "Names of answers must be 1, not 2"),
])
def test_what_is_around_the_nodes_refused(entries, around, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ir.Network(entries, **around)


def test_what_is_around_the_nodes():
    net = ir.Network((MODULATE, HEAD), preparation=TABLE,
                     names=ir.Names(("no", "yes"), ("x", "y")))
    features = net.preparation.apply(np.array([[[1.4, 9]]]))
    assert net.evaluate(features).scores.tolist() == [[1, 1]]
    number = ir.Network(SINGLE, answer=ir.Answer(np.float32([20]), np.float32([0.5])),
                        names=ir.Names(answers=("temperature, °C",)))
    assert number.answer.apply(number.evaluate(features).scores).tolist() == [[21.0]]


@pytest.mark.parametrize(("names", "message"), [
    ({"classes": ["a"]}, "Names of classes must be a tuple, not ['a']"),
    ({"classes": ("a", "b", "a")}, "Names of classes must differ, not be 'a' twice"),
])
def test_names_refused(names, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ir.Names(**names)


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", 5, "\ud800", "\u202eb", "a\tb",
                                  "no\u00a0break", "\u3000", "a\u2028b", "\x7f", 1001 * "a"])
@pytest.mark.parametrize("field", ["classes", "columns", "answers"])
def test_a_name_refused(field, name):
    message = (f"Names of {field} must be 1 to 1000 printable characters with no space at either "
               f"end, not {shown(name)}")
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ir.Names(**{field: ("a", name)})


def test_names():
    assert ir.Names(("Brücke am Fluß", "水", 1000 * "a"), ("a",), ("a",)).columns == ("a",)
    # Persian is written with a joiner; U+E000 and U+0378 are for others, or for later, to assign.
    assert len(ir.Names(("\u0645\u06cc\u200c\u062e", "\ue000", "\u0378")).classes) == 3


@pytest.mark.parametrize(("make", "message"), [
    (lambda: dataclasses.replace(TABLE, steps=0), "Steps must be between 1 and 65536, not 0"),
    (lambda: dataclasses.replace(TABLE, bits=17), "Bits must be between 1 and 16, not 17"),
    (lambda: dataclasses.replace(TABLE, signed=1), "Signed must be true or false, not 1"),
    (lambda: dataclasses.replace(TABLE, offset=np.zeros(2)),
     "Offset must hold float32, not float64"),
    (lambda: dataclasses.replace(TABLE, offset=np.float32([0, np.nan])),
     "Offset must be finite, not nan"),
    (lambda: dataclasses.replace(TABLE, scale=np.float32([1, 0])),
     "Scale must be finite and above 0, not 0.0"),
    (lambda: dataclasses.replace(TABLE, scale=np.float32([1, np.inf])),
     "Scale must be finite and above 0, not inf"),
    (lambda: dataclasses.replace(TABLE, scale=np.float32([1])),
     "Scale must have shape (2,), not (1,)"),
    (lambda: dataclasses.replace(TABLE, fills=True), "Fill must have shape (2,), not (0,)"),
    (lambda: dataclasses.replace(TABLE, fill=np.float32([1, 2])),
     "Fill must have shape (0,), not (2,)"),
    (lambda: ir.Affine(65536, 1, False, False, *(np.ones(256, np.float32) for _ in range(2)),
                       none()),
     "Preparation must make at most 16777215 features, not 16777216"),
    (lambda: ir.Quantile(65536, False, np.ones((256, 1), np.float32), none()),
     "Preparation must make at most 16777215 features, not 16777216"),
    (lambda: ir.Quantile(1, False, np.float32([[1, 2], [2, 1.5]]), none()),
     "Edges must ascend, not from 2.0 to 1.5 (column 1)"),
    (lambda: ir.Quantile(1, False, np.ones((2, 0), np.float32), none()),
     "Levels must be between 1 and 65535, not 0"),
    (lambda: ir.Picture(4097, 1, False, False, 1), "Height must be between 1 and 4096, not 4097"),
    (lambda: ir.Picture(1, 1, False, False, 65536),
     "Full-scale must be between 1 and 65535, not 65536"),
    (lambda: ir.Picture(1, 1, 3, False, 1), "Colour must be true or false, not 3"),
    (lambda: ir.Answer(np.float32([1]), np.float32([-1])),
     "Scale must be finite and above 0, not -1.0"),
    (lambda: ir.Answer(np.zeros((1, 1), np.float32), np.float32([1])),
     "Offset must have shape (scores,), not (1, 1)"),
])
def test_preparations_and_answers_refused(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_a_kind_of_preparation_is_taken_once():
    with pytest.raises(TypeError, match=r"^Preparation 'picture' is already taken by <class "
                                        r"'bitwright\.ir\.picture\.Picture'>$"):
        type("Other", (ir.Preparation,), {}, kind="picture")
    with pytest.raises(TypeError, match=r"^Preparation 'bare' must declare its fields$"):
        type("Bare", (ir.Preparation,), {}, kind="bare")


@pytest.fixture
def surrounded(tmp_path):
    """File of a regression with a preparation and names."""
    fill = np.float32([0, 9])
    net = ir.Network((
        ir.Entry("m", ir.Modulate(np.ones((1, 4, 1), np.int32), 3), ("input",)),
        ir.Entry("head", ir.GroupSum(4, 1), ("m",))),
        preparation=ir.Quantile(2, True, np.float32([[-1, 0.5, 3], [1, 2, 2]]), fill),
        answer=ir.Answer(np.float32([1]), np.float32([2])),
        names=ir.Names((), ("x", "y"), ("weight, kg",)))
    path = tmp_path / "network.safetensors"
    ir.save(path, net)
    again = ir.load(path)
    assert (again.preparation, again.answer, again.names) == (net.preparation, net.answer,
                                                              net.names)
    return path


NAMES = "Names of {} must be {}, not {}".format


@pytest.mark.parametrize(("change", "message"), [
    (lambda header, tensors: header.update(preparation=5),
     "preparation must be an object, not 5"),
    (lambda header, tensors: header["preparation"].pop("kind"),
     "preparation: field 'kind' is missing"),
    (lambda header, tensors: header["preparation"].update(more=1),
     "preparation: field 'more' is unknown"),
    (lambda header, tensors: header["preparation"].update(kind="log"),
     r"preparation: kind must be one of \['affine', 'picture', 'quantile'\], not 'log'"),
    (lambda header, tensors: header["preparation"].update(kind=["affine"]),
     r"preparation: kind must be one of \['affine', .*\], not \['affine'\]"),
    (lambda header, tensors: header["preparation"].update(attributes=[]),
     r"preparation: attributes must be an object, not \[\]"),
    (lambda header, tensors: header["preparation"]["attributes"].pop("steps"),
     "preparation: field 'steps' is missing"),
    (lambda header, tensors: header["preparation"]["attributes"].update(more=1),
     "preparation: field 'more' is unknown"),
    (lambda header, tensors: header["preparation"]["attributes"].update(steps=1.0),
     r"preparation: Steps must be an integer, not 1\.0"),
    (lambda header, tensors: header["preparation"]["attributes"].update(steps=3),
     "Preparation must make 4 features, not 6"),
    (lambda header, tensors: header["preparation"]["attributes"].update(fills=False),
     r"preparation: Fill must have shape \(0,\), not \(2,\)"),
    (lambda header, tensors: header.pop("preparation"),
     "tensors of 'PREPARATION' belong to no node"),
    (lambda header, tensors: header.update(preparation=None),
     "preparation must be an object, not None"),
    (lambda header, tensors: tensors.pop("PREPARATION.edges"),
     "preparation: field 'edges' is missing"),
    (lambda header, tensors: tensors.update({"PREPARATION.more": np.zeros(1, np.float32)}),
     "preparation: field 'more' is unknown"),
    (lambda header, tensors: tensors.update({"PREPARATION.edges": np.ones((2, 3), np.int32)}),
     "preparation: Edges must hold float32 on file, not int32"),
    (lambda header, tensors: tensors.update({"PREPARATION.edges": np.ones((2, 3))}),
     r"tensor 'PREPARATION\.edges' must be one of U8, I32, I64, F32, not F64"),
    (lambda header, tensors: tensors.update({"PREPARATION.fill": np.float32([0, np.nan])}),
     "preparation: Fill must be finite, not nan"),
    (lambda header, tensors: tensors.pop("ANSWER.scale"), "answer: field 'scale' is missing"),
    (lambda header, tensors: tensors.update({"ANSWER.more": np.zeros(1, np.float32)}),
     "answer: field 'more' is unknown"),
    (lambda header, tensors: tensors.update({"ANSWER.scale": np.float32([0])}),
     r"answer: Scale must be finite and above 0, not 0\.0"),
    (lambda header, tensors: tensors.update({"ANSWER.offset": np.zeros(1, np.int32)}),
     "answer: Offset must hold float32 on file, not int32"),
    (lambda header, tensors: (tensors.pop("ANSWER.scale"), tensors.pop("ANSWER.offset")),
     "Network must have at least 2 classes, or an answer for its score, not 1 class"),
    (lambda header, tensors: header.update(names=None),
     "field 'names' must be an object of classes, columns, answers, not None"),
    (lambda header, tensors: header["names"].pop("classes"),
     "field 'names' must be an object of classes, columns, answers, not {.*}"),
    (lambda header, tensors: header["names"].update(more=[]),
     "field 'names' must be an object of classes, columns, answers, not {.*}"),
    (lambda header, tensors: header["names"].update(columns="xy"),
     NAMES("columns", "a list", "'xy'")),
    (lambda header, tensors: header["names"].update(columns=[1, 2]),
     NAMES("columns", "1 to 1000 printable characters with no space at either end", 1)),
    (lambda header, tensors: header["names"].update(columns=["x"]), NAMES("columns", 2, 1)),
    (lambda header, tensors: header["names"].update(classes=["x"]), NAMES("classes", 0, 1)),
    (lambda header, tensors: header.update(names={"classes": [], "columns": [], "answers": []}),
     "field 'names' must hold a name, or not be there"),
])
def test_malformed_surroundings(surrounded, change, message):
    rewrite(surrounded, change)
    with pytest.raises(ir.ArtifactError, match=f"^{re.escape(str(surrounded))}: {message}$"):
        ir.load(surrounded)
