"""Trials on a cluster whose nodes share no files: what travels, and what is lost with a node."""

import os
import pickle
import random
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("optuna")
pytest.importorskip("torch")
pytest.importorskip("sklearn")

from bitwright import files
from bitwright.cluster import LostError
from bitwright.model.recipe import load_recipe
from bitwright.model.sweeping import remote
from bitwright.model.sweeping.events import Begun, Broken, Done, Epoch, Lost, Task
from bitwright.model.sweeping.remote import Remote
from bitwright.model.sweeping.spec import load_spec
from bitwright.model.sweeping.sweep import Sweep, claim
from tests.sweep_work import train

SPEC = """
recipe = "iris"
trials = 9
sampler = "random"
pruner = "PRUNER"
[settings]
epochs = 6
layers.0.width = { low = 6, high = 24, step = 3 }
backprop.learning_rate = { low = 0.001, high = 0.1, log = true }
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "node"))


class Cluster:
    """Nodes in this process. All that is said goes through bytes, and a share of what is asked is
    asked of a worker that is lost."""

    def __init__(self, loss=0.0, seed=0):
        self._random, self._loss = random.Random(seed), loss
        self.losses, self.calls, self._answers = 0, Counter(), {}

    def start(self, kind, *arguments):
        return {"object": kind(*pickle.loads(pickle.dumps(arguments))), "lost": False}

    def stop(self, made):
        made["lost"] = True

    def put(self, value):
        return value

    def call(self, made, method, *arguments):
        self.calls[method] += 1
        reference = sum(self.calls.values())
        if not made["lost"] and self._random.random() < self._loss:
            self.losses += 1
            made["lost"] = True
        if made["lost"]:
            self._answers[reference] = LostError("the node is gone")
        else:
            found = getattr(made["object"], method)(*pickle.loads(pickle.dumps(arguments)))
            self._answers[reference] = pickle.loads(pickle.dumps(found))
        return reference

    def ready(self, begun, timeout):
        return [self._random.choice(begun)] if begun else []

    def get(self, begun):
        answer = self._answers.pop(begun)
        if isinstance(answer, LostError):
            raise answer
        return answer


def swept(name, cluster, *, pruner="none", count=1, period=0.0):
    Path("mine.toml").write_text(SPEC.replace("PRUNER", pruner))
    settings = load_spec("mine.toml")
    out = Path(name)
    claim(out, settings)
    engine = Remote(cluster, count, train, period)
    run = Sweep(settings, out, engine)
    run.run()
    engine.close()
    return run


def result(run):
    return [(trial.number, trial.state.name, trial.params, trial.user_attrs)
            for trial in run.ledger.trials]


def folders(name):
    return {path.relative_to(name).as_posix(): path.read_bytes()
            for path in Path(name, "trials").rglob("*") if path.is_file()}


@pytest.mark.parametrize("pruner", ["none", "halving"])
def test_workers_are_lost_at_any_moment_and_nothing_else_is(pruner, monkeypatch):
    monkeypatch.setattr("bitwright.model.sweeping.sweep.DEATHS", 1000)  # they are none of theirs
    quiet, rough = Cluster(), Cluster(loss=0.2)
    whole, lost = swept("whole", quiet, pruner=pruner), swept("lost", rough, pruner=pruner)
    assert rough.losses > 5
    assert result(lost) == result(whole)
    assert [number for number, *_ in result(lost)] == list(range(9))
    if pruner == "none":
        assert folders("lost") == folders("whole")
        # What is trained again is the epoch that was on its way.
        assert rough.calls["go_on"] <= quiet.calls["go_on"] + 2 * rough.losses
    assert {path.split("/")[2] for path in folders("lost")} == {
        "checkpoint.pt", "log", "metrics.jsonl", "network.safetensors"}


def test_two_side_by_side_do_the_same():
    one, two = swept("one", Cluster()), swept("two", Cluster(seed=3), count=2)
    assert result(one) == result(two)
    assert folders("one") == folders("two")


def task(**more):
    recipe = load_recipe("iris", ["epochs=3", "layers.0.width=12", "name=iris-0000"])
    return replace(Task(((Path("runs", "0000-seed0"), recipe),), None), **more)


def begun(engine):
    """A trial that has made its first epoch."""
    engine.begin(0, task())
    assert engine.events(1) == [(0, Begun(12))]
    ((_, event),) = engine.events(1)
    assert event == Epoch(event.curve, 1 / 3)
    return event


def test_a_checkpoint_travels_now_and_then_and_at_the_end():
    engine = Remote(Cluster(), 1, train, period=1000.0)
    begun(engine)
    out = Path("runs", "0000-seed0")
    assert [path.name for path in out.iterdir()] == ["metrics.jsonl"]
    engine.answer(0, True)
    engine.events(1)
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 2
    engine.answer(0, True)
    ((_, event),) = engine.events(1)
    assert isinstance(event, Done)
    assert engine.free == 1
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.pt", "log", "metrics.jsonl", "network.safetensors"]
    assert engine.moved == sum(
        map(len, folders_of(out))) + sum(  # metrics came twice before
            len("".join((out / "metrics.jsonl").read_text().splitlines(True)[:count]))
            for count in (1, 2))


def folders_of(out):
    return [path.read_bytes() for path in out.iterdir()]


def test_what_is_given_up_is_a_run_that_could_go_on():
    engine = Remote(Cluster(), 1, train, period=1000.0)
    begun(engine)
    engine.answer(0, False)
    assert engine.free == 1
    engine.close()
    assert Path("runs", "0000-seed0", "checkpoint.pt").read_text() == "1"


def test_a_lost_worker_is_told_and_another_goes_on_from_the_last_checkpoint():
    cluster = Cluster()
    engine = Remote(cluster, 1, train, period=0.0)
    first = begun(engine)
    engine._slots[0].worker["lost"] = True
    engine.answer(0, True)
    assert engine.events(1) == [(0, Lost("the node is gone"))]
    engine.begin(0, task())
    assert engine.events(1) == [(0, first)]


def test_files_that_tell_how_far_a_run_is_are_written_last(monkeypatch):
    written = []
    write = files.write_atomic
    monkeypatch.setattr(files, "write_atomic", lambda path, content: (
        written.append(path.name), write(path, content)))
    engine = Remote(Cluster(), 1, train, period=1000.0)
    begun(engine)
    for _ in range(2):
        written.clear()
        engine.answer(0, True)
        engine.events(1)
    assert written == ["log", "metrics.jsonl", "checkpoint.pt", "network.safetensors"]


def test_a_file_that_is_gone_there_goes_here():
    out = Path("runs", "0000-seed0")
    engine = Remote(Cluster(), 1, train, period=0.0)
    begun(engine)
    (out / "old").write_text("of a run that was there")
    engine.answer(0, True)
    engine.events(1)
    assert not (out / "old").exists()


def test_a_node_of_other_versions_is_refused(monkeypatch):
    engine = Remote(Cluster(), 1, train)
    own = remote.versions()
    monkeypatch.setattr(remote, "versions", lambda: own | {"torch": "1.0"})
    engine.begin(0, task())
    assert engine.events(1) == [(0, Broken(
        f"a node of the cluster has torch 1.0, and this machine {own['torch']}; install the same "
        "there"))]


def test_what_a_killed_worker_leaves_is_removed_and_nothing_else():
    left, held = (Path("node", f"bitwright-trials-{os.getuid()}", name) for name in "ab")
    for path in (left, held):
        path.mkdir(parents=True)
        (path / "checkpoint.pt").touch()
    with files.lock(held):
        for path in (left, held):
            os.utime(path, (time.time() - 3600,) * 2)
        made = remote.Worker(train, remote.versions(), ".", 0.0)
        assert not left.exists()
        assert held.exists()
    made.close()
    assert [path.name for path in left.parent.iterdir()] == ["b"]


def no_data(task, say):
    say(Done({"validation": 1.0}))


def test_data_go_once_to_the_cluster():
    class Counted(Cluster):
        puts = 0

        def put(self, value):
            self.puts += 1
            return super().put(value)

    cluster = Counted()
    engine = Remote(cluster, 1, partial(no_data))
    for number in range(3):
        engine.begin(number, task())
        assert engine.events(1) == [(number, Done({"validation": 1.0}))]
    assert cluster.puts == 1
