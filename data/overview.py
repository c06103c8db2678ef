"""One picture of a data set: thumbnails of each class, or histograms of each column by class."""

from __future__ import annotations

import contextlib
import functools
import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.dataset import DataSet

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

__all__ = ["COLOURS", "draw"]

COLOURS = ("#3157d5", "#d9480f", "#17784a", "#e0a100", "#8e3fbf", "#0b8fa8", "#8b6914", "#c2255c",
           "#5c940d", "#555555")

_ROWS = 20
"""Classes that are shown."""

_THUMBNAILS = 12
"""Samples of a class that are shown."""

_SIDE = 64
"""Pixels of a thumbnail, at least."""

_PANELS, _ACROSS = 24, 4
"""Columns that are shown, and how many side by side."""

_PANEL = (260, 150)

_BINS = 32

_MARGIN = 16

_SIZE = 15
"""Pixels of a letter's height."""

_SOFT = "#69707d"


def draw(data: DataSet) -> bytes:
    """Draw the training part of a data set, as a PNG file."""
    numbers = len(data.shape) == 1 or isinstance(data.preparation, ir.Numbers)
    canvas = _histograms(data) if numbers else _thumbnails(data)
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    return buffer.getvalue()


def _thumbnails(data: DataSet) -> Image:
    """A row a class: its name, how many samples it has, and the first of them."""
    from PIL import Image, ImageDraw

    height, width = data.shape[:2]
    factor = max(1, math.ceil(_SIDE / max(height, width)))
    rows = [(name, np.flatnonzero(_members(data, index)))
            for index, name in enumerate(data.classes[:_ROWS] or data.answers)]
    label = 2 * _MARGIN + max(max(_length(name), _length(f"{len(members):,}"))
                              for name, members in rows)
    tall, wide = max(height * factor, 3 * _SIZE) + 6, width * factor + 6
    canvas = Image.new("RGB", (label + _THUMBNAILS * wide + _MARGIN - 6,
                               len(rows) * tall - 6 + 2 * _MARGIN), "white")
    pen = ImageDraw.Draw(canvas)
    for row, (name, members) in enumerate(rows):
        top = _MARGIN + row * tall
        middle = top + (tall - 6) // 2
        _text(pen, (_MARGIN, middle - _SIZE - 3), name)
        _text(pen, (_MARGIN, middle + 1), f"{len(members):,}", _SOFT)
        for place, sample in enumerate(members[:_THUMBNAILS]):
            pixels = data.features[sample].reshape(data.shape) * 255 // data.full_scale
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            canvas.paste(image.resize((width * factor, height * factor), Image.Resampling.NEAREST),
                         (label + place * wide, top))
    return canvas


def _histograms(data: DataSet) -> Image:
    """A panel a column: how often values are, an outline a class, each as high as the others."""
    from PIL import Image, ImageDraw

    made = data.preparation
    count = made.shape[-1] if isinstance(made, ir.Numbers) else data.features.shape[1]
    shown, across = min(count, _PANELS), min(count, _ACROSS)
    classes = data.classes[:len(COLOURS)] or data.answers
    wide = _PANEL[0] * across + _MARGIN
    legend = list(_legend(classes, wide))
    tall = _MARGIN + _PANEL[1] * math.ceil(shown / across)
    canvas = Image.new("RGBA", (wide, tall + legend[-1][1] + _SIZE + _MARGIN), "white")
    for column in range(shown):
        place = (_MARGIN + _PANEL[0] * (column % across),
                 _MARGIN + _PANEL[1] * (column // across))
        name = data.columns[column] if data.columns else str(column + 1)
        canvas.alpha_composite(_panel(data, column, count, name), place)
    pen = ImageDraw.Draw(canvas)
    for (left, top, name), colour in zip(legend, COLOURS, strict=False):
        pen.rounded_rectangle((left, tall + top + 3, left + 11, tall + top + 14), 3, colour)
        _text(pen, (left + 18, tall + top), name)
    return canvas.convert("RGB")


def _panel(data: DataSet, column: int, count: int, name: str) -> Image:
    """Histogram of one column, with the values at both its ends."""
    from PIL import Image, ImageDraw

    width, floor, high = _PANEL[0] - _MARGIN, _PANEL[1] - _SIZE - 20, _PANEL[1] - 2 * _SIZE - 32
    panel = Image.new("RGBA", (_PANEL[0], _PANEL[1]), (0, 0, 0, 0))
    values = data.features.reshape(len(data.features), -1, count)[:, :, column]
    least, most = int(values.min()), int(values.max())
    bins = min(_BINS, most - least + 1)
    for index in range(len(data.classes[:len(COLOURS)] or data.answers)):
        counts, _ = np.histogram(values[_members(data, index)], bins, (least, most + 1))
        heights = counts / max(1, counts.max()) * high
        outline = [(0.0, float(floor)), *((place * width / bins, floor - float(height))
                   for bin_, height in enumerate(heights) for place in (bin_, bin_ + 1)),
                   (float(width), float(floor))]
        layer = Image.new("RGBA", panel.size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(layer)
        pen.polygon(outline, f"{COLOURS[index]}38")
        pen.line(outline, COLOURS[index], 2)
        panel.alpha_composite(layer)
    pen = ImageDraw.Draw(panel)
    pen.line((0, floor, width, floor), "#c9ced8")
    _text(pen, (0, 0), name)
    first, last = (_value(data.preparation, column, end) for end in (least, most))
    _text(pen, (0, floor + 4), first, _SOFT)
    _text(pen, (width - _length(last), floor + 4), last, _SOFT)
    return panel


def _members(data: DataSet, index: int) -> NDArray[np.bool_]:
    """Which samples are of a class; all of them where labels are numbers."""
    if not data.classes:
        return np.ones(len(data.labels), bool)
    found: NDArray[np.bool_] = data.labels == index
    return found


def _value(made: ir.Preparation | None, column: int, integer: int) -> str:
    """The number that an integer stands for, to three digits."""
    if isinstance(made, ir.Affine):
        return f"{made.offset[column] + integer / made.scale[column]:.3g}"
    if isinstance(made, ir.Quantile):
        return f"{made.edges[column, max(0, integer - 1)]:.3g}"
    return str(integer)


def _legend(names: tuple[str, ...], width: int) -> Iterator[tuple[int, int, str]]:
    """Left, top and text of each name, side by side as far as there is room."""
    left, top = _MARGIN, 4
    for name in names:
        needed = 18 + _length(name) + 24
        if left > _MARGIN and left + needed > width:
            left, top = _MARGIN, top + _SIZE + 8
        yield left, top, name
        left += needed


@functools.cache
def _font(ascii: bool) -> ImageFont | FreeTypeFont:
    """Pillow's own font, which has ASCII, or one of this machine that has more."""
    from PIL import ImageFont

    for name in () if ascii else ("DejaVuSans.ttf", "arial.ttf", "Arial Unicode.ttf"):
        with contextlib.suppress(OSError, ImportError):
            return ImageFont.truetype(name, _SIZE)
    return ImageFont.load_default(_SIZE)


def _shown(text: str) -> tuple[str, ImageFont | FreeTypeFont]:
    """A text as far as there is room, and its font. Characters that the font lacks are boxes."""
    shown = text if len(text) <= 22 else f"{text[:20]}..."
    font = _font(shown.isascii())
    try:
        font.getlength(shown)
    except UnicodeError:  # a Pillow without FreeType writes Latin-1 only
        shown = shown.encode("ascii", "replace").decode()
    return shown, font


def _length(text: str) -> int:
    """Pixels of a text."""
    shown, font = _shown(text)
    return math.ceil(font.getlength(shown))


def _text(pen: ImageDraw, place: tuple[int, int], text: str, colour: str = "#171a21") -> None:
    shown, font = _shown(text)
    pen.text(place, shown, colour, font=font)
