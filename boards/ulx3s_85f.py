"""Radiona ULX3S with an LFE5U-85F."""

from bitwright.boards.board import Board
from bitwright.hw.families import ecp5

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s-85f",
    title="ULX3S, ECP5 LFE5U-85F",
    family=ecp5.FAMILY,
    device="LFE5U-85F",
    package="BG381",
    speed="6",
    luts=83640,
    flip_flops=83640,
    memories=208,
    memory_kbit=18,
    clock_hz=25_000_000,
    baud=1_000_000,
    platform_class="amaranth_boards.ulx3s:ULX3S_85F_Platform",
    nextpnr=("--85k", "--package", "CABGA381", "--speed", "6"),
    program=("--board", "ulx3s"),
)
