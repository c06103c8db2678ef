"""Radiona ULX3S with an LFE5U-25F."""

from bitwright.boards.board import Board
from bitwright.hw.families import ecp5

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s-25f",
    title="ULX3S, ECP5 LFE5U-25F",
    family=ecp5.FAMILY,
    device="LFE5U-25F",
    package="BG381",
    speed="6",
    luts=24288,
    flip_flops=24288,
    memories=56,
    memory_kbit=18,
    clock_hz=25_000_000,
    baud=1_000_000,
    platform_class="amaranth_boards.ulx3s:ULX3S_25F_Platform",
    nextpnr=("--25k", "--package", "CABGA381", "--speed", "6"),
    program=("--board", "ulx3s"),
)
