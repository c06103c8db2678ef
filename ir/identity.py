"""What a network is, in a few bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.ir import plain
from bitwright.ir.network import Network

__all__ = ["digest", "hashed", "node_parts", "record_digest", "record_parts"]

Tensors = dict[str, NDArray[Any]]


def digest(network: Network) -> str:
    """SHA-256 of what the network computes: its nodes, their names, and their tensors.

    Provenance and golden vectors are not in it: two trainings that end in the same nodes give the
    same network. Names are, as plans and devices address nodes by them.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    nodes, tensors = node_parts(network)
    return hashed({"nodes": nodes}, tensors)


def record_digest(network: Network) -> str:
    """SHA-256 of what the network brings along: provenance and golden vectors.

    Whatever shows them, such as a report, has this in its key beside :func:`digest`.
    """
    return hashed(*record_parts(network))


def node_parts(network: Network) -> tuple[list[dict[str, Any]], Tensors]:
    """Form of the file of the nodes: a list for the header, and tensors ``name.field``."""
    nodes, tensors = [], {}
    for entry in network.entries:
        attributes, arrays = entry.node.parts()
        nodes.append({"name": entry.name, "kind": entry.node.kind, "inputs": list(entry.inputs),
                      "attributes": attributes})
        tensors.update({f"{entry.name}.{field}": array for field, array in arrays.items()})
    return nodes, tensors


def record_parts(network: Network) -> tuple[dict[str, Any], Tensors]:
    """Form of the file of what is no node.

    Raises
    ------
    ValueError
        If the provenance is not JSON.
    """
    plain.check(network.provenance, "provenance")
    tensors: Tensors = {}
    if network.golden is not None:
        # Upper case, so that no node can be called that.
        tensors["GOLDEN.features"] = network.golden.features
        tensors["GOLDEN.scores"] = network.golden.scores
    return {"provenance": dict(network.provenance)}, tensors


def hashed(head: object, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Hash a JSON value and every tensor with its name, type and shape, in the order of names."""
    state = hashlib.sha256(plain.dump(head).encode())
    for name in sorted(tensors):
        value = tensors[name]
        state.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    return state.hexdigest()
