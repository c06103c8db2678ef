"""Projects for the programs of the devices' makers: complete, and scripts that parse."""

import dataclasses
import json
import re

import pytest
from amaranth.back import verilog

from bitwright import boards
from bitwright.hw import build
from bitwright.hw.flow.project import _OTHER, Project, lut_size
from bitwright.hw.flow.wrap import BoardTop
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from tests.hw.test_pins import Delayed
from tests.hw.tiny import tiny

tkinter = pytest.importorskip("tkinter", reason="Tcl parses the scripts")

TOOLS = {
    "arty-a7-35": ("Vivado", "board.tcl", "board.xdc"),
    "tang-nano-9k": ("Gowin EDA", "board.tcl", "board.cst"),
    "atlys": ("ISE", "board.prj", "board.ucf"),
    "de10-nano": ("Quartus", "board.qsf", "board.sdc"),
    "machxo3lfsk": ("Diamond", "board.tcl", "board.lpf"),
    "ulx3s-25f": ("Diamond", "board.tcl", "board.lpf"),
    "crosslink-nx-evn": ("Radiant", "board.tcl", "board.pdc"),
    "icebreaker": ("iCEcube2", "board_lse.prj", "board.pcf"),
}
"""What a board's project is for, its script, and where its pins are."""

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def write(name, folder):
    site = boards.find(name)
    network = tiny()
    project = Project("tiny", network, Plan(lut_size=lut_size(site)), True, site, site.baud,
                      Naming("tiny"))
    return site, project.write(folder)


def run_by_tcl(script):
    """Words of the commands of a script. Those that Tcl has not are only noted."""
    tcl, found = tkinter.Tcl(), []
    tcl.createcommand("note", lambda *words: found.append(words) or "")
    # What a vendor's program has of its own, and what would reach outside.
    tcl.eval("proc unknown args {note {*}$args}; "
             "foreach name {exit file source puts} {catch {rename $name {}}}")
    tcl.eval(script)
    return found


@pytest.mark.parametrize("name", [
    name if name in ("arty-a7-35", "tang-nano-9k") else pytest.param(name, marks=pytest.mark.slow)
    for name in TOOLS])
def test_a_project_is_complete(name, tmp_path):
    tool, script, constraints = TOOLS[name]
    site, command = write(name, tmp_path)
    assert command == "sh build_board.sh"
    files = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    readme = files["README.md"]
    assert f"project for\n{tool}, made" in readme
    assert "\n    sh build_board.sh\n" in readme
    # The block is an instance of its own text, which the tool is told to read.
    assert re.search(r"^module tiny\b", files["tiny.v"], re.MULTILINE)
    assert re.search(r"^  tiny ", files["board.v"], re.MULTILINE)
    assert "tiny.v" in files[script]
    assert "board.v" in files[script]
    # Pins and clock.
    platform = site.platform()
    pins = platform.request(*site.uart_resource, dir="-")
    for pin in (pins.rx, pins.tx):
        assert re.search(rf"\b(PIN_)?{pin.io.metadata[0].name}\b", files[constraints]
                         if constraints != "board.sdc" else files["board.qsf"])
    about = json.loads(files["board.json"])
    assert (about["clock_hz"], about["baud"]) == (site.clock_hz, site.baud)
    for path, text in files.items():
        # Constraints of Gowin's clocks only look like Tcl.
        if path.endswith((".tcl", ".qsf", ".sdc", ".xdc", ".pdc")) and not text.startswith("//"):
            assert run_by_tcl(text.replace("$::env(SBT_DIR)", "sbt")), path
    for quoted in re.findall(r"\b(?:board|tiny)\.(?:v|xdc|sdc|cst|lpf|pdc|qsf|pcf|ucf|xst|prj)\b",
                             "".join(files[path] for path in files if path.endswith(
                                 (".tcl", ".qsf", ".prj", ".xst")))):
        assert quoted in files


@pytest.mark.slow
def test_every_board_of_the_makers_has_a_plan(monkeypatch):
    """With the network left out, and the Verilog, which takes Yosys."""
    monkeypatch.setattr(verilog, "_convert_rtlil_text", lambda *text, **options: "")
    for name, site in boards.VENDOR_BOARDS.items():
        if not site.clock_hz or name == "tang-mega-138k-pro-dock":  # unknown to Amaranth
            continue
        if site.uart is None:
            site = dataclasses.replace(site, uart=boards.lines("rx=A1,tx=A2", site.io))
        platform = site.platform(_OTHER.get(site.tool))
        plan = platform.prepare(BoardTop(Delayed(), site), "board", emit_src=False)
        assert plan.script == "build_board"
        assert {"board.v", "build_board.sh"} <= set(plan.files), name


def test_a_script_that_is_no_tcl_is_noticed():
    with pytest.raises(tkinter.TclError):
        run_by_tcl("add_files {tiny.v\nread_xdc board.xdc\n")
    assert run_by_tcl('add_files "a.v"\nlook [get b]\n') == [("add_files", "a.v"), ("get", "b"),
                                                            ("look", "")]


@pytest.mark.parametrize(("name", "message"), [
    ("de0-cv", ("de0-cv: it has no serial port; name the pins that yours is on, as seen from the "
               "device, with --uart rx=PIN,tx=PIN, or under [uart] in a file of your own board "
               "(docs/boards.md)")),
    ("tang-mega-138k-pro-dock",
     "tang-mega-138k-pro-dock: Amaranth cannot build for it: Supplied part name is invalid"),
    ("microzed-z010", ("microzed-z010: its platform has no clock of a known frequency; name one in "
                       "a Platform class of your own (docs/boards.md)")),
])
def test_what_is_missing(name, message, tmp_path):
    with pytest.raises(boards.BoardError, match=f"^{re.escape(message)}$"):
        write(name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (["--part", "iCE40UP5K", "--board", "icebreaker"], "--board does not go with --part"),
    (["--part", "iCE40UP5K", "--program"], "--program does not go with --part"),
    (["--project", "x", "--stop-after", "synth"], "--stop-after does not go with --project"),
    (["--target", "xilinx", "--uart", "rx=1,tx=2"], "--uart does not go with --target"),
    (["--program", "--stop-after", "synth"],
     "--program does not go with --stop-after synth, which makes no bitstream"),
    (["--contents", "flash", "--project", "x"], "--contents flash does not go with --project"),
    (["--contents", "flash", "--target", "xilinx"], "--contents flash does not go with --target"),
    (["--contents", "flash", "--stop-after", "verilog"],
     "--contents flash is for a board, and here is none: name it with --board"),
    (["--contents", "flash", "--board", "ulx3s-25f"],
     ("ulx3s-25f: --contents flash is for boards of an iCE40; the clock of the flash of Lattice "
      "ECP5 is no pin that a design has; leave it out, and write the contents over the link")),
    (["--board", "arty-a7-35"], ("arty-a7-35: only Vivado makes bitstreams for Xilinx xc7a35ti; "
                                "write a project for it with --project DIR")),
    (["--board", "tinyfpga-bx"], ("tinyfpga-bx: it has no serial port; name the pins that yours is "
                                 "on, as seen from the device, with --uart rx=PIN,tx=PIN, or under "
                                 "[uart] in a file of your own board (docs/boards.md)")),
])
def test_arguments_that_do_not_go_together(arguments, message, caplog):
    assert build.main(["zoo/iris", *arguments]) == 2
    assert caplog.messages == [message]
