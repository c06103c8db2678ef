"""The figures of a build, as JSON values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bitwright import ir
from bitwright.boards import Board
from bitwright.hw.families.pll import Clock, megahertz
from bitwright.hw.report.results import (
    Generated,
    Placed,
    Size,
    Synthesised,
    Trial,
    Wrapped,
)
from bitwright.hw.report.told import told
from bitwright.hw.schedule import bottleneck

__all__ = ["FORMAT", "Findings", "compose", "network_size", "summary"]

FORMAT = 1
"""Version of report.json."""


@dataclass
class Findings:
    """What is known of a build, stage by stage; None where none was reached.

    Parameters
    ----------
    name : str
        Of the network.
    network : ir.Network
        As it was frozen.
    board : Board or None
    target : str
        Board, or family without a board.
    options : mapping
        Settings of the build: seeds, baud, frequency.
    digests, tools : mapping
    generated : Generated or None
    wrapped : Wrapped or None
    synthesised : Synthesised or None
    placed : Placed or None
    clock : Clock or None
        What the design is built for.
    no_pll : str or None
        Why the board's oscillator is the only clock.
    trials : list of Trial
        Clocks and seeds that were tried, in order.
    seed : int or None
        Of the placement that was kept.
    """

    name: str
    network: ir.Network
    board: Board | None
    target: str
    options: Mapping[str, Any]
    digests: Mapping[str, str]
    tools: Mapping[str, str]
    generated: Generated | None = None
    wrapped: Wrapped | None = None
    synthesised: Synthesised | None = None
    placed: Placed | None = None
    clock: Clock | None = None
    no_pll: str | None = None
    trials: list[Trial] = dataclasses.field(default_factory=list)
    seed: int | None = None

    @property
    def clock_hz(self) -> float | None:
        """Of the design."""
        return None if self.clock is None else self.clock.hz

    @property
    def foldable(self) -> bool:
        """Whether a node is unrolled that could be folded."""
        return self.generated is not None and self.generated.foldable

    @property
    def fmax_hz(self) -> float | None:
        """Clock that the placed design reaches."""
        return None if self.placed is None else self.placed.fmax_hz


def network_size(network: ir.Network) -> Size:
    """What a network consists of.

    The tables and neurons of a convolution are counted once, whatever the number of positions.
    """
    nodes = [entry.node for entry in network.entries]
    dense = [part for node in nodes
             for part in (node.body if isinstance(node, ir.Convolution) else (node,))]
    return Size(
        layers=len(nodes),
        tables=sum(node.out_width for node in dense if isinstance(node, ir.Lut)),
        table_inputs=sum(int((node.sources >= 0).sum()) for node in dense
                         if isinstance(node, ir.Lut)),
        neurons=sum(len(node.weights) for node in dense if isinstance(node, ir.Xnor)),
        input_bits=int(network.read_mask(network.entries[0].name).sum()))


def compose(found: Findings, status: str, message: str | None = None) -> dict[str, Any]:
    """Put the figures together. What was not measured is None.

    Parameters
    ----------
    found : Findings
    status : str
        ``"done"``, ``"stopped"`` (as was asked for) or ``"failed"``.
    message : str or None
        Why it failed.
    """
    known = told(found.network)
    return {
        "format": FORMAT,
        "status": status,
        "message": message,
        "network": _network(found.name, found.network) | {"data": known["data"]},
        "accuracy": known["accuracy"],
        "figures": known["figures"],
        "target": found.target,
        "board": _board(found.board),
        "options": dict(found.options),
        "simplification": _simplification(found.generated),
        "resources": _resources(found.synthesised),
        "netlist": _netlist(found),
        "device": _device(found),
        "timing": _timing(found),
        "latency": _latency(found),
        "throughput": _throughput(found),
        "schedule": _schedule(found),
        "interface": None if found.generated is None else found.generated.interface.to_json(),
        "tools": dict(found.tools),
        "digests": dict(found.digests),
        "training": {"curve": known["curve"], "confusion": known["confusion"]},
    }


def _network(name: str, network: ir.Network) -> dict[str, Any]:
    """What it is. A regression has scores and no classes."""
    return {
        "name": name,
        "task": "classification" if network.answer is None else "regression",
        "features": network.features,
        "scores": network.classes,
        "classes": None if network.answer else network.classes,
        "frames": network.frames,
        "depth": network.modulate.depth,
        "preparation": network.preparation and network.preparation.describe(),
        "class_names": list(network.names.classes) or None,
        "answer_names": list(network.names.answers) or None,
    }


def _board(board: Board | None) -> dict[str, Any] | None:
    return None if board is None else {
        "name": board.name, "title": board.title, "family": board.family.name,
        "device": board.part.device, "package": board.part.package, "clock_hz": board.clock_hz}


def _simplification(generated: Generated | None) -> dict[str, Any] | None:
    return None if generated is None else {
        "before": dataclasses.asdict(generated.before),
        "after": dataclasses.asdict(generated.after)}


def _resources(synthesised: Synthesised | None) -> dict[str, Any] | None:
    return None if synthesised is None else {
        "mapping": synthesised.mapping,
        "mappings_luts": dict(synthesised.alternatives),
        "parts": {part: dataclasses.asdict(values) for part, values in synthesised.parts.items()},
        "total": dataclasses.asdict(synthesised.total)}


def _netlist(found: Findings) -> dict[str, str] | None:
    """Digests of the netlist that is placed, of the same as Verilog, and of what became of it."""
    synthesised, placed = found.synthesised, found.placed
    routed = None if placed is None else placed.routed
    return None if synthesised is None else {
        "netlist.json": synthesised.netlist, "netlist.v": synthesised.netlist_verilog,
        **({} if routed is None else {"routed": routed})}


def _device(found: Findings) -> dict[str, Any] | None:
    board, synthesised, placed = found.board, found.synthesised, found.placed
    if board is None or synthesised is None:
        return None
    return {
        "logic_cells_synthesis": synthesised.logic_cells,
        "logic_cells": None if placed is None else placed.logic_cells,
        "logic_cells_available": board.part.luts,
        "percent": None if placed is None else round(100 * placed.logic_cells / board.part.luts, 1),
        "flip_flops_available": board.part.flip_flops,
        "memories_available": board.part.memories,
        "utilisation": None if placed is None else {
            name: dataclasses.asdict(usage) for name, usage in placed.utilisation.items()},
    }


def _timing(found: Findings) -> dict[str, Any]:
    placed, pll = found.placed, None if found.clock is None else found.clock.pll
    return {"clock_hz": found.clock_hz,
            "oscillator_hz": None if found.board is None else found.board.clock_hz,
            "pll": None if pll is None else {"cell": pll.cell,
                                             "parameters": dict(pll.parameters)},
            "no_pll": found.no_pll, "fmax_hz": found.fmax_hz, "seed": found.seed,
            "trials": [dataclasses.asdict(trial) | {"met": trial.met} for trial in found.trials],
            "router": None if placed is None else placed.router,
            "slowest_path": None if placed is None else list(placed.slowest)}


def _latency(found: Findings) -> dict[str, Any] | None:
    if found.generated is None:
        return None
    cycles = found.generated.cycles
    return {part: {"cycles": latency, "ns_at_clock": _ns(latency, found.clock_hz),
                   "ns_at_fmax": _ns(latency, found.fmax_hz)}
            for part, latency in (("encoder", cycles.encoder), ("core", cycles.core),
                                  ("head", cycles.head), ("ip", cycles.ip))}


def _throughput(found: Findings) -> dict[str, Any] | None:
    """Inferences a second of the core alone, of the whole IP, and through the serial line."""
    if found.generated is None:
        return None
    cycles = found.generated.cycles
    return {part: {"interval_cycles": interval,
                   "per_second_at_clock": _rate(interval, found.clock_hz),
                   "per_second_at_fmax": _rate(interval, found.fmax_hz)}
            for part, interval in (("core", cycles.core_interval), ("ip", cycles.ip_interval))
            } | {"link": _link(found, cycles.ip)}


def _schedule(found: Findings) -> dict[str, Any] | None:
    """Cycles of each node for a frame, and the share of all cycles in which it is busy."""
    if found.generated is None or not found.generated.works:
        return None
    works, cycles = found.generated.works, found.generated.cycles
    frame = max(bottleneck(works).cycles, cycles.ip_interval // found.network.frames)
    return {"bottleneck": bottleneck(works).node, "interval_cycles": frame,
            "nodes": [{"node": work.node, "way": work.way, "cycles": work.cycles,
                       "busy_percent": round(100 * work.busy / frame, 1)} for work in works]}


def _link(found: Findings, latency: int) -> dict[str, Any] | None:
    """Inferences a second through the serial line.

    A byte on the line is ten bits. A host that waits for each answer pays for request and reply;
    one that sends ahead, since each has a wire of its own, only for the longer of the two.
    """
    wrapped, baud, clock = found.wrapped, found.options.get("baud"), found.clock_hz
    if wrapped is None or baud is None or clock is None:
        return None
    ways = (wrapped.request_bytes, wrapped.reply_bytes)
    round_trip = 10 * sum(ways) / baud + latency / clock
    return {"request_bytes": wrapped.request_bytes, "reply_bytes": wrapped.reply_bytes,
            "baud": baud,
            "round_trip_ns": round(1e9 * round_trip, 1),
            "per_second": round(1 / round_trip, 1),
            "per_second_sent_ahead": round(baud / (10 * max(ways)), 1)}


def _ns(cycles: int, hertz: float | None) -> float | None:
    return None if hertz is None else round(1e9 * cycles / hertz, 1)


def _rate(interval: int, hertz: float | None) -> float | None:
    return None if hertz is None else round(hertz / interval, 1)


def summary(report: Mapping[str, Any]) -> str:
    """The main figures as a table for people."""
    rows: list[tuple[str, str]] = []
    accuracy, figures = report["accuracy"] or {}, report["figures"] or {}
    if report["network"]["task"] == "regression":
        errors = figures.get("test") or {}
        rows += [(f"test {label}", f"{errors[key]:,.4g}")
                 for key, label in (("rmse", "RMSE"), ("mae", "MAE")) if key in errors]
    elif "test_ir" in accuracy:
        rows.append(("test accuracy", f"{100 * accuracy['test_ir']:.2f} %"))
        balanced = (figures.get("test") or {}).get("balanced_accuracy")
        if balanced is not None:
            rows.append(("balanced test accuracy", f"{100 * balanced:.2f} %"))
    if report["resources"] is not None:
        parts, total = report["resources"]["parts"], report["resources"]["total"]
        rows += [(f"LUTs, {part}", f"{values['luts']:,}") for part, values in parts.items()]
        rows.append(("LUTs, total", f"{total['luts']:,}"))
        rows.append(("flip-flops", f"{total['flip_flops']:,}"))
        rows.append(("block RAMs", f"{total['memories']:,}"))
    device = report["device"]
    if device is not None and device["logic_cells"] is not None:
        used, available = device["logic_cells"], device["logic_cells_available"]
        rows.append(("logic cells", f"{used:,} of {available:,} ({device['percent']:g} %)"))
    timing = report["timing"]
    if timing["fmax_hz"] is not None:
        rows.append(("Fmax", f"{timing['fmax_hz'] / 1e6:.2f} MHz"))
        made = "" if timing["pll"] is None else \
            f" (by PLL from {megahertz(timing['oscillator_hz'])} MHz)"
        rows.append(("clock", f"{megahertz(timing['clock_hz'])} MHz{made}"))
    if report["latency"] is not None:
        latency = report["latency"]["ip"]
        at_clock = "" if latency["ns_at_clock"] is None else \
            f" ({latency['ns_at_clock'] / 1e3:,.2f} us at this clock)"
        rows.append(("latency", f"{latency['cycles']:,} cycles{at_clock}"))
    throughput = report["throughput"]
    if throughput is not None:
        for part, label in (("core", "core alone"), ("ip", "with encoder")):
            rate = throughput[part]["per_second_at_clock"]
            if rate is not None:
                rows.append((f"inferences/s, {label}", f"{rate:,.0f}"))
        if throughput["link"] is not None:
            rows.append(("inferences/s, serial", f"{throughput['link']['per_second']:,.0f}"))
    rows += _busy(report["schedule"])
    width = max((len(label) for label, _ in rows), default=0)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in rows)


def _busy(schedule: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """A row a node; nothing where a frame comes every cycle."""
    if schedule is None or schedule["interval_cycles"] == 1:
        return []
    return [(f"cycles, {node['node']}",
             f"{node['cycles']:,} of {schedule['interval_cycles']:,} a frame, busy "
             f"{node['busy_percent']:g} %, {node['way']}"
             + (" (bottleneck)" if node["node"] == schedule["bottleneck"] else ""))
            for node in schedule["nodes"]]
