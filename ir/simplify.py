"""Exact simplification: every score of every input stays what it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bitwright.ir.lut import UNCONNECTED, Lut
from bitwright.ir.modulate import Modulate
from bitwright.ir.network import Entry, Network
from bitwright.ir.node import BitNode
from bitwright.ir.xnor import Xnor

__all__ = ["Bit", "Signal", "simplify"]

Bit = tuple[str, int]
"""An output bit: name of the node, index."""


@dataclass(frozen=True)
class Signal:
    """What an output bit equals: an earlier bit or its inverse, or a constant.

    Parameters
    ----------
    bit : (str, int) or None
        Name of the node and index, None for a constant.
    inverted : bool
        Whether it is the inverse. Of a constant: its value.
    """

    bit: Bit | None
    inverted: bool = False

    def of(self, other: Signal) -> Signal:
        """What this equals where its bit equals ``other``."""
        return Signal(other.bit, self.inverted ^ other.inverted)


@dataclass
class _Table:
    """One LUT while it is rewritten. ``table[a]`` with bit ``i`` of ``a`` from ``inputs[i]``."""

    inputs: list[Bit]
    table: list[bool]


@dataclass
class _State:
    keep: frozenset[str]
    order: dict[str, int]
    claims: Mapping[Bit, Signal]
    equals: dict[Bit, Signal] = field(default_factory=dict)
    luts: dict[Bit, _Table] = field(default_factory=dict)
    known: dict[tuple[tuple[Bit, ...], tuple[bool, ...]], Bit] = field(default_factory=dict)


def simplify(network: Network, *, keep: Collection[str] = (),
             claims: Mapping[Bit, Signal] | None = None) -> Network:
    """Remove what cannot matter: the result has the same scores for every input.

    Constants are propagated, inputs that a table ignores are dropped, tables that are equal or
    inverse merge, wires and inverters are absorbed by the tables that read them, and nodes without
    readers go. A node
    that an XNOR layer, a head or a node of images reads keeps its width, since those read by
    position; a convolution, a pool or a join stays whole or goes. Provenance and golden vectors are
    kept; the result need not be a chain, as a bypassed wire lets a node read further back.

    Parameters
    ----------
    network : Network
    keep : collection of str
        Nodes whose contents may be written anew later. They stay as they are, read or not, with
        the same inputs in the same order; nothing is concluded from what they hold, so that the
        result keeps the scores of the network whatever the same tensors of both are set to.
    claims : mapping of Bit to Signal, optional
        What bits of look-up tables and comparisons equal, of which the network itself does not
        tell. It is believed: where it is not so, the scores are others. A bit of ``keep`` stays.

    Raises
    ------
    ValueError
        If a name of ``keep`` is no node, or a claim is of another bit or not of an earlier one.
    """
    unknown = set(keep) - {entry.name for entry in network.entries}
    if unknown:
        raise ValueError(f"Keep must name nodes of the network, not {min(unknown)!r}")
    state = _State(frozenset(keep), {entry.name: place
                                     for place, entry in enumerate(network.entries)}, claims or {})
    for bit, signal in state.claims.items():
        _check_claim(network, state.order, bit, signal)
    for entry in network.entries:
        if entry.name in keep:
            continue
        if isinstance(entry.node, Modulate):
            _modulated(state, entry.name, entry.node)
        elif isinstance(entry.node, Lut):
            _tabulated(state, entry.name, entry.node, _references(network, entry))
    return _rebuild(network, state)


def _check_claim(network: Network, order: Mapping[str, int], bit: Bit, signal: Signal) -> None:
    name, index = bit
    if (name not in order or not isinstance(network.entry(name).node, Lut | Modulate)
            or not 0 <= index < network.entry(name).node.out_width):
        raise ValueError(f"Claim must be of a bit of a look-up table or a comparison, not {bit}")
    if signal.bit is None:
        return
    source, place = signal.bit
    if (source not in order or not 0 <= place < network.entry(source).node.out_width
            or (order[source], place) >= (order[name], index)):
        raise ValueError(f"Claim of {bit} must be of an earlier bit, not {signal.bit}")


def _references(network: Network, entry: Entry) -> list[Bit]:
    """The bit behind each input position of an entry."""
    return [(source, index) for source in entry.inputs
            for index in range(network.entry(source).node.out_width)]


def _modulated(state: _State, name: str, node: Modulate) -> None:
    """Find comparisons with one outcome, and equal comparisons of one feature."""
    low, high = node.domain
    columns: dict[tuple[int, bytes], Bit] = {}
    for feature in range(node.features):
        for d in range(node.depth):
            thresholds = node.thresholds[:, feature, d]
            bit = (name, feature * node.depth + d)
            claim = state.claims.get(bit)
            if claim is not None:
                state.equals[bit] = _resolved(state, claim)
            elif (thresholds <= low).all() or (thresholds > high).all():
                state.equals[bit] = Signal(None, bool(thresholds[0] <= low))
            else:
                first = columns.setdefault((feature, thresholds.tobytes()), bit)
                if first != bit:
                    state.equals[bit] = Signal(first, inverted=False)


def _tabulated(state: _State, name: str, node: Lut, references: list[Bit]) -> None:
    """Reduce each table of a layer, then see whether it equals something simpler."""
    for j in range(node.out_width):
        sources = [int(s) for s in node.sources[j]]
        signals = [Signal(None, inverted=False) if s == UNCONNECTED
                   else state.equals.get(references[s], Signal(references[s], inverted=False))
                   for s in sources]
        reduced = _reduce(signals, node.tables[j].tolist())
        bit = (name, j)
        claim = state.claims.get(bit)
        if claim is not None:
            reduced = _claimed(state, name, claim)
        state.luts[bit] = reduced
        if not reduced.inputs:
            state.equals[bit] = Signal(None, reduced.table[0])
        elif len(reduced.inputs) == 1:
            state.equals[bit] = Signal(reduced.inputs[0], inverted=reduced.table[0])
        else:
            # Of a table and its inverse, that which begins with 0 stands for both.
            inverted = reduced.table[0]
            form = tuple(value != inverted for value in reduced.table)
            first = state.known.setdefault((tuple(reduced.inputs), form), bit)
            if first != bit:
                state.equals[bit] = Signal(first, inverted ^ state.luts[first].table[0])


def _resolved(state: _State, claim: Signal) -> Signal:
    """A claim in terms of what its bit equals."""
    if claim.bit is None or claim.bit not in state.equals:
        return claim
    return claim.of(state.equals[claim.bit])


def _claimed(state: _State, name: str, claim: Signal) -> _Table:
    """The table of a bit that equals another: a constant, one of the same layer, or a wire."""
    if claim.bit is not None and claim.bit[0] == name:
        first = state.luts[claim.bit]
        return _Table(first.inputs, [value != claim.inverted for value in first.table])
    signal = _resolved(state, claim)
    if signal.bit is None:
        return _Table([], [signal.inverted])
    return _Table([signal.bit], [signal.inverted, not signal.inverted])


def _reduce(signals: list[Signal], table: list[bool]) -> _Table:
    """Rewrite a table over distinct, sorted input bits that all matter."""
    inputs = sorted({signal.bit for signal in signals if signal.bit is not None})
    place = {bit: index for index, bit in enumerate(inputs)}
    rewritten = []
    for address in range(1 << len(inputs)):
        old = 0
        for slot, signal in enumerate(signals):
            value = signal.inverted
            if signal.bit is not None:
                value ^= bool(address >> place[signal.bit] & 1)
            old |= value << slot
        rewritten.append(table[old])
    for index in reversed(range(len(inputs))):
        pairs = [(rewritten[a], rewritten[a | 1 << index])
                 for a in range(len(rewritten)) if not a >> index & 1]
        if all(low == high for low, high in pairs):
            rewritten = [low for low, _ in pairs]
            del inputs[index]
    return _Table(inputs, rewritten)


def _rebuild(network: Network, state: _State) -> Network:
    live = _live(network, state)
    # New index of each kept bit. Positional readers are fed whole, so their inputs keep order.
    moved: dict[Bit, int] = {}
    kept: dict[str, list[int]] = {}
    for entry in network.entries:
        if isinstance(entry.node, Modulate) or entry.name in state.keep:
            indices = list(range(entry.node.out_width))
        elif isinstance(entry.node, Xnor):
            depth = entry.node.depth
            neurons = [j for j in range(entry.node.neurons)
                       if any((entry.name, j * depth + d) in live for d in range(depth))]
            indices = [j * depth + d for j in neurons for d in range(depth)]
        else:
            indices = [j for j in range(entry.node.out_width) if (entry.name, j) in live]
            if indices and not isinstance(entry.node, Lut):
                indices = list(range(entry.node.out_width))
        kept[entry.name] = indices
        moved.update({(entry.name, old): new for new, old in enumerate(indices)})

    entries = []
    for entry in network.entries:
        name, node = entry.name, entry.node
        if name in state.keep:
            entries.append(entry)
        elif isinstance(node, Lut):
            if kept[name]:
                entries.append(_lut_entry(network, state, name, kept, moved))
        elif isinstance(node, Xnor):
            if kept[name]:
                rows = sorted({index // node.depth for index in kept[name]})
                entries.append(Entry(name, Xnor(node.weights[rows], node.thresholds[rows]),
                                     entry.inputs))
        elif kept[name] or not isinstance(node, BitNode):
            entries.append(entry)
    return replace(network, entries=tuple(entries))


def _live(network: Network, state: _State) -> set[Bit]:
    """Every bit that reaches a score, after bits were replaced by what they equal."""
    live: set[Bit] = set()
    for entry in reversed(network.entries[1:]):
        node = entry.node
        if entry.name in state.keep:
            live.update(_references(network, entry))
        elif isinstance(node, Lut):
            for j in range(node.out_width):
                if (entry.name, j) in live:
                    live.update(state.luts[entry.name, j].inputs)
        elif not isinstance(node, BitNode) or any((entry.name, index) in live
                                                  for index in range(node.out_width)):
            live.update(_references(network, entry))
    return live


def _lut_entry(network: Network, state: _State, name: str, kept: dict[str, list[int]],
               moved: dict[Bit, int]) -> Entry:
    tables = [state.luts[name, j] for j in kept[name]]
    read = {bit[0] for table in tables for bit in table.inputs}
    # A layer of constants still needs an input to be a layer.
    inputs = tuple(sorted(read, key=state.order.__getitem__)) or (network.entries[0].name,)
    offsets, width = {}, 0
    for source in inputs:
        offsets[source] = width
        width += len(kept[source])
    fan_in = max(1, *(len(table.inputs) for table in tables))
    sources = np.full((len(tables), fan_in), UNCONNECTED, np.int32)
    contents = np.zeros((len(tables), 1 << fan_in), bool)
    for row, table in enumerate(tables):
        for slot, bit in enumerate(table.inputs):
            sources[row, slot] = offsets[bit[0]] + moved[bit]
        # Repeated, so that an unconnected slot is ignored whatever it reads.
        contents[row] = np.tile(table.table, (1 << fan_in) // len(table.table))
    return Entry(name, Lut(width, sources, contents), inputs)
