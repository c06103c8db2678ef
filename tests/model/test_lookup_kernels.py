"""Look-ups by Triton's kernels, in Triton's interpreter: what the other realisations give.

With ``TRITON_INTERPRET=0`` in the environment the kernels are compiled, and run on a GPU.
"""

import os

import pytest
import torch

from bitwright import data
from bitwright.model.layers import LutConvolutionLayer, LutLayer
from bitwright.model.lookup import tensors, trees
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry
from tests.model.test_lut_convolution import gradients

DEVICE = "cuda" if os.environ["TRITON_INTERPRET"] == "0" else "cpu"


@pytest.fixture
def kernels():
    pytest.importorskip("triton")
    from bitwright.model.lookup import kernels

    return kernels


def dense(samples, **settings):
    layer = LutLayer(Geometry.of((20,)), LutLayer.Settings(width=6, **settings),
                     generator=torch.Generator().manual_seed(0)).double()
    return layer, (20, samples)


def convolution(samples, **settings):
    layer = LutConvolutionLayer(
        Geometry.of((5, 5), 2), LutConvolutionLayer.Settings(channels=3, kernel=3, **settings),
        generator=torch.Generator().manual_seed(0)).double()
    return layer, (50, samples)


@pytest.mark.parametrize(("layer", "shape"), [
    dense(1, fan_in=2), dense(1030, fan_in=4), dense(40, fan_in=6), dense(70, fan_in=8),
    dense(2100, fan_in=6, wiring="learnable", offered=12), convolution(5, levels=2, fan_in=4),
    convolution(3, levels=1, wiring="learnable")],
    ids=["2 inputs", "4 inputs", "6 inputs", "8 inputs", "learnable", "trees", "learnable trees"])
def test_kernels_and_tensors_are_the_same(layer, shape, kernels, monkeypatch):
    x = torch.randint(2, shape, generator=torch.Generator().manual_seed(2)).double()
    layer, x = layer.to(DEVICE), x.to(DEVICE).requires_grad_()
    layer.eval()  # no survey, of which there is one a step
    monkeypatch.setattr(trees, "_loops", lambda: None)
    by_tensors = layer(x)
    of_tensors = gradients(by_tensors, layer, x)
    layer.kernels = True
    monkeypatch.setattr(trees, "tensor_operations", None)
    by_kernels = layer(x)
    assert torch.equal(by_tensors, by_kernels)
    for one, other in zip(of_tensors, gradients(by_kernels, layer, x), strict=True):
        assert other.abs().sum() > 0
        assert torch.allclose(one, other, rtol=0, atol=1e-12)


def test_sums_go_on_from_block_to_block(kernels, monkeypatch):
    """Blocks of a program, and programs of a node, in small."""
    monkeypatch.setattr(kernels, "_BLOCK", 8)
    monkeypatch.setattr(kernels, "_BLOCKS", 2)
    draw = torch.Generator().manual_seed(0)
    hits = torch.randint(4, (3, 45), generator=draw, dtype=torch.uint8)
    gradient = torch.randn(3, 45, generator=draw, dtype=torch.float64)
    slopes = torch.randn(3, 2, 4, generator=draw, dtype=torch.float64)
    given = [tensor.to(DEVICE) for tensor in (hits, gradient, slopes)]
    found = []
    for operations in (tensors, kernels):
        of_tables, of_slots = torch.ones(3, 4).to(given[1]), torch.zeros(3, 2, 45).to(given[1])
        operations.back(*given[:2], of_tables, given[2], of_slots)
        found.append((of_tables, of_slots))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-12)


def test_without_a_gpu_the_kernels_are_refused():
    recipe = load_recipe("digits")
    with pytest.raises(ValueError, match="--triton wants a GPU, as by --device cuda, not cpu"):
        Trainer(recipe, data.load(recipe.data), kernels=True)
