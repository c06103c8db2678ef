"""Settings of a simulation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bitwright import boards, ir
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.sim.placed import Placed

__all__ = ["Faults", "Options"]

CACHE = Path("build") / "sim"


@dataclass(frozen=True)
class Faults:
    """Faults planted on purpose, to see whether they are noticed.

    Parameters
    ----------
    built : ir.Network, optional
        What the hardware is generated from, in place of the network that it is compared with.
    edit : callable, optional
        Changes the Verilog of the design, or its netlist.
    drop : int, optional
        Sample of which the driver loses the last beat.
    """

    built: ir.Network | None = None
    edit: Callable[[str], str] | None = None
    drop: int | None = None


@dataclass(frozen=True)
class Options:
    """Settings of a simulation.

    Parameters
    ----------
    level : str
        One of :data:`sim.names.LEVELS`.
    simulator : str, optional
        Left out: Verilator, or Icarus if that is what is installed.
    plan : Plan
    family : str
        What level ``netlist`` synthesises for.
    board : str
        Whose oscillator and baud rate level ``board`` has.
    baud : int, optional
        In place of the board's.
    placed : Placed, optional
        What levels ``placed`` and ``routed`` simulate, which settles plan, board and baud rate.
    stall_in, stall_out : float
        Share of cycles in which the source, the sink stalls.
    resets, malformed : int
        Mixed in at random; at the levels with a serial line, ``malformed`` requests are damaged. A
        placed design has no reset.
    seed : int
    waves : bool
        Whether waves are written.
    out : Path
        Folder for compiled models, logs and waves.
    faults : Faults
    naming : Naming
        Of the block at the levels with AXI4-Stream ports.
    frozen : ir.Network, optional
        The network as it was frozen, if another form of it is built: the one that a design with a
        serial line says it is.
    contents : ir.Network, optional
        Another frozen network of the same structure, whose contents are written over the line
        first: the device must then do as that one does.
    """

    level: str = "rtl"
    simulator: str | None = None
    plan: Plan = field(default_factory=Plan)
    family: str = "ice40"
    board: str = boards.DEFAULT
    baud: int | None = None
    placed: Placed | None = None
    stall_in: float = 0.3
    stall_out: float = 0.3
    resets: int = 2
    malformed: int = 6
    seed: int = 1
    waves: bool = False
    out: Path = CACHE
    faults: Faults = field(default_factory=Faults)
    naming: Naming = field(default_factory=Naming)
    frozen: ir.Network | None = None
    contents: ir.Network | None = None
