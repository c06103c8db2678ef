"""Third stage: synthesis with Yosys, resources counted part by part.

The parts of a design (encoder, core, head, link) are mapped apart and labelled, and only then
flattened, so what is counted is exactly what is placed, and the parts add up to the total.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright import files
from bitwright.hw import families
from bitwright.hw.families import Family, Resources
from bitwright.hw.families.family import Script
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.parts import modules
from bitwright.hw.flow.record import file_digest
from bitwright.hw.report.resources import count, logic_cells
from bitwright.hw.report.results import Synthesised

__all__ = ["CellModels", "Synthesise", "cell_models", "netlist"]

WORTH = 1.05
"""How many LUTs a faster mapping may have for one of the smallest. On an iCE40, iris with 750 LUTs
instead of 738 runs at 42.6 MHz instead of 23.8. Where nothing is placed LUTs alone count."""

TABLES = Path(__file__).with_name("constant_tables.v")
"""How a constant indexed by signals, a look-up table, is mapped. Yosys makes a module of its own
for each, and takes longer for each the more there are: 12,000 were not through in 40 minutes."""

LABEL = "bitwright_part"
"""Attribute that tells which part a cell belongs to: its position among the parts, from 1."""


@dataclass(frozen=True)
class Synthesise:
    """Write ``netlist.json``, which is placed, and ``netlist.v``, the same for simulation.

    Parameters
    ----------
    sources : tuple of Path
        Verilog (``.v``) or RTLIL (``.il``).
    top : str
        Name of the top module.
    family : Family
    parts : mapping
        Module of each part to count apart, see :func:`hw.flow.parts.modules`. One that the design
        does not have is left out of the result.
    yosys : Tool
    """

    name: ClassVar[str] = "synth"
    Result: ClassVar[type[Synthesised]] = Synthesised

    sources: tuple[Path, ...]
    top: str
    family: Family
    parts: Mapping[str, str]
    yosys: toolchain.Tool

    def run(self, folder: Path, logs: Path) -> Synthesised:
        """See :class:`hw.flow.cache.Stage`.

        Raises
        ------
        ToolError
            If Yosys fails.
        OSError
            If a file cannot be written.
        """
        names = _module_names(self.sources)
        found = {part: module for part, module in self.parts.items() if module in names}
        given = (TABLES, *self.sources)
        copies = [folder / path.name for path in given]
        for path, copy in zip(given, copies, strict=True):
            copy.write_bytes(path.read_bytes())  # the tools must be given relative paths
        script = _script(self.family.script, [copy.name for copy in copies[1:]], self.top,
                         list(found.values()))
        (folder / "synth.ys").write_text(script, encoding="utf-8")
        toolchain.run(self.yosys, ["synth.ys"], folder=folder, log=logs / "yosys.log")
        for copy in copies:
            copy.unlink()
        return self._choose(folder, tuple(found))

    def _choose(self, folder: Path, parts: tuple[str, ...]) -> Synthesised:
        """Keep the best of the netlists that the script wrote."""
        cells = {mapping: json.loads((folder / f"{mapping}.json").read_text(encoding="utf-8"))
                 ["modules"][self.top]["cells"] for mapping in self.family.script.mappings}
        counted = {mapping: count(found, self.family, LABEL, parts)
                   for mapping, found in cells.items()}
        sums = {mapping: sum(split.values(), Resources()) for mapping, split in counted.items()}
        best = best_mapping({mapping: total.luts for mapping, total in sums.items()},
                            WORTH if self.family.place else 1.0)
        for mapping in sums:
            for suffix in ("json", "v"):
                path = folder / f"{mapping}.{suffix}"
                if mapping == best:
                    path.replace(folder / f"netlist.{suffix}")
                else:
                    path.unlink()
        return Synthesised(
            mapping=best, alternatives={mapping: total.luts for mapping, total in sums.items()},
            parts=counted[best], total=sums[best],
            logic_cells=logic_cells(cells[best], self.family),
            netlist=file_digest(folder / "netlist.json"),
            netlist_verilog=file_digest(folder / "netlist.v"))


def best_mapping(luts: Mapping[str, int], worth: float) -> str:
    """The mapping that is kept: the first one, which maps for a short way between registers,
    unless another has so many fewer LUTs that they are worth the clock that it costs.

    Parameters
    ----------
    luts : mapping of str to int
        LUTs of each mapping, in the family's order.
    worth : float
        How many LUTs a faster mapping may have for one of the smallest.
    """
    least = min(luts.values())
    return next(mapping for mapping, count in luts.items() if count <= worth * least)


def _script(script: Script, sources: list[str], top: str, parts: list[str]) -> str:
    lines = [f"{'read_rtlil' if source.endswith('.il') else 'read_verilog'} {source}"
             for source in sources]
    # An element of an array has a wire of its own, such as `scores[1]`, which ABC9 would take for a
    # bit of the wire `scores` that holds them all.
    lines += ["rename -hide */w:*[[]*"]
    # What an index picks is a bit, and the wire around it as wide as the constant.
    lines += ["proc", "wreduce t:$shr", f"techmap -map {TABLES.name}"]
    lines += [f"setattr -mod -set keep_hierarchy 1 {module}" for module in parts]
    # The parts' ports that nothing reads, or that are constant, must not cost anything.
    lines += [f"{script.command} -top {top} -run {script.first}", *script.registers, "opt_hier",
              "opt_clean", "design -save parts"]
    for mapping, passes in script.mappings.items():
        lines += ["design -load parts", *passes]
        lines += [f"setattr -set {LABEL} {index} {module}/c:*"
                  for index, module in enumerate(parts, start=1)]
        lines += ["setattr -mod -unset keep_hierarchy *", "flatten", "clean", script.check,
                  # Without the libraries, which are many times as large as a design.
                  f"select -module {top}", f"write_json -selected {mapping}.json",
                  f"write_verilog -noattr -selected {mapping}.v", "select -clear"]
    return "\n".join(lines) + "\n"


def _module_names(sources: tuple[Path, ...]) -> set[str]:
    """Names of the modules of Verilog or RTLIL texts."""
    return {name for source in sources for name in re.findall(
        r"^\s*module \\?([^\s(;]+)", source.read_text(encoding="utf-8"), re.MULTILINE)}


def netlist(verilog_text: str, top: str, family: str, out_dir: Path,
            parts: Mapping[str, str] | None = None) -> Path:
    """Synthesise Verilog and return the netlist as Verilog, for simulation.

    The recipe is the one that a build places, and the ports are those of the given text.

    Parameters
    ----------
    verilog_text : str
    top : str
        Name of the top module, kept by the netlist.
    family : str
        Name of a family.
    out_dir : Path
        Receives ``netlist.v``, and what Yosys needs and prints. Made if there is none.
    parts : mapping, optional
        See :class:`Synthesise`. Left out: those of the block of that name.

    Returns
    -------
    Path
        The netlist, to be compiled together with :func:`cell_models`.

    Raises
    ------
    FamilyError
        If there is no such family.
    ToolError
        If Yosys is missing or fails.
    """
    stage = Synthesise((out_dir / "source" / "source.v",), top, families.get(family),
                       modules(top) if parts is None else parts,
                       toolchain.find(YOSYS))
    files.write_atomic(stage.sources[0], verilog_text)
    stage.run(out_dir, out_dir)
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


def cell_models(family: str) -> CellModels:
    """Models of a family's cells, of the installed Yosys and of our own.

    Raises
    ------
    FamilyError
        If there is no such family.
    ToolError
        If Yosys, or its data folder, is not found.
    """
    models = families.get(family).models
    share = toolchain.yosys_data()
    return CellModels([*(share / path for path in models.share), *models.own_files],
                      [share / path for path in models.include], dict.fromkeys(models.defines, ""))
