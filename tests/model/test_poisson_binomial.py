"""Sums of Bernoullis: the exact distribution, its compiled transform, and the four gradients."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from bitwright.model.poisson_binomial import bernoulli_tail, convolved_tail
from tests.reference import poisson_binomial as exact

KINDS = ["middle", "low", "high", "mixed", "certain"]


def probabilities(kind, n, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "middle":
        return rng.uniform(0.45, 0.55, n)
    if kind == "low":
        return rng.uniform(0, 0.05, n)
    if kind == "high":
        return rng.uniform(0.95, 1, n)
    if kind == "mixed":
        return rng.uniform(0, 1, n)
    return np.where(rng.random(n) < 0.6, rng.integers(2, size=n), rng.uniform(0, 1, n))


def enumerate_all(p):
    """P(S = s) over all outcomes of the Bernoullis."""
    y = np.zeros(len(p) + 1)
    for outcome in itertools.product((0, 1), repeat=len(p)):
        y[sum(outcome)] += np.prod(np.where(outcome, p, 1 - p))
    return y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 10])
def test_distribution_is_that_of_all_outcomes(kind, n):
    p = probabilities(kind, n)
    expected = enumerate_all(p)
    assert exact.distribution(p) == pytest.approx(expected, abs=1e-14)
    for threshold in range(-1, n + 3):
        assert exact.tail(p, threshold) == pytest.approx(expected[max(threshold, 0):].sum())


def test_distribution_of_a_fair_coin_by_hand():
    assert exact.distribution(np.full(4, 0.5)).tolist() == [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16]
    assert exact.tail(np.full(4, 0.5), 2) == 11 / 16  # the threshold itself counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 9, 50])
def test_taking_a_bernoulli_out_leaves_the_others(kind, n):
    p = probabilities(kind, n, seed=n)
    x = exact.without(exact.distribution(p), p)
    for k in range(n):
        assert x[:, k] == pytest.approx(exact.distribution(np.delete(p, k)), abs=1e-12)


def differences(p, threshold, step=1e-5):
    """Central differences. The tail is linear in each p, so that only rounding is in error."""
    result = np.empty(len(p))
    for k in range(len(p)):
        up, down = p.copy(), p.copy()
        up[k] += step
        down[k] -= step
        result[k] = (exact.tail(up, threshold) - exact.tail(down, threshold)) / (2 * step)
    return result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [3, 20, 50])
def test_precise_gradient_equals_finite_differences(kind, n):
    p = probabilities(kind, n, seed=n)
    for threshold in (0, 1, n // 4, n // 2, int(p.sum()), n, n + 1):
        expected = differences(p, threshold)
        assert exact.precise(p, threshold) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [3, 20, 50])
def test_autograd_equals_finite_differences(kind, n):
    p = probabilities(kind, n, seed=n)
    for threshold in (0, 1, n // 2, int(p.sum()), n + 1):
        tensor = torch.from_numpy(p)[None, :, None].requires_grad_()
        result = convolved_tail(tensor, torch.tensor([threshold]))
        assert result.item() == pytest.approx(exact.tail(p, threshold), abs=1e-12)
        result.sum().backward()
        assert tensor.grad[0, :, 0].numpy() == pytest.approx(differences(p, threshold), abs=1e-6)


def test_recursion_from_the_wrong_side_is_of_no_use():
    """Why the side is chosen: rounding grows by q / p a step."""
    p = np.array([0.95] + [0.5] * 49)
    y = exact.distribution(p)
    x = np.zeros(50)
    for s in range(50):
        x[s] = (y[s] - p[0] * (x[s - 1] if s else 0)) / (1 - p[0])
    right = differences(p, 41)[0]
    assert abs(x[40] - right) > 1e3
    assert exact.precise(p, 41)[0] == pytest.approx(right, abs=1e-9)


@pytest.mark.parametrize(("equations", "bound"), [(3, 0.16), (5, 0.14)])
def test_equations_come_near(equations, bound):
    """Of the largest derivative; least for p near 0, 1/2 and 1."""
    for seed in range(5):
        p = probabilities("mixed", 60, seed)
        threshold = round(p.sum())
        right = exact.precise(p, threshold)
        error = np.abs(exact.from_equations(p, threshold, equations) - right) / right.max()
        assert error.max() < bound
        near = (np.abs(p - 0.5) < 0.02) | (p < 0.02) | (p > 0.98)
        assert error[near].max(initial=0) < 0.06


def test_three_equations_by_hand():
    """A coin and a certainty: y = (0, 1/2, 1/2)."""
    # Without the coin, from the rows s = 0, 1, 2 of (x_(s-1) + x_s) / 2 = y_s: x = (u, -u, 1 + u,
    # -u), whose norm is least at u = -1/4: 3/4 where P(S = 1) is 1. Without the certainty, rows
    # s = 1, 2, 3 of x_(s-1) = y_s: 1/2, which is right.
    assert exact.from_equations(np.array([0.5, 1.0]), 2, 3) == pytest.approx([0.75, 0.5])
    assert exact.precise(np.array([0.5, 1.0]), 2) == pytest.approx([1.0, 0.5])


def layer(n, seed=0, sums=5, columns=70, sharpness=1.0):
    """Weights and inputs, from all in doubt to almost all certain, and thresholds near the mean."""
    rng = np.random.default_rng(seed)
    u = np.clip(rng.normal(size=(sums, n)) * sharpness, -1, 1)
    a = np.clip(rng.normal(size=(n, columns)) * sharpness, -1, 1)
    u, a = (torch.from_numpy(x).float() for x in (u, a))
    return u, a, torch.full((sums,), n / 2).ceil() + torch.arange(sums) - 2


def products(u, a):
    return ((1 + u.double()[:, :, None] * a.double()) / 2).numpy()


CASES = list(itertools.product([1, 2, 6, 36, 129, 800], [0.3, 1.0, 4.0, 50.0]))


@pytest.mark.parametrize(("n", "sharpness"), CASES)
def test_compiled_tail_is_the_exact_one(n, sharpness):
    u, a, thresholds = layer(n, sharpness=sharpness)
    p = products(u, a)
    found = bernoulli_tail(u, a, thresholds, "precise").numpy()
    for o, threshold in enumerate(thresholds.int().tolist()):
        assert found[o] == pytest.approx(exact.tail(p[o], threshold), abs=5e-5)


@pytest.mark.parametrize("n", [3, 36])
def test_compiled_tail_of_bits_is_a_step(n):
    rng = np.random.default_rng(n)
    u, a = (torch.from_numpy(2.0 * rng.integers(2, size=shape) - 1).float()
            for shape in ((4, n), (n, 100)))
    thresholds = torch.tensor([0.0, n // 2, n // 2 + 1, n + 1])
    counts = (u @ a + n) / 2
    found = bernoulli_tail(u, a, thresholds, "three")
    expected = (counts >= thresholds[:, None]).float()
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("n", "sharpness"), CASES)
@pytest.mark.parametrize("gradient", ["precise", "three", "five"])
def test_compiled_gradient_is_that_of_the_reference(gradient, n, sharpness):
    u, a, thresholds = layer(n, sums=3, columns=3, sharpness=sharpness)
    p = products(u, a)
    slopes = torch.tensor([[1.0, -0.5, 2.0], [0.0, 1.0, 1.0], [-1.0, 3.0, 0.25]])
    of_p = np.empty_like(p)
    for o, column in itertools.product(range(3), range(3)):
        threshold = int(thresholds[o])
        of_p[o, :, column] = slopes[o, column].item() * (
            exact.precise(p[o, :, column], threshold) if gradient == "precise" else
            exact.from_equations(p[o, :, column], threshold, 3 if gradient == "three" else 5))
    of_p = torch.from_numpy(of_p)
    u.requires_grad_()
    a.requires_grad_()
    bernoulli_tail(u, a, thresholds, gradient).backward(slopes)
    expected_u = (of_p * a.detach().double()).sum(2) / 2
    expected_a = (of_p * u.detach().double()[:, :, None]).sum(0) / 2
    assert torch.allclose(u.grad.double(), expected_u, atol=2e-4)
    assert torch.allclose(a.grad.double(), expected_a, atol=2e-4)
    assert expected_u.abs().max() > 1e-3


@pytest.mark.parametrize("gradient", ["precise", "three", "five"])
def test_gradient_of_the_threshold_is_the_mean_mass_beside_it(gradient):
    u, a, thresholds = layer(20)
    thresholds.requires_grad_()
    slopes = torch.randn(5, 70, generator=torch.Generator().manual_seed(0))
    bernoulli_tail(u, a, thresholds, gradient).backward(slopes)
    for o, threshold in enumerate(thresholds.int().tolist()):
        y = exact.distribution(products(u, a)[o])
        expected = -(y[threshold - 1] + y[threshold]) @ slopes[o].double().numpy() / 2
        assert thresholds.grad[o].item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75])
def test_autograd_of_the_threshold_is_the_mass_below_it(share):
    u, a, thresholds = layer(20)
    at = (thresholds - share).requires_grad_()
    bernoulli_tail(u, a, at, "autograd").sum().backward()
    for o, threshold in enumerate(thresholds.int().tolist()):
        y = exact.distribution(products(u, a)[o])
        assert at.grad[o].item() == pytest.approx(-y[threshold - 1].sum(), abs=1e-4)


def test_a_threshold_out_of_reach_gives_a_constant():
    u, a, _ = layer(800, sharpness=0.5)
    u.requires_grad_()
    tail = bernoulli_tail(u, a, torch.tensor([0.0, 100.0, 400.0, 700.0, 801.0]), "precise")
    tail.sum(1)[[0, 1, 3, 4]].sum().backward()
    assert tail[0].unique().tolist() == tail[1].unique().tolist() == [1.0]
    assert tail[3].unique().tolist() == tail[4].unique().tolist() == [0.0]
    assert u.grad.count_nonzero() == 0


def test_importing_the_layers_does_not_import_numba():
    code = ("import sys, bitwright.model.layers, bitwright.model.poisson_binomial; "
            "sys.exit('numba' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
