"""Faults planted on purpose: what a level claims to notice, it must be seen to notice.

Each fault is chosen so that it changes the scores of the vectors at hand.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.errors import UserError
from bitwright.hw.interface import Interface
from bitwright.hw.naming import TOP, Naming
from bitwright.hw.plan import Plan
from bitwright.sim.options import Faults

__all__ = ["KINDS", "FaultError", "Planted", "plant"]

PLAN = Plan()


class FaultError(UserError, ValueError):
    """There is no such fault in this network that these vectors would notice."""


@dataclass(frozen=True)
class Planted:
    """A fault, and where it is.

    Parameters
    ----------
    faults : Faults
        For :class:`sim.options.Options`.
    description : str
        For people.
    node : str, optional
        Name of the node whose output is the first to be wrong.
    bit : int, optional
        The bit of that output which is wrong; of a modulator with several comparisons of one
        feature, the lowest.
    """

    faults: Faults
    description: str
    node: str | None = None
    bit: int | None = None


def plant(kind: str, network: ir.Network, features: NDArray[np.int32], *, plan: Plan = PLAN,
          naming: Naming = TOP, seed: int = 1) -> Planted:
    """Plant a fault.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    network : ir.Network
        As it is to be built.
    features : array, shape (vectors, features)
        Of which at least one must notice the fault.
    plan : Plan
        How it is built.
    naming : Naming
        Of the block.

    Raises
    ------
    FaultError
        If no fault of the kind would be noticed.
    """
    rng = np.random.default_rng(seed)
    if kind == "beat":
        sample = int(rng.integers(len(features)))
        return Planted(Faults(drop=sample), f"the driver loses the last beat of sample {sample}")
    layout = plan.layout(network)
    interface = Interface(naming, layout, bool(plan.writable), 0, 0)  # its ports are what is needed
    if kind == "result":
        index = int(rng.integers(len(features)))
        return Planted(Faults(edit=_lost_result(interface, index)), f"result {index} is swallowed")
    if kind == "scores" and network.classes > 1:
        return Planted(Faults(edit=_swapped_scores(interface)), "scores 0 and 1 are swapped")
    expected = network.evaluate(features).scores
    for planted in _CANDIDATES.get(kind, _none)(network, features, rng):
        if (planted.faults.built.evaluate(features).scores != expected).any():
            return planted
    raise FaultError(f"No fault of kind {kind!r} changes a score of these vectors")


def _tables(network: ir.Network, features: NDArray[np.int32],
            rng: np.random.Generator) -> Iterator[Planted]:
    """Flip one bit of one table."""
    for entry, row in _rows(network, rng):
        node = entry.node
        for address in rng.permutation(node.tables.shape[1]).tolist():
            tables = node.tables.copy()
            tables[row, address] ^= True
            yield Planted(
                Faults(built=_with(network, entry.name, replace(node, tables=tables))),
                f"entry {address} of table {row} of node {entry.name} is flipped",
                entry.name, row)


def _wires(network: ir.Network, features: NDArray[np.int32],
           rng: np.random.Generator) -> Iterator[Planted]:
    """Swap the first two wires of one table."""
    for entry, row in _rows(network, rng):
        node = entry.node
        if node.fan_in < 2:
            continue
        sources = node.sources.copy()
        sources[row, [0, 1]] = sources[row, [1, 0]]
        yield Planted(
            Faults(built=_with(network, entry.name, replace(node, sources=sources))),
            f"wires 0 and 1 of table {row} of node {entry.name} are swapped", entry.name, row)


def _thresholds(network: ir.Network, features: NDArray[np.int32],
                rng: np.random.Generator) -> Iterator[Planted]:
    """Raise one threshold by one, or lower it where it is the highest."""
    node = network.modulate
    read = np.flatnonzero(network.read_mask(network.entries[0].name))
    for bit in rng.permutation(read).tolist():
        for frame in range(node.frames):
            thresholds = node.thresholds.copy()
            place = frame, bit // node.depth, bit % node.depth
            thresholds[place] += 1 if thresholds[place] <= node.domain[1] else -1
            yield Planted(
                Faults(built=_with(network, network.entries[0].name,
                                   replace(node, thresholds=thresholds))),
                f"the threshold of bit {bit} in frame {frame} is off by one",
                network.entries[0].name, bit)


_CANDIDATES: dict[str, Callable[..., Iterator[Planted]]] = {
    "table": _tables, "threshold": _thresholds, "wires": _wires}

KINDS = tuple(sorted([*_CANDIDATES, "beat", "result", "scores"]))


def _none(network: ir.Network, features: NDArray[np.int32],
          rng: np.random.Generator) -> Iterator[Planted]:
    """No place for a fault."""
    yield from ()


def _rows(network: ir.Network, rng: np.random.Generator) -> Iterator[tuple[ir.Entry, int]]:
    """Every table, in random order."""
    rows = [(entry, row) for entry in network.entries if isinstance(entry.node, ir.Lut)
            for row in range(entry.node.out_width)]
    for index in rng.permutation(len(rows)).tolist():
        yield rows[index]


def _with(network: ir.Network, name: str, node: ir.Node) -> ir.Network:
    """The network with another node in one place, and without its golden vectors."""
    entries = tuple(replace(entry, node=node) if entry.name == name else entry
                    for entry in network.entries)
    return replace(network, entries=entries, golden=None)


def _wrap(interface: Interface, changed: str, lost: str) -> Callable[[str], str]:
    """An edit that puts a module with a fault around the design: it takes whole results, and gives
    them on.

    Parameters
    ----------
    changed : str
        What is given on, ``held`` being what was taken.
    lost : str
        Whether a result is not given on, ``count`` being its place.
    """
    layout, naming = interface.layout, interface.naming
    width, beats = 8 * layout.result_beat_bytes, layout.result_beats
    taken = {"m_axis_tdata": "data", "m_axis_tvalid": "valid", "m_axis_tready": "!full",
             "m_axis_tlast": "", "m_axis_tkeep": ""}
    ports = ",\n".join(f"    {port.direction} [{port.width - 1}:0] {port.name}"
                       for port in interface.ports)
    inside = ", ".join(f".{port.name}({taken.get(port.name, port.name)})"
                       for port in interface.ports)
    keep = f"""
    assign m_axis_tkeep = {{{layout.result_beat_bytes}{{1'b1}}}}
        >> (out == {beats - 1} ? {layout.result_beat_bytes - layout.last_beat_bytes} : 0);"""
    wrapper = f"""
module {naming.module}(
{ports}
);
    wire [{width - 1}:0] data;
    wire valid;
    reg [{beats * width - 1}:0] held = 0;
    reg [31:0] place = 0, out = 0, count = 0;
    reg full = 0;
    wire [{beats * width - 1}:0] changed = {changed};
    inner inner({inside});
    assign m_axis_tdata = changed[out*{width} +: {width}];
    assign m_axis_tvalid = full;
    assign m_axis_tlast = out == {beats - 1};{keep if layout.result_keep else ""}
    always @(posedge {naming.clock}) begin
        if (valid && !full) begin
            held[place*{width} +: {width}] <= data;
            place <= place == {beats - 1} ? 0 : place + 1;
            full <= place == {beats - 1} && !({lost});
            if (place == {beats - 1}) count <= count + 1;
        end
        if (full && m_axis_tready) begin
            out <= m_axis_tlast ? 0 : out + 1;
            full <= !m_axis_tlast;
        end
        if ({"!" if naming.active_low else ""}{naming.reset}) begin
            place <= 0;
            out <= 0;
            full <= 0;
        end
    end
endmodule
"""

    def edit(text: str) -> str:
        renamed, count = re.subn(rf"\bmodule {naming.module}\b", "module inner", text)
        assert count == 1, f"one module {naming.module} expected, not {count}"
        return renamed + wrapper

    return edit


def _swapped_scores(interface: Interface) -> Callable[[str], str]:
    layout = interface.layout
    size, first = 8 * layout.score_bytes, 8 * layout.decision_bytes
    second, end = first + size, first + 2 * size
    bits = 8 * layout.result_beat_bytes * layout.result_beats
    above = f"held[{bits - 1}:{end}], " if bits > end else ""
    return _wrap(interface, f"{{{above}held[{first} +: {size}], held[{second} +: {size}], "
                            f"held[{first - 1}:0]}}", "0")


def _lost_result(interface: Interface, index: int) -> Callable[[str], str]:
    return _wrap(interface, "held", f"count == {index}")
