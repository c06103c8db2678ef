"""Evaluation from the frozen file alone."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bitwright import data, ir
from bitwright.model import evaluate

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working folder with the newest run a random network for iris."""
    monkeypatch.chdir(tmp_path)
    source = data.load("iris")
    rng = np.random.default_rng(0)
    entries = (
        ir.Entry("modulate", ir.Modulate(rng.integers(1, 255, (1, 4, 3)).astype(np.int32), 8),
                 ("input",)),
        ir.Entry("lut0", ir.Lut(12, rng.integers(12, size=(9, 4)).astype(np.int32),
                                rng.integers(2, size=(9, 16)).astype(bool)), ("modulate",)),
        ir.Entry("head", ir.GroupSum(9, 3), ("lut0",)),
    )
    provenance = {"data": {"name": "iris", "digest": source.digest, "test_samples": 36}}
    ir.save(Path("runs/iris/network.safetensors"), ir.Network(entries, provenance))
    return entries


def run(capsys, *argv):
    assert evaluate.main([*argv]) == 0
    return capsys.readouterr().out


def test_json_equals_a_direct_evaluation(here, capsys):
    result = json.loads(run(capsys, "--json"))
    source = data.load("iris")
    decisions = ir.Network(here).evaluate(source.x_test).decision
    assert result["accuracy"] == (decisions == source.y_test).mean()
    assert result["confusion"][1][2] == ((source.y_test == 1) & (decisions == 2)).sum()
    assert result["samples"] == np.sum(result["confusion"]) == 36
    assert result["network"] == "runs/iris/network.safetensors"
    assert result["classes"] == ["setosa", "versicolor", "virginica"]


def test_report_for_people():
    text = evaluate.report({"network": "n", "data": "d", "samples": 10, "accuracy": 0.9,
                            "classes": ["a", "b"], "confusion": [[4, 1], [0, 5]]})
    assert text == ("n on d: 90.00% (9 of 10)\n\n"
                    "label | decision\n"
                    "      |     0    1\n"
                    "    a |     4    1\n"
                    "    b |     0    5\n")


def test_torch_is_not_imported():
    code = ("import sys; from bitwright.model import evaluate\n"
            "assert evaluate.main(['--json']) == 0\n"
            "assert not {'torch', 'tensorboard', 'amaranth', 'hw'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, check=True,
                   capture_output=True)


def refused(caplog, message, *argv):
    assert evaluate.main([*argv]) == 1
    assert re.fullmatch(message, caplog.messages[-1])


def test_errors(caplog, here, tmp_path):
    path = "runs/iris/network.safetensors"
    refused(caplog, "Unknown data set 'iriss'; did you mean 'iris'\\?", "--data", "iriss")
    refused(caplog, f"{path}: the network has 3 classes, data set 'digits' has 10", "--data",
            "digits")
    refused(caplog, "nowhere: no such file, run folder or zoo network; .*", "nowhere")
    ir.save(Path("plain.safetensors"), ir.Network(here))
    refused(caplog, "plain.safetensors: the file names no data set; give one with --data",
            "plain.safetensors")
    narrow = (ir.Entry("modulate", ir.Modulate(np.ones((1, 9, 1), np.int32), 8), ("input",)),
              ir.Entry("head", ir.GroupSum(9, 3), ("modulate",)))
    ir.save(Path("narrow.safetensors"), ir.Network(narrow))
    refused(caplog, "narrow.safetensors: data set 'iris' does not fit: Features must have shape "
                    r"\(batch, 9\), not \(36, 4\)", "narrow.safetensors", "--data", "iris")
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    refused(caplog, f"{path}: not a whole safetensors file .*", path)


def test_no_network_yet(caplog, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    refused(caplog, "no network yet: run `bitwright train` first, or name one of the zoo, "
                    "such as zoo/digits")


def test_other_data_of_the_same_name_is_mentioned(caplog, here):
    ir.save(Path("old.safetensors"), ir.Network(here, {"data": {"name": "iris", "digest": "0"}}))
    assert evaluate.main(["old.safetensors"]) == 0
    assert caplog.messages[0] == ("old.safetensors: data set 'iris' is not the one that the "
                                  "network was trained on")
