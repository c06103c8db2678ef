"""What a build depends on is in its keys, and each key holds no more than its stage depends on."""

import dataclasses
from dataclasses import fields
from pathlib import Path

import pytest

from bitwright import boards, ir
from bitwright.hw.families import FAMILIES, Resources
from bitwright.hw.flow import cache
from bitwright.hw.flow.builder import TimingError, build
from bitwright.hw.flow.options import STAGES, Options
from bitwright.hw.flow.runner import ORDER
from bitwright.hw.flow.wrap import Delivered, prepare
from bitwright.hw.interface import Interface
from bitwright.hw.layout import Layout
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import (
    Cycles,
    Described,
    Generated,
    Packed,
    Placed,
    Size,
    Synthesised,
    Usage,
    Wrapped,
    Written,
)
from tests.hw.tiny import tiny

SIZE = Size(1, 1, 1, 1, 1)
INTERFACE = Interface(Naming("tiny"), Layout(1, 1, 1, False, 2, 1), 0, 1, 1)
FOUND = {
    "verilog": Generated(SIZE, SIZE, Cycles(1, 1, 1, 1, 1, 1), False, INTERFACE),
    "ip": Described(),
    "contents": Written(), "board": Wrapped(1, 1),
    "synth": Synthesised("abc9", {}, {"core": Resources(luts=1)}, Resources(luts=1), 1, "", ""),
    "place": Placed(50e6, {"LC": Usage(1, 2)}, 1, "router1", ()),
    "pack": Packed(1), "report": Written()}
FILES = {"verilog": ["ip/tiny.v"], "ip": [], "contents": [],
         "board": ["board.il", "board.pcf", "board.lpf"],
         "synth": ["netlist.json"], "place": ["top.asc", "top.config"], "pack": [], "report": []}


@pytest.fixture
def keys(monkeypatch, tmp_path):
    """Keys of the stages of a build, by name. Nothing runs: what a stage would write is told apart
    by the stage's own key, as its real files are by what they were made of."""
    def of(options):
        found = {}

        def record(folder, stage, later=(), do=None):
            place = "" if folder == tmp_path / "out" else f"{folder.name}: "
            found[place + stage.name] = cache.key(stage)
            (folder / "ip").mkdir(parents=True, exist_ok=True)
            for name in FILES[stage.name]:
                (folder / name).write_text(cache.key(stage))
            return FOUND[stage.name], True

        monkeypatch.setattr(cache, "run_stage", record)
        monkeypatch.setattr(cache, "adopt", lambda *arguments: None)
        try:
            build("tiny", tiny(), dataclasses.replace(options, out=tmp_path / "out"))
        except TimingError as error:
            found["error"] = str(error)
        del found["report"]  # is made of what was found, which here is always the same
        return found
    return of


BOARD = boards.get("icebreaker")
OPTIONS = Options(BOARD, BOARD.family, Plan(), Path("out"), clock_hz=12e6, baud=1_000_000)
OTHERS = {
    "board": boards.get("ulx3s-25f"), "family": FAMILIES["ecp5"], "plan": Plan(lanes=2),
    "stop_after": "synth", "clock_hz": 24e6, "baud": 500_000, "seed": 2, "seeds": 2,
    "simplify": False, "allow_timing_fail": True, "module": "other", "reset": "aresetn",
    "flash": True}
NOT_MADE_OF = {"out", "elsewhere"}
"""Options that say where, and not what."""


@pytest.mark.parametrize("field", sorted({field.name for field in fields(Options)} - NOT_MADE_OF))
def test_each_option_is_in_a_key(keys, field):
    """Over all fields, so that an option that is added later is tried too."""
    # Slow enough for the question whether that matters to come up.
    first = dataclasses.replace(OPTIONS, clock_hz=60e6 if field in (
        "allow_timing_fail", "seeds") else 12e6)
    assert keys(first) == keys(first)
    assert keys(dataclasses.replace(first, **{field: OTHERS[field]})) != keys(first)


def changed(keys, first, second):
    """Stages with another key."""
    before, after = keys(first), keys(second)
    return [name for name in before if after[name] != before[name]]


@pytest.mark.parametrize(("field", "stages"), [
    ("plan", ["verilog", "ip", "board", "synth", "place", "pack"]),
    ("module", ["verilog", "board", "synth", "place", "pack"]),
    ("reset", ["verilog", "board", "synth", "place", "pack"]),
    ("baud", ["board", "synth", "place", "pack"]),
    ("clock_hz", ["board", "synth", "place", "pack"]),
    ("seed", ["place", "pack"]),
    ("allow_timing_fail", []),
    ("flash", ["board", "synth", "place", "pack"]),
])
def test_a_stage_is_done_again_only_if_it_depends_on_what_changed(keys, field, stages):
    assert changed(keys, OPTIONS, dataclasses.replace(OPTIONS, **{field: OTHERS[field]})) == stages


def test_going_on_from_a_stage_does_none_again(keys):
    whole = keys(OPTIONS)
    assert list(whole) == [name for name in ORDER if name not in ("pins", "contents")]
    for stage in STAGES:
        part = keys(dataclasses.replace(OPTIONS, stop_after=stage))
        assert part.items() <= whole.items()


def program(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("variable", "stages"), [
    ("YOSYS", ["verilog", "board", "synth", "place", "pack"]),
    ("NEXTPNR_ICE40", ["place", "pack"]),
    ("ICEPACK", ["pack"]),
])
@pytest.mark.parametrize("second", [
    lambda folder: f"{folder / 'tool'} --option",
    lambda folder: str(program(folder / "other", "echo 'Tool 1.1'")),
], ids=["option", "version"])
def test_a_tool_is_in_the_keys_of_what_it_makes(keys, monkeypatch, tmp_path, variable, stages,
                                                second):
    monkeypatch.setenv(variable, str(program(tmp_path / "tool", "echo 'Tool 1.0'")))
    before = keys(OPTIONS)
    monkeypatch.setenv(variable, second(tmp_path))
    after = keys(OPTIONS)
    assert [name for name in before if after[name] != before[name]] == stages


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-25f"])
def test_variables_that_reach_into_a_platform_do_nothing(monkeypatch, name):
    board = boards.get(name)

    def made():
        serial = SerialTop(tiny(), Plan(), clock_hz=board.clock_hz, baud=board.baud,
                           instance=lambda axi, reset: Delivered(axi, Naming(), reset))
        return prepare(serial, board)

    before = made()
    monkeypatch.setenv("AMARANTH_add_constraints", "nonsense")
    monkeypatch.setenv("AMARANTH_add_preferences", "nonsense")
    assert made() == before
    assert "nonsense" not in before.constraints


def test_provenance_is_no_reason_to_build_again():
    assert ir.digest(tiny()) == ir.digest(tiny(provenance={}))
