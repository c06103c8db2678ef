"""One picture of a data set: thumbnails of each class, or histograms of each column by class."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.dataset import DataSet

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

__all__ = ["COLOURS", "draw"]

COLOURS = ("#3366cc", "#dc3912", "#109618", "#ff9900", "#990099", "#0099c6", "#8b6914", "#66aa00",
           "#b82e2e", "#555555")

_ROWS = 20
"""Classes that are shown."""

_THUMBNAILS = 12
"""Samples of a class that are shown."""

_SIDE = 56
"""Pixels of a thumbnail, at least."""

_PANELS = 24
"""Columns that are shown."""

_PANEL = (200, 120)

_BINS = 32

_LABEL = 150
"""Pixels of a class's name."""


def draw(data: DataSet) -> bytes:
    """Draw the training part of a data set, as a PNG file."""
    from PIL import Image

    numbers = len(data.shape) == 1 or isinstance(data.preparation, ir.Numbers)
    pixels = _histograms(data) if numbers else _thumbnails(data)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _thumbnails(data: DataSet) -> NDArray[np.uint8]:
    """A row a class."""
    from PIL import Image, ImageDraw

    height, width = data.shape[:2]
    factor = max(1, math.ceil(_SIDE / max(height, width)))
    classes = data.classes[:_ROWS] or data.answers
    tall, wide = height * factor + 4, width * factor + 4
    canvas = Image.new("RGB", (_LABEL + _THUMBNAILS * wide, max(tall, 16) * len(classes)), "white")
    pen = ImageDraw.Draw(canvas)
    for row, name in enumerate(classes):
        _text(pen, (4, row * max(tall, 16) + 2), name)
        members = np.flatnonzero(data.labels == row if data.classes else data.labels == data.labels)
        for place, sample in enumerate(members[:_THUMBNAILS]):
            pixels = data.features[sample].reshape(data.shape) * 255 // data.full_scale
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            canvas.paste(image.resize((width * factor, height * factor), Image.Resampling.NEAREST),
                         (_LABEL + place * wide, row * max(tall, 16)))
    return np.asarray(canvas)


def _histograms(data: DataSet) -> NDArray[np.uint8]:
    """A panel a column: how often each integer is, a line a class."""
    from PIL import Image, ImageDraw

    made = data.preparation
    count = made.shape[-1] if isinstance(made, ir.Numbers) else data.features.shape[1]
    values = data.features.reshape(len(data.features), -1, count)
    shown, across = min(count, _PANELS), min(count, 4)
    classes = data.classes[:len(COLOURS)] or data.answers
    wide, tall = _PANEL[0] * across, _PANEL[1] * math.ceil(shown / across)
    canvas = Image.new("RGB", (max(wide, 2 * _LABEL), tall + 16 * len(classes) + 8), "white")
    pen = ImageDraw.Draw(canvas)
    for column in range(shown):
        left, top = _PANEL[0] * (column % across), _PANEL[1] * (column // across)
        _text(pen, (left + 8, top + 2), data.columns[column] if data.columns else str(column + 1))
        pen.line((left + 8, top + _PANEL[1] - 8, left + _PANEL[0] - 8, top + _PANEL[1] - 8), "#999")
        for index, _ in enumerate(classes):
            members = data.labels == index if data.classes else np.ones(len(data.labels), bool)
            counts, _edges = np.histogram(values[members, :, column], _BINS, data.domain)
            heights = counts / max(1, counts.max()) * (_PANEL[1] - 30)
            step = (_PANEL[0] - 16) / _BINS
            points = [(left + 8 + (bin_ + side) * step, top + _PANEL[1] - 8 - float(height))
                      for bin_, height in enumerate(heights) for side in (0, 1)]
            pen.line(points, COLOURS[index], 1)
    for index, name in enumerate(classes):
        top = tall + 4 + 16 * index
        pen.rectangle((8, top + 3, 18, top + 11), COLOURS[index])
        _text(pen, (24, top), name)
    return np.asarray(canvas)


def _text(pen: ImageDraw, place: tuple[int, int], text: str) -> None:
    """A name, as far as there is room; characters that the font of Pillow lacks are boxes."""
    shown = text if len(text) <= 22 else f"{text[:20]}..."
    try:
        pen.text(place, shown, "black")
    except (UnicodeError, OSError):  # a Pillow without FreeType writes Latin-1 only
        pen.text(place, shown.encode("ascii", "replace").decode(), "black")
