"""The netlist with the vendor's cells, the board's design behind a serial line, and what a build
placed."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from bitwright import boards, ir
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.options import Options
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import folded
from bitwright.sim import placed
from bitwright.sim.options import Faults
from tests.sim.benches import chain, features, run, xnor

pytestmark = pytest.mark.xdist_group("sim")

icarus = pytest.mark.skipif(shutil.which("iverilog") is None,
                            reason="Icarus Verilog is not installed")
QUICK = "icarus" if shutil.which("iverilog") else "verilator"
"""For few cycles of large texts, which Verilator takes a minute to compile."""


def passed(verdict):
    return (verdict.failure, verdict.mismatches, verdict.missing) == (None, 0, 0)


@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_netlist(family):
    form = {"naming": Naming("flowers", "aresetn"), "plan": Plan(result_beat_bytes=3)}
    verdict = run(xnor(), f"netlist-{family}", level="netlist", family=family,
                  **(form if family == "ecp5" else {}))
    assert passed(verdict)
    assert verdict.resets == 2


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ecp5", "gowin", "nexus", "gatemate"])
def test_weights_in_block_ram(family):
    """The models of the first three are our own."""
    rng = np.random.default_rng(13)
    layer = ir.Xnor(rng.integers(2, size=(64, 64)).astype(bool),
                    rng.integers(28, 37, size=(64, 1)).astype(np.int32))
    head = ir.Scores(rng.integers(2, size=(4, 64)).astype(bool), 1,
                     rng.integers(-9, 9, size=4).astype(np.int32))
    thresholds = rng.integers(1, 16, size=(1, 64, 1)).astype(np.int32)
    network = ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("xnor0", layer, ("modulate",)),
        ir.Entry("head", head, ("xnor0",)),
    ))
    verdict = run(network, "block-ram", level="netlist", family=family, simulator=QUICK,
                  plan=folded(Plan(lanes=8), network, 1024), vectors=features(network, 3),
                  resets=0, malformed=0)
    assert passed(verdict)


def test_board():
    """Every kind of damage, twice, between requests without a pause and after resets."""
    vectors = features(chain(), 30)
    verdict = run(chain(), "board", vectors=vectors, level="board", malformed=12, resets=5)
    assert passed(verdict)
    assert (verdict.damaged, verdict.resets) == (12, 5)


@icarus
def test_board_by_icarus():
    assert passed(run(chain(), "board-icarus", vectors=features(chain(), 3), level="board",
                      malformed=0, resets=0, simulator="icarus"))


def written():
    """A network with other weights, thresholds and biases in the same structure."""
    network, rng = xnor(), np.random.default_rng(21)
    layer, head = network.entry("xnor1").node, network.head
    nodes = {"xnor1": replace(layer, weights=~layer.weights,
                              thresholds=rng.integers(1, 6, size=(5, 2)).astype(np.int32)),
             "head": replace(head, weights=rng.integers(2, size=(3, 10)).astype(bool),
                             biases=head.biases[::-1].copy())}
    return ir.Network(tuple(replace(entry, node=nodes.get(entry.name, entry.node))
                            for entry in network.entries))


def test_contents_are_written_over_the_line():
    """Broken off once, with a reset in the middle; then the device is another network."""
    network, other = xnor(), written()
    plan = Plan(nodes={name: {"way": "folded", "cycles": 20, "writable": True}
                       for name in ("xnor1", "head")})
    vectors = features(network, 20)
    assert (network.evaluate(vectors).scores != other.evaluate(vectors).scores).any()
    verdict = run(network, "load", level="board", plan=plan, vectors=vectors, frozen=network,
                  contents=other, malformed=6, resets=2)
    assert passed(verdict)
    assert verdict.loaded > 0


def as_placed(network, board, folder):
    """The netlist of a build that went as far as the placer."""
    board = boards.get(board)
    build("chain", network, Options(board=board, family=board.family, plan=Plan(lanes=2),
                                    out=folder, stop_after="synth", clock_hz=board.clock_hz,
                                    baud=board.baud))
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps(report | {"status": "done"}))
    return placed.load(folder)


@pytest.mark.slow
@pytest.mark.parametrize("board", ["icebreaker", "ulx3s-25f"])
def test_placed(board, tmp_path):
    """Through pins and pads, at the board's baud rate."""
    found = as_placed(chain(), board, tmp_path)
    verdict = run(ir.simplify(chain()), f"placed-{board}", level="placed", placed=found,
                  plan=found.plan, frozen=chain(), vectors=features(chain(), 4), malformed=0,
                  simulator=QUICK)
    assert passed(verdict)
    assert (verdict.board, verdict.netlist, verdict.resets) == (board, found.digest, 0)
    assert f"({board}, netlist {found.digest[:16]})" in verdict.summary


def one_register(text):
    """A routed netlist with the LUT before one register of the core inverted."""
    found = re.sub(r"(?<=\.DFF_ENABLE\(1'h1\),\n    \.LUT_INIT\(16'h)(\w{4})"
                   r"(?=\)[^;]*?\) \\serial\.axi\.ip\.core\.)",
                   lambda init: f"{0xFFFF ^ int(init[1], 16):04x}", text, count=1)
    assert found != text
    return found


@pytest.mark.slow
@pytest.mark.parametrize("clock_hz", [12e6, 24e6])  # without a PLL, and with one
def test_routed(clock_hz, tmp_path):
    """What came out of the router, from pin to pin, and with one LUT of it changed."""
    board = boards.get("icebreaker")
    build("chain", chain(), Options(board=board, family=board.family, plan=Plan(lanes=2),
                                    out=tmp_path, clock_hz=clock_hz, baud=board.baud))
    found = placed.load(tmp_path, routed=True)
    about = {"level": "routed", "placed": found, "plan": found.plan, "frozen": chain(),
             "vectors": features(chain(), 4), "malformed": 0, "simulator": QUICK}
    verdict = run(ir.simplify(chain()), f"routed-{clock_hz}", **about)
    assert passed(verdict)
    report = json.loads((tmp_path / "report.json").read_text())
    assert verdict.netlist == found.digest == report["netlist"]["routed"]
    wrong = run(ir.simplify(chain()), f"routed-{clock_hz}-wrong", **about,
                faults=Faults(edit=one_register))
    assert wrong.mismatches
