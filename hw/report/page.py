"""The figures of a build as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitwright.hw.families.pll import megahertz
from bitwright.hw.report import block, quality
from bitwright.hw.report.markup import cell, deep, drawing, escaped, scaled, svg, table

__all__ = ["render"]

_COLOURS = {"encoder": "#4477aa", "core": "#228833", "head": "#ccbb44", "link": "#aa3377",
            "other": "#999999"}

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2733; background: #f4f6f8; margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.2rem 3rem; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .7rem; }
.sub { color: #5b6875; margin: .2rem 0 1.4rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .8rem;
  margin-bottom: 1.2rem; }
.card, section { background: #fff; border: 1px solid #dde3e8; border-radius: .5rem; }
.card { padding: .8rem 1rem; }
.card b { display: block; font-size: 1.45rem; line-height: 1.3; }
.card span { color: #5b6875; font-size: .85rem; }
section { padding: 1.1rem 1.2rem; margin-bottom: 1.2rem; overflow-x: auto; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.2rem; }
.two > section { margin-bottom: 0; }
.two { margin-bottom: 1.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .6rem; text-align: right; border-bottom: 1px solid #edf0f3; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { color: #5b6875; font-weight: 600; font-size: .85rem; }
tr.total td { font-weight: 700; border-top: 2px solid #b9c4cd; }
td.text { text-align: left; overflow-wrap: anywhere; }
.none { color: #97a3ad; font-style: italic; font-weight: 400; }
.note { color: #5b6875; font-size: .85rem; margin: .7rem 0 0; }
.failed { background: #fdecea; border: 1px solid #e6a8a1; border-radius: .5rem;
  padding: .9rem 1.1rem; margin-bottom: 1.2rem; }
.key { display: inline-block; width: .75em; height: .75em; border-radius: 2px;
  margin-right: .5em; }
svg { width: 100%; height: auto; display: block; }
code { font-size: .82rem; }
"""


def render(report: Mapping[str, Any]) -> str:
    """The page of a report, with its pictures inside. Equal reports give equal pages."""
    network, board = report["network"], report["board"]
    where = report["target"] if board is None else board["title"]
    sections = [_resources(report), _device(report), _speed(report), _schedule(report),
                block.render(report["interface"]), _size(report), quality.render(report),
                _origin(report)]
    failed = "" if report["message"] is None else \
        f'<p class="failed"><b>Not built.</b> {escaped(report["message"])}</p>'
    return ("<!DOCTYPE html>\n"
            '<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escaped(network['name'])} on {escaped(report['target'])}</title>"
            f"<style>{_STYLE}</style></head><body><main>\n"
            f"<h1>{escaped(network['name'])} on {escaped(report['target'])}</h1>\n"
            f'<p class="sub">{escaped(where)}. {network["features"]:,} features, '
            f'{quality.outputs(network)}, frames F = {network["frames"]}, '
            f'depth D = {network["depth"]}.</p>\n'
            f"{failed}{_cards(report)}\n" + "\n".join(sections) + "\n</main></body></html>\n")


def _cards(report: Mapping[str, Any]) -> str:
    clock = deep(report, "timing", "clock_hz")
    cards = [
        quality.card(report),
        ("LUTs in total", cell(deep(report, "resources", "total", "luts"))),
        ("Fmax", scaled(deep(report, "timing", "fmax_hz"), 1e-6, ".1f", " MHz")),
        ("latency" if clock is None else f"latency at {clock / 1e6:g} MHz",
         scaled(deep(report, "latency", "ip", "ns_at_clock"), 1e-3, ",.2f", " µs")),
        ("inferences/s with encoder",
         cell(deep(report, "throughput", "ip", "per_second_at_clock"))),
    ]
    return '<div class="cards">' + "".join(
        f'<div class="card"><b>{figure}</b><span>{label}</span></div>'
        for label, figure in cards) + "</div>"


def _resources(report: Mapping[str, Any]) -> str:
    resources = report["resources"]
    if resources is None:
        return f"<section><h2>Resources</h2>{cell(None)}</section>"
    columns = ("luts", "flip_flops", "carries", "memories", "memory_kbit")
    rows = [[f'<span class="key" style="background:{_COLOURS[part]}"></span>{part}',
             *(cell(values[column]) for column in columns)]
            for part, values in resources["parts"].items()]
    rows.append(["total", *(cell(resources["total"][column]) for column in columns)])
    head = ["part", "LUTs", "flip-flops", "carry cells", "block RAMs", "block RAM kbit"]
    tried = ", ".join(f"{escaped(name)} {luts:,}"
                      for name, luts in resources["mappings_luts"].items())
    return (f"<section><h2>Resources by part</h2>{_bar(report)}"
            f"{table(head, rows, total=True)}"
            f'<p class="note">Counted in the netlist that is placed. Technology mapping: '
            f'{escaped(resources["mapping"])} (LUTs: {tried}).</p></section>')


def _device(report: Mapping[str, Any]) -> str:
    board = report["board"]
    if board is None:
        return ""
    device = report["device"]
    usage = deep(device, "utilisation")
    if usage is None:
        needed = deep(device, "logic_cells_synthesis")
        body = (f"<p>Placement: {cell(None)}.</p>" if needed is None else
                f"<p>Placement: {cell(None)}. After synthesis at least {needed:,} of "
                f"{device['logic_cells_available']:,} logic cells are needed.</p>")
    else:
        body = table(["resource", "used", "available", "share"],
                      [[escaped(name), cell(item["used"]), cell(item["available"]),
                        f"{100 * item['used'] / item['available']:.1f} %"]
                       for name, item in usage.items()])
    return (f"<section><h2>Device: {escaped(board['device'])} {escaped(board['package'])}</h2>"
            f"{body}</section>")


def _speed(report: Mapping[str, Any]) -> str:
    timing, latency, throughput = report["timing"], report["latency"], report["throughput"]
    clock = table([], [
        ["clock of the design", scaled(timing["clock_hz"], 1e-6, ".6g", " MHz")],
        ["made by", _made(timing)],
        ["Fmax", scaled(timing["fmax_hz"], 1e-6, ".2f", " MHz")],
        ["slowest path, by part",
         " to ".join(timing["slowest_path"]) if timing["slowest_path"] else cell(None)],
    ])
    parts = ("encoder", "core", "head", "ip")
    delay = table(["latency", "cycles", "at the clock", "at Fmax"], [
        [{"ip": "whole IP"}.get(part, part), cell(deep(latency, part, "cycles")),
         cell(deep(latency, part, "ns_at_clock"), ",.0f", " ns"),
         cell(deep(latency, part, "ns_at_fmax"), ",.0f", " ns")] for part in parts], total=True)
    rate = table(["inferences a second", "interval, cycles", "at the clock", "at Fmax"], [
        [label, cell(deep(throughput, part, "interval_cycles")),
         cell(deep(throughput, part, "per_second_at_clock")),
         cell(deep(throughput, part, "per_second_at_fmax"))]
        for part, label in (("core", "core alone"), ("ip", "whole IP, encoder included"))])
    link = deep(throughput, "link")
    serial = "" if link is None else (
        f'<p class="note">Through the serial line at {link["baud"]:,} baud: '
        f'{link["per_second"]:,.0f} inferences/s if each answer is awaited '
        f'({link["round_trip_ns"] / 1e6:,.2f} ms: {link["request_bytes"]} bytes there, '
        f'{link["reply_bytes"]} back), {link["per_second_sent_ahead"]:,.0f} if the host sends '
        "ahead.</p>")
    return (f'<div class="two"><section><h2>Clock</h2>{clock}{_trials(timing)}</section>'
            f"<section><h2>Latency</h2>{delay}</section></div>"
            f"<section><h2>Throughput</h2>{rate}{serial}</section>")


def _schedule(report: Mapping[str, Any]) -> str:
    """What each node does for a frame."""
    schedule = report["schedule"]
    if schedule is None:
        return ""
    body = table(["node", "way", "cycles a frame", "busy"], [
        [escaped(node["node"]), escaped(node["way"]), cell(node["cycles"]),
         f"{node['busy_percent']:g} %"] for node in schedule["nodes"]])
    return (f"<section><h2>Cycles by node</h2>{body}<p class=\"note\">A frame every "
            f"{schedule['interval_cycles']:,} cycles; all wait for "
            f"<b>{escaped(schedule['bottleneck'])}</b>.</p></section>")


def _made(timing: Mapping[str, Any]) -> str:
    """What makes the clock."""
    if timing["oscillator_hz"] is None:
        return cell(None)
    oscillator = f"the board's {megahertz(timing['oscillator_hz'])} MHz"
    if timing["pll"] is not None:
        return f"{escaped(timing['pll']['cell'])} from {oscillator}"
    return oscillator if timing["no_pll"] is None else (
        f"{oscillator}: {escaped(timing['no_pll'])}")


def _trials(timing: Mapping[str, Any]) -> str:
    """Every clock and seed that was tried, where there was more than one."""
    trials = timing["trials"]
    if len(trials) < 2:
        return ""
    return "<p></p>" + table(["tried", "seed", "Fmax", ""], [
        [f"{megahertz(trial['clock_hz'])} MHz", cell(trial["seed"]),
         scaled(trial["fmax_hz"], 1e-6, ".2f", " MHz"),
         "kept" if (trial["clock_hz"], trial["seed"]) == (timing["clock_hz"], timing["seed"])
         else "reached" if trial["met"] else "missed"] for trial in trials])


def _size(report: Mapping[str, Any]) -> str:
    sizes = report["simplification"]
    names = {"layers": "nodes", "tables": "look-up tables", "table_inputs": "inputs of those",
             "neurons": "XNOR neurons", "input_bits": "input bits read"}
    rows = [[label, cell(deep(sizes, "before", key)), cell(deep(sizes, "after", key))]
            for key, label in names.items()]
    simplified = table(["network", "frozen", "simplified"], rows)
    return f"<section><h2>Exact simplification</h2>{simplified}</section>"


def _origin(report: Mapping[str, Any]) -> str:
    rows = [[escaped(name), f"<code>{escaped(value)}</code>"]
            for group in ("tools", "digests", "options") for name, value in report[group].items()
            if value is not None]
    return f"<section><h2>Made from, and with</h2>{table([], rows)}</section>"


def _bar(report: Mapping[str, Any]) -> str:
    figure, axes = drawing(9, 1.0)
    left = 0
    total = max(1, report["resources"]["total"]["luts"])
    for part, values in report["resources"]["parts"].items():
        luts = values["luts"]
        axes.barh(0, luts, left=left, color=_COLOURS[part], height=0.6)
        if luts > 0.08 * total:
            axes.text(left + luts / 2, 0, f"{part} {100 * luts / total:.0f} %", ha="center",
                      va="center", fontsize=9, color="white" if part != "head" else "black")
        left += luts
    axes.set_xlim(0, total)
    axes.set_yticks([])
    axes.set_xlabel("LUTs", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines["left"].set_visible(False)
    return svg(figure, "LUTs by part")
