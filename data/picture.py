"""One picture file becomes bytes, as docs/format.md says step by step."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.dataset import DataError
from bitwright.data.samples import told
from bitwright.data.source import Source

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_FILE", "SUFFIXES", "Form", "opened", "pixels"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm",
            ".pbm")

MAX_FILE = 1 << 26
"""Bytes of a file."""

MAX_PIXELS = 1 << 26
"""Pixels of a file, before it is brought to size."""

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")

_SHORT = ("I;16", "I;16L", "I;16B", "I;16N")

_TURNED = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE",
           6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}
"""What undoes each EXIF orientation."""

_DAMAGED = (OSError, EOFError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError,
            AttributeError, NotImplementedError, MemoryError, struct.error, zlib.error)
"""What Pillow's readers raise at files that are not sound."""


@dataclass(frozen=True)
class Form:
    """What pictures are brought to.

    Parameters
    ----------
    height, width : int
        0: as they are.
    colour : bool, optional
        None: as they are.
    crop : bool
    """

    height: int
    width: int
    colour: bool | None
    crop: bool

    @classmethod
    def of(cls, source: Source) -> Form:
        """What a recipe asks for."""
        return cls(source.height, source.width,
                   None if source.colour == "auto" else source.colour == "rgb",
                   source.aspect == "crop")

    @classmethod
    def taken(cls, preparation: ir.Picture) -> Form:
        """What a network takes."""
        return cls(preparation.height, preparation.width, preparation.colour, preparation.crop)


def opened(content: bytes, place: str) -> Image:
    """Steps 1 to 3: a picture of bytes, grey (mode ``L``) or coloured (``RGB``), the right way up.

    Raises
    ------
    DataError
        If it is no picture, a damaged one, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are judged below
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise DataError(f"{place}: a picture must have at most {MAX_PIXELS:,} pixels, "
                                    f"not {image.width} x {image.height}")
                orientation = image.getexif().get(274)
                image.load()
                plain = _plain(image, place)
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(f"{place}: must be a picture ({', '.join(_FORMATS)}), and is none"
                        ) from error
    except (*_DAMAGED, Image.DecompressionBombError) as error:
        raise DataError(f"{place}: the picture cannot be read ({told(error)})") from error
    turned = _TURNED.get(orientation) if isinstance(orientation, int) else None
    return plain if turned is None else plain.transpose(Image.Transpose[turned])


def _plain(image: Image, place: str) -> Image:
    """Bytes of grey or of three colours, on white where they were transparent."""
    from PIL import Image

    clear = "transparency" in image.info
    if image.mode in _SHORT or (image.mode == "I" and image.format in ("PNG", "PPM")):
        values = np.asarray(image)
        grey = Image.fromarray((np.clip(values, 0, 0xFFFF) >> 8).astype(np.uint8))
        if clear:
            grey.putalpha(Image.fromarray((values != image.info["transparency"]) * np.uint8(255)))
        image, clear = grey, False
    elif image.mode in ("1", "L"):
        image = image.convert("LA" if clear else "L")
    elif image.mode == "P" or (image.mode == "RGB" and clear):
        image = image.convert("RGBA" if clear else "RGB")
    elif image.mode in ("PA", "RGBa"):
        image = image.convert("RGBA")
    elif image.mode == "La":
        image = image.convert("LA")
    elif image.mode in ("CMYK", "YCbCr", "RGBX"):
        image = image.convert("RGB")
    if image.mode in ("LA", "RGBA"):
        kind = image.mode[:-1] if image.mode == "RGBA" else "L"
        white = Image.new(kind, image.size, "white")
        white.paste(image.convert(kind), mask=image.getchannel("A"))
        return white
    if image.mode not in ("L", "RGB"):
        raise DataError(f"{place}: a picture must be grey, coloured or have a palette, of 1, 8 or "
                        f"16 bits, not of Pillow's mode {image.mode}")
    return image


def pixels(image: Image, form: Form) -> NDArray[np.uint8]:
    """Steps 4 to 6: the bytes of an opened picture, shape (height, width) or (height, width, 3)."""
    from PIL import Image

    if form.colour is not None:
        image = image.convert("RGB" if form.colour else "L")
    height, width = form.height or image.height, form.width or image.width
    if form.crop:
        if image.width * height > image.height * width:
            keep = max(1, image.height * width // height)
            left = (image.width - keep) // 2
            image = image.crop((left, 0, left + keep, image.height))
        else:
            keep = max(1, image.width * height // width)
            top = (image.height - keep) // 2
            image = image.crop((0, top, image.width, top + keep))
    for size in ((width, image.height), (width, height)):
        if image.size != size:
            image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image)
