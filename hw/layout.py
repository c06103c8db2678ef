"""Bytes on both sides of the network: how a sample is sent and a result is read.

Plain Python, so that a host or a test bench needs no hardware description.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from bitwright import ir
from bitwright.integers import domain

__all__ = ["WIDEST_RESULT", "Layout", "score_width"]

_SCORE_BYTES = (1, 2, 4, 8)

WIDEST_RESULT = 64
"""Bytes of the longest result that comes in a single beat without being asked for."""


def score_width(score_range: tuple[int, int]) -> int:
    """Bits of a signed number that holds every score of a range, both ends inclusive."""
    low, high = score_range
    return 1 + max(high.bit_length(), (~low).bit_length())


@dataclass(frozen=True)
class Layout:
    """Byte layout of the two buses of :class:`hw.rtl.ip.Ip` and of the payloads of the link.

    A feature is ``feature_bytes`` bytes, two's complement if it is signed, little endian. A beat
    is ``lanes`` features, lane 0 lowest; what is left over in the last beat of a sample is ignored.
    A result is the class in ``decision_bytes`` bytes, then each score in ``score_bytes`` bytes,
    two's complement, little endian. It leaves in beats of ``result_beat_bytes`` bytes, lowest
    first; what is left over in the last one is 0.

    Parameters
    ----------
    features, lanes : int
        Features of a sample, and of a beat.
    bits : int
        Width of a feature.
    signed : bool
    classes : int
    score_bytes : int
        1, 2, 4 or 8.
    wanted_beat_bytes : int
        Bytes of a beat of results; 0 for a whole result, or :data:`WIDEST_RESULT` of a longer one.
    copies : int
        How many times a sample goes over the bus, one after the other.
    """

    features: int
    lanes: int
    bits: int
    signed: bool
    classes: int
    score_bytes: int
    wanted_beat_bytes: int = 0
    copies: int = 1

    @classmethod
    def of(cls, network: ir.Network, lanes: int = 1, wanted_beat_bytes: int = 0,
           *, sent: bool = False) -> Self:
        """Layout of a network whose encoder takes ``lanes`` features in a beat.

        The link, which carries bytes, needs neither ``lanes`` nor ``wanted_beat_bytes``, nor to
        know whether a sample is ``sent`` to the encoder for each frame.
        """
        width = score_width(network.score_range)
        score_bytes = next(size for size in _SCORE_BYTES if width <= 8 * size)
        modulate = network.modulate
        return cls(modulate.features, lanes, modulate.bits, modulate.signed, network.classes,
                   score_bytes, wanted_beat_bytes, network.frames if sent else 1)

    @property
    def feature_bytes(self) -> int:
        return (self.bits + 7) // 8

    @property
    def decision_bytes(self) -> int:
        return 1 if self.classes <= 256 else 2

    @property
    def beats(self) -> int:
        """Beats of a sample, of all its copies."""
        return self.copies * -(-self.features // self.lanes)

    @property
    def beat_bytes(self) -> int:
        return self.lanes * self.feature_bytes

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample without the spare lanes: what the link carries."""
        return self.features * self.feature_bytes

    @property
    def result_bytes(self) -> int:
        return self.decision_bytes + self.classes * self.score_bytes

    @property
    def result_beat_bytes(self) -> int:
        return self.wanted_beat_bytes or min(self.result_bytes, WIDEST_RESULT)

    @property
    def result_beats(self) -> int:
        """Beats of a result."""
        return -(-self.result_bytes // self.result_beat_bytes)

    @property
    def result_keep(self) -> bool:
        """Whether beats of a result say which of their bytes count: unless one is all of it."""
        return self.result_beat_bytes != self.result_bytes

    @property
    def last_beat_bytes(self) -> int:
        """Bytes that count in the last beat of a result."""
        return self.result_bytes - (self.result_beats - 1) * self.result_beat_bytes

    def sample(self, features: Sequence[int]) -> bytes:
        """Bytes of a sample.

        Raises
        ------
        ValueError
            If there are too many or too few features, or one is outside its range.
        """
        if len(features) != self.features:
            raise ValueError(f"A sample must have {self.features} features, not {len(features)}")
        low, high = domain(self.bits, self.signed)
        for feature in features:
            if not low <= feature <= high:
                raise ValueError(f"Features must be between {low} and {high}, not {feature}")
        return b"".join(int(feature).to_bytes(self.feature_bytes, "little", signed=self.signed)
                        for feature in features)

    def pack_features(self, features: Sequence[int]) -> list[int]:
        """Beats of a sample, as the integers on ``tdata``. Raises as :meth:`sample` does."""
        size = self.beats // self.copies * self.beat_bytes
        stream = self.copies * self.sample(features).ljust(size, b"\0")
        return [int.from_bytes(stream[start : start + self.beat_bytes], "little")
                for start in range(0, len(stream), self.beat_bytes)]

    def unpack_result(self, result: int | bytes) -> tuple[int, tuple[int, ...]]:
        """Decision and scores of a result, given as the integer on ``tdata`` or as its bytes.

        Raises
        ------
        ValueError
            If the result has another length.
        """
        if isinstance(result, int):
            result = result.to_bytes(self.result_bytes, "little")
        if len(result) != self.result_bytes:
            raise ValueError(f"A result must have {self.result_bytes} bytes, not {len(result)}")
        start = self.decision_bytes
        scores = tuple(int.from_bytes(result[at : at + self.score_bytes], "little", signed=True)
                       for at in range(start, len(result), self.score_bytes))
        return int.from_bytes(result[:start], "little"), scores

    def pack_result(self, decision: int, scores: Iterable[int]) -> bytes:
        """The inverse of :meth:`unpack_result`."""
        return decision.to_bytes(self.decision_bytes, "little") + b"".join(
            int(score).to_bytes(self.score_bytes, "little", signed=True) for score in scores)
