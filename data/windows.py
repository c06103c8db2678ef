"""Windows of time series: each sample is some rows that follow one another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from bitwright.data.dataset import DataError
from bitwright.data.samples import NUMBER, Samples, check_size
from bitwright.data.source import Source

__all__ = ["windows"]

BLOCKS = 20
"""Recordings that rows without a group are cut into."""


def windows(samples: Samples, source: Source, *, blocks: bool = False) -> Samples:
    """Samples of ``source.window`` rows, one every ``source.step`` rows of a recording.

    A recording is a run of rows of one group. No window goes over its end, nor over a row that was
    dropped; rows that fill no window are left out. A window's place is that of its last row.

    Parameters
    ----------
    samples : Samples
        Rows of a table.
    source : Source
    blocks : bool
        Whether rows without a group are cut into 20 recordings of equal length, or fewer if a
        recording would not hold two windows: two windows that share rows are then never on both
        sides of a split.

    Raises
    ------
    DataError
        If no recording has rows enough.
    """
    if source.window == 1 and source.step == 1:
        return samples
    if blocks and samples.groups is None:
        samples = _cut(samples, source)
    ends = _ends(samples)
    starts = [start for begin, end in zip([0, *ends[:-1]], ends, strict=True)
              for start in range(begin, end - source.window + 1, source.step)]
    if not starts:
        raise DataError(f"{samples.path}: no recording has the {source.window} rows of a window; "
                        f"there are {len(samples)} rows in {len(ends)}")
    size = len(starts) * source.window * samples.values.shape[2] * samples.values.itemsize
    check_size(samples.path, "all windows together", size)
    rows = np.array(starts)[:, None] + np.arange(source.window)
    last = samples.take(rows[:, -1])
    labels = last.labels
    if samples.labels is not None and source.vote == "majority":
        labels = [_vote([samples.labels[int(row)] for row in window], source.task)
                  for window in rows]
    return replace(last, values=samples.values[:, 0][rows], labels=labels)


def _cut(samples: Samples, source: Source) -> Samples:
    blocks = max(1, min(BLOCKS, len(samples) // (2 * source.window)))
    return replace(samples, groups=[str(row * blocks // len(samples))
                                    for row in range(len(samples))])


def _ends(samples: Samples) -> list[int]:
    """Index behind the last row of each recording."""
    groups = samples.groups
    ends = [row for row in range(1, len(samples)) if row in samples.breaks
            or (groups is not None and groups[row] != groups[row - 1])]
    return [*ends, len(samples)]


def _vote(labels: list[str], task: str) -> str:
    """The most frequent label, of equal ones that which comes first; of numbers the mean.

    Of rows without a label nothing is known.
    """
    labels = [label for label in labels if label] or [""]
    if task == "regression" and all(NUMBER.fullmatch(label) for label in labels):
        return repr(sum(map(float, labels)) / len(labels))
    return Counter(labels).most_common(1)[0][0]
