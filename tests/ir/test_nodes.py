"""Each node by hand, and every message that refuses a bad one."""

import numpy as np
import pytest

import ir


def i32(values):
    return np.array(values, np.int32)


def bits(values):
    return np.array(values, bool)


def test_modulate():
    node = ir.Modulate(i32([[[1, 3]], [[2, 4]]]), bits=2)
    x = i32([[0], [1], [2], [3]])
    assert ir.unslice(node.evaluate_frame(x, 0), 4).astype(int).tolist() == [
        [0, 0], [1, 0], [1, 0], [1, 1]]
    assert ir.unslice(node.evaluate_frame(x, 1), 4).astype(int).tolist() == [
        [0, 0], [0, 0], [1, 0], [1, 0]]


def test_lut_slot_0_is_the_least_significant_bit():
    node = ir.Lut(2, i32([[0, 1]]), bits([[False, False, True, False]]))
    x = bits([[0, 0], [1, 0], [0, 1], [1, 1]])
    assert node.evaluate(x).tolist() == [[False], [False], [True], [False]]


def test_lut_unconnected_slot_reads_0():
    node = ir.Lut(1, i32([[0, -1]]), bits([[False, True, True, True]]))
    assert node.evaluate(bits([[0], [1]])).tolist() == [[False], [True]]


def test_xnor():
    node = ir.Xnor(bits([[1, 0, 1]]), i32([[2, 3]]))
    x = bits([[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert node.evaluate(x).astype(int).tolist() == [[1, 1], [1, 0], [0, 0]]


def test_group_sum():
    node = ir.GroupSum(4, 2)
    assert node.evaluate(bits([[1, 1, 0, 1]])).tolist() == [[2, 1]]
    assert node.score_range == (0, 2)


def test_goodness():
    node = ir.Goodness(3)
    assert node.evaluate(bits([[1, 0, 1], [0, 0, 0]])).tolist() == [[2], [0]]
    assert node.score_range == (0, 3)


def test_scores():
    node = ir.Scores(bits([[1, 1], [0, 0]]), 3, i32([-1, 5]))
    assert node.evaluate(bits([[1, 1], [1, 0]])).tolist() == [[5, 5], [2, 8]]
    assert node.score_range == (-1, 11)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: ir.Modulate(i32([[1]]), 4),
     r"Thresholds must have shape \(frames, features, depth\), none of them 0, not \(1, 1\)"),
    (lambda: ir.Modulate(i32([[[1]]]), 17), r"Feature width must be between 1 and 16 bits, not 17"),
    (lambda: ir.Modulate(i32([[[17]]]), 4), (r"Thresholds must be between 0 and 16, not between "
                                            r"17 and 17")),
    (lambda: ir.Modulate(i32([[[-9]]]), 4, signed=True),
     r"Thresholds must be between -8 and 8, not between -9 and -9"),
    (lambda: ir.Lut(2, i32([0]), bits([[0, 1]])),
     r"Sources must have shape \(out_width, fan_in\), at least one row, not \(1,\)"),
    (lambda: ir.Lut(2, i32([[0] * 9]), bits([[0] * 512])),
     r"Fan-in must be between 1 and 8, not 9"),
    (lambda: ir.Lut(2, i32([[0]]), bits([[0, 1, 1]])),
     r"Tables must have shape \(1, 2\), not \(1, 3\)"),
    (lambda: ir.Lut(2, i32([[0]]), i32([[0, 1]])), r"Tables must hold bool, not int32"),
    (lambda: ir.Lut(2, i32([[2]]), bits([[0, 1]])),
     r"Sources must be between -1 and 1, not between 2 and 2"),
    (lambda: ir.Xnor(bits([1]), i32([[1]])),
     r"Weights must have shape \(neurons, in_width\), none of them 0, not \(1,\)"),
    (lambda: ir.Xnor(i32([[1]]), i32([[1]])), r"Weights must hold bool, not int32"),
    (lambda: ir.Xnor(bits([[1]]), i32([1])), (r"Thresholds must have shape \(1, depth\), "
                                             r"not \(1,\)")),
    (lambda: ir.Xnor(bits([[1]]), i32([[3]])),
     r"Thresholds must be between 0 and 2, not between 3 and 3"),
    (lambda: ir.GroupSum(3, 1), r"Classes must be at least 2, not 1"),
    (lambda: ir.GroupSum(3, 2), r"Width must be a positive multiple of 2 classes, not 3"),
    (lambda: ir.Goodness(0), r"Width must be at least 1, not 0"),
    (lambda: ir.Scores(bits([[1]]), 1, i32([0])),
     (r"Weights must have shape \(classes, in_width\), at least 2 classes and 1 input, "
     r"not \(1, 1\)")),
    (lambda: ir.Scores(i32([[1], [1]]), 1, i32([0, 0])), r"Weights must hold bool, not int32"),
    (lambda: ir.Scores(bits([[1], [1]]), 0, i32([0, 0])),
     r"Scale must be between 1 and 32768, not 0"),
    (lambda: ir.Scores(bits([[1], [1]]), 1, i32([0])),
     r"Biases must have shape \(2,\), not \(1,\)"),
    (lambda: ir.Scores(bits([[1], [1]]), 1, i32([0, -2**31])),
     r"Biases must be between -1073741824 and 1073741824, not between -2147483648 and 0"),
])
def test_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()


@pytest.mark.parametrize(("x", "message"), [
    (i32([[1, 2]]), r"Features must have shape \(batch, 1\), not \(1, 2\)"),
    (np.array([[0.5]]), r"Features must be integers, not float64"),
    (i32([[4], [-1]]), r"Features must be between 0 and 3, not between -1 and 4"),
])
def test_features_refused(x, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        ir.Modulate(i32([[[1]]]), 2).check(x)


def test_kind_taken():
    with pytest.raises(TypeError, match=r"^Node kind 'lut' is already taken by <class 'ir\.lut"):
        type("Other", (ir.BitNode,), {}, kind="lut")
