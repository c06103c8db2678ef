"""Synthesis with Yosys: one script a family, resources counted part by part.

The parts of a design (encoder, core, head, link) are mapped apart and labelled, and only then
flattened, so what is counted is exactly what is placed, and the parts add up to the total.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bitwright import files
from bitwright.hw.flow import toolchain
from bitwright.hw.report.resources import Resources, count

__all__ = ["FAMILIES", "PARTS", "CellModels", "Synthesis", "cell_models", "netlist", "synthesise"]

PARTS = {"encoder": "ip.encoder", "core": "ip.core", "head": "ip.head", "link": "link"}
"""Parts of a design, and the path of each below the top or the board's wrapper."""

LABEL = "bitwright_part"
"""Attribute that tells which part a cell belongs to: its position in PARTS, from 1."""

AREA = "abc -lut 4 -script +strash;dch,-f;if,-a;mfs2,-a;lutpack,-S,1"
"""Area recovery that Yosys's own scripts leave out. 39 % fewer LUT4 for random 6-input tables."""


@dataclass(frozen=True)
class _Family:
    """How Yosys is told to synthesise for a family.

    Parameters
    ----------
    command : str
        Its ``synth_`` pass with options.
    first : str
        Range of labels before technology mapping of the logic.
    mappings : dict
        Alternatives for that mapping by name. The one with the fewest LUTs is taken.
    check : str
        Range of labels that end the script.
    simulation : tuple of str
        Cell models, as paths below Yosys's data folder.
    include : tuple of str
        Folders that those include from.
    defines : tuple of str
        Macros that those need.
    """

    command: str
    first: str
    mappings: dict[str, tuple[str, ...]]
    check: str
    simulation: tuple[str, ...]
    include: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()


FAMILIES = {
    "ice40": _Family(
        "synth_ice40", "begin:map_luts",
        {"abc9": ("synth_ice40 -run map_luts:check",),
         "area": ("simplemap", AREA, "ice40_wrapcarry -unwrap", "techmap -map +/ice40/ff_map.v",
                  "clean", "opt_lut -tech ice40", "synth_ice40 -run map_cells:check")},
        "synth_ice40 -run check:blif",
        ("ice40/cells_sim.v",),
        # The models' default values of unconnected inputs are no Verilog that Verilator takes.
        defines=("NO_ICE40_DEFAULT_ASSIGNMENTS",)),
    "ecp5": _Family(
        # Without multipliers: everything is counted in LUTs, and nothing here gains by one.
        "synth_ecp5 -nodsp", "begin:map_luts",
        {"abc9": ("synth_ecp5 -run map_luts:check",),
         "area": ("simplemap", AREA, "clean", "synth_ecp5 -run map_cells:check")},
        "synth_ecp5 -run check:edif",
        ("lattice/cells_sim_ecp5.v",), include=("lattice",)),
    # A yardstick: the inner logic only, without pads, for the LUT6 of 7-Series.
    "xilinx": _Family(
        "synth_xilinx -flatten -noiopad -noclkbuf -nodsp", "begin:map_luts",
        {"abc9": ("synth_xilinx -flatten -noiopad -noclkbuf -run map_luts:check",)},
        "synth_xilinx -noiopad -noclkbuf -run check:edif",
        ("xilinx/cells_sim.v",)),
}


@dataclass(frozen=True)
class Synthesis:
    """A synthesised design, as files of the folder that it was synthesised in.

    Parameters
    ----------
    mapping : str
        Which of the family's mappings was taken.
    alternatives : dict
        LUTs of each mapping that was tried.
    parts : dict
        Resources by part that is there, ``"other"`` being what lies outside of them.
    total : Resources
        Their sum, which is the whole netlist.
    """

    mapping: str
    alternatives: dict[str, int]
    parts: dict[str, Resources]
    total: Resources


def synthesise(source: Path, top: str, family: str, *, log: Path,
               parts: dict[str, str] = PARTS) -> Synthesis:
    """Synthesise a design, and write ``netlist.json`` and ``netlist.v`` beside it.

    Parameters
    ----------
    source : Path
        Verilog (``.v``) or RTLIL (``.il``).
    top : str
        Name of its top module.
    family : str
        Key of :data:`FAMILIES`.
    log : Path
        Receives what Yosys prints.
    parts : dict
        Path of each part to count apart, see :data:`PARTS`. One that the design does not have is
        left out of the result.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    OSError
        If a file cannot be written.
    """
    folder = source.parent
    names = _module_names(source)
    modules = {part: module for part, path in parts.items()
               if (module := _find(path, names)) is not None}
    spec = FAMILIES[family]
    (folder / "synth.ys").write_text(_script(spec, source.name, top, modules))
    yosys = toolchain.find("yosys")
    toolchain.run(yosys, ["synth.ys"], folder=folder, log=log)

    counted = {}
    for mapping in spec.mappings:
        text = (folder / f"{mapping}.json").read_text()
        counted[mapping] = count(json.loads(text)["modules"][top]["cells"], family, LABEL,
                                 tuple(modules))
    sums = {mapping: sum(split.values(), Resources()) for mapping, split in counted.items()}
    # The first of equals, so that the choice does not depend on anything else.
    best = min(sums, key=lambda mapping: sums[mapping].luts)
    for mapping in spec.mappings:
        for suffix in ("json", "v"):
            path = folder / f"{mapping}.{suffix}"
            if mapping == best:
                path.replace(folder / f"netlist.{suffix}")
            else:
                path.unlink()
    return Synthesis(best, {mapping: total.luts for mapping, total in sums.items()},
                     counted[best], sums[best])


def _script(spec: _Family, source: str, top: str, modules: dict[str, str]) -> str:
    present = dict(enumerate(modules.values(), start=1))
    read = "read_rtlil" if source.endswith(".il") else "read_verilog -sv"
    # An element of an array has a wire of its own, such as `scores[1]`, which ABC9 would take for a
    # bit of the wire `scores` that holds them all.
    lines = [f"{read} {source}", "rename -hide */w:*[[]*"]
    lines += [f"setattr -mod -set keep_hierarchy 1 {module}" for module in present.values()]
    # The parts' ports that nothing reads, or that are constant, must not cost anything.
    lines += [f"{spec.command} -top {top} -run {spec.first}", "opt_hier", "opt_clean",
              "design -save parts"]
    for mapping, passes in spec.mappings.items():
        lines += ["design -load parts", *passes]
        lines += [f"setattr -set {LABEL} {index} {module}/c:*"
                  for index, module in present.items()]
        lines += ["setattr -mod -unset keep_hierarchy *", "flatten", "clean", spec.check,
                  # Without the libraries, which are many times as large as a design.
                  f"select -module {top}", f"write_json -selected {mapping}.json",
                  f"write_verilog -noattr -selected {mapping}.v", "select -clear"]
    return "\n".join(lines) + "\n"


def _module_names(source: Path) -> list[str]:
    """Names of the modules of a Verilog or RTLIL text."""
    return re.findall(r"^\s*module \\?([^\s(;]+)", source.read_text(), re.MULTILINE)


def _find(path: str, names: Iterable[str]) -> str | None:
    """Module at that path below the top, or below a wrapper of it.

    The outermost match, since a node of the network may have any name.
    """
    matches = [name for name in names if name.endswith(f".{path}")]
    return min(matches, key=lambda name: (name.count("."), name), default=None)


def netlist(verilog_text: str, top: str, family: str, out_dir: Path,
            parts: dict[str, str] = PARTS) -> Path:
    """Synthesise Verilog and return the netlist as Verilog, for simulation.

    The recipe is the one that a build places, and the ports are those of the given text.

    Parameters
    ----------
    verilog_text : str
    top : str
        Name of the top module, kept by the netlist.
    family : str
        ``"ice40"``, ``"ecp5"`` or ``"xilinx"``.
    out_dir : Path
        Receives ``netlist.v``, and what Yosys needs and prints. Made if there is none.
    parts : dict
        See :func:`synthesise`.

    Returns
    -------
    Path
        The netlist, to be compiled together with :func:`cell_models`.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    source = out_dir / "source.v"
    files.write_atomic(source, verilog_text)
    synthesise(source, top, family, log=out_dir / "yosys.log", parts=parts)
    return out_dir / "netlist.v"


@dataclass(frozen=True)
class CellModels:
    """Simulation models of a family's cells.

    Parameters
    ----------
    sources : list of Path
    include_dirs : list of Path
    defines : dict
        Macros with their values; most are empty.
    """

    sources: list[Path]
    include_dirs: list[Path]
    defines: dict[str, str]

    def __iter__(self):
        return iter((self.sources, self.include_dirs, self.defines))


def cell_models(family: str) -> CellModels:
    """Models of a family's cells, from the installed Yosys.

    Raises
    ------
    ToolError
        If Yosys, or its data folder, is not found.
    """
    share = toolchain.yosys_data()
    spec = FAMILIES[family]
    return CellModels([share / path for path in spec.simulation],
                      [share / path for path in spec.include],
                      dict.fromkeys(spec.defines, ""))
