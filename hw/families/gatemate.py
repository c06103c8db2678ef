"""Cologne Chip GateMate: trees of LUT2 with four inputs, block RAMs of 20 and 40 kbit."""

from bitwright.hw.families.family import BlockRam, Family, Free, Models, Place, Script
from bitwright.hw.families.part import Device, Parts
from bitwright.hw.families.plls.gatemate import solve
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

_LOGIC = 40960
"""Halves of a cell (CPE), each of which is a tree of LUT2 with four inputs and a flip-flop."""

_PARTS = Parts(
    devices=(
        Device("CCGM1A1", _LOGIC, _LOGIC, 64, 20, {"FBGA324": "FBGA324"}),
        # Two dies.
        Device("CCGM1A2", 2 * _LOGIC, 2 * _LOGIC, 128, 20, {"FBGA324": "FBGA324"}),
    ),
    written="{device}",
    nextpnr=("--device", "{device}"))

FAMILY = Family(
    name="gatemate",
    title="Cologne Chip GateMate",
    lut_size=4,
    script=Script(
        # With `simplemap` in place of the step that makes multiplexers of eight inputs, which
        # nextpnr refuses ("Cell type 'CC_MX8' is unsupported"). Without multipliers and without
        # pads, as everywhere.
        "synth_gatemate -luttree -nomult -noiopad", "begin:map_muxs",
        {"trees": ("opt -full", "simplemap", "synth_gatemate -luttree -run map_luts:check")},
        "synth_gatemate -run check:vlog"),
    costs={
        "CC_LUT1": Resources(luts=1),
        "CC_LUT2": Resources(luts=1),
        "CC_L2T4": Resources(luts=1),
        "CC_L2T5": Resources(luts=2),
        "CC_MX2": Resources(luts=1),
        "CC_MX4": Resources(luts=2),
        "CC_ADDF": Resources(luts=2, carries=1),
        "CC_DFF": Resources(flip_flops=1),
        "CC_BRAM_20K": Resources(memories=1, memory_kbit=20),
        "CC_BRAM_40K": Resources(memories=2, memory_kbit=40),
    },
    free=frozenset({"CC_PLL", "CC_IBUF", "CC_OBUF", "CC_TOBUF", "CC_IOBUF", "CC_BUFG",
                    "CC_USR_RSTN"}),
    block_rams=(BlockRam(cost=129, width=40, kbit=20),
                BlockRam(cost=257, width=80, kbit=40, counts=2)),
    models=Models(share=("gatemate/cells_sim.v",), own=("gatemate.v", "cc_pll.v", "pll.v")),
    place=Place(
        nextpnr=Program("nextpnr-himbaechel", "NEXTPNR_HIMBAECHEL",
                        "yowasp-nextpnr-himbaechel-gatemate", (0, 8),
                        installed="yowasp-nextpnr-himbaechel-gatemate"),
        packer=Program("gmpack", "GMPACK", "yowasp-nextpnr-himbaechel-gatemate", None),
        constraints="ccf",
        configuration="top.txt",
        reads=("--vopt", "ccf={constraints}"),
        writes=("--vopt", "out={configuration}"),
        pack=("{configuration}", "{bitstream}"),
        bitstream="top.bit",
        logic="CPE_LT",
        program=("openFPGALoader",),
        # What nextpnr takes by itself routes the device's clock lines first.
        routers=("default",),
        free=Free("Pin_inout ", ("--vopt", "allow-unconstrained"))),
    platform="bitwright.boards.platforms.gatemate:GateMatePlatform",
    parts=_PARTS,
    pll=solve,
)
