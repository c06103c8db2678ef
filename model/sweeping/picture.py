"""The picture of a sweep: the metric over the size, the front as steps."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from bitwright.model.sweeping.front import Point

__all__ = ["PICTURE", "draw"]

PICTURE = "pareto.svg"

_COLOURS = ("#4477aa", "#ee6677", "#aa3377")


def draw(found: Sequence[Point], best: Sequence[Point], target: str, title: str,
         more: Mapping[str, Sequence[tuple[float, float]]] | None = None) -> str:
    """Draw points as SVG, the same bytes each time.

    Parameters
    ----------
    found : sequence of Point
        All, with ``luts`` among their figures, or without: then over the number of the trial.
    best : sequence of Point
        Those of them on the front.
    target : str
        What the LUTs are of.
    title : str
    more : mapping of str to sequence of (float, float), optional
        Others beside them, by what they are: LUTs, and the metric in percent.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sized = all("luts" in point.figures for point in found)
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for part, colour, label in ((found, "#999999", "trials"), (best, "#228833", "front")):
        places = sorted((point.figures["luts"] if sized else point.number,
                         100 * point.figures["validation"]) for point in part)
        if not places:
            continue
        axes.scatter(*zip(*places, strict=True), s=16, color=colour, label=label, zorder=2)
        if part is best and sized:
            axes.step(*zip(*places, strict=True), where="post", color=colour, linewidth=1.2)
    for colour, (label, others) in zip(_COLOURS, (more or {}).items(), strict=False):
        if others:
            axes.scatter(*zip(*others, strict=True), s=28, marker="x", color=colour, label=label,
                         zorder=3)
    axes.set_xlabel(f"LUTs ({target}, estimated)" if sized else "trial")
    axes.set_ylabel("validation, %")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.25)
    if axes.collections:
        axes.legend(frameon=False, loc="lower right")
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
