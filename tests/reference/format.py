"""What a frozen file may hold, straight from docs/format.md: a deliberately naive second reader.

It shares nothing with `ir`, says only yes or no, and stops at the first no.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata

import numpy as np

__all__ = ["allowed"]

WIDE = 16_777_215


class _Forbidden(Exception):
    pass


def allowed(text: str, tensors: dict[str, np.ndarray]) -> bool:
    """Whether a file of version 2 with this header and these tensors, well signed, is valid."""
    try:
        _file(text, tensors)
    except (_Forbidden, RecursionError):
        return False
    return True


def _must(condition) -> None:
    if not condition:
        raise _Forbidden


def _file(text, tensors):
    try:
        header = json.loads(text, object_pairs_hook=_pairs, parse_int=lambda digits: int(digits)
                            if len(digits) < 30 else 1 << 80)
    except ValueError as error:
        raise _Forbidden from error
    _json(header, 0)
    _must(set(header) - {"preparation", "names"}
          == {"format", "digest", "record_digest", "nodes", "provenance"})
    _must(type(header["format"]) is int)
    _must(header["format"] == 2)
    _must(isinstance(header["nodes"], list))
    _must(isinstance(header["provenance"], dict))
    for value in tensors.values():
        _must(value.dtype in (np.uint8, np.int32, np.int64, np.float32))
        _must(value.size <= 1 << 28)
    left = dict(tensors)
    widths = {"input": None}
    for index, item in enumerate(header["nodes"]):
        _must(isinstance(item, dict))
        _must(set(item) == {"name", "kind", "inputs", "attributes"})
        name, kind, inputs = item["name"], item["kind"], item["inputs"]
        _must(isinstance(name, str))
        _must(re.fullmatch("[a-z][a-z0-9_]*", name))
        _must(name not in widths)
        _must(isinstance(inputs, list))
        reads, drives = _node(kind, item["attributes"], f"{name}.", left)
        _must(reads <= WIDE)
        _must(drives <= WIDE)
        _must((kind == "modulate") == (index == 0))
        _must((kind in ("group_sum", "scores", "goodness")) == (index == len(header["nodes"]) - 1))
        if index == 0:
            _must(inputs == ["input"])
        else:
            _must(inputs)
            _must(all(isinstance(name, str) and name in widths and name != "input"
                      for name in inputs))
            _must(sum(widths[name] for name in inputs) == reads)
        widths[name] = drives
    _must(len(header["nodes"]) >= 2)
    first = tensors[f"{header['nodes'][0]['name']}.thresholds"]
    last = header["nodes"][-1]
    _must(last["kind"] != "goodness" or len(first) >= 2)
    classes = len(first) if last["kind"] == "goodness" else widths[last["name"]]
    columns = first.shape[1]
    if "preparation" in header:
        columns = _preparation(header, columns, left)
    answers = "ANSWER.offset" in left or "ANSWER.scale" in left
    if answers:
        _answer(classes, last, len(first), tensors, left)
    else:
        _must(classes >= 2)
    if "names" in header:
        _names(header["names"], 0 if answers else classes, columns, classes if answers else 0)
    if "GOLDEN.features" in left or "GOLDEN.scores" in left:
        _must("GOLDEN.features" in left)
        _must("GOLDEN.scores" in left)
        features, scores = left.pop("GOLDEN.features"), left.pop("GOLDEN.scores")
        _must(features.dtype == np.int32)
        _must(scores.dtype == np.int64)
        _must(features.ndim == scores.ndim == 2)
        _must(1 <= len(features) == len(scores) <= 1 << 24)
        _must(features.shape[1] == first.shape[1])
        _must(scores.shape[1] == classes)
        low, high = _domain(header["nodes"][0]["attributes"])
        _must(all(low <= value <= high for value in features.ravel().tolist()))
    _must(not left)


def _preparation(header, features, left):
    """Columns that may have a name."""
    item = header["preparation"]
    _must(isinstance(item, dict))
    _must(set(item) == {"kind", "attributes"})
    kind, attributes = item["kind"], item["attributes"]
    _must(isinstance(attributes, dict))
    columns = 0
    match kind:
        case "affine":
            _must(set(attributes) == {"steps", "bits", "signed", "fills"})
            _integer(attributes["bits"], 1, 16)
            _must(isinstance(attributes["signed"], bool))
            columns = len(_reals("PREPARATION.offset", left, 1))
            _must(_reals("PREPARATION.scale", left, 1, positive=True).shape == (columns,))
            low, high = _domain(attributes)
        case "quantile":
            _must(set(attributes) == {"steps", "fills"})
            edges = _reals("PREPARATION.edges", left, 2)
            columns, levels = edges.shape
            _must(levels <= 65535)
            for row in edges.tolist():
                _must(row == sorted(row))
            low, high = 0, levels
        case "picture":
            _must(set(attributes) == {"height", "width", "colour", "crop", "full_scale"})
            _integer(attributes["height"], 1, 4096)
            _integer(attributes["width"], 1, 4096)
            _must(isinstance(attributes["colour"], bool))
            _must(isinstance(attributes["crop"], bool))
            _integer(attributes["full_scale"], 1, 65535)
            _must(features == attributes["height"] * attributes["width"] * (
                3 if attributes["colour"] else 1))
            low, high = 0, attributes["full_scale"]
        case _:
            raise _Forbidden
    if kind != "picture":
        _integer(attributes["steps"], 1, 65536)
        _must(isinstance(attributes["fills"], bool))
        fill = _reals("PREPARATION.fill", left, 1, least=0)
        _must(len(fill) == (columns if attributes["fills"] else 0))
        _must(features == attributes["steps"] * columns)
    least, most = _domain(header["nodes"][0]["attributes"])
    _must(least <= low)
    _must(high <= most)
    return columns


def _answer(classes, head, frames, tensors, left):
    offset = _reals("ANSWER.offset", left, 1)
    scale = _reals("ANSWER.scale", left, 1, positive=True)
    _must(len(offset) == len(scale) == classes)
    attributes, biases = head["attributes"], [0]
    lowest, highest = 0, attributes["width"]
    if head["kind"] == "group_sum":
        highest = attributes["width"] // classes
    if head["kind"] == "scores":
        biases = tensors[f"{head['name']}.biases"].tolist()
        highest = attributes["scale"] * attributes["width"]
    times = 1 if head["kind"] == "goodness" else frames
    for end in (times * (lowest + min(biases)), times * (highest + max(biases))):
        for a, b in zip(scale, offset, strict=True):
            with np.errstate(over="ignore"):
                _must(math.isfinite(np.float32(end) * a + b))


def _names(names, classes, columns, answers):
    _must(isinstance(names, dict))
    _must(set(names) == {"classes", "columns", "answers"})
    for field, count in (("classes", classes), ("columns", columns), ("answers", answers)):
        _must(isinstance(names[field], list))
        _must(len(names[field]) in (0, count))
        for name in names[field]:
            _must(isinstance(name, str))
            _must(1 <= len(name) <= 1000)
            _must(all(letter in " \u200c\u200d" or unicodedata.category(letter) in ("Cn", "Co")
                      or unicodedata.category(letter)[0] not in "CZ" for letter in name))
            _must(name[0] != " ")
            _must(name[-1] != " ")
        _must(len(set(names[field])) == len(names[field]))
    _must(any(names.values()))


def _node(kind, attributes, prefix, left):
    """Bits read and driven."""
    _must(isinstance(attributes, dict))
    match kind:
        case "modulate":
            _must(set(attributes) == {"bits", "signed"})
            _integer(attributes["bits"], 1, 16)
            _must(isinstance(attributes["signed"], bool))
            low, high = _domain(attributes)
            thresholds = _numbers(prefix + "thresholds", left, 3, low, high + 1)
            frames, features, depth = thresholds.shape
            _must(frames <= 65536)
            return features, features * depth
        case "lut":
            _must(set(attributes) == {"width", "fan_in"})
            _integer(attributes["width"], 1, WIDE)
            _integer(attributes["fan_in"], 1, 8)
            sources = _numbers(prefix + "sources", left, 2, -1, attributes["width"] - 1)
            _must(sources.shape[1] == attributes["fan_in"])
            _must(_rows(prefix + "tables", left, 2 ** attributes["fan_in"]) == len(sources))
            return attributes["width"], len(sources)
        case "xnor":
            _must(set(attributes) == {"width"})
            _integer(attributes["width"], 1, WIDE)
            rows = _rows(prefix + "weights", left, attributes["width"])
            thresholds = _numbers(prefix + "thresholds", left, 2, 0, attributes["width"] + 1)
            _must(len(thresholds) == rows)
            return attributes["width"], thresholds.size
        case "convolution":
            return _convolution(attributes, prefix, left)
        case "pool":
            return _pool(attributes)
        case "join":
            return _join(attributes)
        case "group_sum":
            _must(set(attributes) == {"width", "classes"})
            _integer(attributes["width"], 1, WIDE)
            _integer(attributes["classes"], 1, WIDE)
            _must(attributes["width"] % attributes["classes"] == 0)
            return attributes["width"], attributes["classes"]
        case "goodness":
            _must(set(attributes) == {"width"})
            _integer(attributes["width"], 1, WIDE)
            return attributes["width"], 1
        case "scores":
            _must(set(attributes) == {"width", "scale"})
            _integer(attributes["width"], 1, WIDE)
            _integer(attributes["scale"], 1, 2 ** 15)
            rows = _rows(prefix + "weights", left, attributes["width"])
            biases = _numbers(prefix + "biases", left, 1, -(2 ** 30), 2 ** 30)
            _must(len(biases) == rows)
            return attributes["width"], rows
    raise _Forbidden


def _convolution(attributes, prefix, left):
    rest, reads, seen, positions, channels = _window(attributes)
    _must(set(rest) - {"groups"} == {"body"})
    groups = 1
    if "groups" in rest:
        groups = rest["groups"]
        _integer(groups, 2, WIDE)
    _must(channels % groups == 0)
    _must(isinstance(rest["body"], list))
    _must(1 <= len(rest["body"]) <= 65535)
    _must(len(rest["body"]) % groups == 0)
    drives = bits = 0
    for index, item in enumerate(rest["body"]):
        if index % (len(rest["body"]) // groups) == 0:
            drives += bits
            bits = seen // groups
        _must(isinstance(item, dict))
        _must(set(item) == {"kind", "attributes"})
        _must(item["kind"] in ("lut", "xnor"))
        needs, bits_out = _node(item["kind"], item["attributes"], f"{prefix}body.{index}.", left)
        _must(needs == bits)
        _must(bits_out <= WIDE)
        bits = bits_out
    return reads, positions * (drives + bits)


def _pool(attributes):
    rest, reads, _, positions, channels = _window(attributes)
    _must(set(rest) == {"function"})
    _must(rest["function"] in ("or", "and", "majority"))
    return reads, positions * channels


def _join(attributes):
    _must(set(attributes) == {"height", "width", "channels"})
    _integer(attributes["height"], 1, WIDE)
    _integer(attributes["width"], 1, WIDE)
    _must(isinstance(attributes["channels"], list))
    _must(2 <= len(attributes["channels"]) <= 255)
    for number in attributes["channels"]:
        _integer(number, 1, WIDE)
    bits = attributes["height"] * attributes["width"] * sum(attributes["channels"])
    return bits, bits


def _window(attributes):
    """Other attributes; bits of the image; bits seen at a position; positions; channels."""
    rest = dict(attributes)

    def number(name, least, default=None):
        if default is not None and name not in rest:
            return default
        _must(name in rest)
        value = rest.pop(name)
        _integer(value, least, WIDE)
        _must(value != default)
        return value

    height, width, channels = (number(name, 1) for name in ("height", "width", "channels"))
    high, wide = number("kernel_height", 1), number("kernel_width", 1)
    down, across = number("stride_down", 1), number("stride_across", 1)
    top, bottom, left, right = (number(f"padding_{side}", 0, 0)
                                for side in ("top", "bottom", "left", "right"))
    if "border" in rest:
        border = rest.pop("border")
        _must(border in ("one", "replicate", "reflect"))
        if border == "reflect":
            _must(max(top, bottom) < height)
            _must(max(left, right) < width)
    tall = height + top + bottom - (high - 1) * number("dilation_down", 1, 1) - 1
    broad = width + left + right - (wide - 1) * number("dilation_across", 1, 1) - 1
    _must(tall >= 0)
    _must(broad >= 0)
    if top or bottom or left or right:
        _must((height + top + bottom) * (width + left + right) * channels <= WIDE)
    positions = (tall // down + 1) * (broad // across + 1)
    return rest, height * width * channels, high * wide * channels, positions, channels


def _domain(attributes):
    values = 2 ** attributes["bits"]
    return (-values // 2, values // 2 - 1) if attributes["signed"] else (0, values - 1)


def _integer(value, low, high):
    _must(type(value) is int)
    _must(low <= value <= high)


def _numbers(name, left, dimensions, low, high):
    _must(name in left)
    value = left.pop(name)
    _must(value.dtype == np.int32)
    _must(value.ndim == dimensions)
    _must(value.size > 0)
    _must(all(low <= number <= high for number in value.ravel().tolist()))
    return value


def _reals(name, left, dimensions, *, positive=False, least=1):
    _must(name in left)
    value = left.pop(name)
    _must(value.dtype == np.float32)
    _must(value.ndim == dimensions)
    _must(value.size >= least)
    _must(all(math.isfinite(number) and (number > 0 or not positive)
              for number in value.ravel().tolist()))
    return value


def _rows(name, left, columns):
    """Rows of a tensor of packed rows of so many bits."""
    _must(name in left)
    value = left.pop(name)
    _must(value.dtype == np.uint8)
    _must(value.ndim == 2)
    _must(len(value) >= 1)
    _must(value.shape[1] == -(-columns // 8))
    _must(len(value) * columns <= 1 << 28)
    if columns % 8:
        _must(all(byte >> columns % 8 == 0 for byte in value[:, -1].tolist()))
    return len(value)


def _pairs(pairs):
    _must(len({key for key, _ in pairs}) == len(pairs))
    return dict(pairs)


def _json(value, depth):
    match value:
        case dict():
            _must(depth <= 64)
            for key, item in value.items():
                _json(key, depth)
                _json(item, depth + 1)
        case list():
            _must(depth <= 64)
            for item in value:
                _json(item, depth + 1)
        case str():
            _must(not re.search("[\ud800-\udfff]", value))
        case bool():
            pass
        case int():
            _must(-(2 ** 63) <= value < 2 ** 64)
        case float():
            _must(math.isfinite(value))
