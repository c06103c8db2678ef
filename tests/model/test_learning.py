"""Learning rules: they learn, and their state is all there is to them."""

import io

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model.recipe import load_recipe
from bitwright.model.rules import Rule
from bitwright.model.training.trainer import Trainer

RULES = sorted(Rule.kinds)

XNOR = ["layers=[{kind='xnor', neurons=48}, {kind='xnor', neurons=48}]",
        "head={kind='scores', temperature=4.0}"]
NETWORKS = {
    "bernoulli": ["layers=[{kind='bernoulli', neurons=32}]",
                  "head={kind='expectation', temperature=2.0}", "bernoulli.soft=0.4",
                  "bernoulli.learning_rate=0.05"],
    "bop": [*XNOR, "bop.adaptivity=0.01", "bop.threshold=1e-4"],
    "direct-feedback-alignment": [*XNOR, "direct-feedback-alignment.learning_rate=0.05"],
    "fbf": ["batch=32", "fbf.second_epochs=10",
            "modulate={levels='batch-norm', depth=3}",
            "layers=[{kind='bmab', neurons=64, depth=3, centre='batch'}]",
            "head={kind='bma', centre='batch'}"],
    "forward-forward": [
        "modulate={depth=7, labels='slot', label_width=5}", "head={kind='goodness'}",
        "layers=[{kind='xnor', neurons=48}, {kind='xnor', neurons=48}]",
        "forward-forward={loss='symba', temperature=0.15}"],
    "feedback-alignment": [*XNOR, "feedback-alignment.learning_rate=0.05"],
    "indirect-feedback-alignment": [*XNOR, "indirect-feedback-alignment.learning_rate=0.05"],
    "sign-feedback": [*XNOR, "sign-feedback.learning_rate=0.05"],
    "straight-through": [*XNOR, "straight-through.learning_rate=0.02"],
    "unsupervised-forward-forward": [
        "data=digits", "validation=0.3", "modulate.levels=real", "head={kind='readout'}",
        ("layers=[{kind='dense', unit_length=true, neurons=96}, "
        "{kind='dense', unit_length=true, neurons=96}]"),
        "unsupervised-forward-forward={learning_rate=0.01, readout_rate=0.05, threshold=0.02}",
        "unsupervised-forward-forward.temperature=0.005"],
}
"""What a rule needs that the recipe for iris, of look-up tables, does not give."""


def trainer_of(rule, *overrides):
    settings = load_recipe("iris", [f"learning={rule}", "epochs=20", *NETWORKS.get(rule, ()),
                                    *overrides])
    return Trainer(settings, data.load(settings.data))


def run(trainer, epochs):
    return [trainer.run_epoch(lambda samples, accuracy: None) for _ in range(epochs)]


@pytest.mark.parametrize("rule", RULES)
def test_rule_learns_iris(rule):
    trainer = trainer_of(rule)
    entries = run(trainer, 15)
    assert entries[-1]["train_accuracy"] > 0.9
    assert entries[-1]["train_loss"] < entries[0]["train_loss"] / 2


@pytest.mark.parametrize("rule", RULES)
def test_rule_continues_from_its_state_bit_for_bit(rule):
    whole, stopped, resumed = trainer_of(rule), trainer_of(rule), trainer_of(rule)
    run(whole, 6)
    run(stopped, 3)
    buffer = io.BytesIO()
    torch.save({"network": stopped.network.state_dict(), "rule": stopped.rule.state_dict(),
                "order": stopped._order.get_state(), "draws": stopped._draws.get_state()}, buffer)
    buffer.seek(0)
    state = torch.load(buffer, weights_only=True)
    resumed.network.load_state_dict(state["network"])
    resumed.rule.load_state_dict(state["rule"])
    resumed._order.set_state(state["order"])
    resumed._draws.set_state(state["draws"])
    resumed.epoch = 3
    run(resumed, 3)
    for name, value in whole.network.state_dict().items():
        assert value.numpy().tobytes() == resumed.network.state_dict()[name].numpy().tobytes(), name


@pytest.mark.parametrize("rule", RULES)
def test_trainings_in_turn_are_what_they_are_alone(rule):
    """Nothing of a training is drawn from torch's own generator, or left in it."""
    alone, other, in_turn = (trainer_of(rule), trainer_of(rule, "seed=1"), trainer_of(rule))
    run(alone, 3)
    for _ in range(3):
        run(other, 1)
        torch.rand(1)
        state = torch.get_rng_state()
        run(in_turn, 1)
        assert torch.equal(torch.get_rng_state(), state)
    for name, value in alone.network.state_dict().items():
        assert torch.equal(value, in_turn.network.state_dict()[name]), name


def test_jittered_trainings_in_turn_are_what_they_are_alone():
    alone, in_turn = (trainer_of("backprop", "data=digits", "jitter=1", "validation=0.9")
                      for _ in range(2))
    run(alone, 2)
    for _ in range(2):
        torch.manual_seed(5)
        run(in_turn, 1)
    assert alone.curve == in_turn.curve


NORMALISED = {
    "xnor": XNOR, "input": ["modulate={levels='batch-norm', depth=2}"],
    "bmab": ["learning=fbf", "layers=[{kind='bmab', neurons=8, centre='batch'}]",
             "head={kind='bma'}"],
    "bma": ["learning=fbf", "layers=[{kind='bmab', neurons=8}]",
            "head={kind='bma', centre='batch'}"],
    "bernoulli": NETWORKS["bernoulli"] + ["learning=bernoulli"],
    "dense": ["modulate.levels=real", "head={kind='linear'}",
              "layers=[{kind='dense', neurons=8, batch_norm=true}]"]}
"""Networks of which one part takes statistics of a batch."""


@pytest.mark.parametrize("name", NORMALISED)
def test_a_batch_of_one_has_no_statistics(name):
    with pytest.raises(ValueError, match=r"^batch must be at least 2 where a layer takes "
                                         r"statistics of the batch, not 1$"):
        trainer_of("backprop", *NORMALISED[name], "batch=1")
    source = data.load("iris")
    recipe = load_recipe("iris", ["learning=backprop", *NORMALISED[name]])
    with pytest.raises(ValueError, match=r"^samples to train on must be at least 2 where a layer "
                                         r"takes statistics of the batch, not 1$"):
        Trainer(recipe, source, (np.arange(1), np.arange(1, 9)))
    trainer = Trainer(load_recipe("iris", ["learning=backprop", *NORMALISED[name], "batch=10"]),
                      source, (np.arange(31), np.arange(31, 60)))
    sizes, step = [], trainer.rule.step
    trainer.rule.step = lambda x, y: sizes.append(len(x)) or step(x, y)
    run(trainer, 1)
    assert min(sizes) > 1
    assert sum(sizes) == 31


def test_layers_without_statistics_learn_from_single_samples():
    trainer = trainer_of("backprop", "batch=1")
    run(trainer, 1)
    assert trainer.curve[0]["train_accuracy"] > 0.5


def test_backprop_rate_falls_along_half_a_cosine():
    trainer = trainer_of("backprop", "backprop.learning_rate=0.4")
    rates = []
    for epoch in (0, 10, 20):
        trainer.rule.begin_epoch(epoch)
        rates.append(trainer.rule._optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.4, 0.2, 0.0])


def test_seed_decides_everything():
    first, second, other = (trainer_of("backprop", f"seed={seed}") for seed in (1, 1, 2))
    for trainer in (first, second, other):
        run(trainer, 1)
    assert first.curve == second.curve
    assert first.curve != other.curve
    assert not np.array_equal(first.network.layers[0].wires, other.network.layers[0].wires)


def test_best_epoch_wins_by_accuracy_then_by_loss():
    trainer = trainer_of("backprop")
    results = iter([(0.5, 1.0), (0.7, 2.0), (0.7, 1.5), (0.6, 0.1), (0.7, 1.5)])
    trainer.validate = lambda: next(results)
    bests = []
    for _ in range(5):
        run(trainer, 1)
        bests.append(trainer.best["epoch"])
    assert bests == [1, 2, 3, 3, 3]


def test_patience_ends_the_training():
    trainer = trainer_of("backprop", "patience=2")
    trainer.validate = lambda: (0.5, 1.0)
    finished = []
    for _ in range(3):
        run(trainer, 1)
        finished.append(trainer.finished)
    assert finished == [False, False, True]
