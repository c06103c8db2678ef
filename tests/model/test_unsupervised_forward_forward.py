"""Hybrid pictures, the read-out and local receptive fields."""

import re

import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.ir.window import Window
from bitwright.model.layers import LocalDenseLayer, RealDenseLayer
from bitwright.model.recipe import RecipeError, load_recipe
from bitwright.model.rules.forward_forward.pictures import hybrid_masks, hybrids
from bitwright.model.training.trainer import Trainer

RULE = "unsupervised-forward-forward"
RECIPE = [f"learning={RULE}", "validation=0.8", "modulate.levels=real", "head={kind='readout'}",
          ("layers=[{kind='dense', unit_length=true, neurons=12}, "
          "{kind='dense', unit_length=true, neurons=9}]")]


def trainer(*overrides, name="digits"):
    recipe = load_recipe(name, [*RECIPE, *overrides])
    return Trainer(recipe, data.load(recipe.data))


def test_masks_by_hand():
    """A blur spreads a bit as 1/16, 2/16, 4/16 and repeats the border."""
    masks = hybrid_masks(200, (3, 4), 1, torch.Generator().manual_seed(3))
    torch.manual_seed(3)
    bits = torch.randint(2, (200, 1, 3, 4))[:, 0].tolist()
    for mask, image in zip(masks.tolist(), bits, strict=True):
        for y in range(3):
            for x in range(4):
                total = sum((2 - abs(dy)) * (2 - abs(dx))
                            * image[min(max(y + dy, 0), 2)][min(max(x + dx, 0), 3)]
                            for dy in (-1, 0, 1) for dx in (-1, 0, 1))
                assert mask[y][x] == (total > 8)


def test_masks_have_large_blobs():
    torch.manual_seed(0)
    changes = [hybrid_masks(200, (28, 28), blurs, torch.Generator()).diff(dim=2).float().mean()
               for blurs in (0, 6)]
    assert changes[0] > 0.45
    assert changes[1] < 0.15
    assert abs(hybrid_masks(400, (28, 28), 6, torch.Generator()).float().mean() - 0.5) < 0.05


def test_hybrids_are_made_of_two_pictures():
    torch.manual_seed(2)
    pictures = torch.arange(5)[:, None].repeat(1, 32)  # 4 by 4 pixels of two colours
    mixed = hybrids(pictures, (4, 4), 0, torch.Generator()).view(5, 16, 2)
    assert (mixed[..., 0] == mixed[..., 1]).all()
    others = {(int(mixed[index].max() + mixed[index].min()) - index - index) % 5
              for index in range(5) if len(mixed[index].unique()) == 2}
    assert len(others) == 1  # the same step to the partner everywhere
    assert all(index in mixed[index] and len(mixed[index].unique()) == 2 for index in range(5))


def test_local_receptive_fields_share_no_weights():
    window = Window(3, 4, 2, (2, 3), (1, 1))
    layer = LocalDenseLayer(window, 2, generator=torch.Generator().manual_seed(0))
    x = torch.rand(24, 5, generator=torch.Generator().manual_seed(1))
    y = layer(x).view(2, 2, 2, 5)
    image = (x / (x.norm(dim=0) + 1e-4)).view(3, 4, 2, 5)
    for row in range(2):
        for column in range(2):
            seen = image[row : row + 2, column : column + 3].reshape(12, 5)
            position = 2 * row + column
            expected = torch.relu(layer.weights[position] @ seen + layer.bias[position])
            assert torch.allclose(y[row, column], expected)
    assert layer.weights.shape == (4, 2, 12)


def test_direction_is_all_that_a_unit_layer_sees():
    layer = RealDenseLayer(6, RealDenseLayer.Settings(4, unit_length=True),
                           generator=torch.Generator().manual_seed(0))
    x = torch.rand(6, 3, generator=torch.Generator().manual_seed(1)) + 1
    y = layer(x)
    assert torch.allclose(layer(x * torch.tensor([2.0, 5.0, 0.5])), y, atol=1e-4)
    length = x[:, 0].norm()
    expected = torch.relu(layer.weights.values @ (x[:, 0] / length) + layer.bias)
    assert torch.allclose(y[:, 0], expected, atol=1e-4)


def test_layers_learn_without_labels():
    """Other labels give the same layers, and another read-out."""
    one, other = trainer(), trainer()
    one.run_epoch(lambda samples, accuracy: None)
    other._labels = (other._labels + 1) % 10
    other.run_epoch(lambda samples, accuracy: None)
    for first, second in zip(one.network.layers, other.network.layers, strict=True):
        assert (first.weights.values == second.weights.values).all()
    assert (one.network.head.weights.values != other.network.head.weights.values).any()
    assert one.network.head.weights.matrix.shape == (10, 9)  # the first layer is not read


def test_a_single_picture_is_a_step_too():
    training = trainer()
    training.rule.begin_epoch(0)
    assert training.rule.step(training._features[:1], training._labels[:1])["loss"] > 0


@pytest.mark.parametrize(("override", "message"), [
    ("modulate.labels=first",
     f"learning '{RULE}' cannot train a head of kind 'mean_square'; it trains linear, readout"),
    ("data=iris", f"learning '{RULE}' needs features that are pictures"),
])
def test_refused_with_the_network(override, message):
    head = ["head={kind='mean_square'}"] if "labels" in override else []
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        trainer(override, *head)


@pytest.mark.parametrize(("settings", "message"), [
    ("learning_rate=0", "learning_rate must be above 0 and finite, not 0.0"),
    ("readout_rate=0", "readout_rate must be above 0 and finite, not 0.0"),
    ("temperature=0", "temperature must be above 0 and finite, not 0.0"),
    ("threshold=nan", "threshold must be finite, not nan"),
    ("blurs=-1", "blurs must be at least 0, not -1"),
])
def test_refused_settings(settings, message):
    with pytest.raises(RecipeError, match=rf"^Recipe digits: {RULE}\.{re.escape(message)}$"):
        load_recipe("digits", [*RECIPE, f"{RULE}.{settings}"])


@pytest.mark.parametrize("name", ["channels", "kernel", "stride"])
def test_refused_local_settings(name):
    sizes = {"channels": 2, "kernel": 2, "stride": 1} | {name: 0}
    table = ", ".join(f"{key}={value}" for key, value in sizes.items())
    with pytest.raises(RecipeError, match=rf"^Recipe digits: layers\.0\.{name} must be at least 1, "
                                          rf"not 0$"):
        load_recipe("digits", [*RECIPE, f"layers=[{{kind='local_dense', {table}}}]"])


def test_local_layers_pile_up():
    training = trainer("layers=[{kind='local_dense', channels=3, kernel=4, stride=2}, "
                       "{kind='local_dense', channels=2, kernel=2}]", "modulate.depth=1")
    assert [layer.geometry.width for layer in training.network.layers] == [3 * 9, 2 * 4]
    training.run_epoch(lambda samples, accuracy: None)
