"""An emulator in place of a board: in the same process, and for programs that open a port."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bitwright import ir
from bitwright.answers import emulate, infer
from tests.answers.test_infer import NEW, OLD, PLAN, errors, files, frozen, told

ROOT = Path(__file__).parents[2]

__all__ = ["files"]  # a fixture


@pytest.fixture
def path(tmp_path):
    ir.save(tmp_path / "network.safetensors", frozen())
    return tmp_path / "network.safetensors"


@pytest.mark.parametrize("kind", ["golden", "rtl"])
def test_in_the_same_process(path, capsys, kind):
    assert infer.main([str(path), "--vectors", "2", f"--emulate={kind}"]) == 0
    assert re.fullmatch(rf"2 golden vectors on {kind} emulator: 0 mismatches, 0 errors, "
                        r"[\d,]+\.\d inferences/s\n", capsys.readouterr().out)


def test_no_port_and_no_pyserial_are_needed(path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    assert infer.main([str(path), "--emulate", "--random", "--vectors", "300", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["vectors"], found["baud"]) == (300, 0)
    assert found["source"] == "vectors at random (seed 1)"


def test_without_amaranth(path, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitwright.hw.link.simulated", None)
    assert infer.main([str(path), "--emulate", "rtl"]) == 1
    assert errors(caplog) == [("amaranth is not installed; install it with `pip "
                              "install 'bitwright[hardware]'`")]


def test_contents_can_be_written(files, capsys, caplog):
    caplog.set_level(logging.INFO)
    assert infer.main(["old.safetensors", "--load", "new.safetensors", "--emulate"]) == 0
    assert capsys.readouterr().out.startswith("5 golden vectors on golden emulator: 0 mismatches")
    structure, contents = told(NEW, PLAN)
    assert caplog.messages == [(f"new.safetensors: the device has this network, structure "
                                f"{structure}, contents {contents}")]
    assert structure == told(OLD, PLAN)[0]


def test_a_rate_without_a_line(path, caplog):
    assert infer.main([str(path), "--emulate", "--baud", "9600"]) == 2
    assert errors(caplog) == ["--baud does not go with --emulate, which has no line"]


def test_for_other_programs(path, capsys):
    """Programs open and close it; it goes on, and ends by an interrupt."""
    command = [sys.executable, "-m", "bitwright", "emulate", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          cwd=ROOT, preexec_fn=interruptible) as emulator:
        port = emulator.stdout.readline().strip()
        for _ in range(2):
            assert infer.main([str(path), "--port", port]) == 0
            assert capsys.readouterr().out.startswith(f"7 golden vectors on {port}: 0 mismatches")
        emulator.send_signal(signal.SIGINT)
        assert emulator.wait(100) == 0
        assert emulator.stderr.read().splitlines() == [
            f"{path}: emulated, until Ctrl-C, on", "ended"]


def interruptible():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_system_without_terminals(path, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "tty", None)
    assert emulate.main([str(path)]) == 1
    assert errors(caplog) == [("this system has no pseudo-terminals; `bitwright infer --emulate` "
                              "needs none")]
    assert os.name == "posix"  # where there is one in truth
