"""Convolutions with something real about them, pooling, and where they may stand."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn.functional import batch_norm, conv2d, pad

from bitwright import data
from bitwright.model.layers import (
    BinarisedConvolutionLayer,
    PoolLayer,
    RealConvolutionLayer,
    RealPoolLayer,
    RealWeightConvolutionLayer,
    XnorNetConvolutionLayer,
)
from bitwright.model.recipe import Recipe, RecipeError, load_recipe
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

KINDS = (RealConvolutionLayer, BinarisedConvolutionLayer, RealWeightConvolutionLayer,
         XnorNetConvolutionLayer)


def layer_of(cls, shape=(5, 6), channels=2, seed=0, **settings):
    settings = cls.Settings(**{"neurons": 4, "kernel": 3} | settings)
    generator = torch.Generator().manual_seed(seed)
    layer = cls(Geometry.of(shape, channels), settings, generator=generator)
    with torch.no_grad():
        layer.scale.uniform_(-1, 2, generator=torch.Generator().manual_seed(1))
        layer.shift.uniform_(-1, 1, generator=torch.Generator().manual_seed(2))
    return layer


def reals_of(width, batch, seed=0):
    return torch.randn(width, batch, generator=torch.Generator().manual_seed(seed))


def images(x, shape, channels):
    """As torch has them: (n, c, y, x)."""
    return x.T.reshape(-1, *shape, channels).permute(0, 3, 1, 2)


def kernels(layer, channels):
    return layer.weights.values.detach().view(4, 3, 3, channels).permute(0, 3, 1, 2)


@pytest.mark.parametrize("training", [True, False])
def test_the_twin_equals_torch(training):
    layer = layer_of(RealConvolutionLayer, stride=(1, 2), padding="same").train(training)
    x = reals_of(60, 9)
    image = pad(images(x, (5, 6), 2), (0, 1, 1, 1))
    sums = conv2d(image, kernels(layer, 2), stride=(1, 2))
    expected = torch.relu(batch_norm(sums, torch.zeros(4), torch.ones(4), layer.scale, layer.shift,
                                     training=training))
    assert torch.allclose(images(layer(x), (5, 3), 4), expected, atol=1e-5)


@pytest.mark.parametrize("cls", [BinarisedConvolutionLayer, RealWeightConvolutionLayer])
def test_signs_are_those_of_the_twin(cls):
    twin, layer = layer_of(RealConvolutionLayer), layer_of(cls)
    assert layer.makes == "bits"
    x = reals_of(60, 9)
    assert torch.equal(layer(x), (twin(x) > 0).float())
    layer(x.requires_grad_()).sum().backward()
    assert x.grad.abs().sum() > 0


def test_xnor_net_by_its_formula():
    layer = layer_of(XnorNetConvolutionLayer)
    x = reals_of(60, 7)
    z = batch_norm(images(x, (5, 6), 2), None, None, layer.scale, layer.shift, training=True)
    weights = kernels(layer, 2)
    alpha = weights.abs().mean((1, 2, 3))
    beta = conv2d(z.abs().mean(1, keepdim=True), torch.full((1, 1, 3, 3), 1 / 9))
    expected = conv2d(z.sign(), weights.sign()) * alpha[:, None, None] * beta
    assert torch.allclose(images(layer(x), (3, 4), 4), expected, atol=1e-5)
    with torch.no_grad():
        layer.weights.values.mul_(99)
    layer.constrain()
    assert layer.weights.values.abs().max() == 1


@pytest.mark.parametrize("cls", KINDS)
def test_depthwise_sees_a_channel_alone(cls):
    layer = layer_of(cls, groups=2).eval()
    x = (reals_of(60, 3) > 0).float()
    before = layer(x)
    x[1::2] = 1 - x[1::2]  # the second channel
    after = layer(x)
    assert torch.equal(before.view(12, 4, 3)[:, :2], after.view(12, 4, 3)[:, :2])
    assert not torch.equal(before.view(12, 4, 3)[:, 2:], after.view(12, 4, 3)[:, 2:])


@pytest.mark.parametrize(("function", "expected"), [
    ("or", [1, 0, 1, 1]), ("and", [0, 0, 1, 0]), ("majority", [0, 0, 1, 1])])
def test_pooling_by_hand(function, expected):
    """Two pixels of two rows and four channels: 1, 0, 4 and 3 of the four are 1."""
    x = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0]]).view(16, 1)
    layer = PoolLayer(Geometry.of((2, 2), 4), PoolLayer.Settings(kernel=2, function=function))
    assert layer(x).flatten().tolist() == expected
    assert layer.freeze().evaluate(x.T.numpy().astype(bool)).astype(int).tolist() == [expected]
    bits = x.float().requires_grad_()
    layer(bits).sum().backward()
    assert (bits.grad.view(4, 4).sum(0) > 0).all()


@pytest.mark.parametrize("function", ["or", "and", "majority"])
@pytest.mark.parametrize("border", ["zero", "one", "replicate", "reflect"])
def test_the_border_counts_as_pixels(function, border):
    settings = PoolLayer.Settings(kernel=(3, 2), padding=(1, 0, 2, 1), border=border,
                                  dilation=(1, 2), function=function)
    layer = PoolLayer(Geometry.of((3, 4), 2), settings).eval()
    x = torch.randint(2, (24, 50), generator=torch.Generator().manual_seed(0))
    assert np.array_equal(layer(x).T.numpy(), layer.freeze().evaluate(x.T.numpy().astype(bool)))


def test_pooling_of_reals():
    x = reals_of(32, 3)
    of = x.view(4, 4, 2, 3)
    how = {"kernel": (2, 4), "stride": (2, 1)}
    for function, expected in (("maximum", of.unfold(0, 2, 2).amax((1, -1))),
                               ("mean", of.unfold(0, 2, 2).mean((1, -1)))):
        settings = RealPoolLayer.Settings(**how, function=function)
        layer = RealPoolLayer(Geometry.of((4, 4), 2), settings)
        assert torch.allclose(layer(x), expected.reshape(4, 3))


MIXED = {"name": "mixed", "epochs": 3, "batch": 64, "modulate": {"levels": "real"},
         "layers": [{"kind": "binarised_convolution", "neurons": 12, "kernel": 3},
                    {"kind": "pool", "kernel": 2, "stride": 2},
                    {"kind": "convolution", "neurons": 24, "kernel": 3},
                    {"kind": "real_weight_convolution", "neurons": 32, "kernel": 1}],
         "head": {"kind": "scores"}}


def test_reals_then_bits_learn_and_have_no_frozen_form():
    trainer = Trainer(Recipe.of(MIXED), data.load("digits"))
    entries = [trainer.run_epoch(lambda samples, accuracy: None) for _ in range(3)]
    assert entries[-1]["train_accuracy"] > 0.6
    assert not trainer.network.freezes
    assert trainer.network.scores(trainer.data.x_test[:5]).dtype == np.int64


@pytest.mark.parametrize(("place", "kind", "message"), [
    (0, "convolution",
     "layers.0.kind must be one of reals where modulate.levels is 'real', not 'convolution'"),
    (2, "real_convolution",
     "layers.2.kind must be one of bits behind 'pool0', not 'real_convolution'"),
    (3, "real_pool", "layers.3.kind must be one of bits behind 'convolution0', not 'real_pool'")])
def test_bits_and_reals_do_not_mix_otherwise(place, kind, message):
    layers = [dict(layer) for layer in MIXED["layers"]]
    layers[place] = {"kind": kind, "kernel": 1} if kind == "real_pool" else (
        layers[place] | {"kind": kind})
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        Recipe.of(MIXED | {"layers": layers})


@pytest.mark.parametrize("name", ["cifar10", "cifar10-2bit", "cifar10-real", "cifar10-real-input",
                                  "cifar10-real-weights", "cifar10-xnor-net"])
def test_the_document_s_network_has_its_shapes(name):
    from bitwright.model.network import build_network

    recipe = load_recipe(name)
    source = data.DataSet("pictures", np.zeros((10, 3072), np.int32), np.arange(10),
                          np.zeros((10, 3072), np.int32), np.arange(10), bits=8, signed=False,
                          full_scale=255, shape=(32, 32, 3), classes=tuple("abcdefghij"))
    network = build_network(recipe.modulate, recipe.layer_types, recipe.head_type, source,
                            source.features, torch.Generator().manual_seed(0), recipe.places)
    shapes = [(*layer.geometry.shape, layer.geometry.depth) for layer in network.layers]
    depth = 3 if name == "cifar10-2bit" else 1
    assert shapes == [(side, side, channels * depth) for side, channels in (
        (30, 32), (28, 64), (14, 64), (12, 64), (10, 128), (5, 128), (3, 128), (1, 256), (1, 512))]
    assert network.freezes == (name in ("cifar10", "cifar10-2bit"))
