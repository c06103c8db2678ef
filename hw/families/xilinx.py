"""Xilinx 7-Series, as a yardstick: the inner logic only, without pads, in LUT6."""

from bitwright.hw.families.family import BlockRam, Family, LutRam, Models, Script, area
from bitwright.hw.families.resources import Resources

__all__ = ["FAMILY"]

FAMILY = Family(
    name="xilinx",
    title="Xilinx 7-Series",
    lut_size=6,
    wide=8,
    shift=3,
    script=Script(
        "synth_xilinx -flatten -noiopad -noclkbuf -nodsp", "begin:map_luts",
        {"abc9": ("synth_xilinx -flatten -noiopad -noclkbuf -run map_luts:check",),
         "area": ("simplemap", area(6), "clean",
                  "xilinx_srl -fixed -minlen 3",
                  "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
                  "xilinx_dffopt", "opt_lut_ins -tech xilinx", "clean")},
        "synth_xilinx -noiopad -noclkbuf -run check:edif"),
    costs={
        **{f"LUT{inputs}": Resources(luts=1) for inputs in range(1, 7)},
        "SRL16E": Resources(luts=1),
        "SRLC32E": Resources(luts=1),
        "RAM32X1D": Resources(luts=2),
        "RAM64X1D": Resources(luts=2),
        "RAM128X1D": Resources(luts=4),
        "RAM32M": Resources(luts=4),
        "RAM64M": Resources(luts=4),
        **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), Resources(flip_flops=1)),
        "CARRY4": Resources(carries=1),
        "RAMB18E1": Resources(memories=1, memory_kbit=18),
        "RAMB36E1": Resources(memories=1, memory_kbit=36),
    },
    free=frozenset({"MUXF7", "MUXF8", "INV", "BUFG", "IBUF", "OBUF"}),
    block_rams=(BlockRam(cost=129), BlockRam(cost=257, width=72, kbit=36)),
    rom=64,
    lut_ram=LutRam(8, ((6, 32), (3, 64)), 4),
    models=Models(share=("xilinx/cells_sim.v",)),
)
