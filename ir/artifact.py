"""The file that joins training to hardware. docs/format.md is its specification."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save as to_safetensors

from bitwright.errors import UserError
from bitwright.files import write_atomic
from bitwright.ir.network import Entry, Golden, Network
from bitwright.ir.node import Node

__all__ = ["FORMAT", "ArtifactError", "digest", "load", "save"]

FORMAT = 1
"""Version of the file format. A reader accepts exactly the version it was written for."""

KEY = "network"
"""The only metadata key. safetensors orders several keys at random, and equal networks must give
equal bytes."""


class ArtifactError(UserError, ValueError):
    """A frozen network cannot be used. The message names the file and what is wrong with it."""


def save(path: Path, network: Network) -> None:
    """Write a network, atomically. Equal networks give equal bytes.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    header, tensors = _serialise(network)
    header["digest"] = _digest(header, tensors)
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    write_atomic(path, to_safetensors(tensors, metadata={KEY: text}))


def digest(network: Network) -> str:
    """SHA-256 over everything that :func:`save` writes, in hexadecimal."""
    return _digest(*_serialise(network))


def load(path: Path) -> Network:
    """Read a network, and check it completely.

    Raises
    ------
    ArtifactError
        If the file is missing, truncated or altered, of another format version, or does not hold
        a valid network.
    """
    try:
        header, tensors = _read(path)
        return _deserialise(header, tensors)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error
    except safetensors.SafetensorError as error:
        raise ArtifactError(f"{path}: not a whole safetensors file ({error})") from error
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    if not path.is_file():
        raise ArtifactError("no such file")
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if KEY not in metadata:
            raise ArtifactError(f"metadata must have the key {KEY!r}")
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    try:
        header = json.loads(metadata[KEY])
    except json.JSONDecodeError as error:
        raise ArtifactError(f"metadata {KEY!r} is not JSON ({error})") from error
    if not isinstance(header, dict) or "format" not in header:
        raise ArtifactError(f"metadata {KEY!r} has no field 'format'")
    if header["format"] != FORMAT:
        raise ArtifactError(f"format must be {FORMAT}, not {header['format']!r}")
    claimed = header.pop("digest", None)
    actual = _digest(header, tensors)
    if claimed != actual:
        raise ArtifactError(f"digest must be {actual}, not {claimed}: the file was altered")
    return header, tensors


def _serialise(network: Network) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    nodes, tensors = [], {}
    for entry in network.entries:
        nodes.append({"name": entry.name, "kind": entry.node.kind, "inputs": list(entry.inputs),
                      "attributes": entry.node.attributes()})
        for field, value in entry.node.tensors().items():
            tensors[f"{entry.name}.{field}"] = np.ascontiguousarray(value)
    if network.golden is not None:
        # Upper case, so that no node can be called that.
        tensors["GOLDEN.features"] = np.ascontiguousarray(network.golden.features.astype(np.int32))
        tensors["GOLDEN.scores"] = np.ascontiguousarray(network.golden.scores.astype(np.int64))
    return {"format": FORMAT, "nodes": nodes, "provenance": dict(network.provenance)}, tensors


def _deserialise(header: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Network:
    entries = []
    for index, item in enumerate(header.get("nodes", [])):
        name = item.get("name", f"#{index}") if isinstance(item, dict) else f"#{index}"
        try:
            kind = item["kind"]
            if kind not in Node.kinds:
                raise ArtifactError(f"node {name!r}: kind must be one of {sorted(Node.kinds)}, "
                                    f"not {kind!r}")
            prefix = f"{name}."
            own = {key.removeprefix(prefix): value for key, value in tensors.items()
                   if key.startswith(prefix)}
            node = Node.kinds[kind].from_parts(item["attributes"], own)
            entries.append(Entry(name, node, tuple(item["inputs"])))
        except ArtifactError:
            raise
        except KeyError as error:
            raise ArtifactError(f"node {name!r}: field {error} is missing") from error
        except (TypeError, ValueError) as error:
            raise ArtifactError(f"node {name!r}: {error}") from error
    golden = None
    try:
        if "GOLDEN.features" in tensors:
            golden = Golden(tensors["GOLDEN.features"], tensors["GOLDEN.scores"])
        return Network(tuple(entries), header.get("provenance", {}), golden)
    except KeyError as error:
        raise ArtifactError(f"tensor {error} is missing") from error
    except ValueError as error:
        raise ArtifactError(str(error)) from error


def _digest(header: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> str:
    """Hash the graph and every tensor with its name, type and shape, in the order of the names."""
    state = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":"),
                                      allow_nan=False).encode())
    for name in sorted(tensors):
        value = tensors[name]
        state.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    return state.hexdigest()
