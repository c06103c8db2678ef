"""How a picture becomes bytes, one at a time, straight from docs/format.md.

A picture is a list of rows, a row a list of pixels, a pixel a list of one grey or three colours.
"""

from __future__ import annotations

from bitwright import ir

__all__ = ["coloured", "cropped", "on_white", "prepared", "resized"]

Pixels = list[list[list[int]]]


def prepared(preparation: ir.Picture, picture: Pixels) -> Pixels:
    """From a picture without alpha, the right way up, to bytes: steps 4 to 6 of the page."""
    picture = coloured(picture, colour=preparation.colour)
    if preparation.crop:
        picture = cropped(picture, preparation.height, preparation.width)
    return resized(picture, preparation.height, preparation.width)


def on_white(value: int, alpha: int) -> int:
    return round((alpha * value + (255 - alpha) * 255) / 255)


def coloured(picture: Pixels, *, colour: bool) -> Pixels:
    def pixel(values):
        if colour:
            return values if len(values) == 3 else 3 * values
        if len(values) == 1:
            return values
        red, green, blue = values
        return [(19595 * red + 38470 * green + 7471 * blue + 32768) >> 16]

    return [[pixel(values) for values in row] for row in picture]


def cropped(picture: Pixels, height: int, width: int) -> Pixels:
    """The part from the middle that has the aspect."""
    tall, wide = len(picture), len(picture[0])
    if wide * height > tall * width:
        keep = max(1, tall * width // height)
        left = (wide - keep) // 2
        return [row[left : left + keep] for row in picture]
    keep = max(1, wide * height // width)
    top = (tall - keep) // 2
    return picture[top : top + keep]


def resized(picture: Pixels, height: int, width: int) -> Pixels:
    across = [_line(row, width) for row in picture]
    columns = [list(column) for column in zip(*across, strict=True)]
    down = [_line(column, height) for column in columns]
    return [list(row) for row in zip(*down, strict=True)]


def _line(values: list[list[int]], length: int) -> list[list[int]]:
    """A line of pixels brought to a length."""
    if len(values) == length:
        return values
    result = []
    scale = len(values) / length
    reach = max(scale, 1.0)
    for place in range(length):
        centre = (place + 0.5) * scale
        first = max(0, int(centre - reach + 0.5))
        last = min(len(values), int(centre + reach + 0.5))
        weights = [max(0.0, 1 - abs((k - centre + 0.5) * (1 / reach))) for k in range(first, last)]
        total = sum(weights)
        whole = [int(2**22 * (weight / total) + 0.5) for weight in weights]
        sums = [sum(weight * pixel[colour] for weight, pixel
                    in zip(whole, values[first:last], strict=True))
                for colour in range(len(values[0]))]
        result.append([min(max((2**21 + value) >> 22, 0), 255) for value in sums])
    return result
