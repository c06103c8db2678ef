"""Finding the first node and bit that differ, from the log of a tapped design."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.hw.rtl.tapped import Tap
from bitwright.sim.verdict import Difference

__all__ = ["locate"]


def locate(network: ir.Network, taps: Sequence[Tap], log: Path, order: Sequence[Sequence[int]],
           sample: int, features: NDArray[np.int32]) -> Difference | None:
    """First difference between what the nodes handed on for a sample and what they should have.

    Parameters
    ----------
    network : ir.Network
        The one that the design was to be.
    log : Path
        Written by the harness.
    order : sequence of sequences
        Samples sent between resets.
    sample : int
        The last time it was sent counts, as the others were lost in a reset.
    features : array, shape (features,)
        Of that sample.

    Returns
    -------
    Difference or None
        Nothing, if every node did what it should.
    """
    epoch = max(index for index, sent in enumerate(order) if sample in sent)
    place = order[epoch].index(sample)
    names = [tap.name for tap in taps if _known(network, tap.name)]
    expected = network.evaluate(features[None, :], taps=names).taps
    # The harness counts the reset at the start as well.
    seen = list(_transfers(log, taps, epoch + 1, place * network.frames, network.frames))
    for frame in range(network.frames):
        for tap in taps:
            if tap.name not in expected:
                continue
            words = [word for name, number, word in seen if name == tap.name and number == frame]
            if not words:
                return Difference(sample, tap.name, frame, None, 0, 1)
            found = _compare(network, tap, words[0], expected[tap.name][frame, 0])
            if found is not None:
                bit, got, wanted = found
                return Difference(sample, tap.name, frame, bit, got, wanted)
    return None


def _known(network: ir.Network, name: str) -> bool:
    return any(entry.name == name for entry in network.entries)


def _transfers(log: Path, taps: Sequence[Tap], epoch: int, first: int,
               frames: int) -> Iterator[tuple[str, int, int]]:
    """Node, frame and word of the transfers that belong to one sample."""
    counts = dict.fromkeys((tap.name for tap in taps), 0)
    for line in _lines(log):
        fields = line.split()
        if len(fields) != 3 or int(fields[0]) != epoch:
            continue
        fire, payload = int(fields[1], 16), int(fields[2], 16)
        for index, tap in enumerate(taps):
            if not fire >> index & 1:
                continue
            frame = counts[tap.name] - first
            counts[tap.name] += 1
            if 0 <= frame < frames:
                yield tap.name, frame, payload >> tap.start & (1 << tap.width) - 1


def _lines(log: Path) -> Iterable[str]:
    with log.open(encoding="utf-8") as file:
        for line in file:
            # An undefined bit can only be in what no node hands on in this cycle, or else the
            # protocol monitor has already told.
            yield line.replace("x", "0").replace("X", "0")


def _compare(network: ir.Network, tap: Tap, word: int,
             expected: NDArray[np.generic]) -> tuple[int, int, int] | None:
    """Lowest bit (of a head: class) that differs, with the value it has and should have."""
    node = network.entry(tap.name).node
    if isinstance(node, ir.HeadNode):
        size = tap.width // node.out_width
        for index, wanted in enumerate(expected.tolist()):
            score = word >> size * index & (1 << size) - 1
            score -= (score >> size - 1) << size
            if score != wanted:
                return index, score, wanted
        return None
    got = ir.unpack([word], tap.width)[0]
    differs = got != expected
    if isinstance(node, ir.Modulate):
        differs &= network.read_mask(tap.name)  # other bits are not stored
    if not differs.any():
        return None
    bit = int(np.argmax(differs))
    return bit, int(got[bit]), int(expected[bit])
