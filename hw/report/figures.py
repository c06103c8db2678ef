"""The figures of a build, as JSON values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bitwright import ir
from bitwright.boards import Board
from bitwright.hw.report.resources import Resources

__all__ = ["FORMAT", "compose", "network_size", "resources_from", "summary"]

FORMAT = 1
"""Version of report.json."""


def network_size(network: ir.Network) -> dict[str, int]:
    """What a network consists of: nodes, tables, neurons, and input bits that are read.

    The tables and neurons of a convolution are counted once, whatever the number of positions.
    """
    nodes = [entry.node for entry in network.entries]
    dense = [part for node in nodes
             for part in (node.body if isinstance(node, ir.Convolution) else (node,))]
    return {
        "layers": len(nodes),
        "tables": sum(node.out_width for node in dense if isinstance(node, ir.Lut)),
        "table_inputs": sum(int((node.sources >= 0).sum()) for node in dense
                            if isinstance(node, ir.Lut)),
        "neurons": sum(len(node.weights) for node in dense if isinstance(node, ir.Xnor)),
        "input_bits": int(network.read_mask(network.entries[0].name).sum()),
    }


def compose(*, name: str, network: ir.Network, target: str, board: Board | None,
            options: Mapping[str, Any], digests: Mapping[str, str], tools: Mapping[str, str],
            generated: Mapping[str, Any] | None, synthesised: Mapping[str, Any] | None,
            routed: Mapping[str, Any] | None, status: str, message: str | None) -> dict[str, Any]:
    """Put the figures together. What was not measured is None.

    Parameters
    ----------
    name : str
        Of the network.
    network : ir.Network
        As it was frozen.
    target : str
        Board, or family without a board.
    board : Board or None
    options : mapping
        Settings of the build: seed, baud, frequency.
    digests, tools : mapping
    generated, synthesised, routed : mapping or None
        What each stage found; None where it was not reached.
    status : str
        ``"done"``, ``"stopped"`` (as was asked for) or ``"failed"``.
    message : str or None
        Why it failed.
    """
    provenance = network.provenance
    clock = None if board is None else board.clock_hz
    fmax = None if routed is None else routed["fmax_hz"]
    return {
        "format": FORMAT,
        "status": status,
        "message": message,
        "network": {
            "name": name,
            "features": network.features,
            "classes": network.classes,
            "frames": network.frames,
            "depth": network.modulate.depth,
            "data": provenance.get("data"),
            "class_names": provenance.get("classes"),
        },
        "accuracy": provenance.get("accuracy"),
        "target": target,
        "board": None if board is None else {
            "name": board.name, "title": board.title, "family": board.family,
            "device": board.device, "package": board.package, "clock_hz": board.clock_hz},
        "options": dict(options),
        "simplification": None if generated is None else generated["simplification"],
        "resources": None if synthesised is None else {
            "mapping": synthesised["mapping"],
            "mappings_luts": synthesised["alternatives"],
            "parts": synthesised["parts"],
            "total": synthesised["total"]},
        "device": _device(board, synthesised, routed),
        "timing": {"clock_hz": clock, "target_hz": options.get("target_hz"), "fmax_hz": fmax,
                   "router": None if routed is None else routed["router"],
                   "slowest_path": None if routed is None else routed["slowest"]},
        "latency": _latency(generated, clock, fmax),
        "throughput": _throughput(generated, clock, fmax, options.get("baud")),
        "tools": dict(tools),
        "digests": dict(digests),
        "training": {"curve": provenance.get("curve"), "confusion": provenance.get("confusion")},
    }


def _device(board: Board | None, synthesised: Mapping[str, Any] | None,
            routed: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if board is None or synthesised is None:
        return None
    placed = None if routed is None else routed["logic_cells"]
    return {
        "logic_cells_synthesis": synthesised["logic_cells"],
        "logic_cells": placed,
        "logic_cells_available": board.luts,
        "percent": None if placed is None else round(100 * placed / board.luts, 1),
        "flip_flops_available": board.flip_flops,
        "memories_available": board.memories,
        "utilisation": None if routed is None else routed["utilisation"],
    }


def _latency(generated: Mapping[str, Any] | None, clock: int | None,
             fmax: float | None) -> dict[str, Any] | None:
    if generated is None:
        return None
    cycles = generated["cycles"]
    return {part: {"cycles": cycles[f"{part}_latency"],
                   "ns_at_clock": _ns(cycles[f"{part}_latency"], clock),
                   "ns_at_fmax": _ns(cycles[f"{part}_latency"], fmax)}
            for part in ("encoder", "core", "head", "ip")}


def _throughput(generated: Mapping[str, Any] | None, clock: int | None, fmax: float | None,
                baud: int | None) -> dict[str, Any] | None:
    """Inferences a second of the core alone, of the whole IP, and through the serial line.

    A byte on the line is ten bits. A host that waits for each answer pays for request and reply;
    one that sends ahead, since each has a wire of its own, only for the longer of the two.
    """
    if generated is None:
        return None
    cycles = generated["cycles"]
    figures: dict[str, Any] = {
        part: {"interval_cycles": cycles[f"{part}_interval"],
               "per_second_at_clock": _rate(cycles[f"{part}_interval"], clock),
               "per_second_at_fmax": _rate(cycles[f"{part}_interval"], fmax)}
        for part in ("core", "ip")}
    link = generated["link"]
    if link is None or baud is None or clock is None:
        return {**figures, "link": None}
    ways = (link["request_bytes"], link["reply_bytes"])
    round_trip = 10 * sum(ways) / baud + cycles["ip_latency"] / clock
    figures["link"] = {**link, "baud": baud,
                       "round_trip_ns": round(1e9 * round_trip, 1),
                       "per_second": round(1 / round_trip, 1),
                       "per_second_sent_ahead": round(baud / (10 * max(ways)), 1)}
    return figures


def _ns(cycles: int, hertz: float | None) -> float | None:
    return None if hertz is None else round(1e9 * cycles / hertz, 1)


def _rate(interval: int, hertz: float | None) -> float | None:
    return None if hertz is None else round(hertz / interval, 1)


def summary(report: Mapping[str, Any]) -> str:
    """The main figures as a table for people."""
    rows: list[tuple[str, str]] = []
    accuracy = report["accuracy"] or {}
    if "test_ir" in accuracy:
        rows.append(("test accuracy", f"{100 * accuracy['test_ir']:.2f} %"))
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
        rows.append(("clock", f"{timing['clock_hz'] / 1e6:g} MHz"))
    if report["latency"] is not None:
        latency = report["latency"]["ip"]
        at_clock = "" if latency["ns_at_clock"] is None else \
            f" ({latency['ns_at_clock'] / 1e3:,.2f} us at the board's clock)"
        rows.append(("latency", f"{latency['cycles']:,} cycles{at_clock}"))
    throughput = report["throughput"]
    if throughput is not None:
        for part, label in (("core", "core alone"), ("ip", "with encoder")):
            rate = throughput[part]["per_second_at_clock"]
            if rate is not None:
                rows.append((f"inferences/s, {label}", f"{rate:,.0f}"))
        if throughput["link"] is not None:
            rows.append(("inferences/s, serial", f"{throughput['link']['per_second']:,.0f}"))
    width = max((len(label) for label, _ in rows), default=0)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in rows)


def resources_from(values: Mapping[str, Any]) -> Resources:
    """Resources back from JSON values."""
    return Resources(**{field.name: values[field.name] for field in dataclasses.fields(Resources)})
