"""Windows: the order of their bits, and that folding and unfolding agree with the frozen side."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright.ir.window import Window
from bitwright.model.layers.windows import (
    Sliding,
    add_windows,
    at_positions,
    by_position,
    output_geometry,
    see_windows,
    slide,
    window_of,
)
from bitwright.model.wiring import Geometry


def test_unfold_by_hand():
    """Two rows of three pixels of two channels; a window of one row and two columns."""
    window = Window(2, 3, 2, (1, 2))
    x = torch.arange(12).reshape(12, 1) * torch.tensor([[1, 10]])
    columns = see_windows(x, window)
    assert columns.shape == (4, 8)
    assert columns[:, :4].T.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [6, 7, 8, 9], [8, 9, 10, 11]]
    assert torch.equal(columns[:, 4:], 10 * columns[:, :4])


WINDOWS = [
    Window(5, 4, 3, (2, 3), (2, 1)), Window(6, 6, 1, (3, 3), (3, 3)), Window(4, 5, 2, (4, 5)),
    Window(7, 5, 2, (1, 2), (4, 3)), Window(3, 4, 4, (3, 2), (1, 2), (1, 1, 0, 0)),
    Window(3, 4, 2, (3, 2), (2, 1), (0, 2, 1, 3), "one", (1, 2)),
    Window(4, 3, 2, (2, 2), (1, 2), (0, 1, 2, 0)),
    Window(2, 5, 2, (3, 3), (1, 1), (1, 1, 1, 1), "zero", (1, 2)),
    Window(2, 5, 4, (3, 3), (1, 2), (1, 1, 2, 0), "replicate"),
    Window(4, 3, 2, (3, 3), (1, 1), (3, 1, 2, 2), "reflect", (2, 1))]


@pytest.mark.parametrize("window", WINDOWS)
def test_unfold_equals_the_index_of_the_window(window):
    x = torch.randn(window.in_width, 3)
    shown = torch.cat([x, torch.zeros(1, 3), torch.ones(1, 3)])
    expected = shown[torch.from_numpy(window.index)]  # (positions, bits, batch)
    assert torch.equal(see_windows(x, window), expected.permute(1, 2, 0).flatten(1))
    bits = (x > 0).to(torch.uint8)
    assert torch.equal(see_windows(bits, window).float(), see_windows(bits.float(), window))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("depthwise", [False, True])
def test_sliding_is_the_product_with_what_the_window_sees(window, depthwise):
    groups = window.channels if depthwise else 1
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(2, (window.in_width, 3), generator=generator).float()
    weights = torch.randint(5, (2 * groups, window.bits // groups), generator=generator) - 2.0
    columns = see_windows(x, window).view(window.pixels, groups, -1, 3 * window.positions)
    parts = [own @ columns[:, group].flatten(0, 1)
             for group, own in enumerate(weights.chunk(groups))]
    for values in (x, x.T.contiguous().T):
        found = slide(values, weights, window, groups)
        assert torch.equal(found, torch.cat(parts))
    y = at_positions(found, window)
    assert y.T.is_contiguous()  # so that the next layer copies nothing
    assert y.T.data_ptr() == found.data_ptr()


@pytest.mark.parametrize(("padding", "expected"), [
    ("valid", (0, 0, 0, 0)), (2, (2, 2, 2, 2)), ((1, 2, 3, 0), (1, 2, 3, 0)),
    ("same", (1, 2, 1, 1))])
def test_padding_by_name_and_number(padding, expected):
    sliding = Sliding(kernel=(4, 3), stride=1, padding=padding)
    window = sliding.window(Geometry.of((6, 7), 2))
    assert window.padding == expected
    if padding == "same":
        assert window.shape == (6, 7)


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [
    (3, 1, 1), (3, 2, 1), (2, 2, 1), (5, 1, 2), (3, 3, 2), (1, 2, 1)])
def test_same_padding_has_a_position_for_every_pixel(kernel, stride, dilation):
    sliding = Sliding(kernel=kernel, stride=stride, padding="same", dilation=dilation)
    window = sliding.window(Geometry.of((9, 10)))
    assert window.shape == (-(-9 // stride), -(-10 // stride))
    for before, behind in (window.padding[:2], window.padding[2:]):
        assert behind - before in (0, 1)


def test_outputs_beyond_the_edge_lie_at_the_edge():
    geometry = Geometry.of((2, 4))
    window = Sliding(kernel=1, padding=(1, 0, 0, 1)).window(geometry)
    out = output_geometry(geometry, window, 1)
    assert out.sites[:5].tolist() == [[0.25, 0.125], [0.25, 0.375], [0.25, 0.625], [0.25, 0.875],
                                      [0.25, 0.875]]
    assert out.sites[-1].tolist() == [0.75, 0.875]


def test_unfold_passes_gradients_to_every_use():
    window = Window(3, 3, 1, (2, 2))
    x = torch.zeros(9, 1, requires_grad=True)
    see_windows(x, window).sum().backward()
    assert x.grad.flatten().tolist() == [1, 2, 1, 2, 4, 2, 1, 2, 1]


def test_fold_by_hand():
    window = Window(1, 2, 1, (1, 1))
    y = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])  # two channels, two positions of two samples
    assert at_positions(y, window).tolist() == [[1, 3], [5, 7], [2, 4], [6, 8]]


def test_outputs_lie_in_the_middle_of_what_they_see():
    geometry = Geometry.of((4, 4), depth=2)
    out = output_geometry(geometry, window_of(geometry, 2, 2), 3)
    assert out.shape == (2, 2)
    assert out.depth == 3
    assert out.width == 12
    assert np.allclose(out.sites, [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]])


def test_a_line_has_no_windows():
    with pytest.raises(ValueError, match=r"^input must be an image, not 6 bits without rows and "
                                         r"columns$"):
        window_of(Geometry.line(3, 2), 2, 1)


def test_a_window_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match=r"^Kernel must fit an image of 3 by 5 pixels, not have 4 "
                                         r"by 4$"):
        window_of(Geometry.of((3, 5)), 4, 1)


@pytest.mark.parametrize("window", WINDOWS)
def test_adding_up_is_the_transpose_of_seeing(window):
    window = replace(window, border="zero" if window.border == "one" else window.border)
    generator = torch.Generator().manual_seed(len(window.index))
    x = torch.randint(9, (window.in_width, 3), generator=generator)
    columns = torch.randint(9, (window.bits, window.positions * 3), generator=generator)
    added = add_windows(columns, window)
    assert added.shape == x.shape
    assert (see_windows(x, window) * columns).sum() == (x * added).sum()
    for sample in range(3):  # of one sample only what is its own
        one = columns.view(window.bits, 3, -1)[:, sample]
        assert torch.equal(add_windows(one, window)[:, 0], added[:, sample])


def test_positions_are_taken_apart_as_they_were_put():
    window = window_of(Geometry.of((4, 5), 2), 2, 1)
    y = torch.arange(3 * window.positions * 7).view(3, -1)
    assert torch.equal(by_position(at_positions(y, window), window), y)
