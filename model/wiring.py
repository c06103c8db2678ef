"""Which input bits a node may read, and which it reads: locality is decided here.

Every bit has a place in a plane (or on a line, where the features have no picture). A node has a
centre, and its window is what lies nearest. Nodes close to each other then share sources, which
is what a router needs: uniformly random wiring of a thousand nodes already fails on small parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Geometry", "butterfly", "centres", "choose", "distances", "of_channels", "serial",
           "windows", "wire_length"]

Places = NDArray[np.float64]
"""Coordinates from 0 to 1, shape (count, 1 or 2)."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where bits lie: ``depth`` neighbouring bits at each site.

    Parameters
    ----------
    sites : array, shape (sites, 1 or 2)
        Coordinates from 0 to 1.
    depth : int
        Bits of a site. Bit ``site * depth + d`` lies at ``sites[site]``.
    shape : tuple of int
        Height and width of the image whose pixels the sites are, row by row; empty where they are
        none.
    """

    sites: Places
    depth: int = 1
    shape: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Number of bits."""
        return len(self.sites) * self.depth

    @property
    def dimensions(self) -> int:
        return self.sites.shape[1]

    @property
    def places(self) -> Places:
        """Coordinates of each bit, shape (width, dimensions)."""
        return np.repeat(self.sites, self.depth, axis=0)

    @classmethod
    def line(cls, count: int, depth: int = 1) -> Geometry:
        """Sites in a row."""
        return cls(((np.arange(count) + 0.5) / count)[:, None], depth)

    @classmethod
    def of(cls, shape: tuple[int, ...], depth: int = 1) -> Geometry:
        """Pixels of an image of shape (height, width), (height, width, colours), or a row.

        A pixel is one site; its colours lie there together, each of ``depth`` bits.
        """
        if len(shape) == 1:
            return cls.line(shape[0], depth)
        size, colours = shape[:2], shape[2] if len(shape) == 3 else 1
        rows, columns = np.indices(size).reshape(2, -1) + 0.5
        return cls(np.stack([rows / size[0], columns / size[1]], axis=1), colours * depth, size)


def centres(count: int, dimensions: int, groups: int = 1) -> Places:
    """Spread nodes over the field, each of ``groups`` equal, contiguous groups over all of it.

    Raises
    ------
    ValueError
        If the groups do not divide the nodes.
    """
    if count % groups:
        raise ValueError(f"Width must be a multiple of {groups} classes, not {count}")
    one = np.arange(count // groups)
    if dimensions == 1:
        places = ((one + 0.5) / len(one))[:, None]
    else:
        # Rows of a nearly square grid; the last one is spread over its own length.
        side = max(1, round(len(one) ** 0.5))
        row = one * side // len(one)
        length = np.bincount(row, minlength=side)
        column = one - (np.cumsum(length) - length)[row]
        places = np.stack([(row + 0.5) / side, (column + 0.5) / length[row]], axis=1)
    return np.tile(places, (groups, 1))


def windows(geometry: Geometry, at: Places, size: int) -> NDArray[np.int64]:
    """List the bits of the ``size`` sites nearest to each place, shape (places, size * depth).

    Distances are measured by the longer coordinate, so that a window of a picture is a square
    patch. The order within a row is ascending.

    Raises
    ------
    ValueError
        If there are fewer sites than that.
    """
    if not 1 <= size <= len(geometry.sites):
        raise ValueError(f"Window must be between 1 and {len(geometry.sites)} sites, not {size}")
    rows = []
    for place in at:
        offset = np.abs(geometry.sites - place)
        # The sum of the coordinates decides between sites of one distance: it rounds the corners.
        distance = offset.max(axis=1) + 1e-3 * offset.sum(axis=1)
        rows.append(np.sort(np.argsort(distance, kind="stable")[:size]))
    sites = np.array(rows)
    bits = sites[:, :, None] * geometry.depth + np.arange(geometry.depth)
    return bits.reshape(len(at), -1)


def choose(candidates: NDArray[np.int64] | int, count: int, fan_in: int,
           rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the sources of every node: none twice in a node, all used about equally often.

    Parameters
    ----------
    candidates : array, shape (count, candidates), or int
        The bits that each node may read; an int stands for all bits below it.
    count, fan_in : int
    rng : numpy.random.Generator

    Returns
    -------
    array of int64, shape (count, fan_in)

    Raises
    ------
    ValueError
        If there are fewer candidates than inputs of a node.
    """
    everything = np.arange(candidates) if isinstance(candidates, int) else None
    width = len(everything) if everything is not None else int(candidates.shape[1])
    if width < fan_in:
        raise ValueError(f"A node of {fan_in} inputs needs as many bits to choose from, "
                         f"not {width}")
    size = width if everything is not None else int(candidates.max()) + 1
    used = np.zeros(size)
    sources = np.empty((count, fan_in), np.int64)
    for node in rng.permutation(count):
        allowed = everything if everything is not None else candidates[node]
        # Among the bits used equally seldom, chance decides.
        rank = used[allowed] + rng.random(width)
        picked = allowed[np.argpartition(rank, fan_in - 1)[:fan_in]]
        used[picked] += 1
        sources[node] = rng.permutation(picked)
    return sources


def of_channels(sites: int, depth: int, read: NDArray[np.int64]) -> NDArray[np.int64]:
    """List the bits of some channels at all sites, shape (len(read), sites * channels).

    Parameters
    ----------
    sites, depth : int
        See :class:`Geometry`.
    read : array, shape (n, channels)
        Below ``depth``.
    """
    bits = np.arange(sites)[:, None] * depth + read[:, None, :]
    return bits.reshape(len(read), -1)


def serial(width: int, count: int, fan_in: int, groups: int = 1) -> NDArray[np.int64]:
    """Read bits one after the other, and again from the first; shape (count, fan_in).

    Nodes take turns by group, so that what one group reads lies all over the field.
    """
    return _dealt((np.arange(count * fan_in) % width).reshape(count, fan_in), groups)


def butterfly(width: int, count: int, fan_in: int, groups: int = 1) -> NDArray[np.int64]:
    """Read all bits equally often, none twice in a node, by the stages of a butterfly.

    One stage after the other reads every bit once: the first joins ``fan_in`` neighbours, the next
    bits that lie ``fan_in`` apart, then ``fan_in ** 2``, as a fast Fourier transform does. Where
    there are fewer slots than bits, nodes are spread over the first stage. Two nodes share few bits
    then, which chance does not see to.

    Parameters
    ----------
    width : int
        At least ``fan_in``.
    count, fan_in : int
    groups : int
        Of nodes, which take turns as in :func:`serial`.

    Returns
    -------
    array of int64, shape (count, fan_in)
    """
    runs = width // fan_in
    if count <= runs:
        order = _stage(width, fan_in, 1)[: runs * fan_in].reshape(runs, fan_in)
        return _dealt(order[np.arange(count) * runs // count], groups)
    strides = [1]
    while strides[-1] * fan_in < width:
        strides.append(strides[-1] * fan_in)
    read = np.empty(0, np.int64)
    while len(read) < count * fan_in:
        order = _stage(width, fan_in, strides[len(read) // width % len(strides)])
        # A node that begins in one stage and ends in the next must not meet a bit again.
        begun = len(read) % fan_in
        ends = order[~np.isin(order, read[len(read) - begun :])][: -begun % fan_in]
        read = np.concatenate([read, ends, order[~np.isin(order, ends)]])
    return _dealt(read[: count * fan_in].reshape(count, fan_in), groups)


def _stage(width: int, fan_in: int, stride: int) -> NDArray[np.int64]:
    """All bits, those next to each other that lie ``stride`` apart in runs of ``fan_in``."""
    bits = np.arange(width)
    return np.lexsort((bits // stride % fan_in, bits % stride, bits // (stride * fan_in)))


def _dealt(sources: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Deal rows to groups in turn, of which each is contiguous then."""
    return np.concatenate([sources[group::groups] for group in range(groups)])


def distances(geometry: Geometry, at: Places) -> Places:
    """Distance from each place to each bit, shape (places, width)."""
    offset = geometry.sites - at[:, None]
    return np.repeat(np.sqrt((offset**2).sum(axis=2)), geometry.depth, axis=1)


def wire_length(geometry: Geometry, at: Places, sources: NDArray[Any]) -> float:
    """Mean distance from a node to its sources, where the field has side 1.

    Uniformly random wiring of a picture has about 0.4 for nodes spread over the field.
    """
    offset = geometry.places[sources] - at[:, None]
    return float(np.sqrt((offset**2).sum(axis=2)).mean())
