"""Bernoulli networks: layers in doubt, and how they become bits."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from bitwright import data
from bitwright.model.heads import ExpectationHead, expectation
from bitwright.model.layers import (
    BernoulliConvolutionLayer,
    BernoulliLayer,
)
from bitwright.model.neurons import probabilistic
from bitwright.model.poisson_binomial import tail
from bitwright.model.recipe import RecipeError, load_recipe
from bitwright.model.rules.bernoulli import Settings
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry
from tests.reference import poisson_binomial as exact


def generator_of(seed):
    return torch.Generator().manual_seed(seed)


def layer_of(in_width=9, neurons=4, seed=0):
    return BernoulliLayer(in_width, BernoulliLayer.Settings(neurons), generator=generator_of(seed))


def bits_of(width, batch, seed=0):
    return torch.randint(2, (width, batch), generator=generator_of(seed)).float()


def test_output_is_the_normalised_tail_by_the_exact_distribution():
    """With the shift that puts each threshold on a whole number, where the tail is exact."""
    layer = layer_of().train()
    layer.neurons.temperature.fill_(0.5)
    x = torch.rand(9, 20, generator=generator_of(1))
    v = (1 + layer.weights.values.detach().double()) / 2
    p = v[:, :, None] * x + (1 - v[:, :, None]) * (1 - x)
    counts = p.sum(1)
    deviation = (counts.var(1, correction=0) + 1e-4).sqrt()
    with torch.no_grad():
        layer.neurons.shift.copy_((counts.mean(1) + 0.5 - torch.tensor([4, 5, 6, 5])) / deviation)
    for neuron, threshold in enumerate([4, 5, 6, 5]):
        excess = exact.tail(p[neuron].numpy(), threshold) - 0.5
        expected = excess / np.sqrt((excess**2).mean() + 1e-4) / 0.5001
        expected = 1 / (1 + np.exp(-expected))
        assert layer(x)[neuron].detach().numpy() == pytest.approx(expected, abs=1e-4)


def test_likelihood_of_a_count_turns_at_the_frozen_threshold():
    """Where all is certain, the output in training is the output in evaluation, made smooth."""
    layer = layer_of(in_width=15, neurons=6)
    layer.weights.settle(1.0)
    with torch.no_grad():
        layer.neurons.shift.normal_(generator=generator_of(3))
    x = bits_of(15, 400)
    for _ in range(200):  # until the running statistics are those of the batch
        layer.neurons.calibrate(x)
    soft = layer.train()(x)
    hard = layer.eval()(x)
    assert torch.equal((soft > 0.5).float(), hard)
    assert 0.1 < hard.mean() < 0.9


def test_gradients_are_those_of_the_loss():
    """Of every parameter and of the input, against differences of the double-precision layer."""
    layer = layer_of(in_width=5, neurons=3).double().train()
    layer.neurons.gradient = "autograd"
    x = (0.2 + 0.6 * torch.rand(5, 7, generator=generator_of(4), dtype=torch.float64))
    with torch.no_grad():
        layer.neurons.shift.copy_(torch.tensor([0.1, -0.2, 0.3]))

    def run(weights, shift, x):
        return torch.func.functional_call(layer, {"neurons.weights.values": weights,
                                                    "neurons.shift": shift}, (x,))

    arguments = (layer.weights.values, layer.neurons.shift, x.requires_grad_())
    assert torch.autograd.gradcheck(run, arguments, atol=1e-6)


@pytest.mark.parametrize(("gradient", "bound"), [("precise", 0.03), ("three", 0.2), ("five", 0.2)])
def test_compiled_gradients_come_near_those_of_autograd(gradient, bound):
    layer = layer_of(in_width=40).train()
    x = torch.rand(40, 64, generator=generator_of(5)).requires_grad_()
    slopes = torch.randn(4, 64, generator=generator_of(6))
    found = {}
    for layer.neurons.gradient in ("autograd", gradient):
        gradients = torch.autograd.grad(layer(x), (layer.weights.values, x), slopes)
        found[layer.neurons.gradient] = torch.cat([g.flatten() for g in gradients])
    assert (found[gradient] - found["autograd"]).norm() < bound * found["autograd"].norm()


def test_convolution_is_a_dense_layer_on_windows():
    layer = BernoulliConvolutionLayer(
        Geometry.of((4, 5), 2), BernoulliConvolutionLayer.Settings(neurons=3, kernel=2, stride=2),
        generator=generator_of(0)).train()
    x = torch.rand(40, 6, generator=generator_of(1))
    columns = x[torch.from_numpy(layer.window.index)].permute(1, 0, 2).reshape(8, -1)
    expected = dense_twin(layer)(columns)
    # Probabilities, whose sums a convolution adds up in another order.
    torch.testing.assert_close(layer(x), expected.view(3, 4, 6).transpose(0, 1).reshape(12, 6))


def dense_twin(layer):
    settings = BernoulliLayer.Settings(len(layer.weights.values))
    twin = BernoulliLayer(layer.window.bits, settings, generator=generator_of(9)).train()
    twin.load_state_dict(layer.state_dict())
    return twin


def test_calibration_follows_the_counts_of_bits():
    layer = layer_of()
    x = bits_of(9, 50)
    counts = ((2.0 * (layer.weights.values.detach() >= 0) - 1) @ (2 * x - 1) + 9) / 2
    before = layer.neurons.mean.clone(), layer.neurons.deviation.clone()
    y = layer.neurons.calibrate(x)
    assert torch.allclose(layer.neurons.mean, 0.9 * before[0] + 0.1 * counts.mean(1))
    deviation = counts.std(1, correction=0)
    assert torch.allclose(layer.neurons.deviation, 0.9 * before[1] + 0.1 * deviation)
    assert torch.equal(y, (counts >= layer.neurons.mean.ceil()[:, None]).float())
    assert torch.equal(y, layer.eval()(x))


def test_thresholds_come_to_rest_when_weights_are_bits():
    layer = layer_of()
    layer.weights.settle(1.0)
    shares = []
    for batch in range(200):
        before = layer.neurons.mean.clone()
        x = bits_of(9, 50, seed=batch)
        layer.neurons.calibrate(x)
        counts = ((2.0 * layer.weights.bits - 1) @ (2 * x - 1) + 9) / 2
        # Of the neuron that moves most: rounding is least there.
        moved = (counts.mean(1) - before).abs().argmax()
        shares.append(((layer.neurons.mean - before) / (counts.mean(1) - before))[moved].item())
    assert shares[0] == pytest.approx(1 / 11, abs=1e-3)
    assert shares[9] == pytest.approx(1 / 20, abs=1e-3)
    assert shares[150] == pytest.approx(0.01, abs=1e-3)


def test_head_expects_what_it_counts_when_certain():
    head = ExpectationHead.make(6, 3, ExpectationHead.Settings(4.0, 2), generator=generator_of(0))
    with torch.no_grad():
        head.offsets.copy_(torch.tensor([0.25, -0.5, 1.0]))
    x = torch.rand(6, 5, generator=generator_of(1))
    v = (1 + head.weights.values.detach()) / 2
    p = v[:, :, None] * x + (1 - v[:, :, None]) * (1 - x)
    assert torch.allclose(head.train()(x), (2 * p.sum(1) + torch.tensor([[1], [-2], [4]])).T)
    head.weights.settle(1.0)
    x = bits_of(6, 5)
    assert torch.equal(head.train()(x), head.eval()(x))
    assert (head(x).numpy() == head.freeze().evaluate(x.T.numpy().astype(bool))).all()


def test_the_surest_neurons_settle_first_and_stay():
    layer = layer_of(in_width=2, neurons=4)
    with torch.no_grad():
        layer.weights.values.copy_(torch.tensor([[0.1, -0.1], [-0.9, 0.3], [0.5, 0.0],
                                                 [-0.2, 0.4]]))
    layer.weights.settle(0.5)
    assert layer.certain.tolist() == [False, True, False, True]
    assert layer.weights.values[[1, 3]].tolist() == [[-1.0, 1.0], [-1.0, 1.0]]
    assert layer.weights.values[0].tolist() == pytest.approx([0.1, -0.1])
    with torch.no_grad():
        layer.weights.values.add_(torch.tensor([0.6, 0.7]))  # a step of an optimizer
    layer.weights.bound.fill_(0.65)
    layer.constrain()
    assert layer.weights.values.flatten().tolist() == pytest.approx(
        [.65, .6, -1, 1, .65, .65, -1, 1])
    layer.weights.settle(0.25)
    assert layer.certain.sum() == 2
    layer.weights.settle(0.75)
    assert layer.certain.tolist() == [False, True, True, True]
    assert not layer.weights.binary
    layer.weights.settle(1.0)
    assert layer.weights.binary
    assert layer.measures()["doubt"] == 0


def test_certain_outputs_of_a_convolution_are_those_of_its_neurons():
    layer = BernoulliConvolutionLayer(
        Geometry.of((4, 5), 2), BernoulliConvolutionLayer.Settings(neurons=3, kernel=2, stride=2),
        generator=generator_of(0))
    layer.weights.settled[1] = True
    assert layer.certain.tolist() == [False, True, False] * 4


def test_regulariser_drives_weights_to_their_nearer_end():
    layer = layer_of()
    signs = layer.weights.values.detach().sign()
    doubt = layer.measures()["doubt"]
    for _ in range(2000):
        layer.weights.polarise(0.01)
        layer.constrain()
    assert doubt > 0.5
    assert torch.equal(layer.weights.values.detach(), signs)


def trainer_of(*overrides, epochs=10):
    recipe = load_recipe("digits-bernoulli", [f"epochs={epochs}", *overrides])
    return Trainer(recipe, data.load(recipe.data))


@pytest.mark.parametrize(("schedule", "expected"), [
    ("at-once", [[0, 0, 0]] * 9 + [[1, 1, 1]]),
    ("layer-by-layer", [[0, 0, 0]] * 4 + [[1, 0, 0]] * 2 + [[1, 1, 0]] * 2 + [[1, 1, 1]] * 2),
    ("part-by-part", [[0, 0, 0]] * 4 + [[.5, 0, 0], [1, 0, 0], [1, .5, 0], [1, 1, 0], [1, 1, .5],
                                        [1, 1, 1]]),
])
def test_schedules(schedule, expected):
    assert Settings(schedule=schedule, parts=2, soft=0.4).shares(3, 10) == expected


def test_schedule_ends_in_the_last_epoch_however_few_there_are():
    settings = Settings(parts=3, soft=0.5)
    assert settings.shares(3, 5) == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert settings.shares(3, 2) == [[0, 0, 0], [1, 1, 1]]
    assert settings.shares(3, 1) == [[0, 0, 0]]  # the only epoch has to train something


def test_temperature_falls_and_the_regulariser_grows_until_a_layer_becomes_bits():
    trainer = trainer_of("bernoulli.temperature=0.25", "bernoulli.regulariser=0.4",
                         "bernoulli.schedule=layer-by-layer", "bernoulli.soft=0.4")
    layers, seen = trainer.network.layers, {}
    for epoch in (0, 2, 4, 6, 8):
        trainer.rule.begin_epoch(epoch)
        temperatures = [layer.neurons.temperature.item() for layer in layers]
        seen[epoch] = [*temperatures, *trainer.rule._pulls]
    assert seen == {  # the layers become bits at epochs 4 and 6, the head at 8
        0: [1.0, 1.0, 0.0, 0.0, 0.0],
        2: pytest.approx([0.5, 0.25 ** (1 / 3), 0.2, 0.4 / 3, 0.1]),
        4: pytest.approx([0.25, 0.25 ** (2 / 3), 0.4, 0.8 / 3, 0.2]),
        6: pytest.approx([0.25, 0.25, 0.4, 0.4, 0.3]),
        8: pytest.approx([0.25, 0.25, 0.4, 0.4, 0.4]),
    }


def test_binarised_network_is_the_frozen_one():
    """In the last epoch nothing is in doubt: soft and hard pass agree on every batch."""
    trainer = trainer_of("bernoulli.schedule=layer-by-layer", epochs=6)
    entries = [trainer.run_epoch(lambda samples, accuracy: None) for _ in range(6)]
    assert all(part.weights.binary
               for part in (*trainer.network.layers, trainer.network.head))
    assert entries[-1]["bernoulli0.doubt"] == 0
    assert entries[-1]["train_accuracy"] == pytest.approx(entries[-1]["train_hard_accuracy"],
                                                          abs=0.02)
    assert entries[0]["train_accuracy"] - entries[0]["train_hard_accuracy"] > 0.1
    assert entries[-1]["validation_accuracy"] > 0.75
    frozen = trainer.freeze()
    assert frozen.provenance["accuracy"]["test"] == frozen.provenance["accuracy"]["test_ir"]


@pytest.mark.parametrize(("overrides", "message"), [
    (["layers.1.kind=xnor"],
     (r"^learning 'bernoulli' cannot train layers.1 of kind 'xnor'; it trains bernoulli, "
      r"bernoulli_convolution$")),
    (["head.kind=scores"],
     r"^learning 'bernoulli' cannot train a head of kind 'scores'; it trains expectation$"),
])
def test_networks_refused(overrides, message):
    recipe = load_recipe("digits-bernoulli", overrides)
    with pytest.raises(ValueError, match=message):
        Trainer(recipe, data.load(recipe.data))


@pytest.mark.parametrize(("settings", "message"), [
    ({"learning_rate": 0.0}, r"^learning_rate must be above 0 and finite, not 0.0$"),
    ({"soft": 1.0}, r"^soft must be between 0 and 1, not 1.0$"),
    ({"parts": 0}, r"^parts must be at least 1, not 0$"),
    ({"temperature": 1.5}, r"^temperature must be above 0 and at most 1, not 1.5$"),
    ({"bound": 0.0}, r"^bound must be above 0 and at most 1, not 0.0$"),
    ({"regulariser": -0.1}, r"^regulariser must be at least 0 and finite, not -0.1$"),
])
def test_rule_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


@pytest.mark.parametrize(("cls", "settings", "message"), [
    (BernoulliLayer.Settings, {"neurons": 0}, r"^neurons must be at least 1, not 0$"),
    *((BernoulliConvolutionLayer.Settings, {"neurons": 1, "kernel": 1, name: 0},
       rf"^{name} must be at least 1, not 0$") for name in ("neurons", "kernel", "stride")),
    (expectation.Settings, {"temperature": 0.0},
     r"^temperature must be above 0 and finite, not 0.0$"),
    (expectation.Settings, {"scale": 0}, r"^scale must be between 1 and 32768, not 0$"),
])
def test_layer_settings_refused(cls, settings, message):
    with pytest.raises(ValueError, match=message):
        cls(**settings)


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setattr(probabilistic, "find_spec", lambda name: None)
    with pytest.raises(ValueError,
                       match=r"^Bernoulli layers need the package numba; install it with "
                             r"`pip install 'bitwright\[train\]'`$"):
        layer_of()
    with pytest.raises(ValueError, match=r"^layers.0: Bernoulli layers need the package numba; "
                                         r"install it with `pip install "
                                         r"'bitwright\[train\]'`$"):
        trainer_of()


def test_unknown_gradient_is_refused():
    with pytest.raises(RecipeError, match=r"^Recipe digits-bernoulli: bernoulli.gradient must be "
                                          r"one of 'precise', 'three', 'five', 'autograd', not "
                                          r"'two'$"):
        load_recipe("digits-bernoulli", ["bernoulli.gradient=two"])


def test_interpolation_of_autograd_is_linear():
    p = torch.full((1, 6, 1), 0.5, dtype=torch.float64)
    values = [tail.convolved_tail(p, torch.tensor([t])).item() for t in (2.0, 2.25, 3.0, -1, 7.5)]
    assert values == pytest.approx([57 / 64, (0.75 * 57 + 0.25 * 42) / 64, 42 / 64, 1, 0])


def test_interpolation_of_the_compiled_tail_is_smooth():
    """Within the curvature of the tail from the straight line, and equal where both are exact."""
    u, a = torch.rand(1, 40, generator=generator_of(0)) - 0.5, torch.ones(40, 1)
    for whole, share in itertools.product((17, 20, 23), (0.0, 0.25, 0.5)):
        at = torch.tensor([whole + share])
        compiled, line = (tail.bernoulli_tail(u, a, at, gradient).item()
                          for gradient in ("precise", "autograd"))
        assert compiled == pytest.approx(line, abs=5e-6 if share == 0 else 0.006)
