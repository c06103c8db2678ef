"""What a network must reach for a sweep to have found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bitwright.model.sweeping.spec import SweepError

__all__ = ["Goal"]


_LEAST = 1e-9
"""R² may be 0 or less, which is as far from any bound as can be."""


@dataclass(frozen=True)
class Goal:
    """Bounds, those that are asked for.

    Parameters
    ----------
    accuracy : float or None
        The task's metric on the validation split, at least.
    luts : int or None
        At most.
    rate : float or None
        Samples a second, at least.
    """

    accuracy: float | None = None
    luts: int | None = None
    rate: float | None = None

    @property
    def asked(self) -> bool:
        """Whether there is anything to reach: a rate alone is for the estimates."""
        return self.accuracy is not None or self.luts is not None

    def missed(self, figures: Mapping[str, float]) -> str:
        """What of it figures do not reach, in words; nothing where they reach all.

        Parameters
        ----------
        figures : mapping of str to float
            ``validation``, ``luts`` and ``per_second``, as far as they are asked for. ``fits`` of
            0 says that the device is too small.
        """
        found = []
        if self.accuracy is not None and figures["validation"] < self.accuracy:
            found.append(f"{100 * figures['validation']:.2f} %")
        if self.luts is not None and figures["luts"] > self.luts:
            found.append(f"{figures['luts']:,.0f} LUTs")
        if self.rate is not None and figures["per_second"] < self.rate:
            found.append(f"{figures['per_second']:,.0f} samples/s")
        if figures.get("fits", 1.0) < 1.0:
            found.append("more than the device holds")
        return ", ".join(found)

    def _short(self, figures: Mapping[str, float]) -> float:
        """How far figures are from it: the largest share by which one misses its bound."""
        ratios = [1.0]
        if self.accuracy is not None:
            ratios.append(self.accuracy / max(figures["validation"], _LEAST))
        if self.luts is not None:
            ratios.append(figures["luts"] / self.luts)
        if self.rate is not None:
            ratios.append(self.rate / figures["per_second"])
        return max(ratios) + (figures.get("fits", 1.0) < 1.0)

    def nothing(self, out: Path, found: Mapping[int, Mapping[str, float]]) -> SweepError:
        """What to say where no network has it: which is the nearest.

        Parameters
        ----------
        out : Path
            Folder of the sweep.
        found : mapping
            Figures of those that came to their end, at least one, by number.
        """
        number, figures = min(found.items(), key=lambda one: (
            self._short(one[1]), -one[1]["validation"]))
        return SweepError(f"{out}: no network of {len(found)} has {self}; the nearest is that of "
                          f"trial {number}, which has {self.missed(figures)}; try more with "
                          "--trials, other settings, or ask for less")

    def __str__(self) -> str:
        bounds = []
        if self.accuracy is not None:
            bounds.append(f"at least {100 * self.accuracy:g} %")
        if self.luts is not None:
            bounds.append(f"at most {self.luts:,} LUTs")
        if self.rate is not None:
            bounds.append(f"at least {self.rate:,g} samples/s")
        return ", ".join(bounds)
