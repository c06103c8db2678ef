"""What each stage of a build found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bitwright.hw.families.resources import Resources
from bitwright.hw.interface import Interface
from bitwright.hw.schedule import Work

__all__ = ["Cycles", "Described", "Generated", "Packed", "Placed", "Size", "Synthesised", "Trial",
           "Usage", "Wrapped", "Written"]


@dataclass(frozen=True)
class Size:
    """What a network consists of.

    Parameters
    ----------
    layers : int
        Nodes.
    tables, table_inputs : int
        Look-up tables, and their inputs that are connected.
    neurons : int
        Of XNOR layers.
    input_bits : int
        Modulated bits that some node reads.
    """

    layers: int
    tables: int
    table_inputs: int
    neurons: int
    input_bits: int


@dataclass(frozen=True)
class Cycles:
    """Timing of a design in clock cycles.

    Parameters
    ----------
    encoder, core, head, ip : int
        Latency of the parts and of the whole.
    core_interval, ip_interval : int
        From a sample to the next, in the core alone and in the whole.
    """

    encoder: int
    core: int
    head: int
    ip: int
    core_interval: int
    ip_interval: int


@dataclass(frozen=True)
class Generated:
    """The network as Verilog.

    Parameters
    ----------
    before, after : Size
        As it was frozen, and as it is built.
    cycles : Cycles
    foldable : bool
        Whether a node is unrolled that could be folded.
    interface : Interface
        Of the block.
    works : tuple of Work
        What each node that has hardware does for a frame.
    """

    before: Size
    after: Size
    cycles: Cycles
    foldable: bool
    interface: Interface
    works: tuple[Work, ...] = ()


@dataclass(frozen=True)
class Described:
    """What lies around the block."""


@dataclass(frozen=True)
class Wrapped:
    """The design of the board around it.

    Parameters
    ----------
    request_bytes, reply_bytes : int
        Of a sample and a result on the line.
    packer : tuple of str
        Options that its platform gives the packer.
    """

    request_bytes: int
    reply_bytes: int
    packer: tuple[str, ...] = ()


@dataclass(frozen=True)
class Synthesised:
    """The netlist.

    Parameters
    ----------
    mapping : str
        Which of the family's mappings was taken.
    alternatives : mapping
        LUTs of each mapping that was tried.
    parts : mapping
        Resources by part that is there, ``"other"`` being what lies outside of them.
    total : Resources
        Their sum, which is the whole netlist.
    logic_cells : int
        Needed at least.
    netlist, netlist_verilog : str
        SHA-256 of ``netlist.json``, which is placed, and of ``netlist.v``, the same for simulation.
    """

    mapping: str
    alternatives: Mapping[str, int]
    parts: Mapping[str, Resources]
    total: Resources
    logic_cells: int
    netlist: str
    netlist_verilog: str


@dataclass(frozen=True)
class Usage:
    """A resource of the device."""

    used: int
    available: int


@dataclass(frozen=True)
class Placed:
    """The design, placed and routed.

    Parameters
    ----------
    fmax_hz : float
        Clock that it reaches.
    utilisation : mapping
        Each resource that is used, by nextpnr's name.
    logic_cells : int
        Used.
    router : str
        Which router succeeded.
    slowest : tuple of str
        Parts that the path which limits the clock starts and ends in.
    routed : str, optional
        SHA-256 of the netlist that was written after routing. None: it is not kept.
    """

    fmax_hz: float
    utilisation: Mapping[str, Usage]
    logic_cells: int
    router: str
    slowest: tuple[str, ...]
    routed: str | None = None


@dataclass(frozen=True)
class Trial:
    """A clock and a seed of the placer that were tried.

    Parameters
    ----------
    clock_hz : float
        What the design was built for.
    seed : int
    fmax_hz : float or None
        What it reached. None: no router connected it.
    """

    clock_hz: float
    seed: int
    fmax_hz: float | None

    @property
    def met(self) -> bool:
        """Whether the clock was reached."""
        return self.fmax_hz is not None and self.fmax_hz >= self.clock_hz


@dataclass(frozen=True)
class Packed:
    """The bitstream.

    Parameters
    ----------
    size : int
        In bytes.
    """

    size: int


@dataclass(frozen=True)
class Written:
    """The report."""
