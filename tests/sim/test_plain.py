"""Verilator in places whose names make does not take."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from bitwright.sim.plain import PlainFolder
from bitwright.sim.simulator import Design, SimulatorError
from bitwright.sim.verilator import EMPTY, Verilator

ODD = "a b é"


class Dry(Verilator):
    """Translates, and has make say what it would do."""

    commands: ClassVar[list[object]] = []

    def call(self, command, folder, settings=None):
        self.commands.append((command, folder, settings))
        super().call([*command, "-n"] if command[0] == "make" else command, folder, settings)


def test_make_takes_every_path(tmp_path):
    """Folder, kit of Verilator, and sources, all with a space and an accent."""
    odd = tmp_path / ODD
    odd.mkdir()
    real = Verilator.find()
    (odd / "kit").symlink_to(real.settings["VERILATOR_ROOT"])
    (odd / "harness.v").write_text(EMPTY, encoding="utf-8")
    dry = Dry(real.version, real.command,
              {**real.settings, "VERILATOR_ROOT": str(odd / "kit")}, real.environment)
    (odd / "work").mkdir()
    before = set(Path(tempfile.gettempdir()).glob("bitwright-*"))
    dry.compile(Design("harness", (odd / "harness.v",), {}), odd / "work", odd)
    assert [command[0] for command, *_ in dry.commands].count("make") == 2
    for command, folder, settings in dry.commands:
        text = " ".join([*command[1:], str(folder), *settings.values()])
        assert ODD not in text
    makefile = (odd / "work" / "obj" / "Vtop.mk").read_text(encoding="utf-8")
    assert ODD not in makefile
    assert set(Path(tempfile.gettempdir()).glob("bitwright-*")) == before


def test_a_plain_folder_is_worked_in(tmp_path):
    with PlainFolder(tmp_path) as plain:
        assert plain.path == tmp_path
        assert plain.near(tmp_path / "x.v") == str(tmp_path / "x.v")
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_make_does_not_take(tmp_path):
    odd = tmp_path / f"x.{ODD}"
    odd.write_text("in", encoding="utf-8")
    with PlainFolder(tmp_path) as plain:
        near = plain.near(odd)
        assert ODD not in near
        assert Path(near).read_text(encoding="utf-8") == "in"


def test_files_come_back_whatever_happened(tmp_path):
    folder = tmp_path / ODD
    folder.mkdir()
    (folder / "in.v").write_text("in", encoding="utf-8")

    def work():
        with PlainFolder(folder) as plain:
            assert (plain.path / "in.v").is_file()
            (plain.path / "log").write_text("why", encoding="utf-8")
            assert Path(plain.near(folder)).samefile(folder)
            assert plain.near(folder) == plain.near(folder)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert sorted(path.name for path in folder.iterdir()) == ["in.v", "log"]


def test_no_plain_place_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ODD))
    message = (f"verilator: make works neither in {tmp_path / ODD} nor in {tmp_path / ODD}; name a "
               "folder without spaces, of ASCII letters, in the environment variable TMPDIR")
    with pytest.raises(SimulatorError, match=f"^{re.escape(message)}$"):
        PlainFolder(tmp_path / ODD).__enter__()


def test_the_log_of_a_compiler_that_failed_is_kept(tmp_path):
    real = Verilator.find()
    failing = replace(real, command=("sh", "-c", "echo one; echo '%Error: two'; exit 1", ""))
    with pytest.raises(SimulatorError) as caught:
        failing.build(Design("harness", (), {"top.v": EMPTY}), tmp_path)
    log = tmp_path / "compile-verilator.log"
    assert str(caught.value) == f"verilator: %Error: two; its log is {log}"
    assert log.read_text(encoding="utf-8") == "one\n%Error: two\n"
