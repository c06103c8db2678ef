"""LUT layers: values against the definition, gradients against direct formulas."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model import wiring
from bitwright.model.layers import LutLayer
from bitwright.model.layers.lut import Settings
from bitwright.model.lookup import loops, slope_matrix, tensors, trees
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry


def layer_of(seed=0, **settings):
    """A small layer in float64, and a batch of bits that it can differentiate by."""
    generator = torch.Generator().manual_seed(seed)
    layer = LutLayer(Geometry.of((3, 3)), Settings(width=6, **settings), generator=generator)
    x = torch.randint(2, (9, 13), generator=generator).double()
    return layer.double(), x.requires_grad_()


def weights_like(y, seed=1):
    return torch.randn(y.shape, generator=torch.Generator().manual_seed(seed), dtype=y.dtype)


def addresses(layer, x):
    """Address hit by each node (rows) in each sample, by the definition."""
    bits = x.detach().long()
    return [[sum(int(bits[source, b]) << slot for slot, source in enumerate(row))
             for b in range(x.shape[1])] for row in layer.sources.tolist()]


@pytest.mark.parametrize("fan_in", range(2, 9))
def test_forward_is_the_look_up(fan_in):
    layer, x = layer_of(fan_in=fan_in, wiring="random")
    expected = [[float(layer.tables[node, a] >= 0) for a in row]
                for node, row in enumerate(addresses(layer, x))]
    assert layer(x).tolist() == expected


@pytest.mark.parametrize("gradient", ["efd", "multilinear"])
def test_tables_receive_the_gradient_of_the_samples_that_hit_them(gradient):
    layer, x = layer_of(fan_in=3, wiring="random", gradient=gradient)
    y = layer(x)
    g = weights_like(y)
    (y * g).sum().backward()
    expected = torch.zeros_like(layer.tables)
    for node, row in enumerate(addresses(layer, x)):
        for b, a in enumerate(row):
            expected[node, a] += g[node, b]
    assert torch.allclose(layer.tables.grad, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("fan_in", [2, 3, 4, 6])
def test_efd_is_the_formula(fan_in, seed):
    layer, x = layer_of(seed, fan_in=fan_in, wiring="random", gradient="efd")
    y = layer(x)
    g = weights_like(y)
    (y * g).sum().backward()
    alpha, beta = 0.5 * 0.75 ** (fan_in - 1), 1 / 3
    table = (layer.tables.detach() / 2).tolist()  # from -1..+1 to the 0..1 of bits; +1/2 cancels
    expected = torch.zeros_like(x)
    for node, row in enumerate(addresses(layer, x)):
        for (b, a), slot in itertools.product(enumerate(row), range(fan_in)):
            total = 0.0
            for other in range(1 << fan_in):
                distance = ((a ^ other) & ~(1 << slot)).bit_count()
                sign = 1 if other >> slot & 1 else -1
                total += sign * table[node][other] * beta**distance
            expected[layer.sources[node, slot], b] += g[node, b] * alpha * total
    # The slopes were rounded to float32 once.
    assert torch.allclose(x.grad, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("fan_in", [2, 3, 4, 6])
def test_multilinear_is_the_derivative_of_the_extension(fan_in, seed):
    layer, x = layer_of(seed, fan_in=fan_in, wiring="random", gradient="multilinear")
    y = layer(x)
    g = weights_like(y)
    (y * g).sum().backward()
    smooth = x.detach().clone().requires_grad_()
    soft = (1 + layer.tables.detach()) / 2
    total = 0
    for node, row in enumerate(layer.sources.tolist()):
        for a in range(1 << fan_in):
            share = torch.ones(x.shape[1], dtype=x.dtype)
            for slot, source in enumerate(row):
                share = share * (smooth[source] if a >> slot & 1 else 1 - smooth[source])
            total = total + (soft[node, a] * share * g[node]).sum()
    total.backward()
    assert torch.allclose(x.grad, smooth.grad, rtol=0, atol=1e-12)


def test_slopes_of_a_constant_table_are_zero():
    for gradient in ("efd", "multilinear"):
        assert slope_matrix(4, gradient).sum(2).abs().max() < 1e-12


@pytest.mark.parametrize("window", [0, 5])
def test_preferences_receive_the_gradient_of_the_mixture(window):
    layer, x = layer_of(fan_in=3, wiring="learnable", window=window)
    y = layer(x)
    g = weights_like(y)
    (y * g).sum().backward()
    offered = layer.candidates if window else torch.arange(9).expand(6, -1)
    slopes = slope_matrix(3, "efd").float().double()
    signs = 2 * x.detach() - 1
    preferences = layer.preferences.detach().requires_grad_()
    total = 0
    for node, row in enumerate(addresses(layer, x)):
        for slot in range(3):
            slope = torch.stack([slopes[slot, a] @ layer.tables.detach()[node] / 2 for a in row])
            mixture = torch.softmax(preferences[node, slot], 0) @ signs[offered[node]]
            total = total + (g[node] * slope * mixture).sum()
    expected, = torch.autograd.grad(total, preferences)
    assert torch.allclose(layer.preferences.grad, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("window", [0, 5])
def test_wire_cost_is_that_of_the_mean_wire(window):
    layer, x = layer_of(fan_in=3, wiring="learnable", window=window, wire_cost=0.3)
    (layer(x) * 0).sum().backward()
    offset = torch.from_numpy(layer.input.places - layer.geometry.sites[:, None])
    length = offset.square().sum(2).sqrt()
    if window:
        length = length.gather(1, layer.candidates)
    preferences = layer.preferences.detach().requires_grad_()
    mean = (torch.softmax(preferences, 2) * length[:, None]).sum(2).mean()
    expected, = torch.autograd.grad(0.3 * mean, preferences)
    assert torch.allclose(layer.preferences.grad, expected, rtol=0, atol=1e-9)
    assert expected.abs().max() > 1e-4


@pytest.mark.parametrize("window", [0, 5])
def test_learnable_wiring_starts_at_the_wires_and_follows_the_preferences(window):
    layer, _ = layer_of(fan_in=3, wiring="learnable", window=window)
    assert layer.sources.tolist() == layer.wires.tolist()
    with torch.no_grad():
        layer.preferences[2, 1, 4] = 9.0
    expected = layer.candidates[2, 4] if window else 4
    assert layer.sources[2, 1] == expected
    assert layer.freeze().sources[2, 1] == expected


@pytest.mark.parametrize("realisation", [loops, tensors])
@pytest.mark.parametrize(("fan_in", "offered"), [(2, 2), (2, 64), (3, 9), (4, 7), (5, 1), (6, 6)])
def test_matches_are_sums_of_every_slot_and_bit(fan_in, offered, realisation):
    """Of whole numbers, which add up exactly in any order."""
    generator = torch.Generator().manual_seed(offered)
    of_slots = torch.randint(-9, 10, (5, fan_in, 37), generator=generator).float()
    rows = torch.randint(2, (80, 37), generator=generator, dtype=torch.uint8)
    bits = torch.randint(80, (5, offered), generator=generator)
    found = torch.full((5, fan_in, offered), math.nan)
    given = (of_slots, rows, bits, found)
    realisation.match(*(given if realisation is tensors else (each.numpy() for each in given)))
    assert torch.equal(found, torch.einsum("nfs,nos->nfo", of_slots, 2.0 * rows[bits] - 1))


@pytest.mark.parametrize("realisation", [loops, tensors])
def test_the_gradient_of_a_mixture_is_that_of_a_softmax(realisation):
    generator = torch.Generator().manual_seed(0)
    preferences = torch.randn(4, 3, 7, generator=generator).double().requires_grad_()
    match = torch.randn(4, 3, 7, generator=generator).double()
    share = torch.softmax(preferences, 2)
    share.backward(match)
    found, given = match.clone(), share.detach()
    realisation.mixed(*((given, found) if realisation is tensors else (given.numpy(),
                                                                       found.numpy())))
    assert torch.allclose(found, preferences.grad, rtol=0, atol=1e-15)


def test_the_highest_is_the_first_of_its_value():
    values = torch.randint(5, (7, 3, 9), generator=torch.Generator().manual_seed(0)).float()
    found = np.full((7, 3), -1, np.int64)
    loops.highest(values.numpy(), found)
    for row, place in zip(values.view(-1, 9).tolist(), found.ravel().tolist(), strict=True):
        assert place == row.index(max(row))


def test_gradients_are_deterministic():
    results = []
    for _ in range(2):
        layer, x = layer_of(fan_in=4, wiring="learnable", window=9)
        y = layer(x)
        (y * weights_like(y)).sum().backward()
        results.append([t.numpy().tobytes()
                        for t in (y.detach(), x.grad, layer.tables.grad, layer.preferences.grad)])
    assert results[0] == results[1]


def test_constrain_keeps_tables_within_one():
    layer, _ = layer_of(fan_in=2, wiring="random")
    with torch.no_grad():
        layer.tables.mul_(99)
    before = layer.hard
    layer.constrain()
    assert layer.tables.abs().max() == 1
    assert torch.equal(layer.hard, before)


def test_a_table_value_of_zero_is_a_one_on_both_sides():
    layer, x = layer_of(fan_in=2, wiring="random")
    with torch.no_grad():
        layer.tables.zero_()
    assert layer(x).min() == 1
    assert layer.freeze().tables.all()


def test_measures_give_the_wire_length():
    near, _ = layer_of(fan_in=2, wiring="window", window=4)
    far, _ = layer_of(fan_in=2, wiring="random")
    assert near.measures()["wire_length"] < far.measures()["wire_length"]


def test_wiring_of_every_name():
    geometry, generator = Geometry.of((3, 3), depth=2), torch.Generator().manual_seed(0)

    def sources(name):
        layer = LutLayer(geometry, Settings(6, fan_in=3, wiring=name), groups=2,
                         generator=generator)
        assert layer.preferences is None
        return layer.sources

    assert sources("serial").tolist() == wiring.serial(18, 6, 3, 2).tolist()
    assert sources("butterfly").tolist() == wiring.butterfly(18, 6, 3, 2).tolist()
    channels = sources("depthwise") % 2
    assert channels.tolist() == [[0] * 3, [1] * 3] * 3


def test_depthwise_wiring_needs_a_picture():
    with pytest.raises(ValueError, match=r"^depthwise wiring needs a picture, whose channels it "
                                         r"reads$"):
        LutLayer(Geometry.line(9), Settings(6, fan_in=3, wiring="depthwise"),
                 generator=torch.Generator())


def test_wiring_that_is_left_out_follows_the_window():
    assert Settings(5).wiring == "random"
    assert Settings(5, window=3).wiring == "window"
    assert LutLayer(Geometry.line(9), Settings(5),
                    generator=torch.Generator().manual_seed(0)).sources.shape == (5, 4)


@pytest.mark.parametrize(("settings", "message"), [
    ({"width": 0}, r"^width must be at least 1, not 0$"),
    ({"width": 5, "fan_in": 1}, r"^fan_in must be between 2 and 8, not 1$"),
    ({"width": 5, "fan_in": 9}, r"^fan_in must be between 2 and 8, not 9$"),
    ({"width": 5, "window": -1}, r"^window must be at least 0, not -1$"),
    ({"width": 5, "wiring": "window"},
     r"^window must be at least 1 where wiring is 'window', not 0$"),
    ({"width": 5, "wiring": "random", "window": 3},
     r"^window must be 0 where wiring is 'random', not 3$"),
    ({"width": 5, "wiring": "serial", "wire_cost": 0.1},
     r"^wire_cost must be 0 where wiring is 'serial', not 0.1$"),
    ({"width": 5, "wiring": "learnable", "wire_cost": -1.0},
     r"^wire_cost must be at least 0 and finite, not -1.0$"),
])
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_frozen_sources_are_what_the_evaluator_wants():
    layer, _ = layer_of(fan_in=3, wiring="window", window=4)
    node = layer.freeze()
    assert node.sources.dtype == np.int32
    assert node.in_width == 9


@pytest.mark.filterwarnings("ignore")  # the compiler says much of its own code
@pytest.mark.parametrize(("name", "by_loops"), [
    ("iris", True), ("iris", False), ("digits-lutconv", False)])
def test_a_compiled_pass_learns_the_same(name, by_loops, monkeypatch):
    """Traced as for a compiler, but for the look-ups, and run as it is written."""
    if not by_loops:
        monkeypatch.setattr(trees, "_loops", lambda: None)
    whole = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: whole(self, backend="aot_eager"))
    recipe = load_recipe(name, ["epochs=2"])
    entries, weights = [], []
    for compiled in (False, True):
        trainer = Trainer(recipe, data.load(recipe.data), compiled=compiled)
        entries.append([trainer.run_epoch(lambda samples, accuracy: None) for _ in range(2)])
        weights.append(trainer.network.state_dict())
    assert ([entry["train_loss"] for entry in entries[0]]
            == [entry["train_loss"] for entry in entries[1]])
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
