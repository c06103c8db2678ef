"""Training pictures that are turned and zoomed, against PyTorch's own sampling of pictures."""

import pytest

torch = pytest.importorskip("torch")

from bitwright.model.training.affine import STEPS, turned

SHAPE = (9, 12)
MANY = torch.randint(256, (60, 9 * 12 * 2), dtype=torch.int16,
                     generator=torch.Generator().manual_seed(1))


def drawn(count, seed):
    """Angles and zooms that a generator of this seed draws, from -1 to 1."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randint(2 * STEPS + 1, (2, count), generator=generator) - STEPS) / STEPS


@pytest.mark.parametrize("border", ["zero", "replicate", "reflect"])
@pytest.mark.parametrize("rotate", [0.0, 15.0, 180.0])
@pytest.mark.parametrize("zoom", [0.0, 0.3])
def test_as_torch_samples(border, rotate, zoom):
    height, width = SHAPE
    angles, zooms = drawn(len(MANY), 5)
    angles, sizes = torch.deg2rad(rotate * angles), (1 + zoom) ** zooms
    across, along = angles.sin() / sizes, angles.cos() / sizes
    none = torch.zeros(len(MANY))
    theta = torch.stack([along, -across * height / width, none,
                         across * width / height, along, none], 1).view(-1, 2, 3)
    images = MANY.view(-1, *SHAPE, 2).permute(0, 3, 1, 2)
    places = torch.nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
    if border == "zero":
        mode = "zeros"
    elif border == "replicate":
        mode = "border"
    else:  # where torch's edges are those of pixels, not their centres: wide by mirrors instead
        images = torch.nn.functional.pad(images.float(), (11, 11, 8, 8), mode="reflect")
        places = places * torch.tensor([width / (width + 22), height / (height + 16)])
        mode = "zeros"
    expected = torch.nn.functional.grid_sample(images.float(), places, padding_mode=mode,
                                               align_corners=False).permute(0, 2, 3, 1).flatten(1)
    found = turned(MANY, SHAPE, rotate, zoom, torch.Generator().manual_seed(5), border)
    assert found.dtype == MANY.dtype
    assert (found - expected).abs().max() < 3  # shares are of eight bits
    assert (found - expected).abs().mean() < 0.5


def test_neither_turned_nor_zoomed():
    for border in ("zero", "replicate", "reflect"):
        assert torch.equal(turned(MANY, SHAPE, 0.0, 0.0, torch.Generator(), border), MANY)


def test_turned_both_ways_and_a_half_turn_is_exact():
    ramp = torch.arange(25, dtype=torch.int32).repeat(500, 1) * 2600  # up to 62,400
    found = turned(ramp, (5, 5), 10.0, 0.0, torch.Generator().manual_seed(2), "replicate")
    right = found[:, 22] - ramp[:, 22]  # the middle of the bottom row
    assert (right > 0).any()
    assert (right < 0).any()
    angles, _ = drawn(500, 3)
    whole = turned(ramp, (5, 5), 180.0, 0.0, torch.Generator().manual_seed(3))[angles.abs() == 1]
    assert len(whole)
    assert torch.equal(whole, ramp[: len(whole)].flip(1))


def test_a_picture_of_one_row():
    line = torch.arange(1, 7, dtype=torch.int16).repeat(50, 1)
    for border in ("zero", "replicate", "reflect"):
        found = turned(line, (1, 6), 90.0, 1.0, torch.Generator().manual_seed(0), border)
        assert found.shape == line.shape
        assert (found <= 6).all()
