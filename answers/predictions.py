"""Answers of a network to samples, and their forms: a table for people, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
import logging
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.samples import NUMBER
from bitwright.errors import UserError

__all__ = ["FORMS", "LabelError", "Predictions", "show"]

logger = logging.getLogger(__name__)

FORMS = ("text", "json", "csv")

MAX_COLUMNS = 10
"""Scores that a line of the table has room for. Of more classes it tells the two best."""


class LabelError(UserError):
    """A label of a file is none of the network's. Names its place."""


def show(found: Predictions, form: str) -> None:
    """Print answers, and how many of them are right where that is known.

    That is the last line of the text; where a machine reads, it goes to the log.

    Raises
    ------
    LabelError
        As of :meth:`Predictions.verdict`.
    """
    verdict = found.verdict()
    sys.stdout.write(found.write(form))
    if verdict is None:
        return
    if form == "text":
        sys.stdout.write(f"{verdict}\n")
    else:
        logger.info("%s", verdict)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers to samples, in the order of the samples.

    Parameters
    ----------
    names : tuple of str
        Of the scores, as of :attr:`ir.Network.score_names`.
    places : sequence of str
        Where each sample is: ``row 3``, ``a/b.png``.
    scores : array of int64, shape (samples, names)
    numbers : array of float32, shape (samples, names), optional
        What the scores mean, of a network that answers numbers. Left out: it decides.
    labels : sequence of str, optional
        What is said about each sample where it comes from; empty: nothing.
    """

    names: tuple[str, ...]
    places: Sequence[str]
    scores: NDArray[np.int64]
    numbers: NDArray[np.float32] | None = None
    labels: Sequence[str] | None = None

    @classmethod
    def of(cls, network: ir.Network, scores: NDArray[np.int64], places: Sequence[str],
           labels: Sequence[str] | None = None) -> Self:
        """Answers that are the scores of a network, shape (samples, classes)."""
        numbers = None if network.answer is None else network.answer.apply(scores)
        return cls(network.score_names, places, scores, numbers, labels)

    @property
    def decisions(self) -> NDArray[np.int64]:
        """Class with the highest score, the lowest index on a tie, shape (samples,)."""
        decisions: NDArray[np.int64] = np.argmax(self.scores, axis=1)
        return decisions

    @property
    def classes(self) -> list[str]:
        """Names of the decisions."""
        return [self.names[decision] for decision in self.decisions]

    def write(self, form: str) -> str:
        """All of it in one of :data:`FORMS`, whole lines."""
        return {"text": self.text, "json": self.json, "csv": self.csv}[form]()

    def text(self) -> str:
        """Aligned columns under a line of titles: sample, label, answer, scores."""
        titles, rows = self._cells()
        left = len(titles) - len(self._score_titles())
        widths = [max(len(row[place]) for row in (titles, *rows)) for place in range(len(titles))]
        lines = ("  ".join(cell.ljust(width) if place < left else cell.rjust(width)
                           for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
                 for row in (titles, *rows))
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def json(self) -> str:
        """An object a line, in ASCII, whatever the locale. Binary32 reads numbers back unchanged.

        ``sample``, ``label`` where there is one, ``scores`` by name; then ``class``, and ``index``,
        its number, or ``answers``, numbers by name.
        """
        return "".join(f"{json.dumps(self.plain(row))}\n" for row in range(len(self.places)))

    def plain(self, row: int) -> dict[str, Any]:
        """One answer as a JSON object, as of :meth:`json`."""
        found: dict[str, Any] = {"sample": self.places[row]}
        if self.labels is not None:
            found["label"] = self.labels[row] or None
        if self.numbers is None:
            index = int(np.argmax(self.scores[row]))
            found |= {"class": self.names[index], "index": index}
        else:
            values = [float(_shortest(number)) for number in self.numbers[row]]
            found["answers"] = dict(zip(self.names, values, strict=True))
        found["scores"] = dict(zip(self.names, self.scores[row].tolist(), strict=True))
        return found

    def csv(self) -> str:
        """A line of titles, then a line a sample: sample, label, answer, and each score.

        Numbers take the place of scores where a network answers numbers.
        """
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        known = ("sample", *(("label",) if self.labels is not None else ()))
        if self.numbers is None:
            writer.writerow((*known, "class", *self.names))
            values = [(name, *row) for name, row in
                      zip(self.classes, self.scores.tolist(), strict=True)]
        else:
            writer.writerow((*known, *self.names))
            values = [tuple(map(_shortest, row)) for row in self.numbers]
        writer.writerows((*self._known(row), *value) for row, value in enumerate(values))
        return file.getvalue()

    def _known(self, row: int) -> tuple[str, ...]:
        """What is known of a sample before it is answered."""
        label = (self.labels[row],) if self.labels is not None else ()
        return (self.places[row], *label)

    def _score_titles(self) -> tuple[str, ...]:
        if self.numbers is not None or len(self.names) <= MAX_COLUMNS:
            return self.names
        return ("score", "next", "score")

    def _cells(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Titles and cells of the table."""
        titles = ("sample", *(("label",) if self.labels is not None else ()))
        rows = [self._known(row) for row in range(len(self.places))]
        if self.numbers is not None:
            values = [tuple(map(_shortest, row)) for row in self.numbers]
        elif len(self.names) <= MAX_COLUMNS:
            titles += ("class",)
            values = [(name, *map(str, row)) for name, row in
                      zip(self.classes, self.scores.tolist(), strict=True)]
        else:
            titles += ("class",)
            values = [self._two_best(row) for row in self.scores]
        return ((*titles, *self._score_titles()),
                [(*known, *value) for known, value in zip(rows, values, strict=True)])

    def _two_best(self, scores: NDArray[np.int64]) -> tuple[str, ...]:
        best, second = np.argsort(-scores, kind="stable")[:2]
        return (self.names[best], str(scores[best]), self.names[second], str(scores[second]))

    def verdict(self) -> str | None:
        """How many answers are right, or how far off numbers are; None where nothing is known.

        Raises
        ------
        LabelError
            If a label of a network that answers numbers is none.
        """
        if self.labels is None or not any(self.labels):
            return None
        if self.numbers is not None:
            return self._error() if len(self.names) == 1 else None
        rows = [row for row, label in enumerate(self.labels) if label]
        classes, known, total = self.classes, set(self.names), len(rows)
        right = sum(classes[row] == self.labels[row] for row in rows)
        strange = [row for row in rows if self.labels[row] not in known]
        line = f"{right:,} of {total:,} right ({100 * right / total:.2f} %)"
        if total < len(self.labels):
            line += f", {len(self.labels) - total:,} without a label"
        if not strange:
            return line
        labels = "label is" if len(strange) == 1 else "labels are"
        return (f"{line}; {len(strange):,} {labels} of no class of the network, first "
                f"{self.labels[strange[0]]!r} of {self.places[strange[0]]}")

    def _error(self) -> str:
        assert self.labels is not None
        assert self.numbers is not None
        rows = [row for row, label in enumerate(self.labels) if label]
        wanted = [_number(self.places[row], self.labels[row]) for row in rows]
        off = self.numbers[rows, 0].astype(float) - np.array(wanted)
        return (f"{self.names[0]}: mean absolute error {np.abs(off).mean():.6g}, root of the mean "
                f"squared error {math.sqrt((off * off).mean()):.6g} (samples: {len(off):,})")


def _number(place: str, label: str) -> float:
    if not NUMBER.fullmatch(label) or not math.isfinite(float(label)):
        raise LabelError(f"{place}: label must be a number, not {label!r}")
    return float(label)


def _shortest(number: np.float32) -> str:
    """The fewest digits that binary32 reads back unchanged."""
    return np.format_float_positional(number, trim="-") if _plain(number) else str(number)


def _plain(number: np.float32) -> bool:
    """Whether a number is easier to read without an exponent."""
    return bool(number == 0 or 1e-4 <= abs(number) < 1e9)
