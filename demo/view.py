"""What the page shows of a network and of one sample, as JSON values."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir

__all__ = ["Plane", "Viewed", "answer", "describe", "show"]

MAX_PLANES = 64
"""Planes of a layer that are shown; the first ones."""

MAX_ROWS, MAX_CLASSES = 64, 20
"""Features and classes that have a line of their own each; more of them lie side by side."""

MAX_EXAMPLES, MAX_ROW_EXAMPLES = 24, 12
"""Golden vectors to choose from: pictures, and rows of a table."""

EDGES = {"top": 0.12, "bottom": 0.88, "left": 0.12, "right": 0.88}
STROKE = 0.09
"""Where the ink of a drawing ends and how thick it is, where no golden vector says it."""


@dataclass(frozen=True)
class Plane:
    """How the bits of a node lie on the page: ``planes`` pictures of ``rows`` by ``columns`` bits.

    Parameters
    ----------
    name, kind : str
        Of the node.
    width : int
        Bits of the node.
    planes, rows, columns : int
    labels : tuple of str
        One a row, or none at all.
    order : array of int64, shape (planes * rows * columns,)
        Which bit of the node is where; -1 where there is none.
    """

    name: str
    kind: str
    width: int
    planes: int
    rows: int
    columns: int
    labels: tuple[str, ...]
    order: NDArray[np.int64]

    def pack(self, bits: NDArray[np.bool_]) -> str:
        """Bits of the node, shape (width,), in the order of the page; eight a byte, base 64."""
        placed = np.where(self.order < 0, False, bits[self.order])
        return base64.b64encode(np.packbits(placed, bitorder="little").tobytes()).decode()

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "width": self.width, "planes": self.planes,
                "rows": self.rows, "columns": self.columns, "labels": list(self.labels),
                "shown": int((self.order >= 0).sum())}


@dataclass(frozen=True)
class Viewed:
    """A network, and how the page shows its nodes.

    Parameters
    ----------
    network : ir.Network
    title : str
        What people call it.
    planes : tuple of Plane
        Of every node but the head.
    """

    network: ir.Network
    title: str
    planes: tuple[Plane, ...]

    @classmethod
    def of(cls, network: ir.Network, title: str) -> Viewed:
        return cls(network, title, layers(network))

    @property
    def classes(self) -> list[str]:
        """What the scores are called."""
        return list(self.network.score_names)


def layers(network: ir.Network) -> tuple[Plane, ...]:
    """How each node but the head is shown."""
    return tuple(layer(network, entry) for entry in network.entries[:-1])


def layer(network: ir.Network, entry: ir.Entry) -> Plane:
    """Features as they came, positions as a picture, groups a row, anything else as a rectangle."""
    node, last = entry.node, network.entries[-1]
    labels: tuple[str, ...] = ()
    order = np.arange(node.out_width)
    if isinstance(node, ir.Modulate):
        if isinstance(network.preparation, ir.Picture):  # a plane a colour and threshold
            height, width = network.preparation.shape[:2]
            cube = order.reshape(height, width, -1).transpose(2, 0, 1)
        elif node.features <= MAX_ROWS:  # a row a number, as a thermometer
            cube, labels = order.reshape(1, -1, node.depth), tuple(columns(network))
        else:  # a plane a threshold
            cube = np.stack([_rectangle(order[first :: node.depth])
                             for first in range(node.depth)])
    elif isinstance(node, ir.Convolution | ir.Pool):
        cube = order.reshape(*node.window.shape, node.channels).transpose(2, 0, 1)
    elif isinstance(node, ir.Join):
        cube = order.reshape(node.height, node.width, -1).transpose(2, 0, 1)
    elif (isinstance(last.node, ir.GroupSum) and last.inputs == (entry.name,)
          and last.node.classes <= MAX_CLASSES):
        cube = order.reshape(1, last.node.classes, last.node.group)
        labels = network.score_names
    else:
        cube = _rectangle(order)[None]
    cube = cube[:MAX_PLANES]
    return Plane(entry.name, node.kind, node.out_width, *cube.shape, labels,
                 np.ascontiguousarray(cube).reshape(-1))


def _rectangle(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same numbers as a rectangle, wider than high; -1 where it has a gap."""
    columns = _columns(len(order))
    padded = np.full(-(-len(order) // columns) * columns, -1)
    padded[: len(order)] = order
    return padded.reshape(-1, columns)


def columns(network: ir.Network) -> list[str]:
    """A name for each feature that is no pixel: of its column, and of its step if it has one."""
    names, count = network.names.columns, network.features
    steps = network.preparation.shape[0] if isinstance(network.preparation, ir.Numbers) else 1
    found = [names[index] if names else str(index + 1) for index in range(count // steps)]
    return found if steps == 1 else [f"{name}, row {step + 1}"
                                     for step in range(steps) for name in found]


def _columns(width: int) -> int:
    """Columns of a rectangle about twice as wide as high, without a gap if it can be so."""
    least = math.isqrt(width)
    return next((columns for columns in range(least, 3 * least + 1)
                 if columns * columns >= width and width % columns == 0),
                min(width, math.isqrt(2 * width - 1) + 1))


def describe(viewed: Viewed) -> dict[str, Any]:
    """All that the page must know before the first sample."""
    network = viewed.network
    return {
        "title": viewed.title,
        "digest": ir.digest(network),
        "features": network.features,
        "frames": network.frames,
        "per_frame": network.head.per_frame,
        "depth": network.modulate.depth,
        **_input(network),
        "classes": viewed.classes,
        "numbers": network.answer is not None,
        "head": {"name": network.entries[-1].name, "kind": network.head.kind},
        "score_range": list(network.score_range),
        "layers": [plane.plain() for plane in viewed.planes],
        "examples": examples(viewed),
    }


def _input(network: ir.Network) -> dict[str, Any]:
    """What a sample is: a picture of some size, or so many rows of numbers."""
    preparation = network.preparation
    found: dict[str, Any] = {"picture": None, "steps": 1, "fills": False,
                             "integers": preparation is None,
                             "preparation": "integers, as they are"}
    if preparation is not None:
        found["preparation"] = preparation.describe()
    if isinstance(preparation, ir.Picture):
        size = {"height": preparation.height, "width": preparation.width,
                "colour": preparation.colour}
        return found | {"picture": size, "columns": [], "paper": paper(network)}
    if isinstance(preparation, ir.Numbers):
        found |= {"steps": preparation.steps, "fills": preparation.fills}
    return found | {"columns": columns(network)}


def _range(network: ir.Network) -> tuple[int, int]:
    """Least and greatest feature."""
    preparation = network.preparation
    return network.modulate.domain if preparation is None else preparation.range


def examples(viewed: Viewed) -> list[dict[str, Any]]:
    """Golden vectors to choose from, of every class in turn."""
    golden = viewed.network.golden
    if golden is None:
        return []
    found = np.argmax(golden.scores, axis=1)
    turn = np.zeros(len(found), np.int64)  # how many of its class came before
    for decision in np.unique(found):
        own = found == decision
        turn[own] = np.arange(own.sum())
    picture = isinstance(viewed.network.preparation, ir.Picture)
    shown = MAX_EXAMPLES if picture else MAX_ROW_EXAMPLES
    chosen = np.lexsort((found, turn))[:shown]
    return [{"index": int(index),
             "name": viewed.classes[int(found[index])] if viewed.network.answer is None else "",
             "pixels": pixels(golden.features[index], *_range(viewed.network))} for index in chosen]


def pixels(features: NDArray[np.int32], low: int, high: int) -> str:
    """Features on the scale of a byte, base 64. For the eye only."""
    scaled = (features.astype(np.float64) - low) * 255 / max(1, high - low)
    return base64.b64encode(np.clip(np.rint(scaled), 0, 255).astype(np.uint8).tobytes()).decode()


def paper(network: ir.Network) -> dict[str, Any]:
    """How a drawing should look to be like the network's own pictures, by its golden vectors.

    Returns
    -------
    dict
        ``dark``: whether ink is bright on dark paper. ``top``, ``bottom``, ``left``, ``right``:
        where the ink usually ends, as parts of the height and the width. ``stroke``: how thick a
        line is, as a part of the shorter side.
    """
    preparation, golden = network.preparation, network.golden
    if golden is None or not isinstance(preparation, ir.Picture):
        return {"dark": True, **EDGES, "stroke": STROKE}
    pictures = golden.features.reshape(-1, *preparation.shape) / preparation.full_scale
    if preparation.colour:
        pictures = pictures.mean(axis=3)
    border = np.concatenate([pictures[:, [0, -1], :].reshape(-1),
                             pictures[:, :, [0, -1]].reshape(-1)])
    dark = bool(np.median(border) <= 0.5)
    ink = pictures if dark else 1 - pictures
    seen = ink > 0.25
    used: NDArray[np.bool_] = np.any(seen, axis=(1, 2))
    if not used.any():
        return {"dark": dark, **EDGES, "stroke": STROKE}
    rows: NDArray[np.bool_] = np.any(seen[used], axis=2)
    columns: NDArray[np.bool_] = np.any(seen[used], axis=1)
    ends = {"top": rows.argmax(axis=1) / preparation.height,
            "bottom": 1 - rows[:, ::-1].argmax(axis=1) / preparation.height,
            "left": columns.argmax(axis=1) / preparation.width,
            "right": 1 - columns[:, ::-1].argmax(axis=1) / preparation.width}
    # The widest are the measure of the width: a digit 1 says nothing of the paper's margin.
    part = {"top": 0.25, "bottom": 0.75, "left": 0.1, "right": 0.9}
    # A line of length l and thickness t has the area l * t and an outline of about 2 * l, which
    # is longer by 4 / pi where it is counted along rows and columns.
    outline = sum(np.abs(np.diff(ink, axis=axis)).sum() for axis in (1, 2)) * np.pi / 4
    stroke = 2 * ink.sum() / max(1.0, outline) / min(preparation.shape[:2])
    return {"dark": dark, "stroke": float(np.clip(stroke, 0.03, 0.14)),
            **{name: float(np.quantile(ends[name], part[name])) for name in ends}}


def show(viewed: Viewed, features: NDArray[np.integer[Any]], frame: int) -> dict[str, Any]:
    """The golden evaluator's view of one sample, shape (1, features), in one of its frames."""
    network = viewed.network
    result = network.evaluate(features, [entry.name for entry in network.entries])
    head = result.taps[network.entries[-1].name]
    return {
        "frame": frame,
        "features": features[0].tolist(),
        "pixels": pixels(features[0], *_range(network)),
        "bits": [plane.pack(result.taps[plane.name][frame, 0]) for plane in viewed.planes],
        "ones": [int(result.taps[plane.name][frame, 0].sum()) for plane in viewed.planes],
        "frame_scores": head[frame, 0].tolist(),
        "golden": answer(viewed, int(result.decision[0]), result.scores[0].tolist()),
    }


def answer(viewed: Viewed, decision: int, scores: list[int]) -> dict[str, Any]:
    """Scores, and what they decide or, of a network that answers numbers, which they are."""
    meaning = viewed.network.answer
    values = None
    if meaning is not None:
        values = [float(str(value)) for value in meaning.apply(np.array([scores], np.int64))[0]]
    return {"scores": scores, "decision": decision, "values": values}
