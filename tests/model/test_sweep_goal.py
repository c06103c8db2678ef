"""A sweep that looks for one network: so accurate, in so many LUTs, at such a rate."""

from pathlib import Path

import pytest

pytest.importorskip("optuna")
pytest.importorskip("torch")

from bitwright import ir
from bitwright.form import Form
from bitwright.model import sweep
from bitwright.model.sweeping.builds import Build, build
from bitwright.model.sweeping.events import Done, Lost
from bitwright.model.sweeping.goal import Goal
from tests.networks import network

SPEC = """
recipe = "iris"
trials = 6
sampler = "random"
pruner = "none"
target = "icebreaker"
[settings]
epochs = 4
layers.0.width = { low = 6, high = 24, step = 3 }
"""


class Engine:
    """In this process: trials of which the n-th is n tenths accurate and takes 10 n LUTs, and
    builds that take as many as ``real`` says. Everything is lost once."""

    real, rates, forms, asked = {}, [], [], []

    def __init__(self, count, work):
        self._work, self._told = work, []
        told = work.keywords.get("estimate", work).keywords
        self.rates.append(told.get("rate"))
        self.forms.append(told.get("form"))

    @property
    def free(self):
        return not self._told

    def begin(self, number, task):
        first = (number, type(task)) not in self.asked
        self.asked.append((number, type(task)))
        if first:
            self._told.append((number, Lost("killed")))
        elif isinstance(task, Build):
            build(task, lambda event: self._told.append((number, event)),
                  lambda network, target, rate, form, out: self.forms.append(form) or {
                      "luts": self.real[number], "fmax_mhz": 30.0, "per_second": 1e6})
        else:
            out, _ = task.runs[0]
            ir.save(out / "network.safetensors", network(1))
            figures = {"validation": number / 10, "luts": 10.0 * number, "fmax_mhz": 40.0,
                       "per_second": 2e6, "fits": 1.0}
            self._told.append((number, Done(figures, {
                "runs": [{"seed": 0, "epochs": 4, **figures}]})))

    def events(self, timeout):
        told, self._told = self._told, []
        return told

    def close(self):
        pass


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(SPEC)
    monkeypatch.setattr("bitwright.model.sweeping.engine.Processes", Engine)
    for name in ("real", "rates", "forms", "asked"):
        monkeypatch.setattr(Engine, name, type(getattr(Engine, name))())


def test_the_first_network_that_has_it_as_built_ends_the_search(caplog, capsys):
    caplog.set_level("INFO")
    Engine.real |= {3: 41.0, 4: 40.0}
    arguments = ["mine.toml", "--accuracy", "0.3", "--luts", "40", "--rate", "1000"]
    assert sweep.main(arguments) == 0
    assert set(Engine.rates[::2]) == {1000.0}
    assert "trial 3: as built it has 41 LUTs; the search goes on" in caplog.messages
    end = capsys.readouterr().out.splitlines()[-2:]
    assert end == [
        ("found: trial 4, 40.00 % on the validation split, 40 LUTs on icebreaker, 30.0 MHz, "
         "1,000,000 samples/s, as built: runs/sweep-mine/found.safetensors"),
        ("build it with: bitwright build runs/sweep-mine/found.safetensors --board icebreaker "
         "--fit --rate 1000")]
    assert max(number for number, _ in Engine.asked) == 4  # trial 5 was not needed
    table = Path("runs/sweep-mine/pareto.md").read_text()
    assert "LUTs (built) | Fmax, MHz (built) | samples/s (built)" in table
    Engine.asked.clear()
    assert sweep.main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == end
    assert Engine.asked == []  # nothing is trained or built again


def test_nothing_has_it(caplog):
    assert sweep.main(["mine.toml", "--accuracy", "0.9", "--luts", "30"]) == 1
    assert caplog.messages[-1] == (
        "runs/sweep-mine: no network of 6 has at least 90 %, at most 30 LUTs; the nearest is that "
        "of trial 5, which has 50.00 %, 50 LUTs; try more with --trials, other settings, or ask "
        "for less")


def test_the_front_is_built(capsys):
    Engine.real |= {number: 11.0 * number for number in range(6)}
    assert sweep.main(["mine.toml", "--build"]) == 0
    row = capsys.readouterr().out.splitlines()[2].split(" | ")
    assert row[:6] == ["| 5", "50.00 %", "50", "40", "2,000,000", "55"]
    assert {(number, kind) for number, kind in Engine.asked if kind is Build} == {
        (number, Build) for number in range(6)}


def test_a_form_is_that_of_trials_and_builds(capsys, caplog):
    Engine.real |= {number: 10.0 * number for number in range(6)}
    Path("mine.toml").write_text(f"{SPEC}[form]\nserial_head = 2\nparallel = true\n")
    assert sweep.main(["mine.toml", "--accuracy", "0.3", "--build"]) == 0
    wanted = Form(parallel=True, serial_head=2)
    # Of the trials, of the build of trial 3, and of those of the others on the front.
    assert Engine.forms == [wanted, None, wanted, None, wanted, wanted, wanted]
    lines = capsys.readouterr().out.splitlines()
    assert "LUTs (icebreaker, parallel, serial_head = 2, estimated)" in lines[0]
    assert lines[-1] == ("build it with: bitwright build runs/sweep-mine/found.safetensors --board "
                         "icebreaker --parallel --serial-head 2")
    assert sweep.main(["mine.toml", "--rate", "1000"]) == 2
    assert caplog.messages[-1] == ("--rate chooses the form by itself, and mine.toml has parallel, "
                                   "serial_head = 2; leave one of both out")


def test_the_nearest_is_the_one_that_misses_least():
    goal = Goal(0.93, 900)
    figures = {1: {"validation": 0.97, "luts": 1292.0}, 2: {"validation": 0.945, "luts": 948.0},
               3: {"validation": 0.5, "luts": 800.0}, 4: {"validation": 0.94, "luts": 948.0},
               5: {"validation": 0.96, "luts": 880.0, "fits": 0.0}}
    assert "the nearest is that of trial 2, which has 948 LUTs;" in str(
        goal.nothing(Path("out"), figures))


def test_what_is_missed():
    goal = Goal(0.9, 500, 1000.0)
    good = {"validation": 0.9, "luts": 500.0, "per_second": 1000.0}
    assert goal.missed(good) == ""
    assert goal.missed(good | {"fits": 0.0}) == "more than the device holds"
    assert goal.missed({"validation": 0.899, "luts": 501.0, "per_second": 999.0}) == (
        "89.90 %, 501 LUTs, 999 samples/s")
    assert not Goal(rate=3.0).asked


@pytest.mark.parametrize(("target", "words"), [
    ("xilinx", "--target xilinx"),
    ("ice40", "--board NAME, NAME being one of bitwright boards --family ice40"),
    ("LFE5U-25F-6BG381C", "--part LFE5U-25F-6BG381C")])
def test_the_command_is_one_that_builds_it(capsys, target, words):
    Engine.real |= {number: 10.0 * number for number in range(6)}
    assert sweep.main(["mine.toml", "--accuracy", "0.3", "--board", target]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"build it with: bitwright build runs/sweep-mine/found.safetensors {words}")


@pytest.mark.parametrize(("options", "objective", "message"), [
    (["--board", "icebraker"], "luts", "icebraker: no such board; "),
    (["--board", "ice40", "--rate", "9"], "luts", "ice40: a rate is reached on a device; "),
    (["--board", "ice40"], "fmax_mhz", "ice40: no estimate of fmax_mhz; ")])
def test_a_target_that_does_not_do_claims_no_folder(caplog, options, objective, message):
    Path("mine.toml").write_text(f'objectives = ["validation", "{objective}"]\n{SPEC}')
    assert sweep.main(["mine.toml", *options]) > 0
    assert caplog.messages[-1].startswith(message)
    assert not Path("runs").exists()  # the folder of the command put right is no other sweep


def test_no_network_has_more_than_all(capsys):
    with pytest.raises(SystemExit):
        sweep.main(["mine.toml", "--accuracy", "93"])
    assert capsys.readouterr().err.endswith(
        "argument --accuracy: must be at most 1, not 93\n")


def test_arguments_that_do_not_go_together(caplog):
    Path("mine.toml").write_text(SPEC.replace("trials", 'objectives = ["validation"]\ntrials'))
    assert sweep.main(["mine.toml", "--luts", "30"]) == 2
    assert caplog.messages == ["--luts needs 'luts' among the objectives of mine.toml"]
