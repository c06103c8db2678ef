"""Icarus Verilog: slow, and with undefined values."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bitwright.sim.simulator import Design, Simulator, SimulatorError, output

__all__ = ["SIMULATOR", "Icarus"]


class Icarus(Simulator):
    """Icarus Verilog, from the system's packages."""

    name = "icarus"

    @classmethod
    def find(cls) -> Icarus:
        for program in ("iverilog", "vvp"):
            if shutil.which(program) is None:
                raise SimulatorError(f"icarus: {program} not found; install Icarus Verilog (on "
                                     "Debian `apt install iverilog`), or use --simulator verilator")
        match = re.search(r"version (\S+)", output(["iverilog", "-V"]))
        return cls(match[1] if match else "unknown", ("iverilog",))

    def compile(self, design: Design, folder: Path, cache: Path) -> None:
        # What is delivered is Verilog-2005; the models of cells beside a netlist are not.
        language = "-g2005" if len(design.texts) == 1 else "-g2012"
        self.call([*self.command, language, "-o", "model.vvp", "-s", design.top,
                   *(f"-D{name}" for name in design.defines),
                   *(f"-P{design.top}.{name}={value}"
                     for name, value in design.parameters.items()),
                   *design.arguments], folder)

    def run_command(self, folder: Path, top: str, seed: int) -> tuple[str, ...]:
        from cocotb_tools import config

        # A register without a start value is undefined, whatever the seed.
        return ("vvp", "-m", config.lib_entry("vpi", "icarus"), str(folder / "model.vvp"))


SIMULATOR = Icarus
