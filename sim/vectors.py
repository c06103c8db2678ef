"""Which inputs a simulation is given."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import data, ir
from bitwright.errors import UserError
from bitwright.extras import MissingError
from bitwright.ir.drawn import DEFAULT_COUNT

__all__ = ["Vectors", "VectorsError", "choose", "from_file", "golden", "random"]

logger = logging.getLogger(__name__)


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


def choose(network: ir.Network, *, count: int | None = None, seed: int = 1,
           data_dir: Path | None = None) -> Vectors:
    """Draw vectors from the test set that the network's provenance names.

    More vectors than the test set has go through it again, in another order. Without that data set
    the golden vectors inside the file serve, and where there are too few of them, random ones: that
    is said.

    Parameters
    ----------
    count : int, optional
        How many; left out, :data:`ir.drawn.DEFAULT_COUNT`, or all golden ones if those are fewer.
    data_dir : Path, optional
        Where the files of the data set are.

    Raises
    ------
    VectorsError
        If the golden scores are not those of the golden evaluator.
    """
    try:
        found = data.recorded(network.provenance, data_dir)
    except (data.DataError, MissingError) as error:
        return _without_data(network, count, seed, str(error))
    if found.x_test.shape[1] != network.features:
        return _without_data(network, count, seed, f"data set {found.name!r} has "
                             f"{found.x_test.shape[1]} features, not {network.features}")
    if found.digest != _recorded_digest(network.provenance):
        logger.warning("data set %r is not the one that the network was trained on", found.name)
    try:
        network.modulate.check(found.x_test)
    except ValueError as error:
        return _without_data(network, count, seed, f"data set {found.name!r}: {error}")
    rng = np.random.default_rng(seed)
    count = DEFAULT_COUNT if count is None else count
    size = len(found.x_test)
    order = np.concatenate([rng.permutation(size) for _ in range(-(-count // size))])
    return Vectors(found.x_test[order[:count]], f"test set of {found.name}")


def from_file(network: ir.Network, path: Path, *, integers: bool = False,
              count: int | None = None) -> Vectors:
    """Take the samples of a file: raw ones where the network says how they become features.

    Parameters
    ----------
    integers : bool
        Whether the file has features in place of raw samples.
    count : int, optional
        How many, from the first on; left out, all.

    Raises
    ------
    VectorsError
        If the file has fewer.
    DataError
        If the file does not hold samples of the network. Names the file, and the row.
    """
    features = data.read_inputs(path, network, integers=integers).features
    if count is not None and count > len(features):
        raise VectorsError(f"{path}: the file holds {len(features)} samples, not {count}")
    return Vectors(features[:count], path.name)


def random(network: ir.Network, count: int | None, seed: int) -> Vectors:
    """Draw vectors at random, see :func:`ir.draw`."""
    return Vectors(ir.draw(network, count or DEFAULT_COUNT, seed), f"random, seed {seed}")


def golden(network: ir.Network, count: int | None) -> Vectors:
    """Take the golden vectors inside the file, in their order.

    Raises
    ------
    VectorsError
        If there are too few, or their scores are not those of the golden evaluator.
    """
    if network.golden is None or not len(network.golden.features):
        raise VectorsError("the network stores no golden vectors")
    stored = len(network.golden.features)
    if count is not None and count > stored:
        raise VectorsError(f"the network stores {stored} golden vectors, not {count}")
    count = min(DEFAULT_COUNT, stored) if count is None else count
    features = network.golden.features[:count]
    if (network.evaluate(features).scores != network.golden.scores[:count]).any():
        raise VectorsError("the network's golden scores are not those of the golden evaluator")
    return Vectors(features, "golden vectors")


def _without_data(network: ir.Network, count: int | None, seed: int, reason: str) -> Vectors:
    stored = 0 if network.golden is None else len(network.golden.features)
    if stored and (count is None or count <= stored):
        logger.warning("%s; taking the golden vectors instead", reason)
        return golden(network, count)
    logger.warning("%s; the network stores %d golden vectors; drawing vectors at random instead",
                   reason, stored)
    return random(network, count, seed)


def _recorded_digest(provenance: Mapping[str, Any]) -> object:
    """Digest of the data set that a network was trained on, whoever wrote its provenance."""
    recorded = provenance.get("data")
    return recorded.get("digest") if isinstance(recorded, Mapping) else None
