"""Raw values in, names and numbers out."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bitwright import ir
from bitwright.answers import infer, predict
from bitwright.native import library

ROOT = Path(__file__).parents[2]

ROWS = [[0.5, -3.25], [1.5, 2.0], [0.125, 8.75]]
COLUMNS = ("length [m]", "weight")


def network(answer=None, **names):
    """Thresholds of two features; the scores are how many of them are reached."""
    preparation = ir.Affine(1, 4, False, False, np.array([0, -4], np.float32),
                            np.array([3, 1], np.float32), np.zeros(0, np.float32))
    thresholds = np.array([[[2, 5], [3, 8]]], np.int32)
    classes = 1 if answer else 2
    weights = np.array([[True, True, False, False], [False, False, True, True]])[:classes]
    return ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
                       ir.Entry("head", ir.Scores(weights, 1, np.zeros(classes, np.int32)),
                                ("modulate",))),
                      preparation=preparation, answer=answer, names=ir.Names(**names))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ir.save(Path("n.safetensors"), network(classes=("cat", "dog"), columns=COLUMNS))
    return tmp_path


def table(*rows, header=(*COLUMNS, "animal")):
    return "".join(",".join(map(str, row)) + "\n" for row in ([header] if header else []) + [*rows])


def errors(caplog):
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


def run(capsys, *arguments):
    assert predict.main(["n.safetensors", *arguments]) == 0
    return capsys.readouterr().out


def test_raw_values_with_labels(here, capsys):
    Path("x.csv").write_text(table(*([*row, label] for row, label in
                                     zip(ROWS, ["cat", "dog", "dog"], strict=True))))
    frozen = ir.load(Path("n.safetensors"))
    scores = frozen.evaluate(frozen.preparation.apply(
        np.array(ROWS, np.float32)[:, None])).scores.tolist()
    found = [json.loads(line) for line in run(capsys, "x.csv", "--json").splitlines()]
    assert [list(one["scores"].values()) for one in found] == scores
    classes = [one["class"] for one in found]
    assert classes == [("cat", "dog")[int(np.argmax(row))] for row in scores]
    assert set(classes) == {"cat", "dog"}
    right = sum(one["class"] == one["label"] for one in found)
    lines = run(capsys, "x.csv").splitlines()
    assert lines[0].split() == ["sample", "label", "class", "cat", "dog"]
    assert lines[-1] == f"{right} of 3 right ({100 * right / 3:.2f} %)"


def test_the_verdict_is_not_among_what_a_machine_reads(here, capsys, caplog):
    caplog.set_level(logging.INFO)
    Path("x.csv").write_text(table([0.5, -3.25, "cat"]))
    assert len(run(capsys, "x.csv", "--csv").splitlines()) == 2
    assert caplog.messages[0].startswith(("1 of 1 right", "0 of 1 right"))


def test_standard_input(here, capsys, caplog, monkeypatch):
    def stdin(text):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    Path("x.csv").write_text(table(*ROWS, header=COLUMNS))
    stdin(table(*ROWS, header=COLUMNS))
    assert run(capsys, "-") == run(capsys, "x.csv")
    stdin("length [m],weight\n1,x\n")
    assert predict.main(["n.safetensors", "-"]) == 1
    assert errors(caplog) == [
        "standard input: line 2, column 2 'weight' must be a number, not 'x'"]


def test_integers_as_they_are(here, capsys):
    frozen = ir.load(Path("n.safetensors"))
    features = frozen.preparation.apply(np.array(ROWS, np.float32)[:, None])
    Path("raw.csv").write_text(table(*ROWS, header=COLUMNS))
    Path("int.csv").write_text(table(*features.tolist(), header=None))
    raw, integers = run(capsys, "raw.csv"), run(capsys, "int.csv", "--integers")
    assert raw.replace("line 4", "line 3", 1).split()[-4:] == integers.split()[-4:]


def test_a_number_in_its_unit(here, capsys):
    answer = ir.Answer(np.array([20], np.float32), np.array([0.5], np.float32))
    ir.save(Path("n.safetensors"), network(answer, answers=("t [K]",), columns=COLUMNS))
    Path("x.csv").write_text(table([4.0, 8.75, 22], header=(*COLUMNS, "t [K]")))
    (line,) = run(capsys, "x.csv", "--json").splitlines()
    score = json.loads(line)["scores"]["t [K]"]
    assert json.loads(line)["answers"] == {"t [K]": 20 + 0.5 * score}
    assert run(capsys, "x.csv").splitlines()[-1].startswith("t [K]: mean absolute error ")


def test_the_board_answers_in_the_same_unit(here, capsys):
    """A single score, whose decision means nothing, over the line of the design itself."""
    answer = ir.Answer(np.array([20], np.float32), np.array([0.5], np.float32))
    ir.save(Path("n.safetensors"), network(answer, answers=("t [K]",), columns=COLUMNS))
    Path("x.csv").write_text(table(*ROWS[:2], header=COLUMNS))
    for form in ("--json", "--csv"):
        wanted = run(capsys, "x.csv", form)
        for kind in ("golden", "rtl"):
            assert infer.main(["n.safetensors", "x.csv", form, "--emulate", kind]) == 0
            assert capsys.readouterr().out == wanted


def test_pictures(here, capsys):
    image = pytest.importorskip("PIL.Image")
    thresholds = np.full((1, 4, 1), 128, np.int32)
    weights = np.array([[True] * 4, [False] * 4])
    ir.save(Path("n.safetensors"), ir.Network(
        (ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",)),
         ir.Entry("head", ir.Scores(weights, 1, np.zeros(2, np.int32)), ("modulate",))),
        preparation=ir.Picture(2, 2, False, False, 255), names=ir.Names(classes=("day", "night"))))
    for folder, level in (("day", 200), ("night", 20)):
        Path("shots", folder).mkdir(parents=True)
        image.new("L", (6, 4), level).save(f"shots/{folder}/a.png")
    lines = run(capsys, "shots").splitlines()
    assert [line.split()[1:3] for line in lines[1:3]] == [["day", "day"], ["night", "night"]]
    assert lines[-1] == "2 of 2 right (100.00 %)"
    assert json.loads(run(capsys, "shots/night/a.png", "--json"))["class"] == "night"
    assert infer.main(["n.safetensors", "shots", "--emulate"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_without_a_file(here, capsys, caplog):
    assert predict.main(["n.safetensors"]) == 1
    assert errors(caplog) == [("n.safetensors: the network stores no golden vectors; name a FILE, "
                              "or draw some with --random")]
    twenty = ("--random", "--vectors", "20")
    drawn = run(capsys, *twenty)
    assert drawn == run(capsys, *twenty)
    assert drawn != run(capsys, *twenty, "--seed", "2")
    assert len(drawn.splitlines()) == 21
    assert len(run(capsys, "--random").splitlines()) == 201


def test_options_between_the_positionals(here, capsys):
    Path("x.csv").write_text(table(*ROWS, header=COLUMNS))
    for main, options in ((predict.main, ["--json"]), (infer.main, ["--emulate", "golden"]),
                          (infer.main, ["--json", "--emulate=golden", "--vectors", "1"])):
        found = []
        for before in (2, 1, 0):
            names = ["n.safetensors", "x.csv"]
            assert main([*names[:before], *options, *names[before:]]) == 0
            found.append(capsys.readouterr().out)
        assert found[0]
        assert found == found[:1] * 3


def test_a_row_that_could_count_the_columns(here, capsys):
    """The network's columns have other names: it is a row."""
    Path("x.csv").write_text("1,2\n")
    Path("named.csv").write_text(table([1, 2], header=COLUMNS))
    assert run(capsys, "x.csv").replace("line 1", "line 2") == run(capsys, "named.csv")


def test_a_column_that_is_no_label(here, capsys, caplog):
    answer = ir.Answer(np.array([20], np.float32), np.array([0.5], np.float32))
    ir.save(Path("n.safetensors"), network(answer, answers=("t [K]",), columns=COLUMNS))
    Path("x.csv").write_text(table([4, 8, "a"], [4, 8, "b"], header=(*COLUMNS, "where")))
    assert run(capsys, "x.csv").splitlines()[0].split() == ["sample", "t", "[K]"]
    Path("x.csv").write_text(table([4, 8, 22], [4, 8, "b"], header=(*COLUMNS, "t [K]")))
    for main in (predict.main, lambda arguments: infer.main([*arguments, "--port", "/dev/null"])):
        assert main(["n.safetensors", "x.csv"]) == 1
        assert capsys.readouterr().out == ""
    assert errors(caplog) == [
        "x.csv: line 3: 't [K]' must be a finite number of binary32, not 'b'"] * 2


def test_the_network_is_forgotten(here, caplog):
    Path("x.csv").write_text(table(*ROWS, header=COLUMNS))
    assert predict.main(["x.csv"]) == 1
    assert errors(caplog) == [(
        "x.csv: a file of another kind; the first argument is a frozen network: a file, a run "
        "folder, or the name of a run or of one of the zoo (default: the newest run)")]


TOO_MANY = "FILE does not go with --features, --golden or --random; --vectors says how many"


@pytest.mark.parametrize(("arguments", "message"), [
    (["x.csv", "--golden"], TOO_MANY),
    (["x.csv", "--features", "y.csv"], TOO_MANY),
    (["--random", "20"], TOO_MANY),
    (["--integers"], "--integers needs FILE"),
])
def test_arguments_that_do_not_go_together(here, caplog, arguments, message):
    assert predict.main(["n.safetensors", *arguments]) == 2
    assert errors(caplog) == [message]


HEAVY = {"torch", "amaranth", "scipy", "sklearn", "matplotlib", "pooch", "serial", "cocotb", "PIL"}


@pytest.mark.parametrize("command", [
    ("predict", "n.safetensors", "x.csv"), ("infer", "n.safetensors", "x.csv", "--emulate"),
    ("emulate", "--help"),
])
def test_what_a_machine_beside_the_board_needs(here, command):
    """Nothing heavy is loaded, whatever runs, and nothing of it has to be installed."""
    Path("x.csv").write_text(table(*ROWS, header=COLUMNS))
    code = (f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
            f"sys.modules |= dict.fromkeys({sorted(HEAVY)})\n"
            "from bitwright.cli import main\n"
            f"sys.exit(main({list(command)}))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_machine_code_answers_the_same(here, capsys, monkeypatch):
    monkeypatch.setattr(library, "_FOLDER", here / "native")
    monkeypatch.setattr(library, "_FLAGS", (("-O0",),))
    Path("x.csv").write_text(table(*ROWS, header=COLUMNS))
    assert run(capsys, "x.csv", "--compiled") == run(capsys, "x.csv")
