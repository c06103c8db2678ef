"""Alter tables, arrays and pictures, and see what becomes of them as data sets.

Files at random are written: tables of text, .npz files, zip files of class folders. Up to three
things of each are then altered: cells, separators, lines and quotes of a table; names, types,
shapes, numbers and headers of arrays; kinds, sizes and colours of pictures; how a zip file packs
and names its members, and what its headers say of them; bytes of the file. Each must be

* refused with a DataError in one line of at most 600 characters, or
* read, and then to the numbers, bytes and labels that a second, naive reader finds:
  tests/reference/table.py for tables, NumPy's own for arrays, tests/reference/picture.py for
  pictures whose bytes were left alone.

A table that the naive reader allows may not be refused, and one that it refuses may not be read.
Nothing may take more than ten seconds, or 4 GiB of memory. Exit status 1 if any file fails.
"""

import argparse
import contextlib
import functools
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.altered_files import counted, limited
from bitwright.data import DataError, Source, own
from tests.reference import picture as naive_picture
from tests.reference import table as naive_table

__all__ = ["KINDS", "main"]

CELLS = ["", "?", "NA", "nan", "NaN", "inf", "-Infinity", "1e999", "1e39", "3.4028235e38", "1e-50",
         "0x1", "1_0", "1,5", "\u0663", "1e", ".", "+", "--1", "+.5", "5.", "1e+3", "1 2", "a", "b",
         "\x00", "\x0b", "\x1f", "\u2028", "\x85", "a\u202eb", '"', '""', '"1"', '"a', '"a"b',
         'a"b', "'1'", "9" * 400, "x" * 1001, "\ufeff1", "True", "None", "1.0", "-0", " 1 ", "\t1",
         "1;2"]
ENDS = ["\n", "\r\n", "\r", "\n\n", "\n \n"]
PACKED = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
HEADERS = [(b"'shape': (", b"'shape': (-"), (b"'shape': (", b"'shape': (9999999999, "),
           (b"F", b"1"), (b"False", b"None "), (b"'descr'", b"'desc' "), (b"<", b">"),
           (b"<", b"O"), (b"}", b" "), (b"{", b"("), (b"4", b"0"), (b"4", b"8"),
           (b"NUMPY\x01", b"NUMPY\x02"), (b"NUMPY\x01", b"NUMPY\x09"), (b"v\x00", b"v\x01"),
           (b"v\x00", b"\x00\x00")]
DTYPES = ["u1", "i1", "<i2", ">i4", "<u8", "<f2", "<f4", ">f8", "?", "<c8", "S3", "<U3", "V2"]


def table(path, rng):
    """Write a table, altered."""
    rows, columns = int(rng.integers(4, 9)), int(rng.integers(1, 4))
    cells = [[f"{value:.3f}" for value in rng.normal(size=columns)] + ["ab"[row % 2]]
             for row in range(rows)]
    if rng.random() < 0.5:
        cells.insert(0, [*(f"c{n}" for n in range(columns)), "what"])
    mark = str(rng.choice([",", ";", "\t"]))
    for _ in range(int(rng.integers(0, 4))):
        row = cells[int(rng.integers(len(cells)))]
        place = int(rng.integers(len(row))) if row else 0
        draw = rng.random()
        if draw < 0.7 and row:
            row[place] = str(rng.choice(CELLS))
        elif draw < 0.8:
            row.insert(place, str(rng.choice(CELLS)))
        elif draw < 0.9:
            del row[place : place + 1]
        else:
            cells.insert(0, list(row))
    ends = ENDS[int(rng.integers(len(ENDS)))] if rng.random() < 0.5 else "\n"
    content = ends.join(mark.join(row) for row in cells).encode()
    if rng.random() < 0.2:
        content = b"\xef\xbb\xbf" + content
    path.write_bytes(_bytes_altered(content, rng) if rng.random() < 0.2 else content)


def table_read(path):
    """Compare with the naive reader."""
    content = path.read_bytes()
    try:
        values, labels = naive_table.read(content)
    except naive_table.Refused as reason:
        values, labels = None, reason
    try:
        samples, _ = own.read_labelled(path, Source())
        own.prepare(str(path), samples, None, Source())
    except DataError as error:
        if values is not None:
            raise AssertionError("refused, though the naive reader reads it") from error
        return _line(error, path)
    assert values is not None, f"read, though {labels}"
    assert samples.values[:, 0].tolist() == values, "other numbers"
    assert list(samples.labels) == labels, "other labels"
    return "read"


def arrays(path, rng):
    """Write arrays, altered."""
    count = int(rng.integers(4, 9))
    shape = [(count, 3), (count, 2, 3), (count, 4, 5)][int(rng.integers(3))]
    x = rng.normal(size=shape).astype(np.float32)
    if len(shape) == 3 and rng.random() < 0.5:
        x = rng.integers(256, size=shape).astype(np.uint8)
    content = {"x": x, "y": np.arange(count) % 2}
    for _ in range(int(rng.integers(0, 3))):
        name = str(rng.choice(sorted(content)))
        array, draw = content[name], rng.random()
        if draw < 0.3:
            with np.errstate(all="ignore"), contextlib.suppress(ValueError):
                content[name] = array.astype(str(rng.choice(DTYPES)), casting="unsafe")
        elif draw < 0.5:
            content[name] = array.reshape(-1)[: int(rng.integers(array.size + 1))]
        elif draw < 0.6 and array.ndim:
            content[name] = array[None] if rng.random() < 0.5 else array[..., None]
        elif draw < 0.8 and array.dtype.kind == "f" and array.size:
            array.reshape(-1)[int(rng.integers(array.size))] = rng.choice([np.nan, np.inf, 1e38])
        else:
            content[str(rng.choice(["X", "y_test", "x_test", "groups", "classes", "z"]))] = array
    members = {}
    for name, array in content.items():
        member = io.BytesIO()
        np.save(member, array)
        members[f"{name}.npy"] = member.getvalue()
    if rng.random() < 0.2:
        name = str(rng.choice(sorted(members)))
        members[name] = members[name].replace(*HEADERS[int(rng.integers(len(HEADERS)))], 1)
    data = _packed(members, rng)
    path.write_bytes(_bytes_altered(data, rng) if rng.random() < 0.3 else data)


def arrays_read(path):
    """Compare with what NumPy reads."""
    try:
        samples, test = own.read_labelled(path, Source())
        own.prepare(str(path), samples, test, Source())
    except DataError as error:
        return _line(error, path)
    with np.load(path, allow_pickle=False) as content:
        x = content["x"] if "x" in content else content["X"]
        assert samples.values.size == x.size, "another size"
        assert np.array_equal(samples.values.ravel(), x.ravel().astype(samples.values.dtype)), (
            "other numbers")
        if "classes" not in content:
            expected = [value.decode() if isinstance(value, bytes) else str(value)
                        for value in content["y"].ravel().tolist()]
            assert list(samples.labels) == expected, "other labels"
    return "read"


def pictures(path, rng):
    """Write class folders, altered. Remembers what is in them beside the file."""
    size = tuple(int(n) for n in rng.integers(2, 9, 2))
    known, members = {}, {}
    for index in range(4):
        name = f"{'ab'[index % 2]}/{index}"
        sides = size if rng.random() < 0.95 else (size[1], size[0] + 1)
        content, pixels = _picture(sides, rng)
        if rng.random() < 0.15:
            content, pixels = _bytes_altered(content, rng), None
        if rng.random() < 0.03:
            name = str(rng.choice([f"{index}", f"c/{name}", f"train/{name}"]))
        known[f"{name}.png"] = pixels
        members[f"{name}.png"] = content
    path.write_bytes(_packed(members, rng))
    if rng.random() < 0.15:
        path.write_bytes(_bytes_altered(path.read_bytes(), rng))
        known = dict.fromkeys(known)
    return known


def _picture(sides, rng):
    """A file of any kind, and its pixels as they should be read, where that is known."""
    kind = str(rng.choice(["L", "RGB", "LA", "RGBA", "1", "I;16", "turned", "P", "JPEG", "F"]))
    form = str(rng.choice(["PNG", "TIFF"])) if kind not in ("JPEG", "F", "P") else "PNG"
    channels = {"L": 1, "RGB": 3, "LA": 2, "RGBA": 4, "P": 3, "JPEG": 3}.get(kind, 1)
    array = rng.integers(256, size=(*sides, channels)).astype(np.uint8)
    options, pixels = {}, array.tolist()
    if kind == "I;16":
        wide = rng.integers(65536, size=sides).astype(np.uint16)
        image, pixels = Image.fromarray(wide), (wide >> 8)[..., None].tolist()
    elif kind == "1":
        image = Image.fromarray(array[..., 0] > 127)
        pixels = np.where(array > 127, 255, 0).tolist()
    elif kind == "F":
        image, form, pixels = Image.fromarray(array[..., 0].astype(np.float32)), "TIFF", None
    else:
        image = Image.fromarray(array[..., 0] if channels == 1 else array)
    if kind in ("LA", "RGBA"):
        pixels = [[[naive_picture.on_white(int(value), int(pixel[-1])) for value in pixel[:-1]]
                   for pixel in row] for row in array]
    elif kind == "turned":
        exif = Image.Exif()
        exif[274], options = 3, {"exif": exif}
        form, pixels = "PNG", array[::-1, ::-1].tolist()
    elif kind == "P":
        image = image.quantize(8)
        pixels = np.asarray(image.convert("RGB")).tolist()
    elif kind == "JPEG":
        form, pixels = "JPEG", None
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue(), pixels


def pictures_read(path, known):
    """Compare with the pixels that were written."""
    try:
        samples, test = own.read_labelled(path, Source())
        own.prepare(str(path), samples, test, Source())
    except DataError as error:
        return _line(error, path)
    for place, label, values in zip(samples.places, samples.labels, samples.values, strict=True):
        assert place.split("/")[-2] == label, "another label"
        pixels = known.get(place)
        if pixels is not None:
            colour = samples.values.ndim == 4
            wanted = naive_picture.coloured(pixels, colour=colour)
            assert values.reshape(*values.shape[:2], -1).tolist() == wanted, f"{place}: other bytes"
    return "read"


def _packed(members, rng):
    """A zip file of members that are packed in any way, some of whose names or places are wrong."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content, PACKED[int(rng.integers(len(PACKED)))])
        if odd := rng.random() < 0.1:
            archive.writestr("other/\u00e9.txt", b"")
    data = buffer.getvalue()
    if odd:  # a name that says it is UTF-8, and is not
        data = data.replace("\u00e9".encode(), b"\xe9(" if rng.random() < 0.5 else b"e\xff")
    if rng.random() < 0.15:  # a field of one of the headers, which have 30, 46 and 22 bytes
        marks = [mark for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06") if mark in data]
        place = data.rindex(marks[int(rng.integers(len(marks)))]) + int(rng.integers(4, 30))
        data = data[:place] + bytes(rng.integers(256, size=1).tolist()) + data[place + 1 :]
    return data


def _bytes_altered(content, rng):
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(content) or 1))
        draw = rng.random()
        if draw < 0.5 and content:
            content[place] ^= 1 << int(rng.integers(8))
        elif draw < 0.75:
            content[place:place] = bytes(rng.integers(256, size=int(rng.integers(1, 5))).tolist())
        else:
            del content[place:]
    return bytes(content)


def _line(error, path):
    text = str(error)
    assert len(text.splitlines()) == 1, "more than one line"
    assert text.isprintable(), "no line of text"
    assert len(text) <= 600 + len(str(path)), "a long message"
    assert text.startswith(str(path)) or text.startswith("Data set"), "names no file"
    return "refused"


KINDS = {"table": (table, table_read, "x.csv"), "arrays": (arrays, arrays_read, "x.npz"),
         "pictures": (pictures, pictures_read, "x.zip")}
"""How to write a file of each kind, how to read it, and its name."""


def prepared(kind, folder, seed):
    """Write one file, and return what reads it: ``read``, ``refused``, or an exception for what is
    wrong with that."""
    write, read, name = KINDS[kind]
    path = Path(folder) / name
    known = write(path, np.random.default_rng(seed))
    return lambda: read(path) if known is None else read(path, known)


def tried(kind, folder, seed):
    """Write one file and read it, as of :func:`prepared`, within ten seconds."""
    return limited(prepared(kind, folder, seed))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.altered_data", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", metavar="N", type=int, default=2000,
                        help="files to alter of each kind (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=int, default=0,
                        help="of the first file, the others follow (default: %(default)s)")
    args = parser.parse_args(argv)
    print("| kind | files | refused in one line | read as the naive reader does | failed | "
          "slowest, s |")
    print("|---|---|---|---|---|---|")
    failed = 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            counts, slowest = counted(range(args.seed, args.seed + args.files),
                                      functools.partial(prepared, kind, folder), f"{kind}, ")
        failed += counts["failed"]
        print(f"| {kind} | {args.files:,} | {counts['refused']:,} | {counts['read']:,} | "
              f"{counts['failed']:,} | {slowest:.2f} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
