"""Convolutions: the arithmetic of a dense layer at every position, and where they may stand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import (
    data,
    ir,
)
from bitwright.model.layers import LutLayer, XnorConvolutionLayer
from bitwright.model.layers.lut import Settings as LutSettings
from bitwright.model.recipe import Recipe, RecipeError, load_recipe
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

Settings = XnorConvolutionLayer.Settings


def layer_of(shape=(5, 4), channels=2, seed=0, **settings):
    settings = Settings(**{"neurons": 3, "kernel": 2} | settings)
    return XnorConvolutionLayer(Geometry.of(shape, channels), settings,
                            generator=torch.Generator().manual_seed(seed))


def bits_of(width, batch, seed=0):
    return torch.randint(2, (width, batch), generator=torch.Generator().manual_seed(seed)).float()


@pytest.mark.parametrize("stride", [1, 2])
def test_training_pass_equals_torch(stride):
    """Against torch's own convolution and batch norm, which normalises over batch and positions."""
    layer = layer_of(stride=stride).train()
    with torch.no_grad():
        layer.neurons.scale.copy_(torch.tensor([1.5, -0.5, 2.0]))
        layer.neurons.shift.copy_(torch.tensor([0.1, 0.2, -0.3]))
    x = bits_of(40, 30)
    images = (2 * x - 1).view(5, 4, 2, 30).permute(3, 2, 0, 1)  # as torch has them: (n, c, y, x)
    signs = torch.where(layer.neurons.weights.values.detach() >= 0, 1.0, -1.0)
    kernels = signs.view(3, 2, 2, 2).permute(0, 3, 1, 2)  # from (neuron, y, x, c)
    sums = torch.nn.functional.conv2d(images, kernels, stride=stride) / 2
    normal = torch.nn.functional.batch_norm(sums, None, None, layer.neurons.scale,
                                            layer.neurons.shift, training=True, eps=1e-5)
    assert normal.abs().min() > 1e-4  # no value so near 0 that rounding decides
    expected = (normal >= 0).float().permute(2, 3, 1, 0).reshape(-1, 30)
    assert torch.equal(layer(x), expected)
    mean = 4 + sums.mean(dim=(0, 2, 3))  # of counts, of which half the width is where sums are 0
    assert torch.allclose(layer.neurons.mean, 0.9 * 4 + 0.1 * mean)


def test_gradients_add_up_over_the_positions():
    """Those of a dense layer on the windows as samples."""
    layer = layer_of()
    x = bits_of(40, 6).requires_grad_()
    slopes = torch.randn(layer.geometry.width, 6, generator=torch.Generator().manual_seed(1))
    layer(x).backward(slopes)
    of_convolution, of_x = layer.neurons.weights.values.grad.clone(), x.grad.clone()
    layer.zero_grad()
    index = torch.from_numpy(layer.window.index)
    again = x.detach().requires_grad_()
    columns = again[index].permute(1, 2, 0).reshape(8, -1)
    layer.neurons(columns).backward(slopes.view(12, 3, 6).permute(1, 2, 0).reshape(3, -1))
    assert of_convolution.abs().sum() > 0
    assert torch.allclose(layer.neurons.weights.values.grad, of_convolution, atol=1e-5)
    assert torch.allclose(again.grad, of_x, atol=1e-5)


def test_a_convolution_follows_a_convolution():
    first = layer_of((7, 9), 2, neurons=3, kernel=3, stride=2, depth=2)
    assert (first.geometry.shape, first.geometry.depth) == ((3, 4), 6)
    second = XnorConvolutionLayer(first.geometry, Settings(neurons=4, kernel=2),
                              generator=torch.Generator().manual_seed(1))
    assert (second.geometry.shape, second.geometry.width) == ((2, 3), 24)
    assert second.freeze().window == ir.Window(3, 4, 6, (2, 2), (1, 1))
    x = bits_of(126, 20)
    y = second.eval()(first.eval()(x))
    frozen = second.freeze().evaluate(first.freeze().evaluate(x.T.numpy().astype(bool)))
    assert np.array_equal(y.T.numpy(), frozen)


def test_windows_of_tables_follow_the_positions():
    """A table in a corner reads the channels of the window in that corner."""
    first = layer_of((6, 6), 1, neurons=4, kernel=2, stride=2)
    second = LutLayer(first.geometry, LutSettings(width=9, fan_in=2, window=1),
                      generator=torch.Generator().manual_seed(0))
    assert second.sources[0].max() < 4
    assert second.sources[8].min() >= 32


def test_weights_stay_within_their_range():
    layer = layer_of()
    with torch.no_grad():
        layer.neurons.weights.values.mul_(9)
    layer.constrain()
    assert layer.neurons.weights.values.abs().max() == 1


@pytest.mark.parametrize(("field", "value"), [("neurons", 0), ("kernel", 0), ("stride", 0),
                                              ("depth", -1)])
def test_settings_refused(field, value):
    with pytest.raises(ValueError, match=f"^{field} must be at least 1, not {value}$"):
        Settings(**{"neurons": 1, "kernel": 1, field: value})


@pytest.mark.parametrize(("field", "value", "message"), [
    ("kernel", (3, 0), "kernel must be at least 1, not 0"),
    ("dilation", 0, "dilation must be at least 1, not 0"),
    ("padding", -1, "padding must be at least 0, not -1"),
    ("padding", (0, 1, 2, -3), "padding must be at least 0, not -3"),
    ("groups", 0, "groups must be at least 1, not 0"),
])
def test_settings_of_the_window_refused(field, value, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Settings(**{"neurons": 1, "kernel": 1, field: value})


@pytest.mark.parametrize(("overrides", "message"), [
    (["layers.0.kernel=[3]"],
     r"layers\.0\.kernel must be an integer or a list of 2 integers, not \[3\]"),
    (["layers.0.stride=x"],
     r"layers\.0\.stride must be an integer or a list of 2 integers, not 'x'"),
    (["layers.0.padding=full"],
     r"layers\.0\.padding must be 'valid', 'same', an integer or a list of 4 integers, not 'full'"),
    (["layers.0.padding=true"],
     r"layers\.0\.padding must be 'valid', 'same', an integer or a list of 4 integers, not True"),
    (["layers.0.border=blur"],
     r"layers\.0\.border must be one of 'zero', 'one', 'replicate', 'reflect', not 'blur'"),
])
def test_forms_of_settings_refused(overrides, message):
    with pytest.raises(RecipeError, match=f"^Recipe digits-conv: {message}$"):
        load_recipe("digits-conv", overrides)


def test_a_recipe_says_rows_and_columns():
    recipe = load_recipe("digits-conv", ["layers.0.kernel=[3, 5]", "layers.0.padding=[0, 1, 2, 3]"])
    assert recipe.layers[0].kernel == (3, 5)
    assert Recipe.of(recipe.plain()) == recipe
    window = Trainer(recipe, data.load(recipe.data)).network.layers[0].window
    assert (window.kernel, window.padding) == ((3, 5), (0, 1, 2, 3))


@pytest.mark.parametrize(("overrides", "message"), [
    (["layers.0.groups=3"], r"layers\.0: groups must divide the 2 channels, not be 3"),
    (["layers.0.groups=2", "layers.0.neurons=5"],
     r"layers\.0: groups must divide the 5 neurons, not be 2"),
    (["layers.0.border=reflect", "layers.0.padding=8"],
     r"layers\.0: Padding-top must be at most 7, as many pixels as there are to reflect, not 8"),
    (["layers.0.kernel=9"],
     r"layers\.0: Kernel must fit an image of 8 by 8 pixels, not have 9 by 9"),
    (["data=iris"], r"layers\.0: input must be an image, not 8 bits without rows and columns"),
    (["layers.1.kind=convolution", "layers.1.kernel=4"],
     r"layers\.1: Kernel must fit an image of 3 by 3 pixels, not have 4 by 4"),
])
def test_places_refused(overrides, message):
    recipe = load_recipe("digits-conv", overrides)
    with pytest.raises(ValueError, match=f"^{message}$"):
        Trainer(recipe, data.load(recipe.data))


def test_a_convolution_learns_digits():
    recipe = load_recipe("digits-conv", ["epochs=10"])
    trainer = Trainer(recipe, data.load(recipe.data))
    entries = [trainer.run_epoch(lambda samples, accuracy: None) for _ in range(10)]
    assert entries[-1]["train_accuracy"] > 0.8
    # With the weights of the end, not those of the last steps.
    body = trainer.network.layers[0].neurons
    before = body.mean.clone()
    trainer.network.train()
    with torch.no_grad():
        for part in torch.arange(trainer.samples).split(64) * 3:
            trainer.network(trainer._features[part])
    assert ((body.mean - before) / body.variance.sqrt()).abs().max() < 0.1
    nodes = [entry.node.kind for entry in trainer.network.freeze()]
    assert nodes == ["modulate", "convolution", "xnor", "scores"]


def test_coarse_sums_are_exact_below_256_and_evaluation_always_is():
    layer = layer_of((6, 6), 2, neurons=8, kernel=3).train()
    x = bits_of(72, 40)
    exact = layer(x)
    layer.coarse = True
    coarse = layer(x)
    assert coarse.dtype == torch.bfloat16
    assert torch.equal(layer.product(x), layer.neurons.weights.product(layer.columns(x)))
    assert (coarse.float() == exact).float().mean() > 0.98  # what is nearly 0 is rounded
    layer.eval()
    assert layer(x).dtype == torch.float32


def test_a_trainer_computes_steps_coarsely_and_nothing_else():
    recipe = load_recipe("digits-conv", ["epochs=2"])
    trainer = Trainer(recipe, data.load(recipe.data), mixed=True)
    first = trainer.network.layers[0]
    seen = []
    right = trainer.network.modulator.forward
    trainer.network.modulator.forward = lambda x: (
        seen.append((len(x), trainer.network.training, first.coarse)), right(x))[1]
    for _ in range(2):
        entry = trainer.run_epoch(lambda samples, accuracy: None)
    steps = -(-trainer.samples // 64)
    assert [coarse for _, training, coarse in seen if training][:steps + 40] == (
        [True] * steps + [False] * 40)
    assert not any(coarse for _, training, coarse in seen if not training)
    assert entry["train_accuracy"] > 0.3
    trainer.freeze()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_compiled_pass_learns_the_same(monkeypatch):
    """Traced as for a compiler, its way back too, and run as it is written."""
    whole = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: whole(
        self, backend="aot_eager", fullgraph=True))
    recipe = load_recipe("digits-conv", ["epochs=1"])
    entries = []
    for compiled in (False, True):
        trainer = Trainer(recipe, data.load(recipe.data), compiled=compiled)
        entries.append(trainer.run_epoch(lambda samples, accuracy: None))
    for name in ("train_loss", "validation_accuracy"):
        assert entries[0][name] == entries[1][name]
    trainer.freeze()
