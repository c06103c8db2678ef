"""The second router takes over when the first gets stuck, and both may give up."""

import hashlib
import json
import re

import pytest

from bitwright import boards
from bitwright.hw.families.pll import Clock, Pll
from bitwright.hw.flow import place, toolchain
from bitwright.hw.flow.pack import Pack
from bitwright.hw.flow.parts import PATHS
from bitwright.hw.report.results import Placed, Usage

BOARD = boards.get("icebreaker")
CLOCK = Clock(12_000_000)
STUCK = ("echo 'Info: Routing 100 arcs.'\n"
         "echo 'Info:       1001 |       70        929 |   70   929 |        63|       0.08       "
         "0.08|'\nexec sleep 60\n")
GIVES_UP = "echo '    iter=401 wires=1 overused=1 overuse=1 archfail=NA'\nexec sleep 60\n"
REPORT = {"fmax": {"clk": {"achieved": 20.5, "constraint": 12},
                   "other": {"achieved": 80.0, "constraint": 12}},
          "utilization": {"ICESTORM_LC": {"used": 7, "available": 5280},
                          "SB_IO": {"used": 0, "available": 39}},
          "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": [
              {"from": {"cell": "serial.axi.ip.core.encoder.x"}, "to": {"cell": "y"}},
              {"from": {"cell": "y"}, "to": {"cell": "serial.glue"}}]}]}
FILES = "echo x > top.asc\necho y > routed.json\n"
WORKS = f"cat > nextpnr.json <<'END'\n{json.dumps(REPORT)}\nEND\n{FILES}"
ROUTED = hashlib.sha256(b"y\n").hexdigest()


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """Stands in for nextpnr, by router, and for the packer."""
    def install(router1, router2="exit 9"):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "netlist.json").write_text("{}")
        (tmp_path / "in" / "board.pcf").write_text("set_frequency clk 12.0\n")
        (tmp_path / "out").mkdir()
        nextpnr = tmp_path / "nextpnr"
        nextpnr.write_text('#!/bin/sh\ncase "$*" in\n--version) echo 9.9;;\n'
                           f"*router1*)\n{router1}\n;;\n*)\n{router2}\n;;\nesac\n")
        pack = tmp_path / "pack"
        pack.write_text('#!/bin/sh\ncp "$1" "$2"\n')
        for path, variable in ((nextpnr, "NEXTPNR_ICE40"), (pack, "ICEPACK")):
            path.chmod(0o755)
            monkeypatch.setenv(variable, str(path))
        return tmp_path / "logs"
    return install


def run(tmp_path, clock=CLOCK):
    stage = place.Place(
        tmp_path / "in" / "netlist.json", tmp_path / "in" / "board.pcf", BOARD, clock, 1,
        PATHS, toolchain.find(BOARD.family.place.nextpnr))
    return stage.run(tmp_path / "out", tmp_path / "logs")


def raises(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_first_router(tools, tmp_path):
    tools(WORKS)
    # A node that is called like a part is where it is, and the slowest clock counts.
    assert run(tmp_path) == Placed(20.5e6, {"ICESTORM_LC": Usage(7, 5280)}, 7, "router1",
                                   ("core", "other"), ROUTED)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "nextpnr.json", "routed.json", "top.asc"]


PLL = Clock(12_000_000, Pll("PLL", 12_000_000, 2, 1, {}, "IN", "OUT", "LOCK"))
NETLIST = {"modules": {"board": {
    "cells": {
        "pll": {"type": "PLL", "connections": {"IN": [2], "OUT": [3]},
                "port_directions": {"IN": "input", "OUT": "output"}},
        "buffer": {"type": "SB_GB", "connections": {"I": [3], "O": [4]},
                   "port_directions": {"I": "input", "O": "output"}},
        "divider": {"type": "SB_DFF", "connections": {"C": [3], "Q": [2]},
                    "port_directions": {"C": "input", "Q": "output"}}},
    "netnames": {"other": {"bits": [2]}, "sync": {"bits": [3]}, "board.sync": {"bits": [3]},
                 "buffered": {"bits": [4]}}}}}


@pytest.mark.parametrize(("name", "fmax"), [
    ("sync", 33.5), ("$glbnet$board.sync", 33.5), ("sync_$glb_clk", 33.5), ("buffered", 33.5)])
def test_with_a_pll_its_clock_counts(tools, tmp_path, name, fmax):
    """Not that of the oscillator, on which are a few cells that start the device."""
    report = {**REPORT, "fmax": {"other": {"achieved": 20.5}, name: {"achieved": fmax}},
              "critical_paths": [{**REPORT["critical_paths"][0], "from": f"posedge {clock}",
                                  "to": f"posedge {clock}"} for clock in ("other", name)]}
    report["critical_paths"][0] = {**report["critical_paths"][0], "path": [
        {"from": {"cell": "a"}, "to": {"cell": "b"}}]}
    tools(f"cat > nextpnr.json <<'END'\n{json.dumps(report)}\nEND\n{FILES}"
          f'echo "$*" > {tmp_path}/given; cp board.pcf {tmp_path}/constraints\n')
    (tmp_path / "in" / "netlist.json").write_text(json.dumps(NETLIST))
    found = run(tmp_path, PLL)
    assert (found.fmax_hz, found.slowest) == (fmax * 1e6, ("core", "other"))
    assert "--freq 24.000000" in (tmp_path / "given").read_text()
    assert (tmp_path / "constraints").read_text() == "set_frequency clk 12.0\n"


def test_a_report_without_the_clock_of_the_pll_is_no_success(tools, tmp_path):
    logs = tools(WORKS)
    (tmp_path / "in" / "netlist.json").write_text(json.dumps(NETLIST))
    with raises(toolchain.ToolError, "nextpnr-ice40: its report has no clock of the PLL, but clk, "
                f"other; its log is {logs / 'nextpnr.log'}"):
        run(tmp_path, PLL)


def test_clock_to_reach_is_in_the_constraints(tools, tmp_path):
    tools(f"cp board.pcf {tmp_path}/given\n{WORKS}")
    run(tmp_path, Clock(24_500_000))
    assert (tmp_path / "given").read_text() == "set_frequency clk 24.5\n"


def test_packing(tools, tmp_path):
    tools(WORKS)
    (tmp_path / "top.asc").write_text("x\n")
    family = BOARD.family
    stage = Pack(tmp_path / "top.asc", family, toolchain.find(family.place.packer))
    assert stage.run(tmp_path / "out", tmp_path / "logs").size == 2
    assert (tmp_path / "out" / "top.bin").read_text() == "x\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["top.bin"]


def test_second_router_takes_over(tools, tmp_path):
    logs = tools(STUCK, WORKS)
    assert run(tmp_path).router == "router2"
    assert "1001" in (logs / "nextpnr-router1.log").read_text()


def test_no_router_gets_through(tools, tmp_path):
    tools(STUCK, GIVES_UP)
    with raises(place.RouteError,
                "icebreaker: no router connects the design, although it fits; its wiring reaches "
                "too far for this device: train with local wiring (windows), with fewer inputs a "
                "node, or take a larger board"):
        run(tmp_path)


def test_full_device_is_a_placement_error(tools, tmp_path):
    logs = tools("echo 'Info: \t         ICESTORM_LC:    6000/   5280   113%'\n"
                 "echo \"ERROR: Unable to place cell 'x', no Bels remaining of type "
                 "'ICESTORM_LC'\"\nexit 1")
    with raises(place.PlaceError, "nextpnr-ice40: Unable to place cell 'x', no Bels remaining of "
                f"type 'ICESTORM_LC' (exit code 1); its log is {logs / 'nextpnr.log'}") as error:
        run(tmp_path)
    assert error.value.utilisation == {"ICESTORM_LC": Usage(6000, 5280)}


def test_other_failures_stay_what_they_are(tools, tmp_path):
    logs = tools("echo 'ERROR: cannot open netlist.json'; exit 1")
    with raises(toolchain.ToolError, "nextpnr-ice40: cannot open netlist.json (exit code 1); its "
                f"log is {logs / 'nextpnr.log'}"):
        run(tmp_path)
