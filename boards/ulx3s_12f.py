"""Radiona ULX3S with an LFE5U-12F.

The part is sold for 12,000 LUTs, but its die is the 25F's, and nextpnr uses all of it.
"""

from dataclasses import replace

from bitwright.boards import ulx3s_25f

__all__ = ["BOARD"]

BOARD = replace(
    ulx3s_25f.BOARD,
    name="ulx3s-12f",
    title="ULX3S, ECP5 LFE5U-12F",
    device="LFE5U-12F",
    platform_class="amaranth_boards.ulx3s:ULX3S_12F_Platform",
    nextpnr=("--12k", "--package", "CABGA381", "--speed", "6"),
)
