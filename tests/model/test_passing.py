"""Layers that have nothing to learn, graphs and noise, under every rule."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright import ir
from bitwright.model.base import BitLayer, Trait
from bitwright.model.layers import Layer
from bitwright.model.layers.noise import BitErrorLayer, DropoutLayer, Settings
from bitwright.model.recipe import Recipe, RecipeError
from bitwright.model.rules import Rule
from bitwright.model.rules.passed import Passed
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

PICTURE = data_sets()["picture"]  # 6 x 6 pixels, 4 classes
KINDS = {"fbf": ("bmab", "bma"), "bernoulli": ("bernoulli", "expectation"),
         "forward-forward": ("xnor", "goodness")}
SETTINGS = {"fbf": {"signal": "wish", "mask": "rank", "update_rate": 0.05},
            "forward-forward": {"loss": "symba", "temperature": 0.1, "learning_rate": 0.03},
            "unsupervised-forward-forward": {"loss": "symba", "temperature": 0.1,
                                             "readout_rate": 0.05}}


class Reverse(BitLayer, kind="reverse"):
    """Values in the opposite order."""

    traits = frozenset({Trait.PASSES})

    @classmethod
    def build(cls, settings, context, generator):
        layer = cls()
        layer.geometry = Geometry.line(context.geometry.width)
        return layer

    def forward(self, x):
        return x.flip(0)

    def freeze(self):
        width = self.geometry.width
        return ir.Lut(width, np.arange(width, dtype=np.int32)[::-1, None],
                      np.tile([False, True], (width, 1)))

    sample = None


del Layer.kinds["reverse"]  # which other tests list


def rate_of(rule):
    """A learning rate that is high, if the rule has one."""
    return {"learning_rate": 0.1} if hasattr(Rule.kinds[rule].Settings, "learning_rate") else {}


def trainer_of(rule, *layers, **others):
    """A trainer of layers, each what is said of it beside its kind, or the whole of it."""
    kind, head = KINDS.get(rule, ("xnor", "scores"))
    made = [layer if "kind" in layer else {"kind": kind, "neurons": 8} | layer for layer in layers]
    labels = {"modulate": {"labels": "first"}} if head == "goodness" else {}
    return Trainer(Recipe.of({
        "name": "x", "learning": rule, "epochs": 4, "batch": 16, "layers": made,
        "head": {"kind": head}, rule: rate_of(rule) | SETTINGS.get(rule, {}),
        **labels, **others}), PICTURE)


def steps(trainer, count=3):
    trainer.network.train()
    trainer.rule.begin_epoch(0)
    for part in range(count):
        here = slice(16 * part, 16 * part + 16)
        trainer.rule.step(trainer._features[here], trainer._labels[here])
    return [layer.weights.bits for _, layer in trainer.network.learning_layers]


def run(trainer, epochs):
    return [trainer.run_epoch(lambda samples, metric: None) for _ in range(epochs)]


@pytest.mark.parametrize("rule", Rule.kinds)
def test_a_layer_that_does_nothing_changes_nothing(rule):
    nothing = {"kind": "bit_error", "rate": 0.0}
    found = [steps(trainer_of(rule, *layers)) for layers in (
        ({}, {}), (nothing, {}, nothing, nothing, {}, nothing))]
    if rule == "forward-forward":
        return  # its head counts the layers that do nothing: here it only has to run
    for first, second in zip(*found, strict=True):
        assert torch.equal(first, second)


def reversing(rule, monkeypatch):
    """Bits after some steps, of a chain and of one with a reversal before the second layer."""
    monkeypatch.setitem(Layer.kinds, "reverse", Reverse)
    Reverse.Settings = Settings
    reverse = {"kind": "reverse", "rate": 0.0}
    chain, other = trainer_of(rule, {}, {}), trainer_of(rule, {}, reverse, {})
    for name, buffer in [*other.network.layers[2].weights.named_buffers(),
                         *other.network.layers[2].weights.named_parameters()]:
        if buffer is not None and buffer.ndim == 2:
            before = dict(chain.network.layers[1].weights.state_dict())[name]
            buffer.data.copy_(before.flip(1))
    start = [layer.weights.bits.clone() for layer in chain.network.layers]
    found, mirrored = steps(chain), steps(other)
    return start, found, [mirrored[0], mirrored[1].flip(1)]


# Those whose draws do not depend on the order of the bits.
@pytest.mark.parametrize("rule", sorted(
    Rule.kinds.keys() - {"feedback-alignment", "forward-forward"}))
def test_signals_follow_values(rule, monkeypatch):
    """A reversal in front of weights that are reversed: the same network, in the same steps."""
    start, found, mirrored = reversing(rule, monkeypatch)
    for before, first, second in zip(start, found, mirrored, strict=True):
        assert torch.equal(first, second)
        assert (before != first).any() or rule == "bernoulli"


@pytest.mark.parametrize("rule", ["fbf", "indirect-feedback-alignment"])
def test_a_signal_that_does_not_follow_is_seen(rule, monkeypatch):
    monkeypatch.setattr(Passed, "back", lambda self, signal: signal)
    monkeypatch.setattr(Passed, "forth", lambda self, signal: signal)
    _, found, mirrored = reversing(rule, monkeypatch)
    assert any((first != second).any() for first, second in zip(found, mirrored, strict=True))


@pytest.mark.parametrize("rule", Rule.kinds)
def test_every_rule_learns_a_graph(rule):
    trainer = trainer_of(rule, {"name": "a"}, {"kind": "dropout", "rate": 0.1, "name": "b"},
                         {"name": "c"}, {"name": "d", "inputs": ["b", "c", "modulate"]})
    network = trainer.network
    before = [layer.weights.bits.clone() for _, layer in network.learning_layers]
    entries = run(trainer, 4)
    for old, (_, layer) in zip(before, network.learning_layers, strict=True):
        assert (layer.weights.bits != old).any()
    assert entries[-1]["train_accuracy"] > 0.3
    frozen = trainer.freeze()
    assert [(entry.name, entry.inputs) for entry in frozen.entries[1:4]] == [
        ("a", ("modulate",)), ("c", ("a",)), ("d", ("a", "c", "modulate"))]
    assert frozen.entries[-1].inputs == (("a", "a", "c", "d") if rule == "forward-forward"
                                         else ("d",))


def test_flips_that_several_want_are_a_majority():
    trainer = trainer_of("fbf", {})
    signals = [torch.tensor([[1, 1, 0, 1, -1]]), torch.tensor([[1, 0, 0, -1, -1]]),
               torch.tensor([[0, 0, 0, -1, -1]])]
    assert trainer.rule._together(signals).tolist() == [[1, 1, 0, -1, -1]]
    trainer = trainer_of("fbf", {}, fbf={"signal": "flip"})
    assert trainer.rule._together(signals).tolist() == [[1, 0, 0, 0, -1]]
    assert trainer.rule._together(signals[:1]) is signals[0]


def test_processes_want_a_chain():
    message = "forward-forward.processes must be 0 for layers that are no chain, not 1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        trainer_of("forward-forward", {}, {"kind": "dropout", "rate": 0.1}, {},
                   **{"forward-forward": {"processes": 1}})


@pytest.mark.parametrize("layers", [
    [{"kind": "bit_error", "rate": 0.1}, {}], [{}, {"inputs": ["xnor0", "modulate"]}]])
def test_an_error_that_enters_at_the_first_layer_wants_one_first_layer(layers):
    message = ("indirect-feedback-alignment.entry must be 'input' where other layers than a first "
               "one that learns read the modulation, not 'first-layer'")
    with pytest.raises(ValueError, match=f"^{message}$"):
        trainer_of("indirect-feedback-alignment", *layers,
                   **{"indirect-feedback-alignment": {"entry": "first-layer"}})


@pytest.mark.parametrize(("cls", "hit"), [(BitErrorLayer, -1), (DropoutLayer, 0)])
def test_noise_hits_its_share_and_the_gradients_there(cls, hit):
    layer = cls(Geometry.line(400), Settings(0.2)).train()
    layer.generator = torch.Generator().manual_seed(0)
    x = torch.randint(2, (400, 50), generator=torch.Generator().manual_seed(1))
    real = x.float().requires_grad_()
    y = layer(real)
    y.sum().backward()
    assert set(real.grad.unique().tolist()) == {float(hit), 1.0}
    mask = real.grad == hit
    assert mask.float().mean().item() == pytest.approx(0.2, abs=0.01)
    expected = torch.where(mask, (1 - x if hit else 0 * x), x)
    assert torch.equal(y.detach(), expected.float())
    assert torch.equal(layer.eval()(x), x)


def test_a_training_with_noise_repeats_and_resumes(tmp_path):
    layers = ({"kind": "dropout", "rate": 0.2}, {}, {"kind": "bit_error", "rate": 0.1}, {})
    whole, clean = trainer_of("backprop", *layers), trainer_of("backprop", {}, {})
    run(whole, 1)
    whole.save(tmp_path / "checkpoint.pt")
    run(whole, 1)
    torch.manual_seed(3)
    resumed = trainer_of("backprop", *layers)
    resumed.restore(Checkpoint.load(tmp_path / "checkpoint.pt"), tmp_path)
    run(resumed, 1)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    run(clean, 2)
    assert any(not torch.equal(first[1].weights.values, second[1].weights.values) for first, second
               in zip(whole.network.learning_layers, clean.network.learning_layers, strict=True))


def test_statistics_are_measured_without_noise():
    """The thresholds are those of what the network sees in use."""
    trainer = trainer_of("backprop", {"kind": "bit_error", "rate": 0.45}, {})
    run(trainer, 1)
    network = trainer.network
    layer = network.layers[1]
    counts = layer.weights.product(network.modulator(trainer._features).float()).detach()
    assert (counts.mean(1) - layer.neurons.mean).abs().max() < 0.5
    network.train()
    noisy = layer.weights.product(network.layers[0](network.modulator(trainer._features)))
    assert (noisy.mean(1) - layer.neurons.mean).abs().max() > 0.5


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rates_refused(rate):
    with pytest.raises(RecipeError,
                       match=rf"^layers\.0\.rate must be from 0 to below 1, not {rate}$"):
        trainer_of("backprop", {"kind": "dropout", "rate": rate})
