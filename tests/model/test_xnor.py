"""XNOR layers: counts, the batch norm absorbed, gradients."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright.model.heads import ScoresHead
from bitwright.model.layers import XnorLayer
from bitwright.model.neurons.normalised import EPSILON, Settings
from bitwright.model.weights.product import agreements


def generator_of(seed):
    return torch.Generator().manual_seed(seed)


def trained(seed, width=12, neurons=6, depth=3):
    """A layer that has seen batches, with scales of both signs."""
    generator = generator_of(seed)
    layer = XnorLayer(width, Settings(neurons, depth), generator=generator)
    with torch.no_grad():
        layer.neurons.scale.normal_(generator=generator)
        layer.neurons.shift.normal_(generator=generator)
        for _ in range(20):
            layer(torch.randint(2, (width, 50), generator=generator).float())
    return layer


def test_agreements_by_hand():
    weights = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert agreements(weights, x).tolist() == [[2.0, 1.0], [0.0, 3.0]]


@pytest.mark.parametrize("seed", range(5))
def test_absorbed_thresholds_are_the_batch_norm_of_the_running_statistics(seed):
    layer = trained(seed).eval()
    x = torch.randint(2, (12, 400), generator=generator_of(seed + 100)).float()
    counts = agreements((layer.weights.values >= 0).float(), x).double()
    deviation = (layer.neurons.variance.double() + EPSILON).sqrt()
    z = (counts - layer.neurons.mean.double()[:, None]) / deviation[:, None]
    z = z * layer.neurons.scale.double()[:, None] + layer.neurons.shift.double()[:, None]
    expected = (z[:, None] >= layer.neurons.cuts.double()[:, None]).flatten(0, 1)
    assert torch.equal(layer(x).bool(), expected)


def test_a_scale_of_zero_gives_constants():
    layer = trained(0, depth=1).eval()
    with torch.no_grad():
        layer.neurons.scale[:2] = 0
        layer.neurons.shift[0], layer.neurons.shift[1] = 0.5, -0.5
    thresholds = layer.neurons.thresholds
    assert thresholds[:2, 0].tolist() == [0, 13]


def test_thresholds_cut_the_normal_distribution_into_equal_masses():
    layer = XnorLayer(8, Settings(2, 3), generator=generator_of(0))
    assert layer.neurons.cuts.tolist() == pytest.approx([-0.6745, 0.0, 0.6745], abs=1e-4)
    assert XnorLayer(8, Settings(2), generator=generator_of(0)).neurons.cuts.tolist() == [0.0]


def test_running_statistics_approach_those_of_the_data():
    layer = trained(3)
    x = torch.randint(2, (12, 20000), generator=generator_of(9)).float()
    counts = agreements((layer.weights.values >= 0).float(), x)
    assert torch.allclose(layer.neurons.mean, counts.mean(1), atol=0.6)
    assert torch.allclose(layer.neurons.variance, counts.var(1), rtol=0.5)


def test_gradient_passes_where_values_are_within_one():
    layer = XnorLayer(6, Settings(4), generator=generator_of(0))
    with torch.no_grad():
        layer.weights.values[0] = torch.tensor([0.5, -0.5, 1.0, 1.5, -1.5, 0.0])
    x = torch.randint(2, (6, 30), generator=generator_of(1)).float().requires_grad_()
    y = layer(x)
    (y * torch.randn(y.shape, generator=generator_of(2))).sum().backward()
    assert (layer.weights.values.grad[0] != 0).tolist() == [True, True, True, False, False, True]
    assert x.grad.abs().sum() > 0
    layer.constrain()
    assert layer.weights.values.abs().max() <= 1


def test_gradient_of_the_counts_is_exact():
    generator = generator_of(4)
    weights = torch.randint(2, (3, 5), generator=generator).double().requires_grad_()
    x = torch.randint(2, (5, 4), generator=generator).double().requires_grad_()
    assert torch.autograd.gradcheck(agreements, (weights, x))


def test_head_is_trained_on_the_scores_it_freezes_to():
    head = ScoresHead.make(10, 3, ScoresHead.Settings(4.0, 2), generator=generator_of(0))
    with torch.no_grad():
        head.offsets.copy_(torch.tensor([0.3, -0.9, 2.0]))
    node = head.freeze()
    assert node.biases.tolist() == [1, -4, 8]
    x = torch.randint(2, (10, 20), generator=generator_of(1))
    scores = head(x.float())
    assert (scores.detach().numpy() == node.evaluate(x.T.numpy().astype(bool))).all()
    scores[:, 1].sum().backward()
    assert head.offsets.grad.tolist() == [0.0, 80.0, 0.0]


@pytest.mark.parametrize("name", ["neurons", "depth"])
def test_settings_refused(name):
    with pytest.raises(ValueError, match=rf"^{name} must be at least 1, not 0$"):
        Settings(**{"neurons": 1, name: 0})


@pytest.mark.parametrize(("settings", "message"), [
    ({"temperature": 0.0}, r"^temperature must be above 0 and finite, not 0.0$"),
    ({"scale": 0}, r"^scale must be between 1 and 32768, not 0$"),
])
def test_head_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ScoresHead.Settings(**settings)


def test_depth_is_neuron_major():
    node = trained(1).freeze()
    assert node.thresholds.shape == (6, 3)
    rng = np.random.default_rng(0)
    bits = node.evaluate(rng.integers(2, size=(50, 12)).astype(bool)).reshape(50, 6, 3)
    ordered = np.diff(bits.astype(int), axis=2)
    assert (ordered.min(axis=(0, 2)) >= 0)[node.thresholds[:, 0] > node.thresholds[:, 2]].all()
