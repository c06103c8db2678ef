"""What a network is, in a few bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.ir import plain
from bitwright.ir.names import Names
from bitwright.ir.network import Network

__all__ = ["ANSWER", "GOLDEN", "PREPARATION", "digest", "hashed", "own_parts", "record_digest",
           "record_parts"]

ANSWER, GOLDEN, PREPARATION = "ANSWER", "GOLDEN", "PREPARATION"
"""What tensors that belong to no node have in place of its name. In upper case, so that no node can
be called that."""

Tensors = dict[str, NDArray[Any]]


def digest(network: Network) -> str:
    """SHA-256 of what the network computes: its nodes, their names, and their tensors, and what is
    done before and after them in numbers.

    Provenance, golden vectors and what people call things are not in it: two trainings that end in
    the same nodes give the same network. Names of nodes are, as plans and devices address nodes by
    them.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashed(*own_parts(network))


def record_digest(network: Network) -> str:
    """SHA-256 of what the network brings along: provenance, names for people, golden vectors.

    Whatever shows them, such as a report, has this in its key beside :func:`digest`.
    """
    return hashed(*record_parts(network))


def own_parts(network: Network) -> tuple[dict[str, Any], Tensors]:
    """Form of the file of what the network computes: fields for the header, and tensors."""
    nodes, tensors = [], {}
    for entry in network.entries:
        attributes, arrays = entry.node.parts()
        nodes.append({"name": entry.name, "kind": entry.node.kind, "inputs": list(entry.inputs),
                      "attributes": attributes})
        tensors.update({f"{entry.name}.{field}": array for field, array in arrays.items()})
    header: dict[str, Any] = {"nodes": nodes}
    if network.preparation is not None:
        attributes, arrays = network.preparation.parts()
        header["preparation"] = {"kind": network.preparation.kind, "attributes": attributes}
        tensors.update({f"{PREPARATION}.{field}": array for field, array in arrays.items()})
    if network.answer is not None:
        _, arrays = network.answer.parts()
        tensors.update({f"{ANSWER}.{field}": array for field, array in arrays.items()})
    return header, tensors


def record_parts(network: Network) -> tuple[dict[str, Any], Tensors]:
    """Form of the file of what has no part in computing.

    Raises
    ------
    ValueError
        If the provenance is not JSON.
    """
    plain.check(network.provenance, "provenance")
    header: dict[str, Any] = {"provenance": dict(network.provenance)}
    if network.names != Names():
        header["names"] = network.names.plain()
    tensors: Tensors = {}
    if network.golden is not None:
        tensors[f"{GOLDEN}.features"] = network.golden.features
        tensors[f"{GOLDEN}.scores"] = network.golden.scores
    return header, tensors


def hashed(head: object, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Hash a JSON value and every tensor with its name, type and shape, in the order of names."""
    state = hashlib.sha256(plain.dump(head).encode())
    for name in sorted(tensors):
        value = tensors[name]
        state.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    return state.hexdigest()
