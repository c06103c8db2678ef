"""Convolutions of look-up tables: a tree is a chain of layers, and a position is a sample."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data, ir
from bitwright.model.layers import LutConvolutionLayer
from bitwright.model.layers.seen import Seen
from bitwright.model.layers.windows import at_positions, see_windows
from bitwright.model.lookup import Trees, look_up, trees
from bitwright.model.recipe import Recipe
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

Settings = LutConvolutionLayer.Settings


def layer_of(shape=(5, 4), depth=3, seed=0, **settings):
    """A small layer in float64, and a batch of images that it can differentiate by."""
    generator = torch.Generator().manual_seed(seed)
    settings = Settings(**{"channels": 4, "kernel": 2, "fan_in": 3} | settings)
    layer = LutConvolutionLayer(Geometry.of(shape, depth), settings, generator=generator)
    x = torch.randint(2, (layer.in_width, 7), generator=generator).double()
    return layer.double(), x.requires_grad_()


def gradients(y, layer, x):
    """Gradients of the input and of every parameter, by a random slope of each output."""
    slopes = torch.randn(y.shape, generator=torch.Generator().manual_seed(1),
                         dtype=y.dtype).to(y.device)
    return torch.autograd.grad((y * slopes).sum(), [x, *layer.parameters()])


def level_by_level(layer, x):
    """The same function, each level one layer of tables on the columns of the window."""
    values, sources, candidates = see_windows(x, layer.window), layer.sources, layer.candidates
    preferences = layer.preferences
    for tables, hard in zip(layer.tables, layer.hard, strict=True):
        if sources is None:
            sources = torch.arange(len(values)).view(len(tables), -1)
        level = Trees([hard], sources, candidates, layer.slopes)
        values = look_up(values, level, [tables], preferences)
        sources = candidates = preferences = None
    return at_positions(values, layer.window)


@pytest.mark.parametrize("settings", [
    {"levels": 1}, {"levels": 3, "fan_in": 2, "stride": 2}, {"wiring": "serial"},
    {"wiring": "learnable"}, {"wiring": "learnable", "reads": 2, "levels": 1},
    {"wiring": "depthwise", "channels": 6, "kernel": 3}], ids=str)
def test_a_tree_is_a_chain_of_layers(settings):
    layer, x = layer_of(**settings)
    y, expected = layer(x), level_by_level(layer, x)
    assert torch.equal(y, expected)
    for one, other in zip(gradients(y, layer, x), gradients(expected, layer, x), strict=True):
        assert one.abs().sum() > 0
        assert torch.allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("wiring", ["random", "learnable"])
@pytest.mark.parametrize("fan_in", [2, 6])
def test_loops_and_tensors_are_the_same(wiring, fan_in, monkeypatch):
    pytest.importorskip("numba")
    layer, x = layer_of(fan_in=fan_in, wiring=wiring, kernel=3)  # 42 samples: copies are not even
    assert trees._loops() is not None
    by_loops = layer(x)
    of_loops = gradients(by_loops, layer, x)
    monkeypatch.setattr(trees, "_loops", lambda: None)
    by_tensors = layer(x)
    assert torch.equal(by_loops, by_tensors)
    for one, other in zip(of_loops, gradients(by_tensors, layer, x), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-12)


def test_parts_of_the_trees_are_the_whole(monkeypatch):
    layer, x = layer_of(wiring="learnable")
    whole = layer(x)
    of_whole = gradients(whole, layer, x)
    monkeypatch.setattr(trees, "_CACHED", 1)
    assert torch.equal(layer(x), whole)
    for one, other in zip(of_whole, gradients(layer(x), layer, x), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-12)


def test_strides_of_memory_do_not_matter():
    layer, x = layer_of()
    transposed = x.detach().T.contiguous().T
    assert not transposed.is_contiguous()
    assert torch.equal(layer(transposed), layer(x))
    assert layer(x).T.is_contiguous()  # the channels of a pixel are neighbours for the next layer


@pytest.mark.parametrize("border", ir.window.BORDERS)
@pytest.mark.parametrize(("padding", "dilation"), [((0, 0, 0, 0), (1, 2)), ((2, 1, 0, 3), (2, 1))])
def test_columns_are_the_windows_and_collect_is_their_transpose(border, padding, dilation):
    window = ir.Window(6, 5, 2, (3, 2), (2, 1), padding, border, dilation)
    seen, generator = Seen(window), torch.Generator().manual_seed(0)
    x = torch.rand(60, 7, generator=generator, dtype=torch.float64).requires_grad_()
    with_constants = torch.cat([x, torch.zeros(1, 7), torch.ones(1, 7)])
    columns = with_constants[torch.from_numpy(window.index)].permute(1, 2, 0).flatten(1)
    assert torch.equal(seen.columns(x.detach()), columns)
    slopes = torch.randn(columns.shape, generator=generator, dtype=columns.dtype)
    expected, = torch.autograd.grad((columns * slopes).sum(), x)
    assert torch.allclose(seen.collect(slopes), expected, rtol=0, atol=1e-12)


def test_serial_wiring_reads_bit_after_bit():
    layer, _ = layer_of(wiring="serial", channels=2)  # 12 bits of a window, 6 leaves
    assert layer.sources.flatten().tolist() == [*range(12), *range(6)]


def test_a_depthwise_tree_reads_one_channel():
    layer, _ = layer_of(wiring="depthwise", channels=6, kernel=3)
    read = (layer.sources % 3).view(6, -1)
    assert read.tolist() == [[tree // 2] * 9 for tree in range(6)]


@pytest.mark.parametrize("wiring", ["random", "learnable"])
def test_a_tree_reads_few_channels(wiring):
    layer, _ = layer_of(wiring=wiring, reads=2, kernel=3)
    used = [set(tree.tolist()) for tree in (layer.sources % 3).view(4, -1)]
    assert all(len(channels) <= 2 for channels in used)
    assert set.union(*used) == {0, 1, 2}


def test_a_residual_start_passes_the_first_input_on():
    layer, _ = layer_of(start="residual", channels=50, fan_in=4, kernel=3)
    passed = torch.arange(16) % 2 == 1
    for hard in layer.hard:
        assert 0.95 < (hard == passed).double().mean() < 0.995
    random, _ = layer_of(channels=50, fan_in=4, kernel=3)
    assert 0.4 < (random.hard[0] == passed).double().mean() < 0.6


@pytest.mark.parametrize(("settings", "message"), [
    ({"channels": 0}, "channels must be at least 1, not 0"),
    ({"levels": 0}, "levels must be at least 1, not 0"),
    ({"fan_in": 9}, "fan_in must be between 2 and 8, not 9"),
    ({"reads": -1}, "reads must be at least 0, not -1"),
    ({"reads": 1, "wiring": "serial"}, "reads must be 0 where wiring is 'serial', not 1"),
])
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Settings(**{"channels": 1, "kernel": 1} | settings)


@pytest.mark.parametrize(("settings", "message"), [
    ({"reads": 4}, "reads must be at most 3, the channels of the input, not 4"),
    ({"wiring": "depthwise"},
     "channels must be a multiple of the input's 3 for depthwise wiring, not 4"),
    ({"kernel": 1, "fan_in": 4}, "A node of 4 inputs needs as many bits to choose from, not 3"),
])
def test_places_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        layer_of(**settings)


def test_trees_learn_digits():
    recipe = Recipe.of({
        "name": "trees", "data": "digits", "epochs": 6, "learning": "backprop",
        "backprop": {"learning_rate": 0.02}, "modulate": {"depth": 2},
        "layers": [
            {"kind": "lut_convolution", "channels": 16, "kernel": 3, "fan_in": 4,
             "start": "residual"},
            {"kind": "lut_convolution", "channels": 20, "kernel": 3, "stride": 2, "fan_in": 4,
             "reads": 4},
            {"kind": "lut", "width": 200, "fan_in": 4}],
        "head": {"kind": "group_sum", "temperature": 4.0}})
    trainer = Trainer(recipe, data.load(recipe.data))
    entries = [trainer.run_epoch(lambda samples, accuracy: None) for _ in range(6)]
    assert entries[-1]["train_accuracy"] > 0.85
    frozen = trainer.freeze()  # equal on every test picture, or it is refused
    nodes = [entry.node for entry in frozen.entries]
    assert [node.kind for node in nodes] == ["modulate", "convolution", "convolution", "lut",
                                             "group_sum"]
    assert [len(node.body) for node in nodes[1:3]] == [2, 2]
    assert np.array_equal(frozen.evaluate(trainer.data.x_test[:100]).scores, frozen.golden.scores)
