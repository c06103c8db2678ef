"""Each node by hand, and every message that refuses a bad one."""

import numpy as np
import pytest

from bitwright import ir


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


def test_window_bits_go_row_by_row_with_the_channels_together():
    window = ir.Window(3, 2, 2, (2, 1), (1, 1))
    assert (window.in_width, window.bits, window.shape, window.positions) == (12, 4, (2, 2), 4)
    assert window.index.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [4, 5, 8, 9], [6, 7, 10, 11]]


def test_window_strides_leave_what_does_not_fit():
    window = ir.Window(4, 7, 1, (2, 3), (3, 2))
    assert window.shape == (1, 3)
    assert window.index.tolist() == [[0, 1, 2, 7, 8, 9], [2, 3, 4, 9, 10, 11],
                                     [4, 5, 6, 11, 12, 13]]


def test_convolution():
    """Two windows of two pixels; a neuron for equal pixels 1 1, and one for 1 0 or better."""
    body = ir.Xnor(bits([[1, 1], [1, 0]]), i32([[2], [1]]))
    node = ir.Convolution((body,), ir.Window(1, 3, 1, (1, 2)))
    assert (node.in_width, node.out_width, node.channels) == (3, 4, 2)
    assert node.evaluate(bits([[1, 1, 0], [0, 1, 1]])).astype(int).tolist() == [
        [1, 1, 0, 1], [0, 0, 1, 1]]


def test_a_body_of_two_nodes():
    """The exclusive-or of two neighbours, inverted."""
    body = (ir.Lut(2, i32([[0, 1]]), bits([[0, 1, 1, 0]])),
            ir.Lut(1, i32([[0]]), bits([[1, 0]])))
    node = ir.Convolution(body, ir.Window(1, 3, 1, (1, 2)))
    assert node.evaluate(bits([[1, 0, 0]])).astype(int).tolist() == [[0, 1]]


def test_a_convolution_evaluates_positions_in_parts(monkeypatch):
    rng = np.random.default_rng(0)
    window = ir.Window(6, 5, 2, (2, 3), (1, 1))
    body = ir.Xnor(rng.integers(2, size=(3, 12)).astype(bool), i32([[5], [6], [7]]))
    node = ir.Convolution((body,), window)
    x = rng.integers(2, size=(130, 60)).astype(bool)
    expected = node.evaluate(x)
    monkeypatch.setattr("bitwright.ir.convolution._CHUNK_BITS", 7 * 12 * 192)  # 7 of 15 positions
    assert (node.evaluate(x) == expected).all()
    monkeypatch.setattr("bitwright.ir.convolution._CHUNK_BITS", 1)
    assert (node.evaluate(x) == expected).all()


def test_what_a_node_reads():
    assert ir.Lut(4, i32([[2, -1], [0, 2]]), bits([[0] * 4] * 2)).reads.tolist() == [1, 0, 1, 0]
    assert ir.Lut(2, i32([[-1]]), bits([[0, 1]])).reads.tolist() == [0, 0]
    assert ir.GroupSum(2, 2).reads.tolist() == [1, 1]
    # The second pixel of a window, at the first and the fourth of five pixels.
    body = ir.Lut(2, i32([[1]]), bits([[0, 1]]))
    assert ir.Convolution((body,), ir.Window(1, 5, 1, (1, 2), (1, 3))).reads.tolist() == [
        0, 1, 0, 0, 1]


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
     r"Thresholds must have shape \(frames, features, depth\), not \(1, 1\)"),
    (lambda: ir.Modulate(i32([[[1]]]), 17), r"Bits must be between 1 and 16, not 17"),
    (lambda: ir.Modulate(i32([[[17]]]), 4), (r"Thresholds must be between 0 and 16, not between "
                                            r"17 and 17")),
    (lambda: ir.Modulate(i32([[[-9]]]), 4, signed=True),
     r"Thresholds must be between -8 and 8, not between -9 and -9"),
    (lambda: ir.Lut(2, i32([0]), bits([[0, 1]])),
     r"Sources must have shape \(out_width, fan_in\), not \(1,\)"),
    (lambda: ir.Lut(2, i32([[0] * 9]), bits([[0] * 512])),
     r"Fan-in must be between 1 and 8, not 9"),
    (lambda: ir.Lut(2, i32([[0]]), bits([[0, 1, 1]])),
     r"Tables must have shape \(1, 2\), not \(1, 3\)"),
    (lambda: ir.Lut(2, i32([[0]]), i32([[0, 1]])), r"Tables must hold bool, not int32"),
    (lambda: ir.Lut(2, i32([[2]]), bits([[0, 1]])),
     r"Sources must be between -1 and 1, not between 2 and 2"),
    (lambda: ir.Xnor(bits([1]), i32([[1]])),
     r"Weights must have shape \(neurons, width\), not \(1,\)"),
    (lambda: ir.Xnor(i32([[1]]), i32([[1]])), r"Weights must hold bool, not int32"),
    (lambda: ir.Xnor(bits([[1]]), i32([1])), (r"Thresholds must have shape \(1, depth\), "
                                             r"not \(1,\)")),
    (lambda: ir.Xnor(bits([[1]]), i32([[3]])),
     r"Thresholds must be between 0 and 2, not between 3 and 3"),
    (lambda: ir.Window(0, 2, 1, (1, 1)), r"Height must be between 1 and 16777215, not 0"),
    (lambda: ir.Window(2, "2", 1, (1, 1)),
     r"Width must be an integer, not '2'"),
    (lambda: ir.Window(2, 2, 0, (1, 1)), r"Channels must be between 1 and 16777215, not 0"),
    (lambda: ir.Window(2, 2, 1, (0, 1)), r"Kernel-height must be between 1 and 16777215, not 0"),
    (lambda: ir.Window(2, 2, 1, (1, 0)), r"Kernel-width must be between 1 and 16777215, not 0"),
    (lambda: ir.Window(2, 2, 1, (1, 1), (0, 1)),
     r"Stride-down must be between 1 and 16777215, not 0"),
    (lambda: ir.Window(2, 2, 1, (1, 1), (1, True)),
     r"Stride-across must be an integer, not True"),
    (lambda: ir.Window(2, 3, 1, (2, 4)),
     r"Kernel must fit an image of 2 by 3 pixels, not have 2 by 4"),
    (lambda: ir.Window(2, 3, 1, (3, 3)),
     r"Kernel must fit an image of 2 by 3 pixels, not have 3 by 3"),
    (lambda: ir.Convolution((), ir.Window(2, 2, 1, (1, 1))),
     r"Body must have 1 to 255 nodes, not 0"),
    (lambda: ir.Convolution((ir.GroupSum(2, 2),), ir.Window(2, 2, 1, (1, 2))),
     r"Body node 0 must be a Lut or Xnor, not GroupSum"),
    (lambda: ir.Convolution((ir.Xnor(bits([[1, 0]]), i32([[1]])),), ir.Window(2, 2, 1, (1, 1))),
     r"Body node 0 reads 2 bits, but the window shows 1"),
    (lambda: ir.Convolution((ir.Xnor(bits([[1]]), i32([[1]])), ir.Xnor(bits([[1, 0]]), i32([[1]]))),
                            ir.Window(2, 2, 1, (1, 1))),
     r"Body node 1 reads 2 bits, but body node 0 drives 1"),
    (lambda: ir.GroupSum(3, 0), r"Classes must be between 1 and 16777215, not 0"),
    (lambda: ir.GroupSum(3, 2), r"Width must be a multiple of 2 classes, not 3"),
    (lambda: ir.Goodness(0), r"Width must be between 1 and 16777215, not 0"),
    (lambda: ir.Scores(np.zeros((0, 1), bool), 1, i32([])),
     r"Classes must be between 1 and 16777215, not 0"),
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
    with pytest.raises(TypeError,
                       match=r"^Node kind 'lut' is already taken by <class 'bitwright\.ir\.lut"):
        type("Other", (ir.BitNode,), {}, kind="lut")
