"""Nodes inside a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bitwright.ir.fields import Field, Parts, Sizes, shown, title
from bitwright.ir.node import BitNode

__all__ = ["Nodes"]

MAX_NODES = 65_535
"""Nodes inside one node."""


@dataclass(frozen=True)
class Nodes(Field):
    """Nodes inside a node, a tuple in Python.

    On file an attribute holds a list of objects with ``kind`` and ``attributes``. The tensors of
    node ``i`` have the prefix ``{name}.{i}.``.
    """

    name: str
    kinds: tuple[type[BitNode], ...]

    def check(self, value: Any, sizes: Sizes) -> tuple[BitNode, ...]:
        if not isinstance(value, tuple):
            raise ValueError(f"{title(self.name)} must be a tuple of nodes, not {shown(value)}")
        self._check_count(len(value))
        for index, node in enumerate(value):
            if not isinstance(node, self.kinds):
                names = " or ".join(kind.__name__ for kind in self.kinds)
                raise ValueError(f"{title(self.name)} node {index} must be a {names}, "
                                 f"not {type(node).__name__}")
        return value

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        attributes[self.name] = []
        for index, node in enumerate(value):
            own, arrays = node.parts()
            attributes[self.name].append({"kind": node.kind, "attributes": own})
            tensors.update({f"{self.name}.{index}.{field}": array
                            for field, array in arrays.items()})

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> tuple[BitNode, ...]:
        items = attributes.pop(self.name, None)
        if not isinstance(items, list):
            raise ValueError(f"{title(self.name)} must be a list of nodes, not {shown(items)}")
        self._check_count(len(items))
        arrays: dict[str, Parts] = {str(index): {} for index in range(len(items))}
        for key in list(tensors):
            prefix, _, rest = key.partition(".")
            index, _, field = rest.partition(".")
            if prefix == self.name and index in arrays:
                arrays[index][field] = tensors.pop(key)
        return tuple(self._node(index, item, arrays[str(index)])
                     for index, item in enumerate(items))

    def describe(self) -> tuple[str, str, str]:
        kinds = ", ".join(f"`{kind.kind}`" for kind in self.kinds)
        return f"list of nodes: {kinds}", f"1 … {MAX_NODES} nodes", ""

    def _check_count(self, count: int) -> None:
        if not 1 <= count <= MAX_NODES:
            raise ValueError(f"{title(self.name)} must have 1 to {MAX_NODES} nodes, not {count}")

    def _node(self, index: int, item: Any, tensors: Parts) -> BitNode:
        if not isinstance(item, dict) or item.keys() != {"kind", "attributes"}:
            raise ValueError(f"{title(self.name)} node {index} must have the fields 'kind' and "
                             f"'attributes', not {shown(item)}")
        kinds = {kind.kind: kind for kind in self.kinds}
        if not isinstance(item["kind"], str) or item["kind"] not in kinds:
            raise ValueError(f"{title(self.name)} node {index} must be one of {sorted(kinds)}, "
                             f"not {shown(item['kind'])}")
        if not isinstance(item["attributes"], dict):
            raise ValueError(f"{title(self.name)} node {index}: attributes must be an object, "
                             f"not {shown(item['attributes'])}")
        try:
            return kinds[item["kind"]].from_parts(item["attributes"], tensors)
        except ValueError as error:
            raise ValueError(f"{title(self.name)} node {index}: {error}") from error
