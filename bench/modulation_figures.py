"""Table and pictures of the comparison of frames and depth."""

from bench.kept import mean

__all__ = ["PANELS", "draw", "table"]

PANELS = (
    ("what bits cost", ("real", "real-input", "weights-real-input", "frames1-depth1")),
    ("frames", ("real-input", "frames1-depth1", "frames2-depth1", "frames4-depth1",
                "frames8-depth1", "frames16-depth1")),
    ("depth", ("real-input", "frames1-depth1", "frames1-depth2", "frames1-depth4",
               "frames1-depth8", "frames1-depth16")),
    ("both", ("real", "real-input", "frames4-depth1", "frames1-depth4", "frames4-depth4")),
    ("both, with real weights", ("real", "weights-real-input", "weights-frames1-depth1",
                                 "weights-frames4-depth1", "weights-frames1-depth4",
                                 "weights-frames4-depth4")),
    ("four bits of the input", ("real", "real-4bits")),
    ("one frame drawn", ("frames1-depth1", "frames4-depth1", "frames4-drawn")),
)
"""Title, and rows of a panel, as the document draws them."""


def table(found):
    """A Markdown table.

    Parameters
    ----------
    found : dict
        For each row, what its runs have told. A row without a run is left out, and a run that is
        not done with its last epoch is no seed of it.
    """
    head = ("input and network", "bits a colour", "seeds", "epochs", "train, last epoch, %",
            "validation, best epoch, %", "test, best epoch, %", "test, last epoch, %")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row, runs in found.items():
        done = whole(runs)
        if not done:
            continue
        epochs = [len(run["curve"]) for run in done]
        cells = [row.title, str(row.bits or "-"), str(len(done)),
                 " to ".join(map(str, sorted({min(epochs), max(epochs)}))),
                 *(mean([100 * value for value in values]) for values in (
                     [run["curve"][-1]["train_accuracy"] for run in done],
                     [run["validation"] for run in done], [run["test"] for run in done],
                     [run["curve"][-1]["test_accuracy"] for run in done]))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def whole(runs):
    """Those runs that are done with their last epoch."""
    return [run for run in runs if "test" in run and run["finished"]]


def draw(found, folder):
    """Draw the curves, and accuracy over bits. Returns the paths, a list."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    runs = {row.name: (row, whole(told)) for row, told in found.items()}
    runs = {name: pair for name, pair in runs.items() if pair[1]}
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "modulation-curves.png", folder / "modulation-bits.png"]
    panels = [(title, [runs[name] for name in names if name in runs]) for title, names in PANELS]
    panels = [(title, rows) for title, rows in panels if len(rows) > 1]
    columns = 3
    lines = max(1, -(-len(panels) // columns))
    figure, axes = plt.subplots(lines, columns, squeeze=False,
                                figsize=(4.2 * columns, 3.6 * lines),
                                layout="constrained")
    for axis, (title, rows) in zip(axes.flat, panels, strict=False):
        _curves(axis, title, rows)
    for axis in list(axes.flat)[len(panels):]:
        axis.set_visible(False)
    figure.savefig(paths[0], dpi=80, metadata={"Software": None})
    figure, axis = plt.subplots(figsize=(5, 3.6), layout="constrained")
    _bits(axis, runs)
    figure.savefig(paths[1], dpi=80, metadata={"Software": None})
    plt.close("all")
    return paths


def _curves(axis, title, rows):
    """Accuracies over epochs, the mean of the seeds: of the test part, and dashed of training."""
    for number, (row, runs) in enumerate(rows):
        epochs = min(len(run["curve"]) for run in runs)
        for part, style in (("test", "-"), ("train", "--")):
            means = [100 * sum(run["curve"][epoch][f"{part}_accuracy"] for run in runs) / len(runs)
                     for epoch in range(epochs)]
            axis.plot(range(1, epochs + 1), means, style, color=f"C{number}", linewidth=1.2,
                      label=row.title if part == "test" else None)
    axis.set(title=title, xlabel="epoch", ylabel="accuracy, % (dashed: training)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7, loc="best")


def _bits(axis, runs):
    """Test accuracy over the bits that are read of a colour, frames against depth."""
    def line(title, keep, marker):
        points = sorted((row.bits, 100 * sum(run["test"] for run in told) / len(told))
                        for row, told in runs.values()
                        if row.weights == "bits" and row.bits and keep(row))
        if points:
            axis.plot(*zip(*points, strict=True), marker, label=title, markersize=5)

    line("frames alone", lambda row: row.depth == 1, "o-")
    line("depth alone", lambda row: row.frames == 1, "s-")
    line("both", lambda row: row.frames > 1 and row.depth > 1, "^")
    for number, name in enumerate(("real-input", "real")):
        if name in runs:
            row, told = runs[name]
            axis.axhline(100 * sum(run["test"] for run in told) / len(told), linestyle=":",
                         color=f"C{3 + number}", label=row.title)
    axis.set_xscale("log", base=2)
    axis.set(xlabel="bits of a colour, frames times depth", ylabel="test accuracy, %")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7, loc="best")
