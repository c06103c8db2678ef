"""Rate and clock of a board: as its build says, as the command does, or as they are known."""

import argparse
import json
import re

import pytest

from bitwright.answers import board
from bitwright.answers.board import PortError
from bitwright.extras import MissingError, missing


@pytest.fixture
def reached(tmp_path, monkeypatch):
    """Rate of the line and cycles of a bit, for what is told and what a build says."""
    monkeypatch.setattr(board, "_opened", lambda port, baud: (port, baud))

    def of(baud=None, about=None, name="icebreaker"):
        if about is not None:
            (tmp_path / "board.json").write_text(about, "utf-8")
        args = argparse.Namespace(emulate=None, board=name, baud=baud, port="p")
        found, cycles, opened = board.reached(args, None, None, tmp_path)
        assert opened == ("p", found)
        return found, cycles
    return of


def about(**values):
    return json.dumps({"baud": 500_000, "clock_hz": 48_000_000, **values})


def test_a_build_says_them(reached):
    assert reached(about=about()) == (500_000, 96)
    assert reached(baud=1_000_000, about=about()) == (1_000_000, 48)


def test_a_board_says_them(reached):
    assert reached() == (1_000_000, 12)
    assert reached(baud=3_000_000) == (3_000_000, 4)
    assert reached(name="arty-a7-35") == (1_000_000, 100)


def test_beside_a_board_there_may_be_no_amaranth(reached, monkeypatch, tmp_path):
    def none(text):
        raise missing("amaranth_boards")

    monkeypatch.setattr(board.boards, "find", none)
    assert reached(baud=500_000) == (500_000, 4)
    assert reached(about=about()) == (500_000, 96)
    (tmp_path / "board.json").unlink()
    message = ("icebreaker: its rate is not known here; name it with --baud, or its build with "
               "--build: amaranth-boards is not installed; install it with `pip install "
               "'bitwright[hardware]'`")
    with pytest.raises(MissingError, match=f"^{re.escape(message)}$"):
        reached()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"baud": 1}'])
def test_a_damaged_file(reached, text, tmp_path):
    message = f"{tmp_path / 'board.json'}: damaged; build again, or name the rate with --baud"
    with pytest.raises(PortError, match=f"^{re.escape(message)}$"):
        reached(about=text)


def test_the_folder_of_a_board_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text('part = "iCE40UP5K"\nname = "other"\n'
                                      'clock = { pin = "35", mhz = 12 }\n', "utf-8")
    network = tmp_path / "net.safetensors"
    assert board.folder(None, network, "my.toml").as_posix() == "build/net-other"
    assert board.folder(None, network, "icebreaker").as_posix() == "build/net-icebreaker"
    assert board.folder(tmp_path, network, "my.toml") == tmp_path
