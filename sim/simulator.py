"""What is common to all simulators: designs to compile, compiled models, and the cache of those.

cocotb's own runner makes every signal of a Verilator model public, which costs a factor of ten in
speed; here only the harness is.
"""

from __future__ import annotations

import abc
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bitwright
from bitwright.errors import UserError
from bitwright.extras import need
from bitwright.files import new_folder, write_atomic
from bitwright.sim import keys
from bitwright.sim.names import SIMULATORS

__all__ = ["FAST_CYCLES", "Design", "Model", "Simulator", "SimulatorError", "find"]

ROOT = Path(bitwright.__file__).parents[1]
"""Where the benches import the package from: the same one that runs here."""

FAST_CYCLES = 200_000
"""From about so many cycles on, a model that takes twice as long to compile is done earlier: it
runs some ten times as fast."""


class SimulatorError(UserError):
    """A simulator is missing or failed. One line, which says what to do."""


class CompileError(SimulatorError):
    """A step of a simulator's compiler failed.

    Parameters
    ----------
    message : str
    log : str
        All that the step printed.
    """

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


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
        Generated files, written into the build folder.
    parameters : mapping
        Of the top module.
    defines : tuple of str
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
    waves: bool = False
    fast: bool = False

    @property
    def key(self) -> list[object]:
        """All that the compiled model depends on."""
        return [self.top, dict(self.parameters), self.defines, self.waves, self.fast,
                dict(self.texts), keys.files(self.sources)]

    @property
    def arguments(self) -> list[str]:
        """The files to compile, as seen from the folder with the texts."""
        return [*(str(source.resolve()) for source in self.sources), *self.texts]


@dataclass(frozen=True)
class Model:
    """A compiled design.

    Parameters
    ----------
    folder : Path
        Where it is, as an absolute path.
    top : str
        Name of the top module.
    simulator : Simulator
    cached : bool
        Whether it had been compiled before.
    """

    folder: Path
    top: str
    simulator: Simulator
    cached: bool

    def start(self, bench: str, folder: Path, environment: Mapping[str, str],
              plusargs: Sequence[str] = (), *, seed: int = 1) -> subprocess.Popen[bytes]:
        """Run a cocotb bench in a process of its own, its output in ``folder/simulation.log``.

        Parameters
        ----------
        bench : str
            Module of the bench.
        folder : Path
            Where to run, and where ``results.xml`` is left.
        seed : int
            Of the values that registers start with, where nothing says which.
        """
        environment = {**os.environ, **_cocotb_environment(), **environment,
                       **self.simulator.environment,
                       "COCOTB_TOPLEVEL": self.top, "COCOTB_TEST_MODULES": bench,
                       "TOPLEVEL_LANG": "verilog",
                       "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
                       "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        environment.pop("PYTEST_CURRENT_TEST", None)  # cocotb would rename its results
        command = [*self.simulator.run_command(self.folder, self.top, seed), *plusargs]
        with (folder / "simulation.log").open("wb") as log:
            return subprocess.Popen(command, cwd=folder, env=environment,
                                    stdout=log, stderr=subprocess.STDOUT)


@dataclass(frozen=True)
class Simulator(abc.ABC):
    """An installed simulator.

    Parameters
    ----------
    version : str
    command : tuple of str
        Its compiler.
    settings : mapping
        Environment of the compiler.
    environment : mapping
        Environment of the model.
    """

    version: str
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """One of :data:`sim.names.SIMULATORS`."""

    @classmethod
    @abc.abstractmethod
    def find(cls) -> Simulator:
        """The installed one.

        Raises
        ------
        SimulatorError
            If it, or what it needs, is not installed.
        """

    @abc.abstractmethod
    def compile(self, design: Design, folder: Path, cache: Path) -> None:
        """Compile a design, whose texts lie in the folder already."""

    @abc.abstractmethod
    def run_command(self, folder: Path, top: str, seed: int) -> tuple[str, ...]:
        """What runs the model that was compiled in a folder."""

    @property
    def tools(self) -> list[object]:
        """The programs that the compiled model depends on."""
        return [keys.program(self.command)]

    @property
    def key(self) -> list[object]:
        """All that a compiled model depends on besides its design."""
        own = [Path(__file__), Path(__file__).with_name(f"{self.name}.py")]
        return [self.name, self.version, importlib.metadata.version("cocotb"), self.tools,
                dict(self.settings), keys.files(own)]

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
        folder = cache / f"{self.name}-{keys.digest(self.key, design.key)}"
        cached = folder.exists()
        if not cached:
            note(f"compiling with {self.name} {self.version}")
            try:
                with new_folder(folder) as scratch:
                    for name, text in design.texts.items():
                        (scratch / name).write_text(text, encoding="utf-8")
                    self.compile(design, scratch, cache)
            except CompileError as error:
                log = cache / f"compile-{self.name}.log"
                write_atomic(log, error.log)
                raise SimulatorError(f"{error}; its log is {log}") from error
        return Model(folder.resolve(), design.top, self, cached)

    def call(self, command: Sequence[str], folder: Path,
             settings: Mapping[str, str] | None = None) -> None:
        """Run a step of the compiler.

        Parameters
        ----------
        settings : mapping, optional
            More of its environment, and in place of :attr:`settings`.

        Raises
        ------
        CompileError
            If it fails, with the line of its output that says most.
        """
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                              env={**os.environ, **self.settings, **(settings or {})}, check=False)
        with (folder / "compile.log").open("a", encoding="utf-8") as log:
            log.write(done.stdout)
        if done.returncode != 0:
            raise CompileError(f"{self.name}: {_first_error(done.stdout)}", done.stdout)


def find(name: str | None = None) -> Simulator:
    """Find a simulator: the one named, or else the first that is installed.

    Raises
    ------
    SimulatorError
        If it, or what it needs, is not installed.
    """
    need("cocotb", "cocotb_tools", "find_libpython")
    missing = None
    for candidate in SIMULATORS if name is None else (name,):
        module = importlib.import_module(f"bitwright.sim.{candidate}")
        try:
            return module.SIMULATOR.find()
        except SimulatorError as error:
            missing = missing or error
    raise missing


def output(command: Sequence[str]) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace",
                          check=False).stdout


def _cocotb_environment() -> dict[str, str]:
    import find_libpython
    from cocotb_tools import config

    library = find_libpython.find_libpython()
    if library is None:
        raise SimulatorError("cocotb: this Python has no shared libpython "
                             f"({sysconfig.get_config_var('LDLIBRARY')})")
    found = {"PATH": os.pathsep.join([os.environ.get("PATH", ""), str(config.libs_dir)])}
    if sys.platform != "win32":  # which looks on PATH
        name = "DYLD_LIBRARY_PATH" if sys.platform == "darwin" else "LD_LIBRARY_PATH"
        found[name] = os.pathsep.join(filter(None, [str(config.libs_dir), os.environ.get(name)]))
    return {**found, "GPI_USERS": f"{library};{config.pygpi_entry_point()}",
            "PYGPI_PYTHON_BIN": sys.executable}


def _first_error(log: str) -> str:
    """The line of a compiler's log that says most."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for line in lines:
        if re.search(r"error|\*\*\*", line, re.IGNORECASE):  # the stars are those of make
            return line
    return lines[-1] if lines else "failed without a word"
