"""What logic needs of a device."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

__all__ = ["Resources"]


@dataclass(frozen=True)
class Resources:
    """What logic needs of a device.

    Parameters
    ----------
    luts : int
        Look-up tables, those that serve as carry logic or small memories on ECP5 and Xilinx
        included.
    flip_flops : int
    carries : int
        Carry cells: on iCE40 beside a LUT each, on ECP5 two LUTs each (which are in ``luts``).
    memories : int
        Block RAMs.
    memory_kbit : int
        Capacity of those, in kbit.
    """

    luts: int = 0
    flip_flops: int = 0
    carries: int = 0
    memories: int = 0
    memory_kbit: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, field.name) + getattr(other, field.name)
                           for field in dataclasses.fields(self)))
