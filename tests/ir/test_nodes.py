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


def test_a_border_of_constants():
    window = ir.Window(2, 2, 1, (2, 2), (2, 2), (1, 1, 1, 1))
    assert (window.shape, window.positions) == ((2, 2), 4)
    assert window.index.tolist() == [[4, 4, 4, 0], [4, 4, 1, 4], [4, 2, 4, 4], [3, 4, 4, 4]]
    ones = ir.Window(2, 2, 1, (2, 2), (2, 2), (1, 1, 1, 1), "one")
    assert ones.index.tolist() == [[5, 5, 5, 0], [5, 5, 1, 5], [5, 2, 5, 5], [3, 5, 5, 5]]


@pytest.mark.parametrize(("border", "columns"), [
    ("zero", [6, 6, 0, 1, 2, 6, 6]), ("one", [7, 7, 0, 1, 2, 7, 7]),
    ("replicate", [0, 0, 0, 1, 2, 2, 2]), ("reflect", [2, 1, 0, 1, 2, 1, 0])])
def test_what_lies_beyond_the_edge(border, columns):
    """As `torch.nn.functional.pad` and numpy.pad have it."""
    window = ir.Window(1, 3, 1, (1, 1), (1, 1), (0, 0, 2, 2), border)
    assert [place if place < 3 else place + 3 for place in window.padded.tolist()] == columns
    if border in ("replicate", "reflect"):
        mode = {"replicate": "edge", "reflect": "reflect"}[border]
        window = ir.Window(3, 4, 2, (1, 1), (1, 1), (1, 2, 3, 0), border)
        image = np.arange(24).reshape(3, 4, 2)
        wanted = np.pad(image, ((1, 2), (3, 0), (0, 0)), mode=mode)
        assert window.padded.tolist() == wanted.reshape(-1).tolist()


def test_padding_of_each_side():
    """Top, bottom, left, right: a row above, none below, none at the left, two at the right."""
    window = ir.Window(1, 1, 1, (1, 1), (1, 1), (1, 0, 0, 2))
    assert (window.padded_shape, window.shape) == ((2, 3), (2, 3))
    assert window.index.tolist() == [[1], [1], [1], [0], [1], [1]]


def test_dilation():
    """Two pixels a row apart in two columns that are two apart."""
    window = ir.Window(3, 4, 1, (2, 2), (1, 1), dilation=(1, 2))
    assert (window.extent, window.shape) == ((2, 3), (2, 2))
    assert window.index.tolist() == [[0, 2, 4, 6], [1, 3, 5, 7], [4, 6, 8, 10], [5, 7, 9, 11]]
    down = ir.Window(3, 2, 1, (2, 1), (1, 1), dilation=(2, 1))
    assert (down.extent, down.shape, down.index.tolist()) == ((3, 1), (1, 2), [[0, 4], [1, 5]])


def test_the_window_over_an_image_that_has_its_padding():
    window = ir.Window(3, 2, 2, (2, 1), (2, 1), (1, 2, 0, 1), "replicate", (3, 1))
    inner = window.inner
    assert (inner.in_width, inner.padding, inner.shape) == (36, (0, 0, 0, 0), window.shape)
    assert (window.padded[inner.index] == window.index).all()


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


def test_groups_read_their_own_channels():
    """One neuron a group, of two channels each in two pixels: all ones, and all zeros."""
    body = (ir.Xnor(bits([[1, 1, 1, 1]]), i32([[4]])), ir.Xnor(bits([[0, 0, 0, 0]]), i32([[4]])))
    node = ir.Convolution(body, ir.Window(1, 2, 4, (1, 2)), 2)
    assert node.seen.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert (node.channels, node.out_width, node.chains) == (2, 2, ((body[0],), (body[1],)))
    assert node.evaluate(bits([[1, 1, 0, 0, 1, 1, 0, 0], [1, 1, 0, 0, 1, 0, 0, 0],
                               [1, 1, 0, 1, 1, 1, 0, 0]])).astype(int).tolist() == [
        [1, 1], [0, 1], [1, 0]]


def test_groups_of_chains():
    """In each group an inverter behind another node; the second group has two outputs."""
    invert = ir.Lut(1, i32([[0]]), bits([[1, 0]]))
    both = ir.Lut(1, i32([[0], [0]]), bits([[1, 0], [0, 1]]))
    body = (ir.Lut(1, i32([[0]]), bits([[0, 1]])), invert, invert, both)
    node = ir.Convolution(body, ir.Window(1, 1, 2, (1, 1)), 2)
    assert node.evaluate(bits([[0, 0], [1, 0], [0, 1]])).astype(int).tolist() == [
        [1, 0, 1], [0, 0, 1], [1, 1, 0]]


@pytest.mark.parametrize(("function", "least"), [("or", 1), ("and", 4), ("majority", 3)])
def test_pool(function, least):
    """Four pixels of two channels: the second channel is the first inverted."""
    node = ir.Pool(ir.Window(2, 2, 2, (2, 2)), function)
    assert (node.least, node.channels, node.out_width) == (least, 2, 2)
    for pattern in range(16):
        pixels = [pattern >> place & 1 for place in range(4)]
        x = bits([[bit for pixel in pixels for bit in (pixel, 1 - pixel)]])
        assert node.evaluate(x).tolist() == [[sum(pixels) >= least, 4 - sum(pixels) >= least]]


def test_a_majority_is_more_than_half():
    for pixels in range(1, 10):
        node = ir.Pool(ir.Window(1, pixels, 1, (1, pixels)), "majority")
        x = np.arange(pixels) < np.arange(pixels + 1)[:, None]
        assert node.evaluate(x)[:, 0].tolist() == [2 * n > pixels for n in range(pixels + 1)]


def test_a_pool_counts_its_border():
    window = ir.Window(1, 1, 1, (1, 3), (1, 1), (0, 0, 1, 1), "one")
    assert ir.Pool(window, "majority").evaluate(bits([[0], [1]])).tolist() == [[True], [True]]
    assert ir.Pool(window, "and").evaluate(bits([[0], [1]])).tolist() == [[False], [True]]
    assert ir.Pool(window, "or").reads.tolist() == [True]


def test_join():
    """Two pixels of one channel, then two of three."""
    node = ir.Join(1, 2, (1, 3))
    assert (node.in_width, node.out_width, node.pixels) == (8, 8, 2)
    assert node.index.tolist() == [0, 2, 3, 4, 1, 5, 6, 7]
    assert node.evaluate(bits([[1, 0, 0, 0, 0, 1, 1, 1]])).astype(int).tolist() == [
        [1, 0, 0, 0, 0, 1, 1, 1]]
    assert node.evaluate(bits([[0, 1, 0, 0, 0, 1, 1, 0]])).astype(int).tolist() == [
        [0, 0, 0, 0, 1, 1, 1, 0]]


def test_a_residual_connection_is_a_join_and_a_convolution_of_tables():
    """The exclusive-or of two images of two pixels and one channel."""
    join = ir.Join(1, 2, (1, 1))
    both = ir.Convolution((ir.Lut(2, i32([[0, 1]]), bits([[0, 1, 1, 0]])),),
                          ir.Window(1, 2, 2, (1, 1)))
    x = bits([[0, 1, 1, 1]])
    assert both.evaluate(join.evaluate(x)).astype(int).tolist() == [[1, 0]]


def test_a_convolution_evaluates_positions_in_parts(monkeypatch):
    rng = np.random.default_rng(0)
    window = ir.Window(6, 5, 2, (2, 3), (1, 1))
    body = ir.Lut(12, rng.integers(12, size=(3, 4)), rng.integers(2, size=(3, 16)).astype(bool))
    node = ir.Convolution((body,), window)
    x = rng.integers(2, size=(130, 60)).astype(bool)
    expected = node.evaluate(x)
    monkeypatch.setattr("bitwright.ir.convolution._CHUNK_BITS", 7 * 12 * 192)  # 7 of 15 positions
    assert (node.evaluate(x) == expected).all()
    monkeypatch.setattr("bitwright.ir.convolution._CHUNK_BITS", 1)
    assert (node.evaluate(x) == expected).all()


@pytest.mark.parametrize(("name", "number"), [
    ("convolution._CHUNK_SIGNS", 1), ("convolution._CHUNK_SIGNS", 2 * 64 * 2 * 2 * 7),
    ("convolution.CHUNK", 1), ("signs.CHUNK", 1), ("signs.CHUNK", 5 * 64)])
def test_neurons_evaluate_in_parts(name, number, monkeypatch):
    """Of samples (three words, one or two at a time), of positions, and of inputs."""
    rng = np.random.default_rng(0)
    window = ir.Window(6, 5, 2, (2, 3), (1, 1), (0, 0, 1, 1), "one", (3, 2))
    body = ir.Xnor(rng.integers(2, size=(3, 12)).astype(bool), i32([[5, 4], [6, 9], [7, 1]]))
    node = ir.Convolution((body,), window)
    x = rng.integers(2, size=(130, 60)).astype(bool)
    dense = ir.Xnor(rng.integers(2, size=(3, 60)).astype(bool), i32([[28], [30], [31]]))
    head = ir.Scores(dense.weights, 1, i32([0, 0, 0]))
    expected = [part.evaluate(x) for part in (node, dense, head)]
    monkeypatch.setattr(f"bitwright.ir.{name}", number)
    for part, wanted in zip((node, dense, head), expected, strict=True):
        assert (part.evaluate(x) == wanted).all()


def test_what_a_node_reads():
    assert ir.Lut(4, i32([[2, -1], [0, 2]]), bits([[0] * 4] * 2)).reads.tolist() == [1, 0, 1, 0]
    assert ir.Lut(2, i32([[-1]]), bits([[0, 1]])).reads.tolist() == [0, 0]
    assert ir.GroupSum(2, 2).reads.tolist() == [1, 1]
    # The second pixel of a window, at the first and the fourth of five pixels.
    body = ir.Lut(2, i32([[1]]), bits([[0, 1]]))
    assert ir.Convolution((body,), ir.Window(1, 5, 1, (1, 2), (1, 3))).reads.tolist() == [
        0, 1, 0, 0, 1]
    # The second of two groups reads nothing; the border is no input.
    silent = ir.Lut(1, i32([[-1]]), bits([[0, 1]]))
    window = ir.Window(1, 2, 2, (1, 1), (1, 1), (1, 0, 0, 0), "one")
    body = (ir.Lut(1, i32([[0]]), bits([[0, 1]])), silent)
    assert ir.Convolution(body, window, 2).reads.tolist() == [1, 0, 1, 0]
    assert ir.Pool(ir.Window(1, 3, 1, (1, 1), (1, 2)), "or").reads.tolist() == [1, 0, 1]


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
    (lambda: ir.Window(2, 2, 1, (1, 1, 1)),
     r"Kernel must be a tuple of 2 integers, not \(1, 1, 1\)"),
    (lambda: ir.Window(2, 2, 1, (1, 1), 2), r"Stride must be a tuple of 2 integers, not 2"),
    (lambda: ir.Window(2, 2, 1, (1, 1), padding=(1, 1)),
     r"Padding must be a tuple of 4 integers, not \(1, 1\)"),
    (lambda: ir.Window(2, 2, 1, (1, 1), padding=(0, -1, 0, 0)),
     r"Padding-bottom must be between 0 and 16777215, not -1"),
    (lambda: ir.Window(2, 2, 1, (1, 1), padding=(0, 0, 0, 1.5)),
     r"Padding-right must be an integer, not 1\.5"),
    (lambda: ir.Window(2, 2, 1, (1, 1), padding=(0, 0, 4096, 1 << 23)),
     r"Image with its padding must have at most 16777215 bits, not 16785412"),
    (lambda: ir.Window(2, 2, 1, (1, 1), border="mirror"),
     r"Border must be one of \('zero', 'one', 'replicate', 'reflect'\), not 'mirror'"),
    (lambda: ir.Window(2, 3, 1, (1, 1), padding=(1, 2, 2, 2), border="reflect"),
     (r"Padding-bottom must be at most 1, as many pixels as there are to reflect, not 2")),
    (lambda: ir.Window(2, 3, 1, (1, 1), padding=(1, 1, 3, 2), border="reflect"),
     (r"Padding-left must be at most 2, as many pixels as there are to reflect, not 3")),
    (lambda: ir.Window(2, 2, 1, (1, 1), dilation=(1, 0)),
     r"Dilation-across must be between 1 and 16777215, not 0"),
    (lambda: ir.Window(4, 4, 1, (3, 2), padding=(0, 0, 1, 0), dilation=(2, 4)),
     r"Kernel must fit an image of 4 by 5 pixels, not have 5 by 5"),
    (lambda: ir.Convolution((ir.Lut(1, i32([[0]]), bits([[0, 1]])),), ir.Window(1, 1, 3, (1, 1)),
                            2), r"Groups must divide the 3 channels of a pixel, not be 2"),
    (lambda: ir.Convolution((ir.Lut(1, i32([[0]]), bits([[0, 1]])),), ir.Window(1, 1, 2, (1, 1)),
                            2), r"Groups must divide the 1 nodes of the body, not be 2"),
    (lambda: ir.Convolution((ir.Lut(1, i32([[0]]), bits([[0, 1]])),), ir.Window(1, 1, 1, (1, 1)),
                            0), r"Groups must be between 1 and 16777215, not 0"),
    (lambda: ir.Convolution((ir.Lut(1, i32([[0]]), bits([[0, 1]])),) * 2,
                            ir.Window(1, 1, 4, (1, 1)), 2),
     r"Body node 0 reads 1 bits, but a group of the window shows 2"),
    (lambda: ir.Convolution((ir.Lut(1, i32([[0]]), bits([[0, 1]])),
                             ir.Lut(2, i32([[0]]), bits([[0, 1]]))), ir.Window(1, 1, 2, (1, 1)), 2),
     r"Body node 1 reads 2 bits, but a group of the window shows 1"),
    (lambda: ir.Pool(5, "or"), r"Window must be an ir\.Window, not 5"),
    (lambda: ir.Pool(ir.Window(1, 1, 1, (1, 1)), "max"),
     r"Function must be one of \('or', 'and', 'majority'\), not 'max'"),
    (lambda: ir.Join(1, 1, (1,)), r"Channels must be 2 to 255 numbers, not 1"),
    (lambda: ir.Join(1, 1, [1, 1]), r"Channels must be a tuple of integers, not \[1, 1\]"),
    (lambda: ir.Join(1, 1, (1, True)), r"Channels must be a tuple of integers, not \(1, True\)"),
    (lambda: ir.Join(1, 1, (1, 0)), r"Channels must be between 1 and 16777215, not 0"),
    (lambda: ir.Join(1 << 12, 1 << 12, (1, 1)),
     r"Node must read at most 16777215 values, not 33554432"),
    (lambda: ir.Convolution((), ir.Window(2, 2, 1, (1, 1))),
     r"Body must have 1 to 65535 nodes, not 0"),
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
