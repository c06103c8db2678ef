"""Binary modulation of integer features: depth, frames, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.integers import domain
from bitwright.ir.bits import Words, slice_bits
from bitwright.ir.fields import MAX_WIDTH, Array, Field, Flag, Integer, Size, shown
from bitwright.ir.node import Node
from bitwright.ir.noise import MAX_BITS, MAX_SEED, MAX_SUMMANDS, Noise

__all__ = ["Modulate"]

MAX_FRAMES = 1 << 16


@dataclass(frozen=True, eq=False)
class Modulate(Node, kind="modulate"):
    """Comparison of every feature with D thresholds (depth), in each of F frames.

    In frame ``f`` output bit ``i * D + d`` is ``x[i] >= thresholds[f, i, d]``. D is the depth
    modulation, F the frame modulation, both together the hybrid of the two: frames replay one
    sample through the same network, and their scores add up.

    Parameters
    ----------
    thresholds : array of int32, shape (frames, features, depth)
        From the smallest feature value (the bit is always 1) to one past the largest (never 1).
    bits : int
        Width of a feature, 1 to 16 bits.
    signed : bool
        Whether features are two's complement rather than unsigned.
    noise : Noise, optional
        Where the thresholds come from: ``thresholds[f, i, d]`` is number ``f * features + i`` of
        the noise and an offset that only ``d`` changes. Hardware can then make them without a
        table; they mean the same either way.

    Raises
    ------
    ValueError
        If the shape is not three-dimensional or empty, a threshold is out of range, or the
        thresholds are not those of the noise.
    """

    fields: ClassVar[tuple[Field, ...]] = (
        Integer("bits", 1, 16),
        Flag("signed"),
        Integer("noise_seed", 0, MAX_SEED, 0),
        Integer("noise_bits", 0, MAX_BITS, 0),
        Integer("noise_summands", 0, MAX_SUMMANDS, 0),
        Size("frames", 1, MAX_FRAMES),
        Size("features", 1, MAX_WIDTH),
        Size("depth", 1, MAX_WIDTH),
        Array("thresholds", ("frames", "features", "depth"),
              "-signed * 2**(bits - 1)", "(2 - signed) * 2**(bits - 1)"),
    )

    thresholds: NDArray[np.int32]
    bits: int
    signed: bool = False
    noise: Noise | None = None

    def validate(self) -> None:
        if self.noise is None:
            return
        if not isinstance(self.noise, Noise):
            raise ValueError(f"Noise must be an ir.Noise, not {shown(self.noise)}")
        numbers = self.noise.numbers(self.frames * self.features)
        offsets = self.thresholds.reshape(len(numbers), self.depth) - numbers[:, None]
        if (offsets != offsets[0]).any():
            number, d = (int(n) for n in np.argwhere(offsets != offsets[0])[0])
            frame, i = divmod(number, self.features)
            raise ValueError(f"Threshold of frame {frame}, feature {i}, depth {d} must be "
                             f"{offsets[0, d] + numbers[number]}, as the noise has it, not "
                             f"{self.thresholds[frame, i, d]}")

    @classmethod
    def drawn(cls, noise: Noise, offsets: NDArray[np.integer[Any]], frames: int, features: int,
              bits: int, *, signed: bool = False) -> Self:
        """Thresholds of a noise.

        Parameters
        ----------
        noise : Noise
        offsets : array of integers, shape (depth,)
            What is added to its numbers.
        """
        numbers = noise.numbers(frames * features).reshape(frames, features, 1)
        return cls((numbers + offsets).astype(np.int32), bits, signed, noise)

    @property
    def offsets(self) -> NDArray[np.int32]:
        """What is added to the numbers of the noise, shape (depth,)."""
        assert self.noise is not None
        offsets: NDArray[np.int32] = self.thresholds[0, 0] - self.noise.numbers(1)
        return offsets

    def values(self) -> dict[str, Any]:
        noise = Noise.NOTHING if self.noise is None else self.noise.values()
        return {"bits": self.bits, "signed": self.signed, **noise, "thresholds": self.thresholds}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        named = {name: values[name] for name in Noise.NOTHING}
        noise = None if named == Noise.NOTHING else Noise.from_values(named)
        return cls(values["thresholds"], values["bits"], values["signed"], noise)

    @property
    def domain(self) -> tuple[int, int]:
        """Smallest and largest feature value, both inclusive."""
        return domain(self.bits, self.signed)

    @property
    def frames(self) -> int:
        return int(self.thresholds.shape[0])

    @property
    def features(self) -> int:
        return int(self.thresholds.shape[1])

    @property
    def depth(self) -> int:
        return int(self.thresholds.shape[2])

    @property
    def in_width(self) -> int:
        return self.features

    @property
    def out_width(self) -> int:
        return self.features * self.depth

    def evaluate_frame(self, x: NDArray[np.integer[Any]], frame: int) -> Words:
        """Map features, shape (batch, features), to the bit-sliced bits of one frame."""
        bits = x[:, :, None] >= self.thresholds[frame]
        return slice_bits(bits.reshape(len(x), -1))

    def check(self, x: NDArray[Any]) -> NDArray[np.integer[Any]]:
        """Return ``x`` if it is a valid batch of features.

        Raises
        ------
        ValueError
            If the shape is not (batch, features), or a value is not an integer of the domain.
        """
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ValueError(f"Features must have shape (batch, {self.features}), not {x.shape}")
        if not np.issubdtype(x.dtype, np.integer):
            raise ValueError(f"Features must be integers, not {x.dtype}")
        low, high = self.domain
        if x.size and (x.min() < low or x.max() > high):
            raise ValueError(f"Features must be between {low} and {high}, not between "
                             f"{x.min()} and {x.max()}")
        return x

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        frames, features, depth, bits = (int(n) for n in rng.integers((1, 1, 1, 1), (4, 9, 4, 10)))
        signed = bool(rng.integers(2))
        low, high = domain(bits, signed)
        shape = (frames, features, depth)
        thresholds = rng.integers(low, high + 2, size=shape).astype(np.int32)
        return cls(thresholds, bits, signed)
