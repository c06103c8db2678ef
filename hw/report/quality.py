"""The part of the page that says how good the network is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bitwright.hw.report.markup import cell, deep, drawing, escaped, scaled, svg, table

__all__ = ["card", "outputs", "render"]

MOST_CLASSES = 20
"""Classes of which every one has a line, and a number in the confusion matrix."""

_SPLITS = (("validation", "validation"), ("test", "test"))
_METRICS = {"accuracy": ("accuracy, %", 100), "balanced_accuracy": ("balanced accuracy, %", 100),
            "r2": ("R²", 1)}
"""Names that a curve may have, and how they are shown."""


def outputs(network: Mapping[str, Any]) -> str:
    """What the network gives, in a few words."""
    if network["task"] == "classification":
        return f"{network['classes']} classes"
    names = ", ".join(network["answer_names"] or ())
    count = "1 number" if network["scores"] == 1 else f"{network['scores']} numbers"
    return count + (f" ({escaped(names)})" if names else "")


def card(report: Mapping[str, Any]) -> tuple[str, str]:
    """Label and value of the main figure."""
    if report["network"]["task"] == "regression":
        return "test RMSE", cell(deep(report, "figures", "test", "rmse"), ",.4g")
    return "test accuracy", scaled(deep(report, "accuracy", "test_ir"), 100, ".2f", " %")


def render(report: Mapping[str, Any]) -> str:
    """The sections, for classes or for numbers."""
    curve = report["training"]["curve"]
    drawn = _section("Training curve", _curve(curve) if curve else cell(None))
    if report["network"]["task"] == "regression":
        return _two(_section("Error", _errors(report)), drawn)
    matrix = report["training"]["confusion"]
    pictured = _section("Confusion on the test split",
                        _confusion(matrix, report) if matrix else cell(None))
    return (_two(_section("Accuracy", _accuracy(report)),
                 _section("Classes of the test split",
                          _classes(matrix, report) if matrix else cell(None)))
            + _two(drawn, pictured))


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _two(left: str, right: str) -> str:
    return f'<div class="two">{left}{right}</div>'


def _accuracy(report: Mapping[str, Any]) -> str:
    rows = [[label, scaled(deep(report, "accuracy", key), 100, ".2f", " %")]
            for key, label in (("validation", "validation"), ("test", "test, by the trainer"),
                               ("test_ir", "test, by the golden evaluator"))]
    balanced = deep(report, "figures", "test", "balanced_accuracy")
    rows.append(["test, balanced over the classes", scaled(balanced, 100, ".2f", " %")])
    return table(["split", "accuracy"], rows)


def _errors(report: Mapping[str, Any]) -> str:
    unit = ", ".join(report["network"]["answer_names"] or ())
    note = f'<p class="note">RMSE and MAE of {escaped(unit)}.</p>' if unit else ""
    return table(["split", "RMSE", "MAE", "R²"], [
        [label, cell(deep(report, "figures", part, "rmse"), ",.4g"),
         cell(deep(report, "figures", part, "mae"), ",.4g"),
         cell(deep(report, "figures", part, "r2"), ".4f")] for part, label in _SPLITS]) + note


def _class_names(report: Mapping[str, Any], size: int) -> list[str]:
    return report["network"]["class_names"] or [str(index) for index in range(size)]


def _classes(matrix: Sequence[Sequence[int]], report: Mapping[str, Any]) -> str:
    """A line a class; of many classes, those that are missed most often."""
    names = _class_names(report, len(matrix))
    decided = [sum(column) for column in zip(*matrix, strict=True)]
    rows: list[tuple[float, list[str]]] = []
    for label, row in enumerate(matrix):
        right, support = row[label], sum(row)
        figures = [right / decided[label] if decided[label] else None,
                   right / support if support else None,
                   2 * right / (support + decided[label]) if support + decided[label] else None]
        rows.append((right / support if support else 1.0, [
            escaped(names[label]), cell(support),
            *("-" if figure is None else f"{100 * figure:.1f} %" for figure in figures)]))
    note = ""
    if len(rows) > MOST_CLASSES:
        note = (f'<p class="note">The {MOST_CLASSES} of {len(rows):,} classes with the lowest '
                "recall.</p>")
        rows = sorted(rows, key=lambda row: row[0])[:MOST_CLASSES]
    return table(["class", "samples", "precision", "recall", "F1"], [row for _, row in rows]) + note


def _curve(curve: Sequence[Mapping[str, float]]) -> str:
    from matplotlib.ticker import MaxNLocator

    metric = next((name for name in _METRICS
                   if any(f"validation_{name}" in point for point in curve)), "accuracy")
    label, scale = _METRICS[metric]
    figure, axes = drawing(5.2, 3.4)
    for part, name, colour in (("train", "training", "#999999"),
                               ("validation", "validation", "#228833")):
        points = [(point["epoch"], scale * point[f"{part}_{metric}"]) for point in curve
                  if f"{part}_{metric}" in point]
        if points:
            axes.plot(*zip(*points, strict=True), label=name, color=colour, linewidth=1.6,
                      marker="o" if len(points) == 1 else None)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    if axes.lines:
        axes.legend(frameon=False, loc="lower right")
    return svg(figure, "Training curve")


def _confusion(confusion: Sequence[Sequence[int]], report: Mapping[str, Any]) -> str:
    size = len(confusion)
    figure, axes = drawing(5.2, 4.6)
    rows = [[count / max(1, sum(row)) for count in row] for row in confusion]
    axes.imshow(rows, cmap="Greens", vmin=0, vmax=1)
    if size <= MOST_CLASSES:  # of more, names and numbers would lie on each other
        names = _drawable(_class_names(report, size))
        for y, row in enumerate(confusion):
            for x, number in enumerate(row):
                if number:
                    axes.text(x, y, number, ha="center", va="center",
                              fontsize=8 if size <= 12 else 5,
                              color="white" if rows[y][x] > 0.6 else "black")
        rotation = 45 if max(len(name) for name in names) > 3 else 0
        axes.set_xticks(range(size), names, fontsize=8, rotation=rotation)
        axes.set_yticks(range(size), names, fontsize=8)
    axes.set_xlabel("decision")
    axes.set_ylabel("label")
    return svg(figure, "Confusion matrix")


def _drawable(names: Sequence[str]) -> list[str]:
    """Names for a picture: short, no formula, and the number of one that its font cannot write."""
    from matplotlib import font_manager

    known = font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap()
    short = [name if len(name) <= 16 else f"{name[:15]}…" for name in names]
    return [name.replace("$", r"\$") if all(ord(letter) in known for letter in name)
            else str(index) for index, name in enumerate(short)]
