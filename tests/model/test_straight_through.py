"""Slopes of the sign, Darabi's penalty, XNOR-Net's scaling."""

from copy import deepcopy
from typing import get_args, get_type_hints

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model import train
from bitwright.model.layers import XnorLayer
from bitwright.model.recipe import Recipe
from bitwright.model.rules.straight_through import BETA_LEAST, Settings
from bitwright.model.training.trainer import Trainer
from bitwright.model.weights.surrogate import (
    SLOPES,
    Sign,
    SignSwish,
    clipped,
    identity,
    quadratic,
    sign_swish,
)

BITS = {"modulate": {"depth": 2}, "head": {"kind": "scores", "temperature": 4.0},
        "layers": [{"kind": "xnor", "neurons": 7, "depth": 2}, {"kind": "xnor", "neurons": 5}]}
VARIANTS = [
    {}, {"surrogate": "identity"}, {"surrogate": "quadratic"}, {"surrogate": "sign-swish"},
    {"surrogate": "sign-swish", "steepness": "rising"},
    {"surrogate": "sign-swish", "steepness": "learned", "beta": 2.0},
    {"regulariser": "manhattan"}, {"regulariser": "euclidean", "alpha": "one"},
    {"scaling": "xnor-net"},
]


def trainer_of(learning="straight-through", **settings):
    recipe = Recipe.of({"name": "test", "data": "iris", "learning": learning, learning: settings,
                        "epochs": 5, **BITS})
    return Trainer(recipe, data.load("iris"))


def steps(trainer, count=3):
    trainer.network.train()
    for index in range(count):
        trainer.rule.begin_epoch(index)
        result = trainer.rule.step(trainer._features[:40], trainer._labels[:40])
    return result


def ss(x, beta):
    """SignSwish as the paper writes it."""
    s = 1 / (1 + np.exp(-beta * x))
    return 2 * s * (1 + beta * x * (1 - s)) - 1


def test_slopes_by_hand():
    x = torch.tensor([-1.5, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0])
    assert identity(x).tolist() == [1] * 7
    assert clipped(x).tolist() == [0, 1, 1, 1, 1, 1, 0]
    assert quadratic(x).tolist() == [0, 0, 1.5, 2, 1, 0, 0]
    assert tuple(SLOPES) == get_args(get_type_hints(Settings)["surrogate"])


@pytest.mark.parametrize("beta", [1.0, 5.0])
def test_sign_swish_is_the_derivative_of_the_paper_s_function(beta):
    x, h = np.linspace(-3, 3, 61), 1e-5
    expected = (ss(x + h, beta) - ss(x - h, beta)) / (2 * h)
    np.testing.assert_allclose(sign_swish(torch.from_numpy(x), beta).numpy(), expected, atol=1e-8)
    assert float(sign_swish(torch.zeros(()), beta)) == beta
    assert sign_swish(torch.tensor([-1e4, 1e4]), beta).tolist() == [0, 0]  # no overflow to nan


@pytest.mark.parametrize("name", [name for name in SLOPES if name != "identity"])
def test_area_of_a_slope_is_the_height_of_the_step(name):
    x = torch.linspace(-20, 20, 400_001, dtype=torch.float64)
    assert float(torch.trapezoid(SLOPES[name](x).double(), x)) == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize("name", SLOPES)
def test_forward_is_the_same_step_for_all(name):
    x = torch.tensor([-2.0, -0.0, 0.0, 1e-9, 3.0], requires_grad=True)
    y = Sign.apply(x, SLOPES[name])
    assert y.tolist() == [0, 1, 1, 1, 1]
    y.backward(torch.arange(1.0, 6.0))
    assert torch.equal(x.grad, torch.arange(1.0, 6.0) * SLOPES[name](x.detach()))


def test_learned_steepness_follows_the_derivative_by_beta():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
    beta, h = torch.tensor(3.0, dtype=torch.float64, requires_grad=True), 1e-6
    gradient = torch.arange(9.0, dtype=torch.float64) - 3
    y = SignSwish.apply(x, beta)
    assert torch.equal(y, Sign.apply(x))
    y.backward(gradient)
    values = x.detach().numpy()
    expected = gradient.numpy() @ ((ss(values, 3 + h) - ss(values, 3 - h)) / (2 * h))
    assert beta.grad.item() == pytest.approx(expected, abs=1e-8)
    np.testing.assert_allclose(x.grad.numpy(), gradient * sign_swish(x.detach(), 3.0))


def test_defaults_are_backpropagation_bit_for_bit():
    first, second = trainer_of(), trainer_of("backprop")
    assert steps(first) == steps(second)
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


@pytest.mark.parametrize("settings", VARIANTS[1:], ids=str)
def test_variants_differ_from_backpropagation(settings):
    first, second = trainer_of(**settings), trainer_of("backprop")
    steps(first)
    steps(second)
    assert not torch.equal(*(trainer.network.layers[1].weights.values
                             for trainer in (first, second)))


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_state_is_all_there_is(settings):
    whole, resumed = trainer_of(**settings), trainer_of(**settings)
    steps(whole, 2)
    resumed.network.load_state_dict(whole.network.state_dict())
    resumed.rule.load_state_dict(deepcopy(whole.rule.state_dict()))
    for trainer in (whole, resumed):
        trainer.rule.begin_epoch(2)
    batch = whole._features[:40], whole._labels[:40]
    assert whole.rule.step(*batch) == resumed.rule.step(*batch)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


@pytest.mark.parametrize(("regulariser", "power"), [("manhattan", 1), ("euclidean", 2)])
def test_penalty_by_hand(regulariser, power):
    learned = trainer_of(regulariser=regulariser, regularisation=0.5)
    one = trainer_of(regulariser=regulariser, regularisation=0.5, alpha="one")
    weights = [np.abs(part.weights.values.detach().double().numpy())
               for part in (*learned.network.layers, learned.network.head)]
    distance = [w.mean(1, keepdims=True) - w for w in weights]
    assert learned.rule.penalty().item() == pytest.approx(
        0.5 * sum((np.abs(d) ** power).sum() for d in distance), rel=1e-5)
    assert one.rule.penalty().item() == pytest.approx(
        0.5 * sum(((1 - w) ** power).sum() for w in weights), rel=1e-5)
    assert trainer_of().rule.penalty().item() == 0


def test_penalty_draws_magnitudes_together():
    """Under a strong penalty the spread of the magnitudes within a neuron falls."""
    def spread(trainer):
        return trainer.network.layers[0].weights.values.detach().abs().std(1).mean().item()

    strong = trainer_of(regulariser="euclidean", regularisation=1.0, learning_rate=0.02)
    before = spread(strong)
    plain = trainer_of(learning_rate=0.02)
    for _ in range(20):
        steps(strong)
        steps(plain)
    assert spread(strong) < before / 3 < spread(plain)


def test_batch_norm_divides_xnor_net_s_scaling_out():
    """A positive factor of a hidden neuron's sums changes neither bits nor gradients."""
    generator = torch.Generator().manual_seed(0)
    layer = XnorLayer(40, XnorLayer.Settings(6), generator=generator)
    x = torch.randint(2, (40, 64), generator=generator).float()
    gradient = torch.randn(6, 64, generator=generator)
    alpha = layer.weights.values.detach().abs().mean(1, keepdim=True)
    bits, slopes = [], []
    for factor in (torch.ones(6, 1), alpha):
        layer.weights.values.grad = None
        y = layer.activate(factor * (layer.product(x) - 20))
        y.backward(gradient)
        bits.append(y)
        slopes.append(layer.weights.values.grad.clone())
    assert torch.equal(*bits)
    assert torch.allclose(*slopes, rtol=1e-3, atol=1e-5)


def test_steepness_rises_from_one_to_beta():
    trainer = trainer_of(surrogate="sign-swish", steepness="rising", beta=16.0)
    found = []
    for epoch in range(5):
        trainer.rule.begin_epoch(epoch)
        x = torch.zeros(1, requires_grad=True)
        trainer.network.layers[0].neurons.step(x).backward()
        found.append(x.grad.item())
    assert found == pytest.approx([1, 2, 4, 8, 16])


def test_learned_steepness_and_alpha_are_reported_and_move():
    trainer = trainer_of(surrogate="sign-swish", steepness="learned", regulariser="manhattan",
                         learning_rate=0.1)
    first, last = steps(trainer, 1), steps(trainer, 5)
    names = {"beta.xnor0", "beta.xnor1", "alpha.xnor0", "alpha.xnor1", "alpha.head"}
    assert names < set(first)
    assert all(first[name] != last[name] for name in names)


def test_learned_steepness_stays_above_zero():
    trainer = trainer_of(surrogate="sign-swish", steepness="learned", beta=0.2, learning_rate=50)
    assert all(value >= BETA_LEAST * 0.99 for name, value in steps(trainer, 5).items()
               if name.startswith("beta."))


@pytest.mark.parametrize(("settings", "message"), [
    ({"beta": 0.0}, r"^beta must be above 0 and finite, not 0.0$"),
    ({"regularisation": -1.0}, r"^regularisation must be above 0 and finite, not -1.0$"),
    ({"learning_rate": 0.0}, r"^learning_rate must be above 0 and finite, not 0.0$"),
    ({"steepness": "rising"},
     r"^steepness must be 'fixed' where surrogate is 'clipped', not 'rising'$"),
])
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_other_layers_are_refused(tmp_path, caplog):
    command = ["digits", "--set", "learning=straight-through", "--out", str(tmp_path)]
    assert train.main(command) == 1
    message, = caplog.messages
    assert message == ("Recipe digits: learning 'straight-through' cannot train layers.0 of kind "
                       "'lut'; it trains convolution, xnor")


def test_the_clipped_slope_reaches_to_its_ends():
    """Or weights there would stay there for ever."""
    beyond = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    x = torch.stack([-beyond, torch.tensor(-1.0), torch.tensor(1.0), beyond]).requires_grad_()
    Sign.apply(x).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 0]
