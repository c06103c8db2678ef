"""The command: what it writes, what it says, and what it refuses in one line."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bitwright import data, ir
from bitwright.hw import families
from bitwright.minimise import run
from tests.networks import network

ZOO = Path(__file__).parents[2] / "zoo"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(capsys, caplog, *argv, status=1):
    caplog.clear()
    assert run.main([*argv]) == status
    assert capsys.readouterr().out == ""
    return caplog.messages[-1]


def test_a_child_says_where_it_comes_from_and_how_good_it_is(capsys):
    assert run.main(["zoo/iris", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    parent = ir.load(ZOO / "iris.safetensors")
    child = ir.load(Path("runs/iris-minimised/network.safetensors"))
    (entry,) = child.provenance["minimised"]
    assert entry == {key: told[key] for key in ("parent", "allow", "rare", "data", "share", "seed",
                                                "steps")}
    assert entry["parent"] == ir.digest(parent) != ir.digest(child)
    assert (entry["share"], entry["seed"]) == (0.2, 0)
    assert told["learnt"] + told["held_back"] == 114
    iris = data.load("iris")
    right = child.evaluate(iris.x_test).decision == iris.y_test
    assert child.provenance["accuracy"]["test"] == told["test"]["after"] == right.mean()
    assert child.provenance["figures"]["test"]["accuracy"] == right.mean()
    assert sum(map(sum, child.provenance["confusion"])) == 36
    learnt, held_back = iris.parted(0.2, 0)
    right = child.evaluate(iris.features[held_back]).decision == iris.labels[held_back]
    assert child.provenance["accuracy"]["validation"] == right.mean()
    assert (child.evaluate(iris.features[learnt]).scores
            == parent.evaluate(iris.features[learnt]).scores).all()
    assert (child.evaluate(child.golden.features).scores == child.golden.scores).all()
    assert child.provenance["recipe"] == parent.provenance["recipe"]
    first, last = entry["steps"][0], entry["steps"][-1]
    assert last["table_bits"] < first["table_bits"] / 4
    assert last["validation"] >= first["validation"]


def test_a_child_of_a_child_names_both(capsys):
    assert run.main(["zoo/iris", "--out", "one.safetensors"]) == 0
    assert run.main(["one.safetensors", "--out", "two.safetensors", "--rare", "0.05"]) == 0
    one, two = (ir.load(Path(f"{name}.safetensors")) for name in ("one", "two"))
    assert [entry["parent"] for entry in two.provenance["minimised"]] == [
        one.provenance["minimised"][0]["parent"], ir.digest(one)]


def test_the_table(capsys):
    assert run.main(["zoo/iris"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (f"{ZOO / 'iris.safetensors'} on iris: learnt from 90 samples, validated "
                        "on 24")
    assert lines[2] == ("step           |  changed | tables | inputs | table bits | input bits | "
                        "compared | validation")
    assert lines[3] == ("simplify       |          |     60 |    239 |        952 |         28 | "
                        "     168 |     91.67%")
    assert lines[-2] == "test: 97.22% before, 97.22% after (36 samples, which chose nothing)"
    assert lines[-1] == "runs/iris-minimised/network.safetensors"


def test_exact_is_for_every_input(capsys):
    pytest.importorskip("pysat")
    assert run.main(["zoo/iris", "--exact", "--depth", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{ZOO / 'iris.safetensors'}: every answer stays, by proof"
    assert lines[2] == ("step             |  changed | tables | inputs | table bits | input bits | "
                        "compared")
    assert lines[-1] == "runs/iris-minimised/network.safetensors"
    parent = ir.load(ZOO / "iris.safetensors")
    child = ir.load(Path(lines[-1]))
    assert child.provenance["accuracy"] == parent.provenance["accuracy"]
    assert (child.golden.scores == parent.golden.scores).all()
    (entry,) = child.provenance["minimised"]
    assert entry.keys() == {"parent", "depth", "steps"}
    assert (entry["parent"], entry["depth"]) == (ir.digest(parent), 2)
    assert "validation" not in entry["steps"][0]
    x = ir.draw(parent, 500, 0)
    assert (child.evaluate(x).scores == parent.evaluate(x).scores).all()


def test_arranged_last(capsys):
    pytest.importorskip("scipy")
    assert run.main(["zoo/iris"]) == 0
    assert run.main(["zoo/iris", "--arrange", "--out", "arranged.safetensors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-5].split("|")[:2] == ["arrange        ", "          "]
    assert re.fullmatch(r"mean wire: 0\.\d{3} sides of the field before the arrangement, 0\.\d{3} "
                        "after", lines[-2])
    before, after = (ir.load(Path(name)) for name in (
        "runs/iris-minimised/network.safetensors", "arranged.safetensors"))
    (entry,) = after.provenance["minimised"]
    assert entry["wires"]["after"] < entry["wires"]["before"]
    assert entry["steps"][-1] == {**entry["steps"][-2], "step": "arrange", "wanted": 0, "kept": 0}
    x = ir.draw(before, 500, 0)
    assert (before.evaluate(x).scores == after.evaluate(x).scores).all()
    assert ir.digest(before) != ir.digest(after)


def test_luts_of_each_step(capsys, monkeypatch):
    monkeypatch.setattr(run, "luts", lambda network, family, parallel: (
        len(network.entries) + family.lut_size + 10 * parallel))
    arguments = ["zoo/iris", "--json", "--force", "--synthesise", "xilinx", "--synthesise", "ice40"]
    for more, expected in (([], {"xilinx": 9, "ice40": 7}),
                           (["--parallel"], {"xilinx": 19, "ice40": 17})):
        assert run.main(arguments + more) == 0
        steps = json.loads(capsys.readouterr().out)["steps"]
        assert [step["luts"] for step in steps] == [expected] * len(steps)
        child = ir.load(Path("runs/iris-minimised/network.safetensors"))
        assert child.provenance["minimised"][0]["steps"] == steps


def test_a_parallel_encoder_is_counted():
    iris = ir.load(ZOO / "iris.safetensors")
    xilinx = families.get("xilinx")
    assert run.luts(iris, xilinx, parallel=True) > run.luts(iris, xilinx) > 0


def test_a_parallel_encoder_is_for_one_frame(capsys, caplog):
    """Refused before anything is done."""
    ir.save(Path("frames.safetensors"), network(0, frames=3))
    assert refused(capsys, caplog, "frames.safetensors", "--parallel") == (
        "frames.safetensors: --parallel needs a network of one frame, not of 3")


def test_what_is_refused(capsys, caplog):
    assert refused(capsys, caplog, "zoo/iris", "--rare", "1", status=2) == (
        "--rare must be at least 0 and below 1, not 1")
    assert refused(capsys, caplog, "zoo/iris", "--allow", "-0.1", status=2) == (
        "--allow must be at least 0 and below 1, not -0.1")
    assert refused(capsys, caplog, "zoo/iris", "--synthesise", "xilix", status=2) == (
        "xilix: no such family; did you mean 'xilinx'?")
    assert refused(capsys, caplog, "zoo/iris", "--data", "digits") == (
        f"{ZOO / 'iris.safetensors'}: the network has 3 classes, data set 'digits' has 10")
    assert refused(capsys, caplog, "zoo/iris", "--exact", "--rare", "0.1", status=2) == (
        "--rare does not go with --exact, which changes no answer")
    assert refused(capsys, caplog, "zoo/iris", "--exact", "--data", "iris", status=2) == (
        "--data does not go with --exact, which looks at none")
    assert refused(capsys, caplog, "zoo/iris", "--depth", "2", status=2) == (
        "--depth is for --exact, where something is proven")
    assert refused(capsys, caplog, "zoo/iris", "--parallel", "--exact", status=2) == (
        "--parallel does not go with --exact, which moves no thresholds")
    path = Path("runs/iris-minimised/network.safetensors")
    path.parent.mkdir(parents=True)
    path.touch()
    assert refused(capsys, caplog, "zoo/iris") == (
        f"{path}: is there already; name another file with --out, or replace it with --force")
    assert run.main(["zoo/iris", "--force"]) == 0


def test_a_network_that_names_no_data(capsys, caplog):
    net = replace(ir.load(ZOO / "iris.safetensors"), provenance={}, golden=None)
    ir.save(Path("mine.safetensors"), net)
    assert refused(capsys, caplog, "mine.safetensors") == (
        "mine.safetensors: the file names no data set; give one with --data")
    assert run.main(["mine.safetensors", "--data", "iris", "--out", "new.safetensors"]) == 0
    child = ir.load(Path("new.safetensors"))
    (entry,) = child.provenance["minimised"]
    assert (entry["share"], entry["seed"]) == (0.1, 0)
    assert child.golden is None


def test_data_that_has_changed(capsys, caplog):
    net = ir.load(ZOO / "iris.safetensors")
    provenance = {**net.provenance, "data": {"name": "iris", "digest": "0"}}
    ir.save(Path("mine.safetensors"), replace(net, provenance=provenance))
    assert run.main(["mine.safetensors"]) == 0
    assert caplog.messages[0] == ("mine.safetensors: data set 'iris' is not the one that the "
                                  "network was trained on")
