"""The folder of a block as those run it who take it: make, FuseSoC, LiteX."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bitwright import ir
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from tests.hw.ip import litex_soc
from tests.hw.ip.folders import CASES, written

ROOT = Path(__file__).parents[3]

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")


@pytest.fixture(scope="module", params=CASES)
def block(request, tmp_path_factory):
    """A block, and its folder, which no test alters."""
    folder = tmp_path_factory.mktemp(request.param)
    return written(request.param, folder), folder


@pytest.fixture(scope="module")
def beats(tmp_path_factory):
    """The one with several beats a result: where one is enough."""
    folder = tmp_path_factory.mktemp("beats")
    return written("beats", folder), folder


def copied(folder, tmp_path):
    return Path(shutil.copytree(folder, tmp_path / "ip"))


def run(*command, cwd, **environment):
    """Status and text of a command."""
    done = subprocess.run(command, cwd=cwd, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **environment}, timeout=580)
    return done.returncode, done.stdout


def verdict(text):
    return [line for line in text.splitlines() if line.startswith(("PASS", "FAIL"))]


@icarus
@pytest.mark.parametrize("arguments", ["", "+seed=7 +stall=200", "+stall=0 +vectors=3"])
def test_the_bench_passes(block, arguments, tmp_path):
    folder = copied(block[1], tmp_path)
    status, text = run("make", "icarus", f"ARGS={arguments}", cwd=folder)
    (line,) = verdict(text)
    samples = 3 if "vectors" in arguments else 12
    assert re.fullmatch(rf"PASS: {samples} samples, \d+ cycles, seed \d+, stall \d+", line), text
    assert status == 0


def faulty(block, text, **faults):
    """The text of a block within another of its name and ports.

    Parameters
    ----------
    block : Block
    text : str
    **faults : str
        What a port of either of them is, where it is not that port of the other. `tick` is 1 every
        second cycle.
    """
    naming, ports = block.interface.naming, block.interface.ports
    inner = re.sub(rf"^module {naming.module}\b", "module within", text, flags=re.MULTILINE)
    assert inner != text
    links, lines = [], []
    for port in ports:
        source = faults.get(port.name, f"{port.name}" if port.direction == "input"
                            else f"inner_{port.name}")
        if port.direction == "input":
            links.append(f".{port.name}({source})")
        else:
            lines += [f"  wire [{port.width - 1}:0] inner_{port.name};",
                      f"  assign {port.name} = {source};"]
            links.append(f".{port.name}(inner_{port.name})")
    declared = ", ".join(f"{port.direction} [{port.width - 1}:0] {port.name}" for port in ports)
    return "\n".join([
        inner, f"module {naming.module}({declared});", "  reg tick = 0;",
        f"  always @(posedge {naming.clock}) tick <= !tick;", *lines,
        f"  within dut({', '.join(links)});", "endmodule", ""])


BLOCKS = {
    "data": ({"m_axis_tdata": "inner_m_axis_tdata ^ 1"}, "wrong result"),
    "last": ({"m_axis_tlast": "~inner_m_axis_tlast"}, "wrong tlast"),
    "keep": ({"m_axis_tkeep": "~inner_m_axis_tkeep"}, "wrong tkeep"),
    "valid falls": ({"m_axis_tvalid": "inner_m_axis_tvalid & tick",
                     "m_axis_tready": "m_axis_tready & tick"}, "valid fell"),
    "data changes": ({"m_axis_tdata": "inner_m_axis_tdata ^ (tick & !m_axis_tready)"},
                     "result changed while it waited"),
    "undefined": ({"m_axis_tvalid": "inner_m_axis_tvalid ? 1'b1 : 1'bx"}, "undefined control"),
    "error": ({"sample_error": "inner_s_axis_tready & s_axis_tlast"}, "sample refused"),
    "deaf": ({"s_axis_tvalid": "1'b0", "s_axis_tready": "1'b0"}, "stuck"),
    "mute": ({"m_axis_tvalid": "1'b0"}, "stuck"),
    "no clock": ({"aclk": "1'b0"}, "stuck"),
}
"""What is done to ports, and what the bench says."""

FILES = {
    "half of the samples": ("samples", lambda text: text[: len(text) // 2]),
    "no samples": ("samples", lambda text: ""),
    "a wrong result": ("results", lambda text: ("0" if text[0] == "f" else "f") + text[1:]),
    "no results": ("results", lambda text: ""),
}


@icarus
@pytest.mark.parametrize("fault", BLOCKS)
def test_the_bench_sees_a_planted_fault(beats, fault, tmp_path):
    made, folder = beats[0], copied(beats[1], tmp_path)
    faults, words = BLOCKS[fault]
    path = folder / made.interface.file
    path.write_text(faulty(made, path.read_text(), **faults))
    status, text = run("make", "icarus", cwd=folder)
    (line,) = verdict(text)
    assert line.startswith(f"FAIL: {words}, at result beat "), text
    assert status != 0


@icarus
def test_what_plants_faults_plants_no_more(beats, tmp_path):
    made, folder = beats[0], copied(beats[1], tmp_path)
    path = folder / made.interface.file
    path.write_text(faulty(made, path.read_text()))
    assert verdict(run("make", "icarus", cwd=folder)[1])[0].startswith("PASS: 12 samples, ")


@icarus
@pytest.mark.parametrize("fault", FILES)
def test_the_bench_sees_other_vectors(beats, fault, tmp_path):
    made, folder = beats[0], copied(beats[1], tmp_path)
    file, edit = FILES[fault]
    path = folder / f"{made.name}_{file}.hex"
    path.write_text(edit(path.read_text()))
    status, text = run("make", "icarus", cwd=folder)
    (line,) = verdict(text)
    assert line.startswith("FAIL: "), text
    assert status != 0


@icarus
@pytest.mark.parametrize(("arguments", "words"), [
    ("+vectors=0", "no such number of vectors"), ("+vectors=13", "no such number of vectors"),
    ("+stall=256", "no such number of stalls"),
])
def test_the_bench_refuses_to_do_nothing(beats, arguments, words, tmp_path):
    folder = copied(beats[1], tmp_path)
    status, text = run("make", "icarus", f"ARGS={arguments}", cwd=folder)
    assert verdict(text)[0].startswith(f"FAIL: {words}, ")
    assert status != 0


@icarus
def test_the_template_is_an_instance_of_the_block(block, tmp_path):
    made, folder = block
    (tmp_path / "outer.v").write_text(
        f"module outer;\n{made.files[f'{made.name}_instance.v']}endmodule\n")
    status, text = run("iverilog", "-g2005", "-Wall", "-s", "outer", "-o", str(tmp_path / "model"),
                       str(tmp_path / "outer.v"), f"{made.name}.v", cwd=folder)
    assert (status, [line for line in text.splitlines() if "outer.v" in line]) == (0, [])


QUICK = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
"""What makes a compiler quick: these models run for some hundred cycles."""


def verilator(folder):
    """A folder with a program `verilator`, whichever there is, and what it needs around it."""
    from bitwright.sim.simulator import SimulatorError
    from bitwright.sim.verilator import Verilator

    try:
        found = Verilator.find()
    except SimulatorError as error:
        pytest.skip(str(error))
    folder.mkdir()
    program = folder / "verilator"
    program.write_text(f'#!/bin/sh\nexec {found.command[0]} "$@"\n')
    program.chmod(0o755)
    settings = {**found.settings, "MAKEFLAGS": f"{found.settings['MAKEFLAGS']} {QUICK}"}
    return {**settings, "PATH": os.pathsep.join([str(folder), os.environ["PATH"]])}


@pytest.mark.slow
def test_the_bench_in_verilator(beats, tmp_path):
    environment = verilator(tmp_path / "bin")
    made, folder = beats[0], copied(beats[1], tmp_path)
    status, text = run("make", "verilator", cwd=folder, **environment)
    assert re.fullmatch(r"PASS: 12 samples, \d+ cycles, seed 1, stall 77", verdict(text)[0]), text
    assert status == 0
    file, edit = FILES["a wrong result"]
    path = folder / f"{made.name}_{file}.hex"
    path.write_text(edit(path.read_text()))
    status, text = run("make", "verilator", cwd=folder, **environment)
    assert verdict(text)[0].startswith("FAIL: wrong result, at result beat 0 of "), text
    assert status != 0


def fusesoc(*arguments, cwd, **environment):
    pytest.importorskip("fusesoc")
    return run(sys.executable, "-m", "fusesoc.main", "--cores-root", "ip", "run", *arguments,
               cwd=cwd, HOME=str(cwd), XDG_CONFIG_HOME=str(cwd), XDG_DATA_HOME=str(cwd),
               XDG_CACHE_HOME=str(cwd), **environment)


@icarus
def test_fusesoc_simulates_the_block(beats, tmp_path):
    made, folder = beats[0], copied(beats[1], tmp_path)
    core = f"bitwright:network:{made.name}"
    status, text = fusesoc("--target=sim", core, "--seed=5", cwd=tmp_path)
    assert re.fullmatch(r"PASS: 12 samples, \d+ cycles, seed 5, stall 77", verdict(text)[0]), text
    assert status == 0
    path = folder / f"{made.name}.v"
    path.write_text(faulty(made, path.read_text(), m_axis_tdata="inner_m_axis_tdata ^ 1"))
    status, text = fusesoc("--target=sim", core, cwd=tmp_path)
    assert verdict(text)[0].startswith("FAIL: wrong result, ")
    assert status != 0


@pytest.mark.slow
def test_fusesoc_with_verilator(beats, tmp_path):
    environment = verilator(tmp_path / "bin")
    made, _ = beats[0], copied(beats[1], tmp_path)
    core = f"bitwright:network:{made.name}"
    status, text = fusesoc("--target=lint", core, cwd=tmp_path, **environment)
    assert (status, re.findall(r"%(?:Warning|Error).*", text)) == (0, []), text
    status, text = fusesoc("--target=sim_verilator", core, cwd=tmp_path, **environment)
    assert re.fullmatch(r"PASS: 12 samples, \d+ cycles, seed 1, stall 77", verdict(text)[0]), text
    assert status == 0


@icarus
@pytest.mark.slow
def test_a_soc_of_litex_gets_the_results(block, tmp_path):
    """A whole SoC, with the block on its registers: every result of every sample, read over its
    bus."""
    pytest.importorskip("litex")
    made, folder = block
    name, layout = made.name, made.interface.layout
    if name == "written":
        pytest.skip("no part of this SoC sends the contents that the block waits for")
    class_name = "".join(part.title() for part in name.split("_"))
    status, text = run(sys.executable, "-m", "tests.hw.ip.litex_soc", str(folder), name, class_name,
                       cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert status == 0, text
    soc = json.loads((tmp_path / "soc.json").read_text())
    at = soc["registers"]
    assert list(at) == ["beat", "status", "result", "take"]

    samples = ir.draw(made.network, 12, 2)
    in_words, out_words = -(-layout.beat_bytes // 4), -(-layout.result_beat_bytes // 4)
    script, replies = b"", []  # commands, and the words that each reply has
    for sample in samples.tolist():
        for beat in layout.pack_features(sample):
            words = [beat >> 32 * place & 0xFFFFFFFF for place in reversed(range(in_words))]
            script += litex_soc.read(at["status"], 1) + litex_soc.write(at["beat"], words)
            replies.append(1)
        for _ in range(layout.result_beats):
            # The block takes fewer cycles than these bytes do.
            script += 8 * litex_soc.read(at["status"], 1) + litex_soc.read(at["result"], out_words)
            script += litex_soc.write(at["take"], [1])
            replies += [*8 * [1], out_words]
    (tmp_path / "script.txt").write_text("".join(f"{byte:02x}\n" for byte in script))
    (tmp_path / "harness.v").write_text(litex_soc.HARNESS)
    (tmp_path / "plain.ys").write_text(litex_soc.PLAIN)
    toolchain.run(toolchain.find(YOSYS), ["-q", "plain.ys"], folder=tmp_path, log=None)
    status, text = run("iverilog", "-g2005", "-s", "harness", "-o", "model", "harness.v", "plain.v",
                       *soc["sources"], cwd=tmp_path)
    assert status == 0, text
    status, text = run("vvp", "-n", "model", cwd=tmp_path)
    assert status == 0, text

    got = bytes.fromhex((tmp_path / "replies.txt").read_text())
    assert len(got) == 4 * sum(replies)
    words = [int.from_bytes(got[start : start + 4], "big") for start in range(0, len(got), 4)]
    expected = CASES[name][1].evaluate(made.network, samples)
    for decision, scores in zip(expected.decision.tolist(), expected.scores.tolist(), strict=True):
        for _ in range(layout.beats):
            assert (words.pop(0) & 3) == 1  # ready for a beat, and no result
        result = 0
        for place in range(layout.result_beats):
            *_, state = [words.pop(0) for _ in range(8)]
            assert state == 2 + 1 + 4 * (place == layout.result_beats - 1)  # nothing was refused
            beat = 0
            for _ in range(out_words):
                beat = beat << 32 | words.pop(0)
            result |= beat << 8 * layout.result_beat_bytes * place
        assert layout.unpack_result(result) == (decision, tuple(scores))
    assert words == []
