"""Clocks and seeds that a build tries: none twice, whenever it is killed, and the best is kept."""

import json
import pickle
import re
import threading
from dataclasses import replace

import pytest

from bitwright import boards
from bitwright.hw.build import main
from bitwright.hw.families import Resources
from bitwright.hw.flow import toolchain, trials
from bitwright.hw.flow.builder import TimingError, build
from bitwright.hw.flow.describe import Describe
from bitwright.hw.flow.elsewhere import Elsewhere
from bitwright.hw.flow.generate import Generate
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.pack import Pack
from bitwright.hw.flow.place import Place, PlaceError, RouteError
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.toolchain import ToolError
from bitwright.hw.flow.wrap import Wrap
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import Described, Packed, Placed, Synthesised, Usage, Wrapped
from tests.hw.test_build_keys import FOUND
from tests.hw.tiny import tiny

BOARD = boards.get("icebreaker")


class Killed(BaseException):
    """As SIGKILL, as far as files are concerned."""


@pytest.fixture
def tried(monkeypatch, tmp_path):
    """What is done, in order: stages that write a line, and placements by clock and seed. ``reach``
    says what a placement reaches, in MHz; None is a router that gives up."""
    done, state = [], {}

    def generate(stage, folder, logs):
        done.append("generate")
        (folder / "ip").mkdir()
        (folder / "ip" / FOUND["verilog"].interface.file).write_text("text")
        return FOUND["verilog"]

    def wrap(stage, folder, logs):
        done.append(f"wrap {stage.clock.name}")
        for name in ("board.il", "board.pcf", "board.json"):
            (folder / name).write_text(f"{name} {stage.clock.name}")
        return Wrapped(1, 1)

    def synthesise(stage, folder, logs):
        name = stage.sources[1].read_text().split()[-1]
        done.append(f"synthesise {name}")
        for file in ("netlist.json", "netlist.v"):
            (folder / file).write_text(f"{file} {name}")
        return Synthesised("abc9", {}, {"core": Resources(luts=1)}, Resources(luts=1), 1, "", "")

    def place(stage, folder, logs):
        done.append(f"place {stage.clock.name} {stage.seed}")
        reached = state["reach"](stage)
        if isinstance(reached, Killed):
            raise reached
        if reached is None:
            raise RouteError("no router")
        (folder / "top.asc").write_text(f"{stage.netlist.read_text()} {stage.seed}")
        return Placed(reached * 1e6, {"LC": Usage(1, 2)}, 1, "router1", ())

    def pack(stage, folder, logs):
        done.append("pack")
        (folder / "top.bin").write_text(stage.configuration.read_text())
        return Packed(1)

    for kind, run in ((Generate, generate), (Wrap, wrap), (Synthesise, synthesise), (Place, place),
                      (Pack, pack), (Describe, lambda *_: Described())):
        monkeypatch.setattr(kind, "run", run)

    def go(reach, **options):
        done.clear()
        state["reach"] = reach
        settings = {"board": BOARD, "family": BOARD.family, "plan": Plan(), "baud": 1_000_000,
                    "out": tmp_path / "out"}
        (tmp_path / "out").mkdir(exist_ok=True)
        report, fresh = build("tiny", tiny(), Options(**settings | options))
        return report["timing"], fresh, list(done)

    return go


def by_clock(**reached):
    """What is reached by the name of the clock, whatever the seed."""
    return lambda stage: reached[stage.clock.name.replace(".", "_")]


def out(tmp_path, name="top.bin"):
    return (tmp_path / "out" / name).read_text()


def test_the_fastest_clock_is_built_and_nothing_is_done_twice(tried, tmp_path, caplog):
    caplog.set_level("INFO")
    reach = by_clock(oscillator=28.0, **{"27MHz": 27.5})
    timing, fresh, done = tried(reach)
    assert done == ["generate", "wrap oscillator", "synthesise oscillator", "place oscillator 1",
                    "wrap 27MHz", "synthesise 27MHz", "place 27MHz 1", "pack"]
    assert not fresh
    assert not [line for line in caplog.messages if "kept" in line]  # nor told twice
    assert (timing["clock_hz"], timing["fmax_hz"], timing["seed"]) == (27e6, 27.5e6, 1)
    assert [(one["clock_hz"], one["met"]) for one in timing["trials"]] == [
        (12e6, True), (27e6, True)]
    assert out(tmp_path) == "netlist.json 27MHz 1"
    assert out(tmp_path, "board.json") == "board.json 27MHz"
    assert tried(reach)[1:] == (True, [])


def test_a_missed_clock_is_stepped_down_from(tried, tmp_path):
    timing, _, done = tried(by_clock(oscillator=28.0, **{"27MHz": 26.9, "25_875MHz": 26.0}))
    assert [name for name in done if name.startswith("place")] == [
        "place oscillator 1", "place 27MHz 1", "place 25.875MHz 1"]
    assert timing["clock_hz"] == 25.875e6
    assert [one["met"] for one in timing["trials"]] == [True, False, True]
    assert out(tmp_path) == "netlist.json 25.875MHz 1"


def test_a_killed_build_goes_on_where_it_was(tried, tmp_path):
    def killed(stage):
        return 28.0 if stage.clock.pll is None else Killed()

    with pytest.raises(Killed):
        tried(killed)
    assert not (tmp_path / "out" / "top.bin").exists()
    _, _, done = tried(by_clock(oscillator=28.0, **{"27MHz": 27.5}))
    assert done == ["place 27MHz 1", "pack"]


def test_a_clock_that_is_asked_for_is_the_only_one(tried, tmp_path):
    timing, _, done = tried(by_clock(**{"24MHz": 30.0}), clock_hz=24e6)
    assert done == ["generate", "wrap 24MHz", "synthesise 24MHz", "place 24MHz 1", "pack"]
    assert timing["clock_hz"] == 24e6
    assert not (tmp_path / "out" / trials.FOLDER).exists()


def test_the_oscillator_is_no_pll(tried):
    timing, _, done = tried(by_clock(oscillator=30.0), clock_hz=12e6)
    assert (timing["pll"], timing["clock_hz"]) == (None, 12e6)
    assert "place oscillator 1" in done


def test_where_there_is_no_pll_the_oscillator_is_all(tried, caplog):
    caplog.set_level("INFO")
    board = boards.get("nandland-go")
    timing, _, done = tried(by_clock(oscillator=90.0), board=board, family=board.family)
    assert (timing["clock_hz"], timing["no_pll"]) == (25e6, "iCE40HX1K-VQ100 has no PLL")
    assert done[-1] == "pack"
    assert sum("clock: the oscillator's 25 MHz, for iCE40HX1K-VQ100 has no PLL" in one
               for one in caplog.messages) == 1


def test_the_placer_aims_at_the_clock(tried):
    aims = {}

    def reach(stage):
        aims[stage.clock.name] = stage.clock.hz
        return {"oscillator": 28.0, "27MHz": 27.5}[stage.clock.name]

    tried(reach)
    assert aims == {"oscillator": 12e6, "27MHz": 27e6}


SEEDS = {1: 23.0, 2: None, 3: 25.0, 4: 24.5}


def test_seeds_are_tried_where_the_clock_is_missed(tried, tmp_path):
    """Side by side; the fastest is kept, and all are told."""
    together = threading.Barrier(2, timeout=20)

    def reach(stage):
        if stage.seed in (3, 4):
            together.wait()
        return SEEDS[stage.seed]

    timing, _, done = tried(reach, clock_hz=24e6, seeds=4)
    assert sorted(done) == sorted([
        "generate", "wrap 24MHz", "synthesise 24MHz", *(f"place 24MHz {seed}" for seed in SEEDS),
        "pack"])
    assert (timing["seed"], timing["fmax_hz"]) == (3, 25e6)
    assert [(one["seed"], one["fmax_hz"], one["met"]) for one in timing["trials"]] == [
        (1, 23e6, False), (2, None, False), (3, 25e6, True), (4, 24.5e6, True)]
    assert out(tmp_path) == "netlist.json 24MHz 3"
    # What no router connects leaves nothing behind, and so is tried again.
    assert tried(reach, clock_hz=24e6, seeds=4)[2] == ["place 24MHz 2"]


def test_seeds_are_not_tried_where_the_first_does(tried):
    _, _, done = tried(by_clock(**{"24MHz": 24.1}), clock_hz=24e6, seeds=4)
    assert [name for name in done if name.startswith("place")] == ["place 24MHz 1"]


def test_no_seed_does(tried, tmp_path):
    message = ("tiny is too slow on icebreaker: 23.00 MHz reached, 24 MHz wanted; lower "
               "levels_per_register of the plan (now 2), try more placements with --seeds N, or "
               "keep the bitstream with --allow-timing-fail")
    with pytest.raises(TimingError, match=f"^{re.escape(message)}$"):
        tried(by_clock(**{"24MHz": 23.0}), clock_hz=24e6, seeds=2)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["status"], report["timing"]["seed"]) == ("failed", 1)
    timing, _, _ = tried(by_clock(**{"24MHz": 23.0}), clock_hz=24e6, seeds=2,
                         allow_timing_fail=True)
    assert timing["fmax_hz"] == 23e6


def test_a_pll_that_the_tools_refuse_leaves_the_oscillator(tried, tmp_path, caplog):
    """As where no wire leads from the clock's pin to the PLL."""
    def reach(stage):
        if stage.clock.pll is not None:
            raise ToolError("nextpnr: no wire")
        return 28.0

    caplog.set_level("INFO")
    timing, _, done = tried(reach)
    assert (timing["clock_hz"], timing["pll"], timing["no_pll"]) == (12e6, None, "nextpnr: no wire")
    assert done[-1] == "pack"
    assert out(tmp_path) == "netlist.json oscillator 1"
    assert any("clock: 27 MHz cannot be built: nextpnr: no wire" in one
               for one in caplog.messages)
    with pytest.raises(ToolError, match=r"^nextpnr: no wire$"):
        tried(reach, clock_hz=24e6)


def test_no_router_for_any_seed(tried):
    with pytest.raises(RouteError, match=r"^no router$"):
        tried(lambda stage: None, clock_hz=24e6, seeds=2)


class Cluster:
    """Nodes in this process: all that goes there and comes back goes through bytes."""

    cores = 3

    def __init__(self):
        self.placed = []

    def run(self, function, *arguments):
        there = pickle.loads(pickle.dumps(arguments))
        self.placed.append(there[0].seed)
        return pickle.loads(pickle.dumps(function(*there)))


def test_placements_on_a_cluster_are_the_same(tried, tmp_path):
    def reach(stage):
        return {1: 26.0, 2: None, 3: 27.25, 4: 26.5}[stage.seed]

    cluster = Cluster()
    timing, _, _ = tried(reach, clock_hz=27e6, seeds=4, elsewhere=Elsewhere(cluster))
    assert sorted(cluster.placed) == [1, 2, 3, 4]
    assert (timing["seed"], timing["fmax_hz"]) == (3, 27.25e6)
    assert out(tmp_path, "top.asc") == "netlist.json 27MHz 3"
    # Under the same key as if they had been made here; a router that gives up is tried again.
    assert tried(reach, clock_hz=27e6, seeds=4)[2] == ["place 27MHz 2"]


def test_a_node_with_another_placer_is_refused(tried, monkeypatch):
    find = toolchain.find

    class Other(Cluster):
        def run(self, function, *arguments):
            with monkeypatch.context() as patch:
                patch.setattr(toolchain, "find",
                              lambda program: replace(find(program), version="0.1"))
                return super().run(function, *arguments)

    own = find(BOARD.family.place.nextpnr).version
    with pytest.raises(ToolError, match=(
            rf"^nextpnr-ice40: a node of the cluster has 0\.1, and this machine {re.escape(own)}; "
            r"install the same there$")):
        tried(lambda stage: 28.0, clock_hz=27e6, elsewhere=Elsewhere(Other()))


def test_a_design_that_does_not_fit_is_told_from_there():
    error = pickle.loads(pickle.dumps(PlaceError("no place", {"LC": Usage(3, 2)})))
    assert (str(error), error.utilisation) == ("no place", {"LC": Usage(3, 2)})


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_seeds_that_ray_places_are_those_that_are_placed_here(tmp_path, monkeypatch):
    """Really, by the command: no clock is so fast that no seed is tried."""
    pytest.importorskip("ray")
    command = ["zoo/iris", "--board", "icebreaker", "--freq", "60", "--seeds", "2",
               "--allow-timing-fail", "--out"]
    assert main([*command, str(tmp_path / "here")]) == 0

    def refuse(*_):
        raise AssertionError("placed in this process")

    monkeypatch.setattr(Place, "run", refuse)  # workers have the real one
    assert main([*command, str(tmp_path / "there"), "--address", "local"]) == 0
    here, there = (json.loads((tmp_path / name / "report.json").read_text())
                   for name in ("here", "there"))
    assert [trial["seed"] for trial in there["timing"]["trials"]] == [1, 2]
    assert there["timing"] == here["timing"]
    for name in ("top.asc", "top.bin"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
