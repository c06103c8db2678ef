"""The second router takes over when the first gets stuck, and both may give up."""

import json
import re

import pytest

from bitwright import boards
from bitwright.hw.flow import route, toolchain

BOARD = boards.get("icebreaker")
STUCK = ("echo 'Info: Routing 100 arcs.'\n"
         "echo 'Info:       1001 |       70        929 |   70   929 |        63|       0.08       "
         "0.08|'\nexec sleep 60\n")
GIVES_UP = "echo '    iter=401 wires=1 overused=1 overuse=1 archfail=NA'\nexec sleep 60\n"
REPORT = {"fmax": {"clk": {"achieved": 20.5, "constraint": 12}},
          "utilization": {"ICESTORM_LC": {"used": 7, "available": 5280},
                          "SB_IO": {"used": 0, "available": 39}},
          "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": [
              {"from": {"cell": "serial.ip.core.lut0.x"}, "to": {"cell": "y"}},
              {"from": {"cell": "y"}, "to": {"cell": "serial.glue"}}]}]}
WORKS = f"cat > nextpnr.json <<'END'\n{json.dumps(REPORT)}\nEND\necho x > top.asc\n"


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """Stands in for nextpnr, by router, and for the packer."""
    def install(router1, router2="exit 9"):
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


def test_first_router(tools, tmp_path):
    logs = tools(WORKS)
    result = route.route(tmp_path, BOARD, seed=1, log_folder=logs)
    assert result == route.Routing(20.5e6, {"ICESTORM_LC": {"used": 7, "available": 5280}},
                                   "router1", ("core", "other"))
    assert (tmp_path / "top.bin").read_text() == "x\n"


def test_second_router_takes_over(tools, tmp_path):
    logs = tools(STUCK, WORKS)
    assert route.route(tmp_path, BOARD, seed=1, log_folder=logs).router == "router2"
    assert "1001" in (logs / "nextpnr-router1.log").read_text()


def test_no_router_gets_through(tools, tmp_path):
    logs = tools(STUCK, GIVES_UP)
    message = ("icebreaker: no router connects the design, although it fits; its wiring reaches "
               "too far for this device: train with local wiring (windows), with fewer inputs a "
               "node, or take a larger board")
    with pytest.raises(route.RouteError, match=f"^{re.escape(message)}$"):
        route.route(tmp_path, BOARD, seed=1, log_folder=logs)


def test_full_device_is_a_placement_error(tools, tmp_path):
    logs = tools("echo 'Info: \t         ICESTORM_LC:    6000/   5280   113%'\n"
                 "echo \"ERROR: Unable to place cell 'x', no Bels remaining of type "
                 "'ICESTORM_LC'\"\nexit 1")
    message = ("nextpnr-ice40: Unable to place cell 'x', no Bels remaining of type 'ICESTORM_LC' "
               f"(exit code 1); its log is {logs / 'nextpnr.log'}")
    with pytest.raises(route.PlaceError, match=f"^{re.escape(message)}$") as error:
        route.route(tmp_path, BOARD, seed=1, log_folder=logs)
    assert error.value.utilisation == {"ICESTORM_LC": {"used": 6000, "available": 5280}}


def test_other_failures_stay_what_they_are(tools, tmp_path):
    logs = tools("echo 'ERROR: cannot open netlist.json'; exit 1")
    message = (f"nextpnr-ice40: cannot open netlist.json (exit code 1); its log is "
               f"{logs / 'nextpnr.log'}")
    with pytest.raises(toolchain.ToolError, match=f"^{re.escape(message)}$"):
        route.route(tmp_path, BOARD, seed=1, log_folder=logs)
