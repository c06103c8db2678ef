"""The figures of a build as one page that needs nothing else."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["render"]

MISSING = "not measured"

_COLOURS = {"encoder": "#4477aa", "core": "#228833", "head": "#ccbb44", "link": "#aa3377",
            "other": "#999999"}

MOST_CLASSES = 40
"""Of so many classes the figures of each are shown; of more, only the colours of the confusion."""

METRICS = {"accuracy": ("accuracy, %", 100.0),
           "balanced_accuracy": ("balanced accuracy, %", 100.0),
           "r2": ("share of the variance explained", 1.0)}
"""What a curve may show, as its points call it: a title, and a factor."""

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
    sections = [_resources(report), _device(report), _speed(report), _network(report),
                _training(report), _origin(report)]
    failed = "" if report["message"] is None else \
        f'<p class="failed"><b>Not built.</b> {_text(report["message"])}</p>'
    return ("<!DOCTYPE html>\n"
            '<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{_text(network['name'])} on {_text(report['target'])}</title>"
            f"<style>{_STYLE}</style></head><body><main>\n"
            f"<h1>{_text(network['name'])} on {_text(report['target'])}</h1>\n"
            f'<p class="sub">{_text(where)}. {network["features"]:,} features, '
            f'{network["classes"]} classes, frames F = {network["frames"]}, '
            f'depth D = {network["depth"]}.</p>\n'
            f"{failed}{_cards(report)}\n" + "\n".join(sections) + "\n</main></body></html>\n")


def _text(value: object) -> str:
    return html.escape(str(value))


def _value(value: float | None, form: str = ",.0f", unit: str = "") -> str:
    """A figure for a cell; what was not measured is never shown as a number."""
    if value is None:
        return f'<span class="none">{MISSING}</span>'
    return f"{value:{form}}{unit}"


def _scaled(value: float | None, scale: float, form: str, unit: str) -> str:
    return _value(None if value is None else value * scale, form, unit)


def _get(value: Any, *path: str) -> Any:
    """A value deep inside the report, None as soon as anything on the way is."""
    for key in path:
        if value is None:
            return None
        value = value.get(key)
    return value


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False) -> str:
    lines = ["<table>"]
    if head:
        lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>")
    for index, row in enumerate(rows):
        kind = ' class="total"' if total and index == len(rows) - 1 else ""
        lines.append(f"<tr{kind}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>")
    return "\n".join([*lines, "</table>"])


def _cards(report: Mapping[str, Any]) -> str:
    clock = _get(report, "timing", "clock_hz")
    error = _get(report, "figures", "test", "rmse")
    cards = [
        ("test accuracy", _scaled(_get(report, "accuracy", "test_ir"), 100, ".2f", " %"))
        if error is None else ("test RMSE", _value(error, ".4g")),
        ("LUTs in total", _value(_get(report, "resources", "total", "luts"))),
        ("Fmax", _scaled(_get(report, "timing", "fmax_hz"), 1e-6, ".1f", " MHz")),
        ("latency" if clock is None else f"latency at {clock / 1e6:g} MHz",
         _scaled(_get(report, "latency", "ip", "ns_at_clock"), 1e-3, ",.2f", " µs")),
        ("inferences/s with encoder",
         _value(_get(report, "throughput", "ip", "per_second_at_clock"))),
    ]
    return '<div class="cards">' + "".join(
        f'<div class="card"><b>{value}</b><span>{label}</span></div>'
        for label, value in cards) + "</div>"


def _resources(report: Mapping[str, Any]) -> str:
    resources = report["resources"]
    if resources is None:
        return f"<section><h2>Resources</h2>{_value(None)}</section>"
    columns = ("luts", "flip_flops", "carries", "memories", "memory_kbit")
    rows = [[f'<span class="key" style="background:{_COLOURS[part]}"></span>{part}',
             *(_value(values[column]) for column in columns)]
            for part, values in resources["parts"].items()]
    rows.append(["total", *(_value(resources["total"][column]) for column in columns)])
    head = ["part", "LUTs", "flip-flops", "carry cells", "block RAMs", "block RAM kbit"]
    tried = ", ".join(f"{_text(name)} {luts:,}"
                      for name, luts in resources["mappings_luts"].items())
    return (f"<section><h2>Resources by part</h2>{_bar(report)}"
            f"{_table(head, rows, total=True)}"
            f'<p class="note">Counted in the netlist that is placed. Technology mapping: '
            f'{_text(resources["mapping"])} (LUTs: {tried}).</p></section>')


def _device(report: Mapping[str, Any]) -> str:
    board = report["board"]
    if board is None:
        return ""
    device = report["device"]
    usage = _get(device, "utilisation")
    if usage is None:
        needed = _get(device, "logic_cells_synthesis")
        body = (f"<p>Placement: {_value(None)}.</p>" if needed is None else
                f"<p>Placement: {_value(None)}. After synthesis at least {needed:,} of "
                f"{device['logic_cells_available']:,} logic cells are needed.</p>")
    else:
        body = _table(["resource", "used", "available", "share"],
                      [[_text(name), _value(item["used"]), _value(item["available"]),
                        f"{100 * item['used'] / item['available']:.1f} %"]
                       for name, item in usage.items()])
    return (f"<section><h2>Device: {_text(board['device'])} {_text(board['package'])}</h2>"
            f"{body}</section>")


def _speed(report: Mapping[str, Any]) -> str:
    timing, latency, throughput = report["timing"], report["latency"], report["throughput"]
    clock = _table([], [
        ["clock of the board", _scaled(timing["clock_hz"], 1e-6, "g", " MHz")],
        ["clock to reach", _scaled(timing["target_hz"], 1e-6, "g", " MHz")],
        ["Fmax", _scaled(timing["fmax_hz"], 1e-6, ".2f", " MHz")],
        ["slowest path, by part",
         " to ".join(timing["slowest_path"]) if timing["slowest_path"] else _value(None)],
    ])
    parts = ("encoder", "core", "head", "ip")
    delay = _table(["latency", "cycles", "at the board's clock", "at Fmax"], [
        [{"ip": "whole IP"}.get(part, part), _value(_get(latency, part, "cycles")),
         _value(_get(latency, part, "ns_at_clock"), ",.0f", " ns"),
         _value(_get(latency, part, "ns_at_fmax"), ",.0f", " ns")] for part in parts], total=True)
    rate = _table(["inferences a second", "interval, cycles", "at the board's clock", "at Fmax"], [
        [label, _value(_get(throughput, part, "interval_cycles")),
         _value(_get(throughput, part, "per_second_at_clock")),
         _value(_get(throughput, part, "per_second_at_fmax"))]
        for part, label in (("core", "core alone"), ("ip", "whole IP, encoder included"))])
    link = _get(throughput, "link")
    serial = "" if link is None else (
        f'<p class="note">Through the serial line at {link["baud"]:,} baud: '
        f'{link["per_second"]:,.0f} inferences/s if each answer is awaited '
        f'({link["round_trip_ns"] / 1e6:,.2f} ms: {link["request_bytes"]} bytes there, '
        f'{link["reply_bytes"]} back), {link["per_second_sent_ahead"]:,.0f} if the host sends '
        "ahead.</p>")
    return (f'<div class="two"><section><h2>Clock</h2>{clock}</section>'
            f"<section><h2>Latency</h2>{delay}</section></div>"
            f"<section><h2>Throughput</h2>{rate}{serial}</section>")


def _network(report: Mapping[str, Any]) -> str:
    sizes = report["simplification"]
    names = {"layers": "nodes", "tables": "look-up tables", "table_inputs": "inputs of those",
             "neurons": "XNOR neurons", "input_bits": "input bits read"}
    rows = [[label, _value(_get(sizes, "before", key)), _value(_get(sizes, "after", key))]
            for key, label in names.items()]
    simplified = _table(["network", "frozen", "simplified"], rows)
    return (f'<div class="two"><section>{_quality(report)}</section>'
            f"<section><h2>Exact simplification</h2>{simplified}</section></div>")


def _quality(report: Mapping[str, Any]) -> str:
    """How good the answers are: of numbers the errors, else accuracies."""
    figures = report["figures"]
    if _get(figures, "test", "rmse") is not None:
        return "<h2>Errors</h2>" + _table(["split", "RMSE", "MAE", "R²"], [
            [part, *(_value(_get(figures, part, name), ".4g") for name in ("rmse", "mae", "r2"))]
            for part in ("validation", "test")])
    accuracy = _table(["split", "accuracy"], [
        [label, _scaled(_get(report, "accuracy", key), 100, ".2f", " %")]
        for key, label in (("validation", "validation"), ("test", "test, by the trainer"),
                           ("test_ir", "test, by the golden evaluator"))])
    classes = _get(figures, "test", "per_class")
    if classes is None or len(classes["support"]) > MOST_CLASSES:
        return f"<h2>Accuracy</h2>{accuracy}"
    balanced = _scaled(_get(figures, "test", "balanced_accuracy"), 100, ".2f", " %")
    names = _class_names(report, len(classes["support"]))
    table = _table(["class", "precision", "recall", "F1", "test samples"], [
        [_text(name), *(_scaled(classes[key][n], 100, ".1f", " %")
                        for key in ("precision", "recall", "f1")), _value(classes["support"][n])]
        for n, name in enumerate(names)])
    return (f"<h2>Accuracy</h2>{accuracy}<p>Balanced over the classes: {balanced} on the test "
            f"split.</p>{table}")


def _class_names(report: Mapping[str, Any], count: int) -> Sequence[str]:
    return report["network"]["class_names"] or [str(index) for index in range(count)]


def _training(report: Mapping[str, Any]) -> str:
    curve, confusion = report["training"]["curve"], report["training"]["confusion"]
    picture = (f'<section><h2>Training curve</h2>'
               f"{_curve(curve) if curve else _value(None)}</section>")
    if _get(report, "figures", "test", "rmse") is not None:
        return picture  # numbers are confused with nothing
    return (f'<div class="two">{picture}<section><h2>Confusion on the test split</h2>'
            f"{_confusion(confusion, report) if confusion else _value(None)}</section></div>")


def _origin(report: Mapping[str, Any]) -> str:
    rows = [[_text(name), f"<code>{_text(value)}</code>"]
            for group in ("tools", "digests", "options") for name, value in report[group].items()
            if value is not None]
    return f"<section><h2>Made from, and with</h2>{_table([], rows)}</section>"


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """An empty figure, and its axes. The figure belongs to nobody: there is no global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _svg(figure: Any, label: str) -> str:
    """The figure as an element of the page, the same bytes each time."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": label, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", transparent=True,
                       metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    # Names of glyphs and paths must not meet those of the page's other pictures.
    prefix = re.sub(r"\W+", "-", label)
    text = re.sub(r'\b(id=")', rf"\1{prefix}-", text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{prefix}-", text)
    return text[text.index("<svg"):].replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _bar(report: Mapping[str, Any]) -> str:
    figure, axes = _figure(9, 1.0)
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
    return _svg(figure, "LUTs by part")


def _curve(curve: Sequence[Mapping[str, float]]) -> str:
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(5.2, 3.4)
    epochs = [point["epoch"] for point in curve]
    metric = next((name for name in METRICS if f"validation_{name}" in curve[0]), "accuracy")
    title, scale = METRICS[metric]
    for part, label, colour in (("train", "training", "#999999"),
                                ("validation", "validation", "#228833")):
        points = [(epoch, scale * point[f"{part}_{metric}"])
                  for epoch, point in zip(epochs, curve, strict=True)
                  if point.get(f"{part}_{metric}") is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, color=colour, linewidth=1.6,
                      marker="o" if len(points) == 1 else None)
    axes.set_xlabel("epoch")
    axes.set_ylabel(title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    return _svg(figure, "Training curve")


def _confusion(confusion: Sequence[Sequence[int]], report: Mapping[str, Any]) -> str:
    size = len(confusion)
    names = _class_names(report, size)
    figure, axes = _figure(5.2, 4.6)
    rows = [[count / max(1, sum(row)) for count in row] for row in confusion]
    axes.imshow(rows, cmap="Greens", vmin=0, vmax=1)
    for y, row in enumerate(confusion):
        for x, number in enumerate(row):
            if number and size <= MOST_CLASSES:
                axes.text(x, y, number, ha="center", va="center", fontsize=8 if size <= 12 else 5,
                          color="white" if rows[y][x] > 0.6 else "black")
    rotation = 45 if max(len(str(name)) for name in names) > 3 else 0
    if size <= MOST_CLASSES:
        axes.set_xticks(range(size), names, fontsize=8, rotation=rotation)
        axes.set_yticks(range(size), names, fontsize=8)
    axes.set_xlabel("decision")
    axes.set_ylabel("label")
    return _svg(figure, "Confusion matrix")
