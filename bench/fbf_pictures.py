"""Pictures of what flips do, over epochs and layers."""

import numpy as np

__all__ = ["draw"]

LINES = (("flip_ratio", "flips of the output bits, share"),
         ("update_ratio", "weights in the mask, share"),
         ("gradient", "mean |gradient|"))


def draw(telemetry, accuracy, title, path):
    """Draw the telemetry of a training as one picture.

    Parameters
    ----------
    telemetry : Telemetry
    accuracy : sequence of float
        On the validation split, one an epoch.
    title : str
    path : Path
        A PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    layers = list(dict.fromkeys(layer for layer, _ in telemetry.epochs[-1]))
    epochs = np.arange(1, len(telemetry.epochs) + 1)
    maps = [(layer, figure) for figure in ("mean_of_bits", "histogram") for layer in layers
            if (layer, figure) in telemetry.epochs[-1]]
    columns = 4
    rows = 1 + -(-len(maps) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.3 * columns, 2.6 * rows),
                                layout="constrained")
    figure.suptitle(f"{title}: final validation accuracy {accuracy[-1]:.3f}")
    axes[0, 0].plot(epochs, accuracy, color="black")
    axes[0, 0].set(title="validation accuracy", ylim=(0, 1.02), xlabel="epoch")
    for axis, (name, label) in zip(axes[0, 1:], LINES, strict=True):
        for layer in layers:
            if (layer, name) in telemetry.epochs[-1]:
                axis.plot(epochs, telemetry.over_epochs(layer, name), label=layer)
        axis.set(title=label, xlabel="epoch", ylim=(0, None))
        axis.legend(fontsize="small")
    flat = axes[1:].ravel()
    for axis, (layer, name) in zip(flat, maps, strict=False):
        heat(axis, telemetry.over_epochs(layer, name), layer, name)
    for axis in flat[len(maps):]:
        axis.set_visible(False)
    figure.savefig(path, dpi=70)
    plt.close(figure)


def heat(axis, values, layer, name):
    """A figure that is a vector, an epoch a column."""
    from bitwright.model.rules.flip.telemetry import EDGES

    low, high = (-0.5, values.shape[1] - 0.5) if name == "mean_of_bits" else EDGES[[0, -1]]
    peak = 1 if name == "mean_of_bits" else None
    shown = axis.imshow(values.T, aspect="auto", origin="lower", vmin=0, vmax=peak,
                        cmap="coolwarm" if peak else "viridis", interpolation="nearest",
                        extent=(0.5, len(values) + 0.5, low, high))
    axis.set(title=f"{layer}: {name.replace('_', ' ')}", xlabel="epoch",
             ylabel="bit" if peak else "deviations")
    axis.figure.colorbar(shown, ax=axis)
