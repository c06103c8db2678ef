"""Windows: the order of their bits, and that folding and unfolding agree with the frozen side."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright.ir.window import Window
from bitwright.model.layers.windows import (
    add_windows,
    at_positions,
    by_position,
    output_geometry,
    see_windows,
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


@pytest.mark.parametrize("window", [
    Window(5, 4, 3, (2, 3), (2, 1)), Window(6, 6, 1, (3, 3), (3, 3)), Window(4, 5, 2, (4, 5)),
    Window(7, 5, 2, (1, 2), (4, 3))])
def test_unfold_equals_the_index_of_the_window(window):
    x = torch.randn(window.in_width, 3)
    expected = x[torch.from_numpy(window.index)]  # (positions, bits, batch)
    assert torch.equal(see_windows(x, window), expected.permute(1, 2, 0).flatten(1))


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


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (2, 1), (3, 2), (4, 1)])
def test_adding_up_is_the_transpose_of_seeing(kernel, stride):
    geometry = Geometry.of((4, 5), 2)
    window = window_of(geometry, kernel, stride)
    generator = torch.Generator().manual_seed(kernel)
    x = torch.randint(9, (40, 3), generator=generator)
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
