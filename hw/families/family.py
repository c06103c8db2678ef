"""What there is to know of a family of devices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bitwright.hw.families.part import Part, PartError, Parts
from bitwright.hw.families.pll import Solver
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.routed import Routed
from bitwright.hw.families.tool import YOSYS, Program

__all__ = ["BlockRam", "Clock", "Family", "Free", "Io", "LutRam", "Models", "Pair", "Place",
           "Script", "area"]


def area(lut_size: int) -> str:
    """Area recovery for LUTs of a size, which Yosys's own scripts leave out.

    39 % fewer LUT4 for random tables of six inputs.
    """
    return f"abc -lut {lut_size} -script +strash;dch,-f;if,-a;mfs2,-a;lutpack,-S,1"


@dataclass(frozen=True)
class BlockRam:
    """A block RAM: ``cost`` and ``widths`` of its description in Yosys.

    Parameters
    ----------
    cost : int
        What it reckons for one, where a bit of a memory in logic is 1.
    width : int
        Bits of its widest words.
    kbit : int
        Its capacity.
    counts : int
        Block RAMs that it is counted as.
    """

    cost: int = 128
    width: int = 36
    kbit: int = 18
    counts: int = 1

    def blocks(self, width: int, words: int) -> int:
        """How many hold so many words of so many bits: those that are too many for one lie beside
        each other, and so fill it as narrower words would."""
        rows = -(-words // (1024 * self.kbit // self.width))
        return -(-width * rows // self.width)


@dataclass(frozen=True)
class LutRam:
    """A memory in LUTs that can be written: likewise.

    Parameters
    ----------
    cost : int
    shapes : tuple of (int, int)
        Bits of a word, and words, of the forms that it has.
    luts : int
        What it is counted as.
    """

    cost: int
    shapes: tuple[tuple[int, int], ...]
    luts: int


@dataclass(frozen=True)
class Script:
    """How Yosys is told to synthesise.

    Parameters
    ----------
    command : str
        Its ``synth_`` pass with options.
    first : str
        Range of labels before technology mapping of the logic.
    mappings : mapping
        Alternatives for that mapping by name, the fastest first. It is taken unless another has
        clearly fewer LUTs (where nothing is placed, fewer at all).
    check : str
        Command that ends the script.
    registers : tuple of str
        Passes behind ``first`` that decide which registers keep an enable or a reset of their own.
    """

    command: str
    first: str
    mappings: Mapping[str, tuple[str, ...]]
    check: str
    registers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """A logic cell that is a LUT and a flip-flop behind it.

    Parameters
    ----------
    lut : str
        Type of the LUT.
    output : str
        Its output.
    flip_flops : frozenset of str
        Types of the flip-flops.
    data : str
        Their data input.
    """

    lut: str
    output: str
    flip_flops: frozenset[str]
    data: str


@dataclass(frozen=True)
class Models:
    """Simulation models of the cells. None of them may be an empty module.

    Parameters
    ----------
    share : tuple of str
        Files, as paths below Yosys's data folder.
    own : tuple of str
        Files of this package's ``models``.
    include : tuple of str
        Folders below Yosys's data folder that the files include from.
    defines : tuple of str
        Macros that they need.
    """

    share: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()

    @property
    def own_files(self) -> tuple[Path, ...]:
        """Where the files of our own are."""
        return tuple(Path(__file__).parent / "models" / name for name in self.own)


@dataclass(frozen=True)
class Clock:
    """How a constraint file says the frequency of the clock.

    Parameters
    ----------
    pattern : str
        Regular expression whose first group is what stands before the frequency, and which ends
        with it.
    unit_hz : float
        What the frequency is counted in.
    period : bool
        Whether the file says the period in place of the frequency, in turns of that unit.
    """

    pattern: str
    unit_hz: float
    period: bool = False

    def constrain(self, constraints: str, hertz: float) -> str:
        """The same constraints with another frequency to reach.

        Where the clock is an oscillator inside of the device, they have none.

        Raises
        ------
        ValueError
            If there is more than one clock.
        """
        value = self.unit_hz / hertz if self.period else hertz / self.unit_hz
        text, clocks = re.subn(self.pattern, lambda match: f"{match[1]}{value}", constraints,
                               flags=re.MULTILINE)
        if clocks > 1:
            raise ValueError(f"Constraints must have at most 1 clock, not {clocks}")
        return text


@dataclass(frozen=True)
class Free:
    """How nextpnr is had to choose the pins.

    Parameters
    ----------
    location : str
        Regular expression of a line of a constraint file that chooses one, to be left out.
    options : tuple of str
        What nextpnr is told.
    """

    location: str
    options: tuple[str, ...] = ()

    def unlocated(self, constraints: str) -> str:
        """The same constraints without the lines that choose pins."""
        return re.sub(rf"^{self.location}.*\n", "", constraints, flags=re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Placing, routing and packing.

    Parameters
    ----------
    nextpnr, packer : Program
    constraints : str
        Suffix of the constraint file.
    configuration : str
        Name of the file with the configuration that is packed.
    reads, writes : tuple of str
        Options of nextpnr that name those files, ``{constraints}`` and ``{configuration}`` standing
        for them.
    pack : tuple of str
        Arguments of the packer, ``{configuration}`` and ``{bitstream}`` for its files.
    bitstream : str
        File that programs the device.
    logic : str
        What nextpnr calls a logic cell.
    program : tuple of str
        Command that loads a bitstream, whose file follows, where a board has none of its own.
    free : Free, optional
        How the tools are had to choose the pins. Left out: they cannot.
    clock : Clock, optional
        Of the constraint file. Left out: that says no frequency.
    pads : (str, str), optional
        Cells of an input and an output, of which ``I`` goes in and ``O`` comes out, where nextpnr
        needs them to be there. Left out: it makes them.
    passed : str
        Regular expression of the packer's options that are taken from a board's platform.
    routers : tuple of str
        Those that work, the one with the better clock first.
    routed : Routed, optional
        The netlist after routing. Left out: there are no models of what it is made of.
    flash : bool
        Whether a design reaches all wires of the flash that configures the device.
    """

    nextpnr: Program
    packer: Program
    constraints: str
    configuration: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    pack: tuple[str, ...]
    bitstream: str
    logic: str
    program: tuple[str, ...]
    free: Free | None = None
    clock: Clock | None = None
    pads: tuple[str, str] | None = None
    passed: str = "(?!)"
    routers: tuple[str, ...] = ("router1", "router2")
    routed: Routed | None = None
    flash: bool = False


@dataclass(frozen=True)
class Io:
    """How a pin says its voltage.

    Parameters
    ----------
    attribute : str
        Attribute of Amaranth's resources.
    standard : str, optional
        What it is where nothing else is said. Left out: the tools need none.
    """

    attribute: str
    standard: str | None

    def attributes(self, standard: str | None = None) -> tuple[tuple[str, str], ...]:
        """What a pin says: that voltage, or the usual one; nothing where there is none."""
        said = standard or self.standard
        return () if said is None else ((self.attribute, said),)


@dataclass(frozen=True, kw_only=True, eq=False)  # each is one object
class Family:
    """Devices that are synthesised, counted, placed and simulated in the same way.

    Each is one file of this package, which defines ``FAMILY``.

    Parameters
    ----------
    name : str
    title : str
        The same for people.
    lut_size : int
        Inputs of a LUT.
    shift : int
        Registers in a row from which on they are a LUT; 0 where they never are.
    wide : int
        Inputs up to which a table needs LUTs alone: what chooses between them lies there anyway.
    script : Script
    costs : mapping from str to Resources
        What each type of cell costs.
    free : frozenset of str
        Types of cells that are no logic: pads, clocks, multiplexers that lie between the LUTs.
    pair : Pair, optional
        Left out: LUTs and flip-flops lie apart, and a device needs the larger number of cells.
    models : Models
    place : Place, optional
        Left out: synthesis only, to compare sizes.
    platform : str, optional
        ``module:class`` of the Amaranth platform of its boards.
    parts : Parts, optional
        Its devices, where it can be placed.
    io : Io
        How a pin says its voltage.
    block_rams : tuple of BlockRam
    rom : int
        Bits in logic that cost as much as one, if a memory is only read.
    lut_ram : LutRam, optional
        Left out: there is none, or Yosys is not to use it.
    gated : bool
        Whether words of registers, each with an enable and a reset of its own, find their places:
        no, where many flip-flops share one of each.
    pll : callable, optional
        Every clock that its PLL makes; see :data:`hw.families.pll.Solver`. Left out: the design
        runs at the oscillator's frequency.
    """

    name: str
    title: str
    lut_size: int
    script: Script
    costs: Mapping[str, Resources]
    free: frozenset[str]
    models: Models
    pair: Pair | None = None
    place: Place | None = None
    platform: str | None = None
    parts: Parts | None = None
    io: Io = field(default_factory=lambda: Io("IO_STANDARD", None))
    block_rams: tuple[BlockRam, ...] = (BlockRam(),)
    rom: int = 16
    lut_ram: LutRam | None = None
    wide: int = 0
    shift: int = 0
    gated: bool = True
    pll: Solver | None = None

    @property
    def programs(self) -> tuple[Program, ...]:
        """What a whole build runs, in order."""
        return (YOSYS,) if self.place is None else (YOSYS, self.place.nextpnr, self.place.packer)

    def part(self, device: str, package: str, speed: str = "") -> Part:
        """The part of a device, package and speed grade; see :meth:`Parts.part`.

        Raises
        ------
        PartError
            If there is none. One line, which names what there is instead.
        """
        if self.parts is None:
            raise PartError(f"{self.name}: this family is synthesised for, and has no parts")
        return self.parts.part(device, package, speed)

    def named(self, text: str) -> Part | None:
        """The part that a text names, if it is one of this family."""
        return None if self.parts is None else self.parts.named(text)
