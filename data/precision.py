"""Numbers that are different in a file, and the same once they are binary32."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitwright.data.dataset import DataError
from bitwright.data.samples import quoted

__all__ = ["check_precision"]

logger = logging.getLogger(__name__)


def check_precision(path: str, numbers: NDArray[np.float64], names: Sequence[str],
                    bits: int) -> None:
    """Say which columns lose what the quantiser would have told apart.

    Such are times in seconds since 1970, of which binary32 keeps one in 128. A column of which more
    different numbers are left than the quantiser has integers has lost nothing.

    Parameters
    ----------
    path : str
        For messages.
    numbers : array of float64, shape (rows, columns)
        As they are in the file, missing ones not-a-number.
    names : sequence of str
        Of the columns; empty: by their number from 1.
    bits : int
        Of the quantiser.

    Raises
    ------
    DataError
        If all numbers of a column become one.
    """
    for index in range(numbers.shape[1]):
        column = numbers[:, index]
        column = column[~np.isnan(column)]
        single = column.astype(np.float32)
        if np.array_equal(column, single):
            continue  # whole numbers below 2^24, and most others that are short in binary
        count, left = len(np.unique(column)), len(np.unique(single))
        if left >= min(count, 1 << bits):
            continue
        name = quoted(names[index]) if names else index + 1
        said = f"{path}: column {name}: {count:,} different numbers are only {left:,} in binary32"
        if left == 1:
            raise DataError(f"{said}; subtract an offset from them, or scale them")
        logger.warning("%s; subtract an offset from them, or scale them", said)
