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
from bitwright.model.figures import confusion, of_classes, of_numbers
from bitwright.native import library

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


def of(matrix, names, part="test"):
    """A result of a confusion matrix."""
    matrix = np.array(matrix)
    return {"network": "n", "data": "d", "part": part, "samples": int(matrix.sum()),
            "task": "classification", **of_classes(matrix), "classes": names,
            "confusion": matrix.tolist()}


def test_report_for_people():
    assert evaluate.report(of([[4, 1, 0], [0, 3, 0], [0, 0, 0]], ["a", "bb", "never"])) == (
        "n on the test part of d: 87.50% (7 of 8), balanced 90.00%\n\n"
        "class | precision  recall      F1  samples\n"
        "    a |   100.00%  80.00%  88.89%        5\n"
        "   bb |    75.00% 100.00%  85.71%        3\n"
        "never |         -       -       -        0\n\n"
        "label | decision\n"
        "      |       a     bb  never\n"
        "    a |       4      1      0\n"
        "   bb |       0      3      0\n"
        "never |       0      0      0\n")


def test_frames_that_are_needed():
    """By hand: a popcount of a bit a class, three frames."""
    result = {**of([[4, 1], [0, 3]], ["a", "b"]), "frames": {
        "counts": [0, 5, 3], "mean": 2.375, "lead": 0, "changed": 0}}
    lines = evaluate.report(result).splitlines()
    assert lines[2:5] == [
        "early exit as all frames decide: 2.38 of 3 frames a sample, 0 decisions changed",
        "samples by frames needed: 2: 5, 3: 3", ""]
    result["frames"] |= {"lead": 4, "changed": 1}
    assert evaluate.report(result).splitlines()[2] == (
        "early exit where the lead is 4: 2.38 of 3 frames a sample, 1 decisions changed")


def test_frames_of_a_network(tmp_path, capsys):
    network = modulated(frames=3)
    ir.save(tmp_path / "n.safetensors", network)
    source = data.load("iris")
    exits = ir.Exit.of(network, 2).evaluate(network, source.x_test)
    assert evaluate.main([str(tmp_path / "n.safetensors"), "--data", "iris", "--early-exit", "2",
                          "--json"]) == 0
    frames = json.loads(capsys.readouterr().out)["frames"]
    assert frames["counts"] == np.bincount(exits.frames, minlength=4)[1:].tolist()
    assert frames["mean"] == exits.frames.mean()
    assert frames["changed"] == (exits.decision
                                 != network.evaluate(source.x_test).decision).sum()


def modulated(frames):
    """A network for the four numbers of iris, with random frames."""
    rng = np.random.default_rng(0)
    thresholds = rng.integers(1, 80, (frames, 4, 3)).astype(np.int32)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 7), ("input",)),
        ir.Entry("head", ir.GroupSum(12, 3), ("modulate",))))


def test_names_that_are_too_long_above_a_column_have_numbers():
    names = [f"a class with a long name, the {n}th" for n in range(11)]
    lines = evaluate.report(of(np.eye(11, dtype=int), names)).splitlines()[-12:]
    assert lines[0] == " " * 37 + " | " + "".join(f"{n:>5}" for n in range(11))
    assert lines[2] == f"{names[1]:>34}  1 |     0    1" + "    0" * 9
    assert max(map(len, lines)) <= 100


def test_report_of_many_classes_is_short():
    matrix = 9 * np.eye(1000, dtype=np.int64)
    matrix[7, 8], matrix[500, 1] = 5, 2
    text = evaluate.report(of(matrix, [f"c{n}" for n in range(1000)], part="all"))
    lines = text.splitlines()
    assert lines[:4] == ["n on d: 99.92% (9000 of 9007), balanced 99.95%", "",
                         "the 20 of 1000 classes with the lowest F1",
                         "class | precision  recall      F1  samples"]
    assert lines[4].split() == ["c7", "|", "100.00%", "64.29%", "78.26%", "14"]
    assert lines[-3:] == ["the 2 most frequent of 2 confusions", "       5  c7 taken for c8",
                          "       2  c500 taken for c1"]
    assert len(lines) == 28


def test_report_of_numbers():
    result = {"network": "n", "data": "d", "part": "test", "samples": 2, "task": "regression",
              "answer": "depth (cm)", **of_numbers(np.array([1, 3]), np.array([2, 3]))}
    assert evaluate.report(result) == (
        "n on the test part of d: 2 samples of depth (cm)\n\n"
        "RMSE 0.707107\nMAE  0.5\nR2   0.5000\n")
    assert of_numbers(np.array([2.0]), np.array([2.0])) == {"rmse": 0, "mae": 0, "r2": None}
    assert evaluate.report({**result, "answer": None, "r2": None}).splitlines()[::4] == [
        "n on the test part of d: 2 samples", "R2   -"]


def test_figures_equal_those_of_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(1)
    labels, decisions = rng.integers(5, size=(2, 300))
    labels[labels == 3] = 1  # one class without a sample
    decisions[decisions == 4] = 0  # one that is never decided
    figures = of_classes(confusion(labels, decisions, 5))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, decisions, labels=range(5), zero_division=np.nan)
    assert figures["accuracy"] == metrics.accuracy_score(labels, decisions)
    recalls = [value for value, count in zip(recall, support, strict=True) if count]
    assert figures["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        found = [np.nan if value is None else value for value in figures["per_class"][name]]
        assert found == pytest.approx(expected, nan_ok=True)
    assert figures["per_class"]["support"] == support.tolist()
    targets, answers = rng.normal(size=(2, 300))
    numbers = of_numbers(targets, answers)
    assert numbers["rmse"] == pytest.approx(metrics.root_mean_squared_error(targets, answers))
    assert numbers["mae"] == pytest.approx(metrics.mean_absolute_error(targets, answers))
    assert numbers["r2"] == pytest.approx(metrics.r2_score(targets, answers))


def test_a_file_of_ones_own(here, capsys, caplog, tmp_path):
    """Raw values and names of classes; what was evaluated is all of it."""
    preparation = ir.Affine(1, 8, False, False, np.zeros(4, np.float32),
                            np.full(4, 10, np.float32), np.zeros(0, np.float32))
    names = ir.Names(("low", "mid", "high"), ("a", "b", "c", "d"))
    network = ir.Network(here, preparation=preparation, names=names)
    ir.save(Path("own.safetensors"), network)
    raw = np.random.default_rng(0).uniform(0, 25, (30, 4)).round(1)
    decisions = network.evaluate(preparation.apply(raw[:, None])).decision
    lines = ["a,b,c,d,kind", *(",".join([*map(str, row), names.classes[decision]])
                               for row, decision in zip(raw, decisions, strict=True))]
    Path("mine.csv").write_text("\n".join(lines))
    result = json.loads(run(capsys, "own.safetensors", "--data", "mine.csv", "--json"))
    assert (result["accuracy"], result["samples"], result["part"]) == (1.0, 30, "all")
    Path("other.csv").write_text("\n".join(lines).replace(names.classes[decisions[2]], "?!", 1))
    assert evaluate.main(["own.safetensors", "--data", "other.csv"]) == 1
    assert "'?!'" in caplog.messages[-1]


def test_a_regression_and_what_does_not_fit_it(here, capsys, caplog):
    head = ir.Entry("head", ir.GroupSum(9, 1), ("lut0",))
    answer = ir.Answer(np.array([-1.5], np.float32), np.array([0.25], np.float32))
    preparation = ir.Affine(1, 8, False, False, np.zeros(4, np.float32), np.ones(4, np.float32),
                            np.zeros(0, np.float32))
    network = ir.Network((*here[:2], head), preparation=preparation, answer=answer)
    ir.save(Path("numbers.safetensors"), network)
    assert evaluate.main(["numbers.safetensors", "--data", "iris"]) == 1
    assert caplog.messages[-1] == ("numbers.safetensors: the network answers numbers, labels of "
                                   "data set 'iris' are classes")
    features = np.random.default_rng(0).integers(0, 255, (20, 4))
    numbers = -1.5 + 0.25 * network.evaluate(features).scores[:, 0]
    rows = [",".join(map(str, [*row, number + 1])) for row, number in
            zip(features, numbers, strict=True)]
    Path("rows.csv").write_text("\n".join(rows))
    result = json.loads(run(capsys, "numbers.safetensors", "--data", "rows.csv", "--json"))
    assert (result["task"], result["rmse"], result["mae"]) == ("regression", 1, 1)


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
    for foreign in ("iris", ["iris"], {"name": 5}, {"name": ["iris"]}, None):  # of another tool
        ir.save(Path("foreign.safetensors"), ir.Network(here, {"data": foreign}))
        refused(caplog, "foreign.safetensors: the file names no data set; give one with --data",
                "foreign.safetensors")
        assert evaluate.main(["foreign.safetensors", "--data", "iris"]) == 0
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


def test_a_data_set_that_is_prepared_otherwise(here, caplog):
    """As when a row was added that widens a range: the quantiser is fitted anew."""
    rows = [f"{n},{n % 7},{n % 5},{n % 3},{'xyz'[n % 3]}" for n in range(60)]
    Path("grows.csv").write_text("\n".join(rows), encoding="utf-8")
    source = data.load("grows.csv")
    provenance = {"data": {"name": "grows.csv", "digest": source.digest}}
    network = ir.Network(here, provenance, preparation=source.preparation, names=source.names)
    ir.save(Path("grown.safetensors"), network)
    assert evaluate.main(["grown.safetensors"]) == 0
    assert caplog.messages == []
    Path("grows.csv").write_text("\n".join([*rows, "1000,1,1,1,x", "-1000,1,1,1,x"] * 2),
                                 encoding="utf-8")
    refused(caplog, "grown.safetensors: data set 'grows.csv' makes integers of its values "
            "otherwise than the network does, as it has changed or is another one; `predict` "
            "reads any file as the network does, or train again", "grown.safetensors")


def test_other_data_of_the_same_name_is_mentioned(caplog, here):
    ir.save(Path("old.safetensors"), ir.Network(here, {"data": {"name": "iris", "digest": "0"}}))
    assert evaluate.main(["old.safetensors"]) == 0
    assert caplog.messages[0] == ("old.safetensors: data set 'iris' is not the one that the "
                                  "network was trained on")


def test_machine_code_has_the_same_figures(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(library, "_FOLDER", tmp_path / "native")
    monkeypatch.setattr(library, "_FLAGS", (("-O0",),))
    expected = run(capsys, "--json")
    assert run(capsys, "--json", "--compiled") == expected


@pytest.mark.parametrize("other", [("--bit-errors", "0.1"), ("--early-exit",)])
def test_machine_code_runs_whole_and_right(other, caplog):
    assert evaluate.main(["--compiled", *other]) == 2
    assert caplog.messages == ["--compiled must be without --bit-errors and --early-exit"]
