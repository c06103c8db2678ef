"""The picture of a data set: what is in it is what is in the data."""

import io

import numpy as np
import pytest

from bitwright import data
from bitwright.data import overview

Image = pytest.importorskip("PIL.Image")
ImageColor = pytest.importorskip("PIL.ImageColor")


def drawn(found: data.DataSet) -> np.ndarray:
    with Image.open(io.BytesIO(overview.draw(found))) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def panels(found):
    """Colours of each panel of histograms, a row of them."""
    pixels = drawn(found)
    return [{tuple(colour) for colour in pixels[:150, 16 + 260 * panel : 260 + 260 * panel]
             .reshape(-1, 3).tolist()} for panel in range((pixels.shape[1] - 16) // 260)]


def colour(index):
    return ImageColor.getrgb(overview.COLOURS[index])


def table(tmp_path, name, text, **source):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return data.load(str(path), None, data.Source(**source))


def test_thumbnails_are_the_first_of_each_class():
    found = data.load("digits")
    pixels = drawn(found)
    first = found.features[found.labels == 3][0].reshape(8, 8) * 255 // found.full_scale
    top = 16 + 3 * (64 + 6)
    left = int((pixels[top + 32, :, 0] == 0).argmax())  # the first black pixel beside the name
    shown = pixels[top : top + 64 : 8, left : left + 64 : 8, 0]
    assert (shown == first).all()


def test_a_class_has_a_colour_in_each_panel():
    first, *_, last = panels(data.load("iris"))
    assert {colour(0), colour(1), colour(2)} <= first & last


@pytest.mark.parametrize(("name", "rows", "source"), [
    ("names.csv", [f"{n},{n % 5},größe {n % 2} 日本" for n in range(20)], {}),
    ("constant.csv", [f"5,{n % 5},{'ab'[n % 2]}" for n in range(20)], {}),
    ("numbers.csv", [f"{n},{n % 5},{n * 0.3}" for n in range(20)], {"task": "regression"}),
    ("ranks.csv", [f"{n},{n % 5},{'ab'[n % 2]}" for n in range(20)], {"quantiser": "quantile"}),
    ("classes.csv", [f"{n},{n % 5},class number {n // 4} of many" for n in range(200)], {}),
    ("windows.csv", [f"{n},{n % 5},{'ab'[n // 60 % 2]}" for n in range(240)], {"window": 3}),
])
def test_odd_ones(tmp_path, name, rows, source):
    found = table(tmp_path, name, "x,y,label\n" + "\n".join(rows) + "\n", **source)
    for panel in panels(found):
        assert panel & {colour(index) for index in range(len(overview.COLOURS))}


def test_values_at_the_ends(tmp_path):
    found = table(tmp_path, "a.csv", "x,label\n" + "".join(
        f"{n / 8 - 3},{'ab'[n % 2]}\n" for n in range(41)))
    made = found.preparation
    low, high = (int(end(found.features)) for end in (np.min, np.max))
    values = [float(overview._value(made, 0, end)) for end in (low, high)]
    assert values == pytest.approx([-3, 2], abs=0.3)
    ranks = table(tmp_path, "b.csv", "x,label\n" + "".join(
        f"{n / 8 - 3},{'ab'[n % 2]}\n" for n in range(41)), quantiser="quantile", bits=4)
    assert -3 <= float(overview._value(ranks.preparation, 0, 0)) < 0
