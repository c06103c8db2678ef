"""Which inputs a simulation is given."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import DataError, load
from bitwright.errors import UserError

__all__ = ["DEFAULT_COUNT", "Vectors", "VectorsError", "choose"]

logger = logging.getLogger(__name__)

DEFAULT_COUNT = 200


class VectorsError(UserError):
    """The wanted vectors are not to be had. One line, which says what is."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs, and where they come from.

    Parameters
    ----------
    features : array of int32, shape (vectors, features)
    source : str
        For people: "test set of digits".
    """

    features: NDArray[np.int32]
    source: str


def choose(network: ir.Network, *, count: int | None = None, seed: int = 1, golden: bool = False,
           data_dir: Path | None = None) -> Vectors:
    """Draw vectors from the test set that the network's provenance names.

    Without that data set the golden vectors inside the file serve. More vectors than the test set
    has go through it again, in another order.

    Parameters
    ----------
    count : int, optional
        How many; left out, :data:`DEFAULT_COUNT`, or all golden ones.
    golden : bool
        Take the golden vectors, in their order.
    data_dir : Path, optional
        Where the files of the data set are.

    Raises
    ------
    VectorsError
        If there are too few golden vectors, or none and no data set.
    """
    if golden:
        return _golden(network, count, "")
    name = network.provenance.get("data", {}).get("name")
    if name is None:
        return _golden(network, count, "; its provenance names no data set")
    try:
        found = load(name, data_dir)
    except DataError as error:
        logger.warning("%s; taking the golden vectors instead", error)
        return _golden(network, count, f"; the data set {name!r} was not found")
    if found.digest != network.provenance["data"].get("digest"):
        logger.warning("data set %r is not the one that the network was trained on", name)
    rng = np.random.default_rng(seed)
    count = DEFAULT_COUNT if count is None else count
    size = len(found.x_test)
    order = np.concatenate([rng.permutation(size) for _ in range(-(-count // size))])
    return Vectors(found.x_test[order[:count]], f"test set of {name}")


def _golden(network: ir.Network, count: int | None, reason: str) -> Vectors:
    if network.golden is None or not len(network.golden.features):
        raise VectorsError(f"the network stores no golden vectors{reason}")
    stored = len(network.golden.features)
    if count is not None and count > stored:
        raise VectorsError(f"the network stores {stored} golden vectors, not {count}{reason}")
    count = min(DEFAULT_COUNT, stored) if count is None else count
    features = network.golden.features[:count]
    if (network.evaluate(features).scores != network.golden.scores[:count]).any():
        raise VectorsError("the network's golden scores are not those of the golden evaluator")
    return Vectors(features, "golden vectors")
