"""What can be written into a design while it runs, and what is fixed: plain Python for the host.

A network is built once and its *structure* stays: the nodes, how they are wired, the widths of all
numbers. The *contents* of the nodes that the plan calls writable may change: weights, thresholds,
biases, sources, tables. Each has a digest of its own, so that a device can say which structure it
is, and which contents it holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bitwright import ir
from bitwright.errors import UserError
from bitwright.hw.checks import expect
from bitwright.hw.folding import Folded, Table, bias_width, tables
from bitwright.hw.layout import score_width
from bitwright.hw.plan import FOLDED, STREAMED, Plan, PlanError
from bitwright.hw.streaming import Streamed

__all__ = ["Contents", "ContentsError", "as_built", "read_mask", "settings_of",
           "writable_tables"]


class ContentsError(UserError):
    """A network does not go into a structure. The message names the node."""


def as_built(network: ir.Network, plan: Plan, *, simplify: bool = True) -> ir.Network:
    """The network that is built from a frozen one.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    simplify : bool
        Whether what cannot matter is removed. Writable nodes are left alone either way.

    Raises
    ------
    PlanError
        If the plan names a node that is not there, or one whose contents cannot be written.
    """
    plan.check(entry.name for entry in network.entries)
    for entry in network.entries:
        _check(entry, plan)
    if not simplify:
        return network
    return _simplified(network, plan.writable)


@lru_cache(maxsize=4)
def _simplified(network: ir.Network, keep: frozenset[str]) -> ir.Network:
    """Once for all plans that are tried for a network, which neither it nor they change."""
    return ir.simplify(network, keep=keep)


def writable_tables(network: ir.Network, plan: Plan) -> dict[str, tuple[Table, ...]]:
    """What the plan lets be written of each node, in the order of the image.

    A table for a node that is not there is no error here: :func:`as_built` judges names by the
    frozen network.
    """
    return {entry.name: tables(entry.node, settings_of(entry.name, plan))
            for entry in network.entries if entry.name in plan.writable}


def read_mask(network: ir.Network, plan: Plan) -> ir.Bits:
    """Which bits of the modulator some node reads, or may read once it has other contents."""
    first = network.entries[0].name
    found: ir.Bits = network.read_mask(first)
    if any(first in entry.inputs and entry.name in plan.writable for entry in network.entries[1:]):
        found[:] = True
    return found


def settings_of(name: str, plan: Plan) -> Folded:
    """Settings of a writable node. Raises as :meth:`hw.plan.Plan.settings` does."""
    return plan.settings(name, Streamed if plan.way(name) == STREAMED else Folded)


def _check(entry: ir.Entry, plan: Plan) -> None:
    """Refuse a plan by which a node is written that cannot be."""
    name, node = entry.name, entry.node
    if name not in plan.writable:
        return
    if plan.way(name) not in (FOLDED, STREAMED):
        raise PlanError(f"Plan key 'nodes.{name}.writable' needs the way {FOLDED!r} or "
                        f"{STREAMED!r}, not {plan.way(name)!r}")
    own = settings_of(name, plan)
    if not tables(node, own):
        more = (f" within {own.cycles} cycles; 'cycles' must be at least {own.fewest(node)}"
                if isinstance(node, ir.Convolution) and any(
                    isinstance(part, ir.Xnor) for part in node.body) else "")
        raise PlanError(f"Plan key 'nodes.{name}.writable' must be false for a node that keeps "
                        f"nothing in memory{more}")


@dataclass(frozen=True)
class Contents:
    """Writable contents of a network, realised by a plan.

    Parameters
    ----------
    network : ir.Network
        As it was frozen. It fixes the structure, and with it the range of every number: thresholds
        by the width of the layer, biases by the bits that those of this network need, and scores
        likewise.
    plan : Plan

    Raises
    ------
    PlanError
        As of :func:`as_built`.
    """

    network: ir.Network
    plan: Plan

    def __post_init__(self) -> None:
        expect("Network", self.network, ir.Network)
        expect("Plan", self.plan, Plan)
        as_built(self.network, self.plan, simplify=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the writable nodes, in the order of the network, which is that of the image."""
        return tuple(entry.name for entry in self.network.entries
                     if entry.name in self.plan.writable)

    @property
    def bytes(self) -> int:
        """Bytes of an image, 0 if nothing can be written."""
        return len(self.image(self.network))

    @property
    def structure(self) -> str:
        """SHA-256 of all that is not writable, in hexadecimal.

        Counts the nodes, how they are wired, their fixed contents, and for writable nodes how their
        words are cut; neither what is around the nodes, provenance nor golden vectors. Equal for
        every network that :meth:`image` takes, as long as it is asked of this object.
        """
        ones = np.ones(self.network.classes, np.float32)
        blank = ir.Network(tuple(self._blank(entry) for entry in self.network.entries),
                           answer=self.network.answer and ir.Answer(0 * ones, ones))
        text = json.dumps([ir.digest(blank), self._shapes()])
        return hashlib.sha256(text.encode()).hexdigest()

    def image(self, network: ir.Network) -> bytes:
        """Bytes of the writable nodes of a network, in the order in which they are written.

        Node by node, table by table (see :func:`hw.folding.tables`), word by word; each word is of
        whole bytes, little endian.

        Raises
        ------
        ContentsError
            If the network has another structure, or a number is outside the range that the
            structure gives it.
        """
        self._check(network)
        return b"".join(table.image for name in self.nodes for table in self._tables(network, name))

    def digest(self, network: ir.Network) -> str:
        """SHA-256 of :meth:`image`, in hexadecimal. Raises as that does."""
        return hashlib.sha256(self.image(network)).hexdigest()

    def _tables(self, network: ir.Network, name: str) -> tuple[Any, ...]:
        own = self.network.entry(name).node
        width = bias_width(own) if isinstance(own, ir.Scores) else None
        return tables(network.entry(name).node, settings_of(name, self.plan), width)

    def _shapes(self) -> list[Any]:
        """What of writable nodes the structure fixes, beside the nodes without their contents."""
        shapes: list[Any] = []
        for name in self.nodes:
            node = self.network.entry(name).node
            shapes.append([name, [[table.width, table.depth]
                                  for table in self._tables(self.network, name)]])
            if isinstance(node, ir.Scores):
                shapes[-1] += [bias_width(node), score_width(node.score_range),
                               score_width(self.network.score_range)]
        return shapes

    def _blank(self, entry: ir.Entry) -> ir.Entry:
        """An entry without what can be written."""
        if entry.name not in self.plan.writable:
            return entry
        return dataclasses.replace(entry, node=_blank(entry.node))

    def _check(self, network: ir.Network) -> None:
        """Refuse a network of another structure."""
        mine, theirs = self.network.entries, network.entries
        names = [entry.name for entry in mine]
        if [entry.name for entry in theirs] != names:
            raise ContentsError(f"Network must have the nodes {names}, as the structure has, "
                                f"not {[entry.name for entry in theirs]}")
        for own, entry in zip(mine, theirs, strict=True):
            if own.inputs != entry.inputs or (self._blank(own).node
                                              != self._blank(entry).node):
                what = ("but for its weights, thresholds and biases, or sources and tables"
                        if own.name in self.plan.writable else "for it is not writable")
                raise ContentsError(f"Node {own.name!r} must be as in the structure, {what}")
            if own.name in self.plan.writable and isinstance(own.node, ir.Scores):
                self._check_ranges(own, network)

    def _check_ranges(self, own: ir.Entry, network: ir.Network) -> None:
        """Refuse biases and scores of a writable head that need more bits than there are."""
        assert isinstance(own.node, ir.Scores)
        node = network.entry(own.name).node
        assert isinstance(node, ir.Scores)
        biases = int(node.biases.min()), int(node.biases.max())
        for noun, found, fixed in (
                ("Biases", biases, bias_width(own.node)),
                ("Scores of a frame", node.score_range, score_width(own.node.score_range)),
                ("Scores", network.score_range, score_width(self.network.score_range))):
            if score_width(found) > fixed:
                raise ContentsError(
                    f"{noun} of node {own.name!r} must be between {-1 << fixed - 1} and "
                    f"{(1 << fixed - 1) - 1}, the {fixed} bits of the structure, not between "
                    f"{found[0]} and {found[1]}")


def _blank(node: ir.Node) -> ir.Node:
    """A node of the same shape whose weights, thresholds and biases are 0, or sources and tables.
    """
    if isinstance(node, ir.Convolution):
        return dataclasses.replace(node, body=tuple(
            part if isinstance(part, ir.Lut) else _blank(part) for part in node.body))
    zero = {field: np.zeros_like(getattr(node, field))
            for field in ("weights", "thresholds", "biases", "sources", "tables")
            if hasattr(node, field)}
    return dataclasses.replace(node, **zero)  # type: ignore[type-var]
