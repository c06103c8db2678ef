"""Build folders whose netlist is simulated: what is read, and what is refused."""

import hashlib
import json
import re

import pytest

from bitwright import ir
from bitwright.hw.plan import Plan
from bitwright.sim.placed import PlacedError, load
from tests.sim.benches import chain

NETLIST = "module board(clk12_0__io);\nendmodule\n"


@pytest.fixture
def build(tmp_path):
    """A finished build, as far as it is read."""
    plan = Plan(lanes=2)
    (tmp_path / "netlist.v").write_text(NETLIST)
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    (tmp_path / "report.json").write_text(json.dumps({
        "status": "done",
        "netlist": {"netlist.v": hashlib.sha256(NETLIST.encode()).hexdigest()}}))
    (tmp_path / "board.json").write_text(json.dumps({
        "network": "ab" * 32, "simplify": False, "board": "icebreaker", "family": "ice40",
        "clock_hz": 12_000_000, "oscillator_hz": 12_000_000, "pll": None, "baud": 1_000_000,
        "module": "board", "flash": False,
        "ports": {"clk": "clk12_0__io", "rx": "rx__io", "tx": "tx__io", "reset": None}}))
    return tmp_path


def refused(folder, message, **options):
    with pytest.raises(PlacedError, match=rf"^{re.escape(message)}$"):
        load(folder, **options)


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_what_is_read(build):
    found = load(build)
    assert (found.text, found.plan, found.simplify) == (NETLIST, Plan(lanes=2), False)
    assert (found.board, found.family, found.clock_hz, found.baud) == (
        "icebreaker", "ice40", 12_000_000, 1_000_000)
    assert (found.module, found.pins) == (
        "board", {"clk": "clk12_0__io", "rx": "rx__io", "tx": "tx__io"})
    assert found.digest == hashlib.sha256(NETLIST.encode()).hexdigest()


def test_another_netlist_than_the_one_that_was_placed(build):
    before = hashlib.sha256(NETLIST.encode()).hexdigest()[:16]
    (build / "netlist.v").write_text(NETLIST + "\n")
    after = hashlib.sha256((NETLIST + "\n").encode()).hexdigest()[:16]
    refused(build, f"{build}: netlist.v is not the one that was placed: its SHA-256 is {after}, "
                   f"the report's {before}")


@pytest.mark.parametrize("name", ["report.json", "board.json"])
def test_no_build(name, build):
    (build / name).unlink()
    refused(build, f"{build}: no build for a board ({name} is missing); make one with "
                   "`python -m hw.build`")


def test_a_build_of_another_network(build):
    with pytest.raises(PlacedError, match=rf"^{build}: built from network abababababababab, not "
                                          rf"{ir.digest(chain())[:16]}$"):
        load(build).line(chain(), chain())


def test_a_build_that_did_not_end(build):
    change(build / "report.json", status="failed")
    refused(build, f"{build}: its build did not end with a bitstream (failed)")


@pytest.mark.parametrize(("name", "field"), [
    ("report.json", "netlist"), ("board.json", "ports"), ("board.json", "baud")])
def test_a_field_that_is_missing(name, field, build):
    values = json.loads((build / name).read_text())
    del values[field]
    (build / name).write_text(json.dumps(values))
    refused(build, f"{build}: no build of this version of the program; build again")


def test_a_clock_from_inside_the_device(build):
    values = json.loads((build / "board.json").read_text())
    values["ports"]["clk"] = None
    (build / "board.json").write_text(json.dumps(values))
    refused(build, f"{build}: the clock of {values['board']} comes from an oscillator inside its "
                   "device, which nothing models; simulate --level netlist")


def test_contents_from_a_flash(build):
    change(build / "board.json", flash=True)
    refused(build, f"{build}: its contents come from the board's flash, which nothing models; "
                   "simulate a build without --contents flash")


def test_a_report_that_is_none(build):
    (build / "report.json").write_text("{")
    with pytest.raises(PlacedError, match=rf"^{build}/report\.json: not JSON \(.*\)$"):
        load(build)


def test_a_family_whose_packed_cells_have_no_models(build):
    change(build / "board.json", family="gatemate")
    refused(build, f"{build}: what nextpnr packs for gatemate has no models; simulate --level "
                   "placed, the netlist that it was given", routed=True)


def routed(folder, digest):
    (folder / "routed.json").write_text("{}")
    change(folder / "report.json", netlist={"routed": digest})


def test_another_netlist_than_the_one_that_was_routed(build):
    routed(build, "ab" * 32)
    found = hashlib.sha256(b"{}").hexdigest()[:16]
    refused(build, f"{build}: routed.json is not the one that was routed: its SHA-256 is {found}, "
                   "the report's abababababababab", routed=True)


def test_a_routed_netlist_that_is_none(build):
    routed(build, hashlib.sha256(b"{}").hexdigest())
    refused(build, f"{build}/routed.json: no netlist of one routed design ('modules')", routed=True)


def test_a_design_without_a_pll_has_any_clock(build):
    clocking = load(build).clocking
    assert clocking.parameters == {"SETTLE": 480, "HALF_PS": 5000}
    assert (clocking.period_ps, clocking.ratio) == (10_000, 1)


def test_a_pll_is_fed_with_the_oscillator(build):
    change(build / "board.json", clock_hz=27e6, pll={"cell": "SB_PLL40_PAD"})
    clocking = load(build).clocking
    assert clocking.parameters == {"SETTLE": 1200, "HALF_PS": 41_667}
    assert clocking.ratio == 2.25
    assert clocking.period_ps == pytest.approx(1e12 / 27e6, rel=1e-4)
