"""How tables are made of what trains: values, gradients, starts, learning, resuming."""

import pytest

torch = pytest.importorskip("torch")

from bitwright import data, ir
from bitwright.model.layers import LutConvolutionLayer, LutLayer
from bitwright.model.lookup import Parametrisation
from bitwright.model.recipe import Recipe
from bitwright.model.settings import RecipeError
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

KINDS = sorted(Parametrisation.kinds)
TRAINED = [kind for kind in KINDS if Parametrisation.kinds[kind].trains]


def layer_of(table, fan_in=3, seed=0, **settings):
    """A small layer in float64, and a batch of bits."""
    generator = torch.Generator().manual_seed(seed)
    settings = {"width": 6, "fan_in": fan_in, "table": table} | settings
    layer = LutLayer(Geometry.of((3, 3)), LutLayer.Settings(**settings), generator=generator)
    x = torch.randint(2, (9, 40), generator=generator).double()
    return layer.double(), x


def addresses(layer, x):
    """Address of each node (rows) in each sample."""
    bits = x.long()[layer.sources]  # (nodes, fan_in, samples)
    return (bits << torch.arange(bits.shape[1])[:, None]).sum(1)


def test_kinds():
    assert KINDS == ["entries", "gates", "majority", "mlp", "or", "walsh"]


@pytest.mark.parametrize("start", ["random", "residual"])
@pytest.mark.parametrize("fan_in", [2, 3, 6])
@pytest.mark.parametrize("table", KINDS)
def test_frozen_tables_are_what_is_looked_up(table, fan_in, start):
    if start == "residual" and table not in TRAINED:
        pytest.skip("fixed tables have no start")
    layer, x = layer_of(table, fan_in, start=start)
    values = layer.parametrisation.values(layer.tables)
    assert values.shape == layer.hard.shape == (6, 1 << fan_in)
    assert values.abs().max() <= 1
    y, frozen = layer(x), layer.freeze()
    assert torch.equal(y.bool(), torch.tensor(frozen.tables).gather(1, addresses(layer, x)))
    assert (frozen.evaluate(x.bool().T.numpy()) == y.bool().T.numpy()).all()


@pytest.mark.parametrize("fan_in", [2, 3, 6])
@pytest.mark.parametrize("table", TRAINED)
def test_gradients_are_finite_differences_of_the_relaxed_tables(table, fan_in):
    layer, x = layer_of(table, fan_in)
    slopes = torch.randn(6, 40, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    (layer(x) * slopes).sum().backward()
    at, found = addresses(layer, x), layer.tables.grad.flatten(1)

    def relaxed(tables):
        return (layer.parametrisation.values(tables).gather(1, at) * slopes).sum().item()

    step, tables = 1e-5, layer.tables.detach()
    for node in range(6):
        for place in range(0, found.shape[1], 7):
            ends = []
            for sign in (1, -1):
                moved = tables.clone()
                moved.view(6, -1)[node, place] += sign * step
                ends.append(relaxed(moved))
            expected = (ends[0] - ends[1]) / (2 * step)
            assert abs(found[node, place].item() - expected) < 1e-6
    assert found.abs().sum() > 0


@pytest.mark.parametrize("layer_class", [LutLayer, LutConvolutionLayer])
@pytest.mark.parametrize("table", TRAINED)
def test_a_residual_start_passes_the_first_input_on(table, layer_class):
    generator, geometry = torch.Generator().manual_seed(0), Geometry.of((4, 4))
    size = {"width": 200} if layer_class is LutLayer else {"channels": 200, "kernel": 4,
                                                           "levels": 1}
    settings = layer_class.Settings(**size, fan_in=4, table=table, start="residual")
    layer = layer_class(geometry, settings, generator=generator)
    hard = layer.hard if layer_class is LutLayer else layer.hard[0]
    passed = torch.arange(16) % 2 == 1
    assert (hard == passed).float().mean() > 0.94


def test_walsh_coefficients_are_sums_over_the_table():
    layer, _ = layer_of("walsh", 3)
    table = layer.parametrisation.values(layer.tables).atanh()
    for coefficient in range(8):
        parity = torch.tensor([1 - 2 * ((coefficient & ~a).bit_count() % 2) for a in range(8)])
        expected = (table * parity).sum(1) / 8**0.5
        assert torch.allclose(layer.tables[:, coefficient], expected, rtol=0, atol=1e-6)


def test_gates_form_a_tree_by_hand():
    layer, _ = layer_of("gates", 3)
    both, either = 0b1000, 0b1110
    with torch.no_grad():
        layer.tables.zero_()
        layer.tables[:, 0, both] = 99.0
        layer.tables[:, 1, either] = 99.0
    expected = [(a & 3) == 3 or a >> 2 == 1 for a in range(8)]
    assert layer.hard.tolist() == [expected] * 6
    assert torch.allclose(layer.parametrisation.values(layer.tables),
                          torch.tensor(expected).double() * 2 - 1, rtol=0, atol=1e-9)


def test_the_highest_gate_is_the_one_whatever_the_mean_says():
    layer, _ = layer_of("gates", 2)
    with torch.no_grad():
        layer.tables[:] = 0.0
        layer.tables[..., 0b0000] = 0.5
        layer.tables[..., [0b1111, 0b1110, 0b1101, 0b1011, 0b0111]] = 0.4
    assert not layer.hard.any()
    assert (layer.parametrisation.values(layer.tables) > 0).all()


def test_an_mlp_is_a_network_by_hand():
    layer, _ = layer_of("mlp", 2)
    trained = layer.tables.detach()[0]
    rows = trained[:-8].view(9, 3)
    for address, found in enumerate(layer.parametrisation.values(layer.tables)[0]):
        signs = torch.tensor([2 * (address & 1) - 1, 2 * (address >> 1) - 1, 1]).double()
        hidden = [max(0.0, float(row @ signs)) for row in rows[:8]]
        total = float(rows[8] @ signs) + sum(
            weight * value for weight, value in zip(trained[-8:].tolist(), hidden,
                                                    strict=True))
        assert abs(float(torch.tanh(torch.tensor(total))) - found.item()) < 1e-6


@pytest.mark.parametrize(("table", "expected"), [
    ("majority", [0, 0, 0, 1, 0, 1, 1, 1]), ("or", [0, 1, 1, 1, 1, 1, 1, 1])])
def test_fixed_tables(table, expected):
    layer, x = layer_of(table, wiring="learnable")
    assert layer.hard.int().tolist() == [expected] * 6
    layer(x).sum().backward()
    assert layer.tables.grad is None
    assert layer.preferences.grad.abs().sum() > 0


def test_a_majority_of_an_even_number_is_more_than_half():
    layer, _ = layer_of("majority", 4)
    assert layer.hard[0].tolist() == [a.bit_count() > 2 for a in range(16)]


def recipe_of(table, epochs=3):
    """Two layers on the digits, the second one of a table."""
    wide = {"kind": "lut", "width": 80, "fan_in": 4, "wiring": "learnable", "window": 9}
    return Recipe.of({"name": "small", "epochs": epochs, "batch": 32,
                      "backprop": {"learning_rate": 0.02},
                      "modulate": {"levels": "even", "depth": 2},
                      "layers": [wide | {"table": table}],
                      "head": {"kind": "group_sum", "temperature": 1.5}})


def run(trainer):
    while not trainer.finished:
        trainer.run_epoch(lambda samples, metric: None)
    return trainer


@pytest.mark.parametrize("table", KINDS)
def test_training_learns_and_resumes_to_the_same_bytes(table, tmp_path):
    digits = data.load("digits")
    whole = Trainer(recipe_of(table), digits)
    before, _ = whole.validate()
    whole.run_epoch(lambda samples, metric: None)
    whole.save(tmp_path / "half")
    run(whole)
    assert whole.best["accuracy"] > max(0.5, before + 0.2)
    resumed = Trainer(recipe_of(table), digits)
    resumed.restore(Checkpoint.load(tmp_path / "half"), tmp_path / "half")
    paths = [tmp_path / name for name in ("whole.safetensors", "resumed.safetensors")]
    for trainer, path in zip((whole, run(resumed)), paths, strict=True):
        ir.save(path, trainer.freeze())  # proves every test sample
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_tables_that_do_not_train_leave_nothing_to_train():
    values = recipe_of("or").plain()
    values["layers"][0] |= {"wiring": "window"}
    message = (r"^learning 'backprop' finds nothing to train: neither layers nor head have "
               r"parameters$")
    with pytest.raises(ValueError, match=message):
        Trainer(Recipe.of(values), data.load("digits"))


@pytest.mark.parametrize(("settings", "message"), [
    ({"table": "x"},
     r"^layers\.0\.table must be one of entries, gates, majority, mlp, or, walsh, not 'x'$"),
    ({"table": "or", "start": "residual"},
     r"^layers\.0\.start must be 'random' where table is 'or', not 'residual'$")])
def test_settings_refused(settings, message):
    values = recipe_of("or").plain()
    for kind in ({}, {"kind": "lut_convolution", "channels": 8, "kernel": 3}):
        values["layers"] = [kind or {"kind": "lut", "width": 80}]
        values["layers"][0] |= settings
        with pytest.raises(RecipeError, match=message):
            Recipe.of(values)
