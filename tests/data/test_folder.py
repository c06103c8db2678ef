"""Picture files of every kind become the bytes that docs/format.md says, or are refused by name."""

import io
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from bitwright import data, ir
from bitwright.data import DataError, Source, folder, picture
from bitwright.data.picture import Form
from tests.reference import picture as reference

RNG = np.random.default_rng(0)
GREY = RNG.integers(256, size=(5, 7)).astype(np.uint8)
COLOUR = RNG.integers(256, size=(5, 7, 3)).astype(np.uint8)
ALPHA = RNG.integers(256, size=(5, 7)).astype(np.uint8)


def saved(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def found(content, form=Form(0, 0, None, False)):  # noqa: B008
    return picture.pixels(picture.opened(content, "x"), form)


def on_white(values, alpha):
    return [[[reference.on_white(int(value), int(a)) for value in np.atleast_1d(pixel)]
             for pixel, a in zip(*rows, strict=True)] for rows in zip(values, alpha, strict=True)]


def pixels_of(array):
    return array.reshape(*array.shape[:2], -1).tolist()


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
def test_grey(form):
    assert found(saved(Image.fromarray(GREY), form)).reshape(5, 7, -1)[..., 0].tolist() == (
        GREY.tolist())


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_colour(form):
    assert found(saved(Image.fromarray(COLOUR), form)).tolist() == COLOUR.tolist()


def test_lossy_forms_are_read():
    for form in ("JPEG", "WEBP"):
        assert found(saved(Image.fromarray(COLOUR), form)).shape == (5, 7, 3)
    assert found(saved(Image.fromarray(GREY), "JPEG")).shape == (5, 7)


def test_one_bit_and_sixteen():
    assert found(saved(Image.fromarray(GREY > 99))).tolist() == ((GREY > 99) * 255).tolist()
    wide = RNG.integers(65536, size=(5, 7)).astype(np.uint16)
    for form in ("PNG", "TIFF"):
        assert found(saved(Image.fromarray(wide), form)).tolist() == (wide >> 8).tolist()
    text = b"P5 7 5 65535\n" + wide.astype(">u2").tobytes()
    assert found(text).tolist() == (wide >> 8).tolist()


def test_palette():
    paletted = Image.fromarray(COLOUR).quantize(16)
    assert found(saved(paletted)).tolist() == np.asarray(paletted.convert("RGB")).tolist()


def test_transparency_lies_on_white():
    grey = Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(ALPHA)))
    assert pixels_of(found(saved(grey))) == on_white(GREY, ALPHA)
    coloured = Image.fromarray(COLOUR)
    coloured.putalpha(Image.fromarray(ALPHA))
    for form in ("PNG", "TIFF"):
        assert pixels_of(found(saved(coloured, form))) == on_white(COLOUR, ALPHA)


def test_a_transparent_colour_is_white():
    clear = GREY == GREY[2, 3]
    assert found(saved(Image.fromarray(GREY), transparency=int(GREY[2, 3]))).tolist() == (
        np.where(clear, 255, GREY).tolist())
    colour = tuple(int(value) for value in COLOUR[1, 1])
    wanted = np.where((COLOUR == COLOUR[1, 1]).all(axis=2)[..., None], 255, COLOUR)
    assert found(saved(Image.fromarray(COLOUR), transparency=colour)).tolist() == wanted.tolist()
    paletted = Image.fromarray(COLOUR).quantize(8)
    index = np.asarray(paletted)
    wanted = np.where((index == 3)[..., None], 255, np.asarray(paletted.convert("RGB")))
    assert found(saved(paletted, transparency=3)).tolist() == wanted.tolist()
    bits = Image.fromarray(GREY > 99)
    assert found(saved(bits, transparency=0)).tolist() == np.full((5, 7), 255).tolist()
    wide = GREY.astype(np.uint16) * 257
    chunk = struct.pack(">H", int(wide[2, 3]))
    content = saved(Image.fromarray(wide))
    place = content.index(b"IDAT") - 4
    chunk = struct.pack(">I", 2) + b"tRNS" + chunk + struct.pack(">I", zlib.crc32(b"tRNS" + chunk))
    assert found(content[:place] + chunk + content[place:]).tolist() == (
        np.where(clear, 255, GREY).tolist())


@pytest.mark.parametrize(("tag", "turned"), [
    (1, GREY), (2, GREY[:, ::-1]), (3, GREY[::-1, ::-1]), (4, GREY[::-1]), (5, GREY.T),
    (6, GREY.T[:, ::-1]), (7, GREY[::-1, ::-1].T), (8, GREY.T[::-1]), (9, GREY),
])
def test_orientation(tag, turned):
    exif = Image.Exif()
    exif[274] = tag
    assert found(saved(Image.fromarray(GREY), exif=exif)).tolist() == turned.tolist()


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("size", [(3, 3), (8, 4), (5, 7), (1, 9)])
def test_size_and_colour(size, colour, crop):
    form = Form(*size, colour, crop)
    preparation = ir.Picture(*size, colour, crop, 255)
    for array in (GREY, COLOUR):
        wanted = reference.prepared(preparation, pixels_of(array))
        assert pixels_of(found(saved(Image.fromarray(array)), form)) == wanted
    assert Form.taken(preparation) == form


MODES = [("F", "TIFF"), ("I", "TIFF"), ("LAB", "TIFF")]


@pytest.mark.parametrize(("mode", "form"), MODES)
def test_modes_that_are_refused(mode, form):
    content = saved(Image.new(mode, (3, 3)), form)
    with pytest.raises(DataError, match="^x: a picture must be grey, coloured or have a palette, "
                                        f"of 1, 8 or 16 bits, not of Pillow's mode {mode}$"):
        picture.opened(content, "x")
    if mode != "LAB":
        return
    assert found(saved(Image.new("CMYK", (3, 3)), form)).shape == (3, 3, 3)


def huge(width, height):
    """A sound PNG that says it has so many pixels."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))


@pytest.mark.parametrize(("content", "message"), [
    (b"", "must be a picture (PNG, JPEG, BMP, GIF, WEBP, TIFF, PPM), and is none"),
    (b"no picture", "must be a picture (PNG, JPEG, BMP, GIF, WEBP, TIFF, PPM), and is none"),
    (huge(10000, 10000), "a picture must have at most 67,108,864 pixels, not 10000 x 10000"),
    (saved(Image.fromarray(COLOUR), "BMP")[:80],
     "the picture cannot be read (image file is truncated (2 bytes not processed))"),
])
def test_pictures_that_are_refused(content, message):
    with pytest.raises(DataError, match=f"^x: {re.escape(message)}"):
        picture.opened(content, "x")


def test_a_bomb_is_refused():
    with pytest.raises(DataError, match=r"^x: the picture cannot be read \(Image size "):
        picture.opened(huge(60000, 60000), "x")


FILES = {f"{name}/{n}.png": GREY + 3 * n for name in ("cat", "ant") for n in range(4)}


def put(root, files, zipped=False):
    if zipped:
        path = root / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content if isinstance(content, bytes)
                                 else saved(Image.fromarray(content)))
        return path
    path = root / "set"
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes)
                         else saved(Image.fromarray(content)))
    return path


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("before", ["", "deep/er/"])
def test_class_folders(tmp_path, zipped, before):
    files = {before + name: content for name, content in FILES.items()}
    files |= {f"{before}notes.txt": b"", f"{before}cat/.DS_Store": b"x",
              f"__MACOSX/{before}cat/._0.png": b"x", f"{before}cat/Thumbs.db": b"x"}
    if before:
        del files[f"{before}notes.txt"]
    loaded = data.load(str(put(tmp_path, files, zipped)))
    assert (loaded.classes, loaded.shape) == (("ant", "cat"), (5, 7))
    assert (len(loaded.labels), len(loaded.y_test)) == (6, 2)
    assert loaded.preparation.shape == (5, 7)


@pytest.mark.parametrize("zipped", [False, True])
def test_parts(tmp_path, zipped):
    files = {f"train/{name}": content for name, content in FILES.items()}
    loaded = data.load(str(put(tmp_path, files | {"test/cat/9.png": GREY}, zipped)))
    assert (len(loaded.labels), loaded.y_test.tolist()) == (8, [1])
    assert loaded.x_test.tolist() == [GREY.ravel().tolist()]


@pytest.mark.parametrize("zipped", [False, True])
def test_parts_in_capital_letters(tmp_path, zipped):
    files = {f"Train/{name}": content for name, content in FILES.items()}
    loaded = data.load(str(put(tmp_path, files | {"TEST/cat/9.png": GREY}, zipped)))
    assert (len(loaded.labels), loaded.y_test.tolist()) == (8, [1])


@pytest.mark.parametrize("zipped", [False, True])
def test_class_folders_without_a_picture_are_said(tmp_path, caplog, zipped):
    path = put(tmp_path, FILES, zipped)
    if zipped:
        with zipfile.ZipFile(path, "a") as archive:
            archive.mkdir("dog/")
            archive.mkdir(".git/")
            archive.writestr("../../evil.png", saved(Image.fromarray(GREY)))
    else:
        (path / "dog").mkdir()
        (path / ".git").mkdir()
    assert data.load(str(path)).classes == ("ant", "cat")
    outside = [f"{path}: ../../evil.png is left out, as it would lie outside"] if zipped else []
    assert caplog.messages == [*outside, f"{path}: left out, as there is no picture in it: dog"]


def test_a_picture_is_named_by_its_path(tmp_path):
    path = put(tmp_path, {"a/0.png": GREY, "a/1.png": b"x"}) / "a"
    network = ir.Network((ir.Entry("modulate", ir.Modulate(np.full((1, 35, 2), 9), 8), ("input",)),
                          ir.Entry("head", ir.GroupSum(70, 2), ("modulate",))), {}, None,
                         ir.Picture(5, 7, False, False, 255))
    assert data.read_inputs(path / "0.png", network).places == ["0.png"]
    with pytest.raises(DataError, match=rf"^{re.escape(str(path / '1.png'))}: must be a picture "
                       r"\(PNG, JPEG, BMP, GIF, WEBP, TIFF, PPM\), and is none$"):
        data.read_inputs(path / "1.png", network)


def test_a_part_of_its_own_elsewhere(tmp_path):
    put(tmp_path, FILES)
    put(tmp_path / "more", {"ant/1.png": GREY})
    loaded = data.load(str(tmp_path / "set"), source=Source(test="more/set"))
    assert (len(loaded.labels), loaded.y_test.tolist()) == (8, [0])


def test_colours_of_a_set(tmp_path):
    """Coloured if one picture is, whatever the others are; and as the recipe says."""
    path = put(tmp_path, FILES | {"ant/9.png": COLOUR})
    loaded = data.load(str(path))
    assert loaded.shape == (5, 7, 3)
    rows = np.concatenate([loaded.features, loaded.x_test]).tolist()
    assert COLOUR.ravel().tolist() in rows
    assert np.repeat(GREY.ravel(), 3).tolist() in rows
    assert data.load(str(path), source=Source(colour="grey")).shape == (5, 7)


def test_sizes_of_a_set(tmp_path):
    path = put(tmp_path, FILES | {"cat/9.png": GREY[:3]})
    with pytest.raises(DataError, match=re.escape(
            f"{path}: cat/9.png: must have 7 x 5 pixels as ant/0.png has, not 7 x 3; source.height "
            "and source.width bring all to one size") + "$"):
        data.load(str(path))
    loaded = data.load(str(path), source=Source(height=4, width=4, aspect="crop", bits=4))
    assert (loaded.shape, loaded.full_scale, loaded.bits) == ((4, 4), 15, 4)
    assert loaded.preparation.crop


REFUSED = [
    ({}, "holds no picture (.png, .jpg, .jpeg, .bmp, .gif, .webp, .tif, .tiff, .pgm, .ppm, .pbm)"),
    ({"notes.txt": b""}, ("holds no picture (.png, .jpg, .jpeg, .bmp, .gif, .webp, .tif, .tiff, "
                         ".pgm, .ppm, .pbm)")),
    ({"a/x.heic": b"", "a/0.png": GREY}, ("a/x.heic must be a picture (.png, .jpg, .jpeg, .bmp, "
     ".gif, .webp, .tif, .tiff, .pgm, .ppm, .pbm), or not lie in a class folder")),
    ({"0.png": GREY, "1.png": GREY}, "0.png must lie in a folder of its class"),
    ({"a/0.png": GREY, "1.png": GREY}, "1.png must lie at CLASS/NAME as others do"),
    ({"a/0.png": GREY, "b/c/1.png": GREY},
     "b/c/1.png must lie as deep as a/0.png, in a class folder beside its one"),
    ({"train/a/0.png": GREY, "valid/a/0.png": GREY},
     "valid/a/0.png must lie at train/CLASS/NAME or test/CLASS/NAME as others do"),
    ({"test/a/0.png": GREY}, "there must be pictures at train/CLASS/NAME, and there are none"),
    ({"a/0.png": GREY, "a/1.png": GREY}, "every label is 'a'; there must be two classes at least"),
    ({"a/0.png": GREY, "a/1.png": GREY, "b/1.png": GREY},
     "b/1.png: class 'b' has one sample, and must have two at least"),
    ({"train/a/0.png": GREY, "train/b/0.png": GREY, "test/c/0.png": GREY},
     "test/c/0.png: label 'c' must be a class that was trained: 'a', 'b'"),
    ({"train/a/0.png": GREY, "train/b/0.png": GREY, "test/a/0.png": GREY[:2]},
     ("test/a/0.png: must have 7 x 5 pixels as train/a/0.png has, not 7 x 2; source.height and "
     "source.width bring all to one size")),
    ({"a/0.png": GREY, "a/1.png": b"x", "b/0.png": GREY},
     "a/1.png: must be a picture (PNG, JPEG, BMP, GIF, WEBP, TIFF, PPM), and is none"),
    ({"a/0.png": np.zeros((1, 4097), np.uint8)}, ("a/0.png: sides of a picture must have at most "
     "4096 pixels, not 4097 x 1; source.height and source.width bring it to another size")),
]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("files", "message"), REFUSED)
def test_refusals(tmp_path, zipped, files, message):
    path = put(tmp_path, files, zipped)
    path.mkdir(exist_ok=True) if not zipped else None
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
        data.load(str(path))


@pytest.mark.parametrize("zipped", [False, True])
def test_limits(tmp_path, zipped, monkeypatch):
    path = put(tmp_path, FILES, zipped)
    for name, value, message in [
            ("MAX_FILES", 2, r": must hold at most 2 files$"),
            ("MAX_FILE", 9, r": ant/0\.png must have at most 9 bytes, not \d+$")]:
        with monkeypatch.context() as patch:
            patch.setattr(folder, name, value)
            with pytest.raises(DataError, match=re.escape(str(path)) + message):
                data.load(str(path))


def test_too_many_pixels(tmp_path):
    files = {f"a/{n}.png": b"x" for n in range(3)}
    path = put(tmp_path, files | {"a/0.png": GREY})
    with folder.listed(path) as entries:
        thousand = [(entries[0], "a")] * 1000
        with pytest.raises(DataError, match=r"set: all pictures together must have at most "
                                            r"2,147,483,648 bytes, not 50,331,648,000$"):
            folder.read_pictures(path, thousand, Form(4096, 4096, True, False))


def test_zip_files_that_are_none(tmp_path):
    path = put(tmp_path, FILES, zipped=True)
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    with pytest.raises(DataError, match=r"set\.zip: not a whole zip file \(File is not a zip "):
        data.load(str(path))
    path.write_bytes(content.replace(b"IDAT", b"IDAX"))
    with pytest.raises(DataError, match=r"set\.zip: ant/0\.png cannot be unpacked \(Bad CRC-32 "):
        data.load(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/0.png", b"x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/0.png", b"y")
    with pytest.raises(DataError, match=r"set\.zip: a/0\.png is there twice$"):
        data.load(str(path))


def test_inputs(tmp_path):
    """Pictures of any size for a network that takes one."""
    thresholds = np.full((1, 12, 1), 9, np.int32)
    network = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 4, False), ("input",)),
                          ir.Entry("head", ir.GroupSum(12, 2), ("modulate",))), {}, None,
                         ir.Picture(3, 4, False, True, 15), names=ir.Names(("ant", "cat")))
    path = put(tmp_path, FILES | {"cat/9.png": COLOUR})
    inputs = data.read_inputs(path, network)
    assert inputs.labels == ["ant"] * 4 + ["cat"] * 5
    assert inputs.places[-1] == "cat/9.png"
    assert inputs.targets(network).tolist() == [0] * 4 + [1] * 5
    wanted = reference.prepared(network.preparation, pixels_of(COLOUR))
    assert inputs.raw[-1].reshape(3, 4, 1).tolist() == wanted
    assert inputs.features.tolist() == network.preparation.apply(inputs.raw).tolist()
    for one in (path / "cat/9.png", path / "cat"):
        single = data.read_inputs(one, network)
        assert single.labels is None
        assert single.features[-1].tolist() == inputs.features[-1].tolist()
    np.savez(tmp_path / "x.npz", x=COLOUR[None])
    array = data.read_inputs(tmp_path / "x.npz", network)
    assert array.features.tolist() == inputs.features[-1:].tolist()
    (tmp_path / "x.csv").write_text("1,2\n")
    with pytest.raises(DataError, match=r"x\.csv: the network takes pictures; must be a folder, or "
                                        r"a file of \.png, .*, \.zip, \.npy, \.npz$"):
        data.read_inputs(tmp_path / "x.csv", network)


def test_names_that_are_no_line_of_text(tmp_path):
    path = put(tmp_path, {"a\nb/0.png": b"x", "c/1.png": GREY})
    with pytest.raises(DataError) as error:
        data.load(str(path))
    assert str(error.value) == (f"{path}: a\\nb/0.png: must be a picture (PNG, JPEG, BMP, GIF, "
                                "WEBP, TIFF, PPM), and is none")
