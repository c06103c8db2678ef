"""Random recipes, a short version, and what the harness sees of planted faults."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets, draw, outcome
from bitwright.model.layers import LutLayer
from bitwright.model.rules import Rule

SETS = data_sets()

LUTS = {"name": "luts", "data": "digits", "epochs": 2, "batch": 16,
        "layers": [{"kind": "lut", "width": 12, "fan_in": 2, "wiring": "random"}],
        "head": {"kind": "group_sum"}}


@pytest.mark.slow
def test_each_trains_and_freezes_equal_to_itself_or_is_refused():
    found = {"trained": [], "refused": [], "failed": []}
    for number in range(80):
        values, name = draw(7, number)
        what, said = outcome(values, SETS[name])
        found[what].append((number, name, values, said))
    assert found["failed"] == []
    assert len(found["trained"]) > 15
    assert len(found["refused"]) > 15


def test_recipes_repeat():
    assert draw(3, 14) == draw(3, 14)
    assert draw(3, 14) != draw(4, 14)


def test_a_fault_of_the_last_freeze_is_seen(monkeypatch):
    assert outcome(LUTS, SETS["vector"]) == ("trained", "")
    right, calls = LutLayer.freeze, []

    def fault(self):
        calls.append(self)
        node = right(self)
        return node if len(calls) == 1 else replace(node, tables=~node.tables)

    monkeypatch.setattr(LutLayer, "freeze", fault)
    what, said = outcome(LUTS, SETS["vector"])
    assert what == "failed"
    assert "The frozen network differs from the trained one" in said


@pytest.mark.parametrize("fault", [
    lambda self, features, labels: {}["loss"],
    lambda self, features, labels: {"loss": float("nan"), "accuracy": torch.rand(()).item()},
    lambda self, features, labels: {"loss": 0.0, "accuracy": torch.rand(()).item()},
], ids=["traceback", "refused after the first epoch", "torch's own generator"])
def test_a_fault_of_a_step_is_seen(monkeypatch, fault):
    monkeypatch.setattr(Rule.kinds["backprop"], "step", fault)
    assert outcome(LUTS, SETS["vector"])[0] == "failed"


def test_a_validation_that_says_otherwise_is_seen(monkeypatch):
    from bitwright.model.training.trainer import Trainer

    monkeypatch.setattr(Trainer, "validate", lambda self: (0.123, 1.0))
    what, said = outcome(LUTS, SETS["vector"])
    assert what == "failed"
    assert said.startswith("validation said 0.123, the frozen file reaches ")
