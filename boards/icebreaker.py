"""1BitSquared iCEBreaker."""

from bitwright.boards.board import Board
from bitwright.hw.families import ice40

__all__ = ["BOARD"]

BOARD = Board(
    name="icebreaker",
    title="iCEBreaker, iCE40 UP5K",
    family=ice40.FAMILY,
    device="iCE40UP5K",
    package="SG48",
    speed="",
    luts=5280,
    flip_flops=5280,
    memories=30,
    memory_kbit=4,
    clock_hz=12_000_000,
    baud=1_000_000,
    platform_class="amaranth_boards.icebreaker:ICEBreakerPlatform",
    nextpnr=("--up5k", "--package", "sg48"),
)
