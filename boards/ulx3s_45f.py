"""Radiona ULX3S with an LFE5U-45F."""

from bitwright.boards.board import Board
from bitwright.hw.families import ecp5

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s-45f",
    title="ULX3S, ECP5 LFE5U-45F",
    family=ecp5.FAMILY,
    device="LFE5U-45F",
    package="BG381",
    speed="6",
    luts=43848,
    flip_flops=43848,
    memories=108,
    memory_kbit=18,
    clock_hz=25_000_000,
    baud=1_000_000,
    platform_class="amaranth_boards.ulx3s:ULX3S_45F_Platform",
    nextpnr=("--45k", "--package", "CABGA381", "--speed", "6"),
    program=("--board", "ulx3s"),
)
