"""Sweeps: what a spec may say, who loses, what is on the front, and being killed at any moment."""

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("optuna")
pytest.importorskip("torch")

from bitwright import ir
from bitwright.errors import UserError
from bitwright.form import Form
from bitwright.model import sweep, train
from bitwright.model.recipe import load_recipe
from bitwright.model.sweeping import spec as specs
from bitwright.model.sweeping.engine import Processes
from bitwright.model.sweeping.events import Begun, Broken, Done, Epoch, Failed, Lost, Task
from bitwright.model.sweeping.forms import in_form, try_form
from bitwright.model.sweeping.front import Point, front, points, tell, write_networks
from bitwright.model.sweeping.ledger import JOURNAL, Ledger
from bitwright.model.sweeping.picture import draw
from bitwright.model.sweeping.pruning import losing
from bitwright.model.sweeping.spec import SweepError, load_spec
from bitwright.model.sweeping.sweep import Sweep, claim
from bitwright.model.sweeping.trial import work
from bitwright.model.sweeping.watch import Watch
from tests.sweep_work import work as fake_work

ROOT = Path(__file__).parents[2]

SPEC = """
recipe = "iris"
trials = 9
sampler = "SAMPLER"
pruner = "PRUNER"
[settings]
epochs = 6
layers.0.width = { low = 6, high = 24, step = 3 }
backprop.learning_rate = { low = 0.001, high = 0.1, log = true }
backprop.label_smoothing = { choices = [0.0, 0.1] }
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spec(sampler="random", pruner="none"):
    Path("mine.toml").write_text(SPEC.replace("SAMPLER", sampler).replace("PRUNER", pruner))
    return load_spec("mine.toml")


def test_specs_that_come_with_the_package():
    assert specs.spec_names() == ["digits", "mnist", "mnist-serial"]
    for name in specs.spec_names():
        assert load_spec(name).objectives == ("validation", "luts")
    serial = load_spec("mnist-serial")
    assert serial.where == "xilinx, serial_head = 10"
    assert replace(serial, form=Form()) == load_spec("mnist")


@pytest.mark.parametrize(("text", "message"), [
    ("trials = 3", "key 'recipe' is missing"),
    ('recipe = "iris"\ntrails = 3', "unknown key 'trails'; did you mean 'trials'?"),
    ('recipe = "iris"\ntrials = 0', "trials must be at least 1, not 0"),
    ('recipe = "iris"\nsampler = "grid"',
     "sampler must be one of 'tpe', 'random', 'nsga2', not 'grid'"),
    ('recipe = "iris"\nobjectives = ["luts"]',
     "objectives must begin with 'validation', not 'luts'"),
    ('recipe = "iris"\nobjectives = ["validation", "lut"]',
     "unknown objective 'lut'; did you mean 'luts'?"),
    ('recipe = "iris"\nseeds = [1, 1]',
     "seeds must be a list of different integers of at least 0, not [1, 1]"),
    ('recipe = "iris"',
     ("settings must have at least one that varies, such as backprop.learning_rate = "
      "{ low = 0.001, high = 0.1, log = true }")),
    ('recipe = "iris"\n[settings]\nseed = { low = 0, high = 4 }',
     "settings.seed must be left out: a sweep gives each training its own"),
    ('recipe = "iris"\n[settings]\nepochs = { low = 9, high = 4 }',
     "settings.epochs.high must be more than low, 9, not 4"),
    ('recipe = "iris"\n[settings]\nepochs = { low = 2, high = 4, step = 0.5 }',
     "settings.epochs.step must be an integer of at least 1, not 0.5"),
    ('recipe = "iris"\n[settings]\nepochs = { low = 2 }', "key 'settings.epochs.high' is missing"),
    ('recipe = "iris"\n[settings]\nepochs = { low = 2, hihg = 3 }',
     "unknown key 'settings.epochs.hihg'; did you mean 'high'?"),
    ('recipe = "iris"\n[settings]\nepochs = { low = 0, high = 3 }',
     "settings.epochs: epochs must be at least 1, not 0"),
    ('recipe = "iris"\n[settings]\nlayers.9.width = { low = 3, high = 6 }',
     "settings.layers.9.width: layers.9: there is no such entry, the list has 1"),
    ('recipe = "iris"\n[settings]\nlearning = { choices = ["backprop"] }',
     "settings.learning.choices must be a list of at least 2 values, not ['backprop']"),
    ('recipe = "iris"\nform = "parallel"', "form must be a table, not 'parallel'"),
    ('recipe = "iris"\n[form]\nserial-head = 10',
     "unknown key 'form.serial-head'; did you mean 'serial_head'?"),
    ('recipe = "iris"\n[form]\nserial_head = true',
     "form.serial_head must be an integer, not True"),
    ('recipe = "iris"\n[form]\nfold = 0', "form.fold must be at least 1, not 0"),
    ('recipe = "iris"\n[form]\nserial_head = -1', "form.serial_head must be at least 1, not -1"),
    ('recipe = "iris"\n[form]\nparallel = 1', "form.parallel must be true or false, not 1"),
    ('recipe = "iris"\nrate = 1000\n[form]\nparallel = true',
     "rate must be left out where there is a form, as it chooses its own, not 1000"),
    (('recipe = "iris"\ntrials = 1\n[form]\nparallel = true\n[settings]\n'
      'modulate.frames = { low = 1, high = 2 }'),
     ("settings.modulate.frames = 2, for xilinx, parallel: Plan key 'nodes.modulate.way': "
      "'parallel' needs a single frame, and there are 2")),
    (('recipe = "iris"\ntrials = 1\n[form]\nlarge = true\n[settings]\n'
      'epochs = { low = 2, high = 4 }'),
     "settings.epochs = 2, for xilinx, large: --large is for --fold CYCLES"),
])
def test_a_spec_that_is_refused(caplog, text, message):
    Path("bad.toml").write_text(text)
    assert sweep.main(["bad.toml"]) == 1
    assert [record.getMessage() for record in caplog.records] == [f"Sweep bad.toml: {message}"]
    assert not Path("runs/sweep-bad/spec.toml").exists()  # what is put right is no other sweep


def test_there_is_no_such_spec(caplog):
    assert sweep.main(["digit"]) == 1
    assert sweep.main(["digit.toml"]) == 1
    assert caplog.messages == ["Unknown sweep 'digit'; did you mean 'digits'?",
                               "digit.toml: no such file"]


def test_who_loses():
    rivals = [[0.1, 0.9], [0.2, 0.5], [0.3, 0.8], [0.4, 0.4]]
    assert losing("median", [0.1, 0.6], rivals)  # their best: 0.9, 0.5, 0.8, 0.4
    assert not losing("median", [0.7, 0.1], rivals)
    assert not losing("median", [0.0], rivals)
    assert not losing("median", [0.0, 0.0], rivals[:3])
    assert not losing("median", [0.7, 0.1], [*rivals, [1.0], [1.0]])  # not yet so far
    assert losing("halving", [0.1, 0.6], rivals)
    assert not losing("halving", [0.1, 0.95], rivals)
    assert not losing("halving", [0.1, 0.6, 0.0], [*rivals, [1.0, 1.0, 1.0]])  # no rung
    assert not losing("none", [0.0, 0.0], rivals)


def point(number, validation, luts, seeds=(0,)):
    figures = {"validation": validation, "luts": luts}
    return Point(number, {}, figures, tuple({"seed": seed, "epochs": 2, **figures}
                                            for seed in seeds))


def test_the_front():
    found = [point(0, 0.9, 500), point(1, 0.8, 300), point(2, 0.8, 400), point(3, 0.9, 500),
             point(4, 0.7, 300), point(5, 0.5, 100)]
    names = ("validation", "luts")
    assert [one.number for one in front(found, names)] == [0, 1, 5]
    assert [one.number for one in front(found, names[:1])] == [0]
    assert "<svg" in draw(found, front(found, names), "ice40", "Sweep")


class Killed(BaseException):
    """The sweep is gone: nothing of it runs on."""


class Inline:
    """An engine in this process, which trains by a formula and may be killed after any event."""

    def __init__(self, slots=1, *, kill_after=None, order=0):
        self._slots, self._left, self._random = slots, kill_after, random.Random(order)
        self._running, self.trained = {}, []

    @property
    def free(self):
        return self._slots - len(self._running)

    def begin(self, number, task):
        self._running[number] = self._work(number, *task.runs[0])

    def events(self, timeout):
        number = self._random.choice(sorted(self._running))
        event = next(self._running[number])
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed
        if isinstance(event, Done | Failed | Lost):
            del self._running[number]
        return [(number, event)]

    def answer(self, number, go_on):
        if not go_on:
            del self._running[number]

    def _work(self, number, out, recipe):
        out.mkdir(parents=True, exist_ok=True)
        metrics = out / "metrics.jsonl"
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        curve = [json.loads(line)["validation_accuracy"] for line in lines]
        size = recipe.layers[0].width
        yield Begun(size)
        while True:
            if curve:
                yield Epoch(tuple(curve), len(curve) / recipe.epochs)
            if len(curve) == recipe.epochs:
                break
            curve.append(1 - recipe.rule.learning_rate - 1 / (size + len(curve)))
            self.trained.append((number, len(curve)))
            with metrics.open("a") as file:
                file.write(json.dumps({"validation_accuracy": curve[-1]}) + "\n")
        (out / "network.safetensors").write_text(str(number))
        figures = {"validation": max(curve), "luts": float(size)}
        yield Done(figures, {"runs": [{"seed": recipe.seed, "epochs": len(curve), **figures}]})


def result(run):
    """All that a sweep knows of its trials."""
    return [(trial.number, trial.state.name, trial.params, trial.user_attrs)
            for trial in run.ledger.trials]


def finished(settings, out, engine):
    claim(out, settings)
    run = Sweep(settings, out, engine)
    run.run()
    return run


def test_a_line_of_the_journal_that_was_not_written_whole():
    settings, journal = spec(), Path("torn", JOURNAL)
    Ledger(Path("torn"), settings).ask()
    written = journal.read_bytes()
    journal.write_bytes(written + written.splitlines()[-1][:9])
    Ledger(Path("torn"), settings).ask()
    assert [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [trial.number for trial in Ledger(Path("torn"), settings).trials] == [0, 1]


@pytest.mark.parametrize(("sampler", "pruner"), [
    ("tpe", "median"), ("random", "halving"), ("nsga2", "none")])
def test_killed_after_any_event_it_goes_on_as_if_it_had_not_been(sampler, pruner):
    settings = spec(sampler, pruner)
    whole = Inline()
    expected = result(finished(settings, Path("whole"), whole))
    assert [number for number, *_ in expected] == list(range(9))
    assert (pruner == "none") == all(state == "COMPLETE" for _, state, *_ in expected)
    kills, trained, run = 0, [], None
    while run is None:
        engine = Inline(kill_after=7)
        try:
            run = finished(settings, Path("killed"), engine)
        except Killed:
            kills += 1
        trained += engine.trained
    assert kills > 3
    assert result(run) == expected
    assert sorted(trained) == sorted(whole.trained)  # nothing twice


def test_random_trials_are_the_same_however_many_run_side_by_side():
    settings = spec()
    one, three = (result(finished(settings, Path(name), Inline(slots, order=slots)))
                  for name, slots in (("one", 1), ("three", 3)))
    assert one == three


def test_a_sweep_can_be_made_longer_but_not_changed():
    settings = spec("tpe")
    finished(settings, Path("out"), Inline())
    longer = replace(settings, trials=11, processes=2)
    assert len(result(finished(longer, Path("out"), Inline()))) == 11
    with pytest.raises(SweepError, match=r"^out: the folder holds a sweep of other settings, see "
                                         r"out/spec.toml; name another folder with --out$"):
        claim(Path("out"), spec("random"))


def test_a_folder_is_of_one_form():
    settings = spec()
    serial = replace(settings, form=Form(serial_head=2))
    claim(Path("plain"), settings)
    assert "form" not in Path("plain/spec.toml").read_text()  # nor in folders of older sweeps
    claim(Path("serial"), serial)
    assert Path("serial/spec.toml").read_text().endswith("[form]\nserial_head = 2\n")
    claim(Path("serial"), serial)
    for out, other in (("plain", serial), ("serial", settings)):
        with pytest.raises(SweepError, match="holds a sweep of other settings"):
            claim(Path(out), other)


def test_every_end_is_tried_in_the_form():
    widths = []

    def estimate(network, target):
        assert target == "xilinx"
        widths.append(network.entries[1].node.out_width)
        return {}

    settings = spec()
    try_form("mine", settings, None, estimate)
    assert widths == [6, 24, 60, 60, 60, 60]
    bad = replace(settings, ranges={"layers.0.width": specs.Choices([6, 7])})  # of three classes
    try_form("mine", bad, None, estimate)
    assert widths[6:] == [6]


def test_a_trial_that_cannot_be_built_in_the_form_fails():
    def estimate(network, target, form):
        raise UserError(f"no {form}")

    said = []
    recipe = load_recipe("iris", ["epochs=1"])
    work(Task(((Path("run"), recipe),), "xilinx"), said.append,
         partial(in_form, estimate=estimate, form=Form(parallel=True)))
    assert said == [Failed("xilinx, parallel: no parallel")]


def test_a_journal_that_ends_in_half_a_line_is_mended():
    settings = spec()
    expected = result(finished(settings, Path("out"), Inline()))
    with (Path("out") / JOURNAL).open("a") as file:
        file.write('{"op_code":')
    Path(f"out/{JOURNAL}.lock").write_text("")  # whoever held it was killed
    assert result(finished(settings, Path("out"), Inline())) == expected


def test_what_cannot_be_done():
    settings = spec()

    class Failing(Inline):
        def _work(self, number, out, recipe):
            if number == 1:
                yield Failed("too wide")
            elif number == 2:
                yield Lost("its process ended with status -9")
            else:
                yield from super()._work(number, out, recipe)

    run = finished(settings, Path("out"), Failing())
    states = {number: (state, known.get("failure")) for number, state, _, known in result(run)}
    assert states[1] == ("FAIL", "too wide")
    assert states[2] == (
        "FAIL", "its process ended with status -9, 3 times without an epoch between")
    assert states[3] == ("COMPLETE", None)


def test_no_trial_can_be_done():
    settings = spec()

    class Without(Inline):
        def _work(self, number, out, recipe):
            yield Broken("mnist: no such file")

    with pytest.raises(SweepError, match=r"^mnist: no such file$"):
        finished(settings, Path("out"), Without())
    states = {state for _, state, *_ in result(Sweep(settings, Path("out"), Inline()))}
    assert states == {"RUNNING"}  # to be done once the data are there


def test_table_and_networks():
    settings = spec("random")
    run = finished(settings, Path("out"), Inline())
    best = front(points(run.ledger.trials), settings.objectives)
    write_networks(Path("out"), best)
    table = tell(Path("out"), settings, run.ledger.trials)
    assert table.splitlines()[0] == (
        "| trial | validation | LUTs (xilinx, estimated) | epochs | layers.0.width | "
        "backprop.learning_rate | backprop.label_smoothing |")
    assert len(table.splitlines()) == 2 + len(best)
    text = Path("out/pareto.md").read_text()
    assert ("9 trials: 9 done, 0 given up before their end, 0 failed. Chosen by the validation "
            "split; the test split chose nothing.") in text
    names = sorted(path.name for path in Path("out/front").iterdir())
    assert names == sorted(f"{one.number:04}.safetensors" for one in best)
    assert all(Path("out/front", f"{one.number:04}.safetensors").read_text() == str(one.number)
               for one in best)


def listen(engine, count, answer=True):
    """So many events, each epoch answered."""
    found = []
    while len(found) < count:
        for number, event in engine.events(30):
            if isinstance(event, Epoch):
                engine.answer(number, answer)
            found.append((number, event))
    return found


def test_processes():
    engine = Processes(2, fake_work)
    task = partial(Task, runs=())
    engine.begin(0, task(target="die"))
    engine.begin(1, task(target=None))
    assert engine.free == 0
    found = listen(engine, 5)
    assert [event for number, event in found if number == 0] == [
        Lost("its process ended with status 3")]
    assert [event for number, event in found if number == 1] == [
        *(Epoch((0.0,) * epoch, epoch / 3) for epoch in (1, 2, 3)), Done({"validation": 1.0})]
    assert engine.free == 2
    engine.begin(2, task(target=None))
    assert len(listen(engine, 1, answer=False)) == 1
    assert engine.free == 2
    engine.begin(3, task(target="sleep"))
    engine.close()


def test_a_trial_is_a_run_like_any_other():
    recipe = load_recipe("iris", ["epochs=3", "layers.0.width=12", "name=iris-0000"])
    Path("recipe.toml").write_text(recipe.toml())
    assert train.main(["recipe.toml", "--out", "alone"]) == 0
    said = []

    def say(event, answers):
        said.append(event)
        return next(answers) if isinstance(event, Epoch) else True

    def estimate(network, target):
        assert target == "ice40"
        return {"luts": float(network.entries[1].node.out_width)}

    task = Task(((Path("run"), recipe),), "ice40")
    work(task, partial(say, answers=iter([True, False])), estimate)  # stopped after two epochs
    assert said[0] == Begun(12.0)
    assert [len(event.curve) for event in said[1:]] == [1, 2]
    said.clear()
    work(task, partial(say, answers=iter([True, True])), estimate)
    assert [len(event.curve) for event in said[1:-1]] == [2, 3]
    assert Path("run/network.safetensors").read_bytes() == Path(
        "alone/network.safetensors").read_bytes()
    network = ir.load(Path("run/network.safetensors"))
    validation = network.provenance["figures"]["validation"]["accuracy"]
    assert said[-1].figures == {"validation": validation, "luts": 12.0}
    assert max(said[-2].curve) == validation
    said.clear()
    slow = Task(((Path("slow"), recipe),), "ice40", ("validation", "luts", "fmax_mhz"))
    work(slow, partial(say, answers=iter([])), estimate)
    assert said == [Broken("ice40: no estimate of fmax_mhz; name a board or a part as target")]
    said.clear()
    bad = load_recipe("iris", ["data='nowhere.csv'"])
    work(Task(((Path("bad"), bad),), None), partial(say, answers=iter([])), estimate)
    assert [type(event) for event in said] == [Broken]


def test_a_line_a_minute(caplog, monkeypatch):
    caplog.set_level("INFO", "model.sweep")
    monkeypatch.setattr("bitwright.model.sweeping.watch.PERIOD", 0.0)
    with Watch(8) as watch:
        watch.done(2)
        watch._started -= 10.0
        watch.done(3.0)
    assert caplog.messages == ["trials: 2 of 8 done", "trials: 3 of 8 done, about 0:00:50 left"]


@pytest.mark.slow
def test_the_command_killed_and_started_again(here):
    """Of real trainings: the same table as without a kill, and no process is left."""
    Path("small.toml").write_text(SPEC.replace("SAMPLER", "random").replace("PRUNER", "none")
                                  .replace("trials = 9", "trials = 4\ntarget = \"ice40\""))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bitwright", "sweep", "small.toml", "--processes", "2"]
    subprocess.run([*command, "--out", "whole"], env=environment, check=True)
    for seconds in (0.0, 1.0, 2.0):
        process = subprocess.Popen([*command, "--out", "killed"], env=environment)
        begun = time.monotonic()
        while process.poll() is None and not (
                list(here.glob("killed/trials/*/checkpoint.pt"))
                and time.monotonic() > begun + seconds):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, "--out", "killed"], env=environment, check=True)
    for name in ("pareto.md", "pareto.svg"):
        assert Path("killed", name).read_bytes() == Path("whole", name).read_bytes()
    for path in Path("whole").glob("trials/*/network.safetensors"):
        assert Path("killed", *path.parts[1:]).read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("more", "options"), [
    ("", ["--luts", "1500", "--board", "icebreaker", "--rate", "1000"]),
    ("[form]\nserial_head = 2\n", ["--luts", "200", "--board", "xilinx"])])
def test_what_is_found_is_what_the_told_command_builds(more, options):
    """Really: trained, estimated, placed or synthesised, and once more by the command."""
    Path("small.toml").write_text(SPEC.replace("SAMPLER", "random").replace("PRUNER", "none")
                                  .replace("trials = 9", "trials = 3") + more)

    def run(*words):
        return subprocess.run([sys.executable, "-m", *words], check=True, encoding="utf-8",
                              env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)

    lines = run("bitwright", "sweep", "small.toml", "--accuracy", "0.5", *options).stdout
    found, told = lines.splitlines()[-2:]
    accuracy, luts = re.fullmatch(
        r"found: trial \d+, ([\d.]+) % on the validation split, ([\d,]+) LUTs on .*, as built: "
        r"runs/sweep-small/found\.safetensors", found).groups()
    network = ir.load(Path("runs/sweep-small/found.safetensors"))
    assert f"{100 * network.provenance['accuracy']['validation']:.2f}" == accuracy
    assert told.startswith("build it with: bitwright build runs/sweep-small/found.safetensors ")
    words = shlex.split(told.removeprefix("build it with: "))
    report = json.loads(run(*words, "--json").stdout)
    assert f"{report['resources']['total']['luts']:,}" == luts
