"""Make the data set cifar10-jpeg, a zip file of JPEG pictures, of the files of CIFAR-10's authors.

The settings are quality 75, colours at half the resolution (4:2:0), no progression and the usual
Huffman tables: what the program cjpeg and Pillow do when nothing is said. Pictures of a class are
numbered as they come in the files. Equal files and encoders give an equal zip file.

``--like`` says what another zip file shares with that: how many of its pictures begin with the very
header that is written here (quantisation and Huffman tables, sampling, size), and, with
``--data-dir``, how many are the same bytes.
"""

import argparse
import io
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from bitwright import files
from bitwright.command import guarded

__all__ = ["QUALITY", "SUBSAMPLING", "encode", "header", "main", "pictures"]

QUALITY, SUBSAMPLING = 75, "4:2:0"

_DATE = (1980, 1, 1, 0, 0, 0)

_SCAN = b"\xff\xda"
"""Marker behind the tables; its segment has 12 bytes in a picture of three colours."""


def encode(pixels):
    """A JPEG file of a picture, an array of bytes of shape (height, width, 3)."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING)
    return buffer.getvalue()


def header(content):
    """The part of a JPEG file in front of the coded pixels."""
    return content[: content.find(_SCAN) + 14]


def pictures(source):
    """Name below the root, and JPEG file, of every picture of a data set."""
    for part, features, labels in (("test", source.x_test, source.y_test),
                                   ("train", source.features, source.labels)):
        count = Counter()
        order = np.argsort(labels, kind="stable")
        for pixels, label in zip(features[order], labels[order], strict=True):
            name = f"{part}/{source.classes[label]}/{count[label]:04d}.jpg"
            count[label] += 1
            yield name, encode(pixels.reshape(source.shape).astype(np.uint8))


def write(source, path):
    """Write the zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in pictures(source):
            archive.writestr(zipfile.ZipInfo(f"cifar10-jpeg/{name}", _DATE), content)
    files.write_atomic(path, buffer.getvalue())
    print(path)


def like(path, source):
    """Print what a zip file shares with what is written here."""
    made = None if source is None else dict(pictures(source))
    own = header(encode(np.zeros((32, 32, 3), np.uint8)))
    headers = same = 0
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        for name in names:
            content = archive.read(name)
            headers += header(content) == own
            if made is not None:
                same += content == made.get("/".join(name.split("/")[-3:]))
    print(f"{headers} of {len(names)} pictures have the header of quality {QUALITY}, "
          f"{SUBSAMPLING}")
    if made is not None:
        print(f"{same} of {len(names)} pictures are the same bytes")


def run(args):
    """Do what the command line asks for."""
    from bitwright import data

    if args.like is None:
        write(data.load("cifar10", args.data_dir), args.out)
    else:
        like(args.like, args.data_dir and data.load("cifar10", args.data_dir))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.cifar10_jpeg", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="FILE", type=Path, default=Path("cifar10-jpeg.zip"),
                        help="zip file to write (default: %(default)s)")
    parser.add_argument("--like", metavar="FILE", type=Path,
                        help="compare with this zip file, and write none")
    parser.add_argument("--data-dir", metavar="DIR", type=Path,
                        help="where the files of CIFAR-10 are, as for model.train")
    args = parser.parse_args(argv)
    return guarded(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
