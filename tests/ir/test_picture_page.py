"""What docs/format.md says of pictures in numbers is what Pillow does under the names it gives."""

import io

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from bitwright import ir
from tests.reference import picture as reference

SIDES = [((9, 7), (4, 5)), ((3, 4), (8, 9)), ((28, 28), (8, 8)), ((5, 40), (6, 6)),
         ((1, 1), (3, 2)), ((30, 2), (2, 30)), ((6, 9), (6, 4)), ((13, 4), (3, 4)),
         ((64, 48), (1, 1))]


def drawn(shape, seed=0):
    return np.random.default_rng(seed).integers(256, size=shape).astype(np.uint8)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("old", "new"), SIDES)
def test_size(old, new, colour):
    pixels = drawn((*old, 3))
    if not colour:
        pixels = pixels[..., :1]
    image = Image.fromarray(pixels if colour else pixels[..., 0])
    for size in ((new[1], old[0]), new[::-1]):
        image = image.resize(size, Image.Resampling.BILINEAR)
    found = np.asarray(image)
    assert found.reshape(*new, -1).tolist() == reference.resized(pixels.tolist(), *new)


def test_grey():
    pixels = drawn((40, 50, 3))
    found = np.asarray(Image.fromarray(pixels).convert("L"))
    assert found[..., None].tolist() == reference.coloured(pixels.tolist(), colour=False)
    grey = drawn((2, 3, 1)).tolist()
    assert reference.coloured(grey, colour=True) == [[3 * pixel for pixel in row] for row in grey]


def test_transparency():
    """Every alpha over every value, pasted on white as Pillow does it."""
    values, alphas = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    white = Image.new("L", (256, 256), 255)
    white.paste(Image.fromarray(values), mask=Image.fromarray(alphas))
    expected = [[reference.on_white(value, alpha) for value, alpha in zip(*rows, strict=True)]
                for rows in zip(values.tolist(), alphas.tolist(), strict=True)]
    assert np.asarray(white).tolist() == expected


@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_what_reads_files_does_it_all(bands, colour, crop):
    """The reader of data sets, step by step as the page has it."""
    picture = pytest.importorskip("bitwright.data.picture")
    pixels = drawn((11, 8, bands), seed=bands)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if bands == 1 else pixels).save(file, "PNG")
    preparation = ir.Picture(5, 6, colour, crop, 255)
    found = picture.pixels(picture.opened(file.getvalue(), "a.png"),
                           picture.Form.taken(preparation))
    colours = (bands - 1) // 2 * 2 + 1
    plain = [[[reference.on_white(value, pixel[-1]) if bands % 2 == 0 else value
               for value in pixel[:colours]] for pixel in row] for row in pixels.tolist()]
    assert found.reshape(5, 6, -1).tolist() == reference.prepared(preparation, plain)


@pytest.mark.parametrize(("old", "new", "left"), [
    ((4, 9), (2, 2), (slice(0, 4), slice(2, 6))), ((9, 4), (2, 2), (slice(2, 6), slice(0, 4))),
    ((5, 7), (3, 2), (slice(0, 5), slice(2, 5))), ((6, 4), (3, 2), (slice(0, 6), slice(0, 4))),
    ((1, 9), (9, 1), (slice(0, 1), slice(4, 5))),
])
def test_crop(old, new, left):
    pixels = drawn((*old, 1))
    assert reference.cropped(pixels.tolist(), *new) == pixels[left].tolist()
    preparation = ir.Picture(*new, False, True, 255)
    assert reference.prepared(preparation, pixels.tolist()) == reference.resized(
        pixels[left].tolist(), *new)
