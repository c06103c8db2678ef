"""A frozen network: named nodes in topological order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.answer import Answer
from bitwright.ir.bits import LANES, Bits, Words, unslice
from bitwright.ir.fields import MAX_WIDTH, Array, Field, Size, check, shown
from bitwright.ir.modulate import Modulate
from bitwright.ir.names import Names
from bitwright.ir.node import BitNode, HeadNode, Node
from bitwright.ir.numbers import Numbers
from bitwright.ir.preparation import Preparation

__all__ = ["Entry", "Golden", "Network", "Result", "check_names"]

INPUT = "input"
"""The name by which the first node reads the features."""

NAME = re.compile(r"[a-z][a-z0-9_]*")

_CHUNK = 64 * LANES
"""Samples evaluated together: enough to fill the words, few enough to stay in cache."""

_CHUNK_BITS = 1 << 28
"""Bits of the widest node that are evaluated together, which bounds the memory."""


@dataclass(frozen=True)
class Entry:
    """A node with its name and the names of the nodes it reads, lowest bits first."""

    name: str
    node: Node
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Golden:
    """Vectors to prove an implementation with, made by the trainer and not by this package.

    Parameters
    ----------
    features : array of int32, shape (vectors, features)
    scores : array of int64, shape (vectors, classes)
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Size("vectors", 1, 1 << 24),
        Size("inputs", 1, MAX_WIDTH),
        Size("classes", 1, MAX_WIDTH),
        Array("features", ("vectors", "inputs")),
        Array("scores", ("vectors", "classes"), dtype=np.int64),
    )

    features: NDArray[np.int32]
    scores: NDArray[np.int64]

    def __post_init__(self) -> None:
        try:
            checked = check(self.fields, {"features": self.features, "scores": self.scores})
        except ValueError as error:
            raise ValueError(f"Golden vectors: {error}") from error
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Golden, (self.features, self.scores)


@dataclass(frozen=True, eq=False)
class Result:
    """What a network answers to a batch.

    Parameters
    ----------
    scores : array of int64, shape (batch, classes)
        Sum over the frames, or of each class in its frame, see :class:`ir.HeadNode`.
    taps : mapping from node name to an array, one row a frame
        Bits, shape (frames, batch, out_width), or the scores of each frame.
    """

    scores: NDArray[np.int64]
    taps: Mapping[str, NDArray[Any]]

    @property
    def decision(self) -> NDArray[np.int64]:
        """Class with the highest score, the lowest index on a tie, shape (batch,)."""
        decision: NDArray[np.int64] = np.argmax(self.scores, axis=1)
        return decision


@dataclass(frozen=True, eq=False)
class Network:
    """Directed graph from features to scores.

    The first entry is the only :class:`ir.Modulate` and reads ``"input"``; the last is the only
    head; each entry between them is a :class:`ir.BitNode` that reads earlier entries, whose bits
    are concatenated in the order of its inputs.

    Parameters
    ----------
    entries : tuple of Entry
        In topological order.
    provenance : mapping
        Where the network comes from, as JSON values: recipe, seed, data, tools, accuracy.
    golden : Golden, optional
    preparation : Preparation, optional
        How raw samples become features. Left out: raw samples are the features.
    answer : Answer, optional
        What numbers the scores mean: the network is a regression, and may have one score. Left
        out: they decide between classes, two at least.
    names : Names, optional
        Of as many classes, columns and answers as there are, or none of a kind. Columns are those
        of a preparation of numbers, or the features where there is no preparation. Only an answer
        has answers, and only a network without has classes.

    Raises
    ------
    ValueError
        If a name is malformed or taken, an input is not an earlier node, a width disagrees, or
        golden vectors, preparation, answer or names do not fit.
    """

    entries: tuple[Entry, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    golden: Golden | None = None
    preparation: Preparation | None = None
    answer: Answer | None = None
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        if len(self.entries) < 2:
            raise ValueError("Network must have a modulate node and a head, "
                             f"not {len(self.entries)} nodes")
        if not isinstance(self.provenance, Mapping):
            raise ValueError("Provenance must be a mapping of JSON values, "
                             f"not {shown(self.provenance)}")
        check_names([entry.name for entry in self.entries])
        widths: dict[str, int] = {}
        for entry in self.entries:
            self._check(entry, widths)
            widths[entry.name] = entry.node.out_width
        if self.head.per_frame and self.frames < 2:
            raise ValueError(f"Head {self.entries[-1].name!r} takes every frame for a class, and "
                             f"so must have at least 2 frames, not {self.frames}")
        self._check_surroundings()
        if self.golden is not None:
            if self.golden.scores.shape[1] != self.classes:
                raise ValueError(f"Golden scores must have {self.classes} columns, "
                                 f"not {self.golden.scores.shape[1]}")
            try:
                self.modulate.check(self.golden.features)
            except ValueError as error:
                raise ValueError(f"Golden vectors: {error}") from error

    def _check_surroundings(self) -> None:
        """What is around the nodes must fit them."""
        for name, kind, value in (("Preparation", Preparation, self.preparation),
                                  ("Answer", Answer, self.answer), ("Names", Names, self.names)):
            if not isinstance(value, kind) and (value is not None or kind is Names):
                raise ValueError(f"{name} must be an ir.{kind.__name__}, not {shown(value)}")
        if self.preparation is not None:
            if self.preparation.features != self.features:
                raise ValueError(f"Preparation must make {self.features} features, "
                                 f"not {self.preparation.features}")
            (low, high), (least, most) = self.modulate.domain, self.preparation.range
            if least < low or most > high:
                raise ValueError(f"Preparation must make features between {low} and {high}, not "
                                 f"between {least} and {most}")
        self._check_answer()
        columns = self.features if self.preparation is None else (
            self.preparation.columns if isinstance(self.preparation, Numbers) else 0)
        for field_, count in (("classes", 0 if self.answer else self.classes),
                              ("columns", columns),
                              ("answers", self.classes if self.answer else 0)):
            found = len(getattr(self.names, field_))
            if found not in (0, count):
                raise ValueError(f"Names of {field_} must be {count}, not {found}")

    def _check(self, entry: Entry, widths: dict[str, int]) -> None:
        name, node = entry.name, entry.node
        if not isinstance(node, Node):
            raise ValueError(f"Node {name!r} must be an ir.Node, not {shown(node)}")
        first, last = entry is self.entries[0], entry is self.entries[-1]
        if isinstance(node, Modulate) != first:
            raise ValueError(f"Modulate must be the first node and no other, but {name!r} is "
                             f"{node.kind!r}")
        if isinstance(node, HeadNode) != last:
            raise ValueError(f"A head must be the last node and no other, but {name!r} is "
                             f"{node.kind!r}")
        if first:
            if entry.inputs != (INPUT,):
                raise ValueError(f"Node {name!r} must read {INPUT!r}, not {entry.inputs}")
            return
        if not entry.inputs:
            raise ValueError(f"Node {name!r} must read at least one node")
        for source in entry.inputs:
            if source not in widths:
                raise ValueError(f"Node {name!r} reads {shown(source)}, which is no earlier node")
        total = sum(widths[source] for source in entry.inputs)
        if total != node.in_width:
            raise ValueError(f"Node {name!r} reads {node.in_width} bits, but its inputs "
                             f"{entry.inputs} drive {total}")

    def _check_answer(self) -> None:
        """Scores decide between two classes at least, or mean finite numbers."""
        if self.answer is None:
            if self.classes < 2:
                raise ValueError("Network must have at least 2 classes, or an answer for its "
                                 f"score, not {self.classes} class")
            return
        if self.answer.scores != self.classes:
            raise ValueError(f"Answer must be of {self.classes} scores, not {self.answer.scores}")
        ends = self.answer.apply(np.repeat([[end] for end in self.score_range], self.classes, 1))
        if not np.isfinite(ends).all():
            raise ValueError(f"Answer must be finite for scores from {self.score_range[0]} to "
                             f"{self.score_range[1]}, not {ends[~np.isfinite(ends)][0]}")

    @property
    def modulate(self) -> Modulate:
        node = self.entries[0].node
        assert isinstance(node, Modulate)
        return node

    @property
    def head(self) -> HeadNode:
        node = self.entries[-1].node
        assert isinstance(node, HeadNode)
        return node

    @property
    def frames(self) -> int:
        return self.modulate.frames

    @property
    def features(self) -> int:
        return self.modulate.features

    @property
    def classes(self) -> int:
        return self.frames if self.head.per_frame else self.head.out_width

    @property
    def score_names(self) -> tuple[str, ...]:
        """What the scores are called: the classes, or the numbers that are answered.

        Where nobody has named them, classes are ``0``, ``1`` and so on; a number is ``answer``, and
        several are ``answer 1``, ``answer 2`` and so on.
        """
        if self.answer is None:
            return self.names.classes or tuple(map(str, range(self.classes)))
        if self.names.answers or self.classes == 1:
            return self.names.answers or ("answer",)
        return tuple(f"answer {place}" for place in range(1, self.classes + 1))

    @property
    def score_range(self) -> tuple[int, int]:
        """Smallest and largest score of a class, both inclusive."""
        low, high = self.head.score_range
        summands = 1 if self.head.per_frame else self.frames
        return summands * low, summands * high

    def entry(self, name: str) -> Entry:
        """Entry of that name.

        Raises
        ------
        KeyError
            If there is none.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.entries}

    def read_mask(self, name: str) -> NDArray[np.bool_]:
        """Which output bits of a node some later node reads, shape (out_width,)."""
        mask = np.zeros(self.entry(name).node.out_width, bool)
        for entry in self.entries[1:]:
            offset = 0
            for source in entry.inputs:
                width = self.entry(source).node.out_width
                if source == name:
                    mask |= entry.node.reads[offset : offset + width]
                offset += width
        return mask

    def evaluate(self, features: NDArray[Any], taps: Iterable[str] = (),
                 progress: Callable[[int], object] | None = None,
                 disturb: Callable[[str, Words], Words] | None = None) -> Result:
        """Run a batch. This is the golden model of everything right of the freeze.

        Parameters
        ----------
        features : array of integers, shape (batch, features)
        taps : names of nodes
            Whose outputs the result should hold.
        progress : callable, optional
            Called with the number of samples just done.
        disturb : callable, optional
            What becomes of the bits that a node of a name drives, before they are read or tapped:
            a way to try out faults.

        Raises
        ------
        ValueError
            If the features are not integers of the modulator's domain, or of another shape.
        KeyError
            If a tap is no node.
        """
        features = self.modulate.check(np.asarray(features))
        seen: dict[str, list[NDArray[Any]]] = {name: [self._no_tap(self.entry(name).node)]
                                               for name in taps}
        scores: list[NDArray[np.int64]] = [np.zeros((0, self.classes), np.int64)]
        widest = max(max(entry.node.in_width, entry.node.out_width) for entry in self.entries)
        step = max(LANES, min(_CHUNK, _CHUNK_BITS // widest // LANES * LANES))
        for start in range(0, len(features), step):
            chunk = features[start : start + step]
            frames = [self._frame(chunk, frame, seen, disturb) for frame in range(self.frames)]
            scores.append(self._scores([found for found, _ in frames]))
            for name, parts in seen.items():
                parts.append(np.stack([tapped[name] for _, tapped in frames]))
            if progress is not None:
                progress(len(chunk))
        return Result(np.concatenate(scores),
                      {name: np.concatenate(parts, axis=1) for name, parts in seen.items()})

    def _scores(self, frames: list[NDArray[Any]]) -> NDArray[np.int64]:
        """Scores of the classes from those of the frames, each of shape (batch, out_width)."""
        if self.head.per_frame:
            return np.concatenate(frames, axis=1, dtype=np.int64)
        total: NDArray[np.int64] = np.sum(frames, axis=0, dtype=np.int64)
        return total

    def _frame(self, features: NDArray[Any], frame: int, taps: Iterable[str],
               disturb: Callable[[str, Words], Words] | None
               ) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
        """Scores of one frame, and the outputs of the nodes that are tapped."""
        values: dict[str, NDArray[Any]] = {}
        for entry in self.entries:
            if isinstance(entry.node, Modulate):
                y: NDArray[Any] = entry.node.evaluate_frame(features, frame)
            else:
                parts: list[Words] = [values[source] for source in entry.inputs]
                assert isinstance(entry.node, BitNode | HeadNode)
                y = entry.node.evaluate_words(parts[0] if len(parts) == 1 else np.vstack(parts))
            if disturb is not None and not isinstance(entry.node, HeadNode):
                y = disturb(entry.name, y)
            values[entry.name] = y
        batch = len(features)
        return (values[self.entries[-1].name][:batch],
                {name: self._tap(name, values, batch) for name in taps})

    def _no_tap(self, node: Node) -> NDArray[Any]:
        """Outputs of a node for no sample, one row a frame."""
        return np.zeros((self.frames, 0, node.out_width),
                        np.int64 if isinstance(node, HeadNode) else bool)

    def _tap(self, name: str, values: dict[str, NDArray[Any]], batch: int) -> Bits | NDArray[Any]:
        if isinstance(self.entry(name).node, HeadNode):
            return values[name][:batch]
        return unslice(values[name], batch)


def check_names(names: Iterable[object]) -> None:
    """Check names of nodes.

    Raises
    ------
    ValueError
        If one is malformed or taken twice.
    """
    taken: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name) or name == INPUT:
            raise ValueError(f"Node name must match {NAME.pattern} and not be {INPUT!r}, "
                             f"not {shown(name)}")
        if name in taken:
            raise ValueError(f"Node name {name!r} is taken twice")
        taken.add(name)
