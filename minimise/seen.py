"""What the bits of a network do on samples."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir

__all__ = ["Seen"]

_CHUNK = 4096
"""Samples whose bits are looked at together."""


class Seen:
    """What the tables of a network read, and what its bits are, in every frame of every sample.

    Parameters
    ----------
    network : ir.Network
    features : array of integers, shape (samples, features)
    """

    def __init__(self, network: ir.Network, features: NDArray[Any]) -> None:
        self._network = network
        self.vectors = network.frames * len(features)
        """Frames of all samples."""
        self.addresses: dict[str, NDArray[np.int64]] = {
            entry.name: np.zeros((entry.node.out_width, 1 << entry.node.fan_in), np.int64)
            for entry in network.entries if isinstance(entry.node, ir.Lut)}
        """How often each table is read at each address, shape (out_width, 2 ** fan_in)."""
        watched = [entry for entry in network.entries
                   if isinstance(entry.node, ir.Lut | ir.Modulate)]
        self._states = {(entry.name, index): hashlib.sha256() for entry in watched
                        for index in range(entry.node.out_width)}
        self._ones = dict.fromkeys(self._states, 0)
        self._first: dict[str, NDArray[np.uint8]] = {}
        for bits in self._evaluated(features):
            self._count(bits)
            for entry in watched:
                self._sign(entry.name, bits[entry.name])

    @property
    def bits(self) -> Collection[ir.Bit]:
        """Bits that were watched: of comparisons and tables, in the order of the network."""
        return self._states.keys()

    def ones(self, bit: ir.Bit) -> int:
        """How often a bit is 1."""
        return self._ones[bit]

    def alike(self) -> dict[ir.Bit, ir.Signal]:
        """Bits that were always as an earlier bit, or its inverse."""
        claims: dict[ir.Bit, ir.Signal] = {}
        first: dict[bytes, ir.Bit] = {}
        for bit, state in self._states.items():
            other = first.setdefault(state.digest(), bit)
            if other != bit:
                claims[bit] = ir.Signal(other, self._began(bit) != self._began(other))
        return claims

    def _began(self, bit: ir.Bit) -> bool:
        name, index = bit
        return bool(self._first[name][index, 0])

    def _evaluated(self, features: NDArray[Any]) -> Iterator[dict[str, NDArray[np.uint8]]]:
        """Outputs of all nodes but the head, shape (out_width, vectors)."""
        names = [entry.name for entry in self._network.entries[:-1]]
        for start in range(0, len(features), _CHUNK):
            taps = self._network.evaluate(features[start : start + _CHUNK], names).taps
            yield {name: np.ascontiguousarray(taps[name].reshape(-1, taps[name].shape[2]).T)
                   .view(np.uint8) for name in names}

    def _count(self, bits: Mapping[str, NDArray[np.uint8]]) -> None:
        for name, counts in self.addresses.items():
            entry = self._network.entry(name)
            node = entry.node
            assert isinstance(node, ir.Lut)
            parts = [bits[source] for source in entry.inputs]
            x = np.vstack([*parts, np.zeros_like(parts[0][:1])])  # the last is what -1 reads
            for row, sources in enumerate(node.sources):
                address = x[sources[0]].copy()
                for slot, source in enumerate(sources[1:], start=1):
                    address |= x[source] << slot
                counts[row] += np.bincount(address, minlength=counts.shape[1])

    def _sign(self, name: str, bits: NDArray[np.uint8]) -> None:
        first = self._first.setdefault(name, bits[:, :1].copy())
        packed, ones = np.packbits(bits ^ first, axis=1), bits.sum(axis=1, dtype=np.int64)
        for index, row in enumerate(packed):
            self._states[name, index].update(row.tobytes())
            self._ones[name, index] += int(ones[index])
