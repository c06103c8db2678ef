"""The file that joins training to hardware. docs/format.md is its specification."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save as to_safetensors

from bitwright.errors import UserError
from bitwright.files import write_atomic
from bitwright.ir import fields, plain
from bitwright.ir.answer import Answer
from bitwright.ir.fields import MAX_ELEMENTS, shown
from bitwright.ir.identity import (
    ANSWER,
    GOLDEN,
    PREPARATION,
    digest,
    hashed,
    own_parts,
    record_digest,
    record_parts,
)
from bitwright.ir.names import Names
from bitwright.ir.network import Entry, Golden, Network, check_names
from bitwright.ir.node import Node
from bitwright.ir.preparation import Preparation
from bitwright.ir.upgrade import STEPS

__all__ = ["FORMAT", "ArtifactError", "load", "save"]

FORMAT = 2
"""Version of the file format that is written. Older ones are read through :mod:`ir.upgrade`."""

KEY = "network"
"""The only metadata key. safetensors orders several keys at random, and equal networks must give
equal bytes."""

DTYPES = ("U8", "I32", "I64", "F32")
"""Types that a tensor may have."""

MAX_BYTES = 1 << 30
"""Bytes of a file."""

COMPUTED, RECORD = ("nodes", "preparation"), ("provenance", "names")
"""Fields of the header that each of the two digests is over."""

OPTIONAL = {"preparation", "names"}
"""Fields of the header that are not there where there is nothing to say."""

Tensors = dict[str, NDArray[Any]]


class ArtifactError(UserError, ValueError):
    """A frozen network cannot be used. The message names the file and what is wrong with it."""


def save(path: str | Path, network: Network) -> None:
    """Write a network, atomically. Equal networks give equal bytes.

    Raises
    ------
    ValueError
        If the provenance is not JSON.
    OSError
        If the file cannot be written.
    """
    write_atomic(Path(path), to_bytes(network))


def to_bytes(network: Network) -> bytes:
    """Contents of the file that :func:`save` writes.

    Raises
    ------
    ValueError
        If the provenance is not JSON.
    """
    own, tensors = own_parts(network)
    record, golden = record_parts(network)
    header = {"format": FORMAT, "digest": digest(network), "record_digest": record_digest(network),
              **own, **record}
    return to_safetensors({**tensors, **golden}, metadata={KEY: plain.dump(header)})


def load(path: str | Path) -> Network:
    """Read a network, and check it completely.

    Raises
    ------
    ArtifactError
        If the file is missing, truncated or altered, of an unknown format version, or does not
        hold a valid network.
    """
    path = Path(path)
    try:
        return _network(*_current(*_read(path)))
    except safetensors.SafetensorError as error:
        raise ArtifactError(f"{path}: not a whole safetensors file ({error})") from error
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: {error}") from error


def _read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Header and tensors of a safetensors file."""
    if not path.is_file():
        raise ValueError("no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"must have at most {MAX_BYTES} bytes, not {path.stat().st_size}")
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if metadata.keys() != {KEY}:
            raise ValueError(f"metadata must have the key {KEY!r} and no other, "
                             f"not {shown(sorted(metadata))}")
        names = file.keys()
        for name in names:
            stored = file.get_slice(name)
            _check_stored(name, stored.get_dtype(), stored.get_shape())
        tensors = {name: file.get_tensor(name) for name in names}
    try:
        header = plain.parse(metadata[KEY])
    except ValueError as error:
        raise ValueError(f"metadata {KEY!r}: {error}") from error
    if not isinstance(header, dict) or "format" not in header:
        raise ValueError(f"metadata {KEY!r} has no field 'format'")
    return header, tensors


def _check_stored(name: str, dtype: str, shape: list[int]) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"tensor {shown(name)} must be one of {', '.join(DTYPES)}, not {dtype}")
    if math.prod(shape) > MAX_ELEMENTS:
        raise ValueError(f"tensor {shown(name)} must have at most {MAX_ELEMENTS} elements, "
                         f"not {math.prod(shape)}")


def _current(header: dict[str, Any], tensors: Tensors) -> tuple[dict[str, Any], Tensors]:
    """The same in the format of today, without digests, which are checked."""
    version = header["format"]
    if type(version) is not int or version not in {*STEPS, FORMAT}:
        raise ValueError(f"format must be {FORMAT}, or one of the older {sorted(STEPS)}, "
                         f"not {shown(version)}")
    claimed = header.pop("digest", None)
    if version == 1:  # one digest over everything
        _check_digest("digest", claimed, hashed(header, tensors))
    else:
        record = {name: header[name] for name in RECORD if name in header}
        golden = {name: value for name, value in tensors.items() if name.startswith(f"{GOLDEN}.")}
        own = {name: value for name, value in tensors.items() if name not in golden}
        computed = {"nodes": None} | {name: header[name] for name in COMPUTED if name in header}
        _check_digest("digest", claimed, hashed(computed, own))
        _check_digest("record_digest", header.pop("record_digest", None), hashed(record, golden))
    while header["format"] != FORMAT:
        header, tensors = STEPS[header["format"]](header, tensors)
    return header, tensors


def _check_digest(name: str, claimed: object, actual: str) -> None:
    if claimed != actual:
        raise ValueError(f"{name} must be {actual}, not {shown(claimed)}: the file was altered")


def _network(header: dict[str, Any], tensors: Tensors) -> Network:
    _check_keys("header", header, {"format", "nodes", "provenance", *(OPTIONAL & header.keys())})
    items, provenance = header["nodes"], header["provenance"]
    if not isinstance(items, list):
        raise ValueError(f"field 'nodes' must be a list, not {shown(items)}")
    if not isinstance(provenance, dict):
        raise ValueError(f"field 'provenance' must be an object, not {shown(provenance)}")
    for index, item in enumerate(items):
        _check_keys(f"node {index}", item, {"name", "kind", "inputs", "attributes"})
    check_names(item["name"] for item in items)
    owned: dict[str, Tensors] = {}
    for name, value in tensors.items():
        owner, _, field = name.partition(".")
        owned.setdefault(owner, {})[field] = value
    entries = tuple(_entry(item, owned.pop(item["name"], {})) for item in items)
    golden = _golden(owned.pop(GOLDEN)) if GOLDEN in owned else None
    preparation = (_preparation(header["preparation"], owned.pop(PREPARATION, {}))
                   if "preparation" in header else None)
    answer = _answer(owned.pop(ANSWER)) if ANSWER in owned else None
    for owner in owned:
        raise ValueError(f"tensors of {shown(owner)} belong to no node")
    return Network(entries, provenance, golden, preparation, answer, _names(header))


def _preparation(item: Any, tensors: Tensors) -> Preparation:
    _check_keys("preparation", item, {"kind", "attributes"})
    kind, attributes = item["kind"], item["attributes"]
    if not isinstance(kind, str) or kind not in Preparation.kinds:
        raise ValueError(f"preparation: kind must be one of {sorted(Preparation.kinds)}, "
                         f"not {shown(kind)}")
    if not isinstance(attributes, dict):
        raise ValueError(f"preparation: attributes must be an object, not {shown(attributes)}")
    try:
        return Preparation.kinds[kind].from_parts(attributes, tensors)
    except ValueError as error:
        raise ValueError(f"preparation: {error}") from error


def _answer(tensors: Tensors) -> Answer:
    try:
        return Answer.from_parts({}, tensors)
    except ValueError as error:
        raise ValueError(f"answer: {error}") from error


def _names(header: dict[str, Any]) -> Names:
    """Names for people. A header that has the field has a name in it: equal networks are equal."""
    if "names" not in header:
        return Names()
    names = Names.of(header["names"])
    if names == Names():
        raise ValueError("field 'names' must hold a name, or not be there")
    return names


def _entry(item: dict[str, Any], tensors: Tensors) -> Entry:
    name, kind, inputs = item["name"], item["kind"], item["inputs"]
    try:
        if not isinstance(kind, str) or kind not in Node.kinds:
            raise ValueError(f"kind must be one of {sorted(Node.kinds)}, not {shown(kind)}")
        if not isinstance(inputs, list) or not all(isinstance(source, str) for source in inputs):
            raise ValueError(f"inputs must be a list of names, not {shown(inputs)}")
        if not isinstance(item["attributes"], dict):
            raise ValueError(f"attributes must be an object, not {shown(item['attributes'])}")
        return Entry(name, Node.kinds[kind].from_parts(item["attributes"], tensors), tuple(inputs))
    except ValueError as error:
        raise ValueError(f"node {name!r}: {error}") from error


def _golden(tensors: Tensors) -> Golden:
    try:
        values = fields.read(Golden.fields, {}, tensors)
    except ValueError as error:
        raise ValueError(f"Golden vectors: {error}") from error
    return Golden(**values)


def _check_keys(where: str, value: object, wanted: set[str]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object, not {shown(value)}")
    for name in sorted(wanted - value.keys()):
        raise ValueError(f"{where}: field {name!r} is missing")
    for name in sorted(value.keys() - wanted):
        raise ValueError(f"{where}: field {shown(name)} is unknown")
