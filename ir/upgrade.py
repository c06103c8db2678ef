"""Files of older formats, a step from each version to the next.

A step gets what a file of its version holds, the digest of that version checked already, and gives
what the next version would hold. It moves and renames; whether the result is a network is for the
reader to say, so that a step passes on what it does not understand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

__all__ = ["STEPS"]

Header = dict[str, Any]
Tensors = dict[str, NDArray[Any]]

_BODY = re.compile(r"body(0|[1-9][0-9]*)\.(.+)")


def _from_1(header: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
            ) -> tuple[Header, Tensors]:
    """Bodies of convolutions become lists of nodes; they were attributes with a prefix."""
    nodes = header.get("nodes")
    convolutions = set()
    if isinstance(nodes, list):
        nodes = [_convolution(item) if _is_convolution(item) else item for item in nodes]
        convolutions = {item["name"] for item in nodes if _is_convolution(item)}
    renamed = {}
    for name, value in tensors.items():
        owner, _, field = name.partition(".")
        found = _BODY.fullmatch(field) if owner in convolutions else None
        renamed[f"{owner}.body.{found[1]}.{found[2]}" if found else name] = value
    return {**header, "format": 2, "nodes": nodes}, renamed


def _is_convolution(item: object) -> bool:
    return (isinstance(item, dict) and item.get("kind") == "convolution"
            and isinstance(item.get("name"), str) and isinstance(item.get("attributes"), dict))


def _convolution(item: Mapping[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = {}
    body: dict[str, dict[str, Any]] = {}
    for name, value in item["attributes"].items():
        found = _BODY.fullmatch(name)
        if found:
            body.setdefault(found[1], {})[found[2]] = value
        else:
            own[name] = value
    count = own.get("nodes")
    if type(count) is int and body.keys() == {str(index) for index in range(len(body))} and (
            count == len(body)):
        del own["nodes"]
        own["body"] = []
        for index in range(count):
            attributes = body[str(index)]
            kind = {"kind": attributes.pop("kind")} if "kind" in attributes else {}
            own["body"].append({**kind, "attributes": attributes})
    return {**item, "attributes": own}


STEPS: dict[int, Callable[[Mapping[str, Any], Mapping[str, NDArray[Any]]],
                          tuple[Header, Tensors]]] = {1: _from_1}
"""The step from each older version to the one after it."""
