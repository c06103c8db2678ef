"""Every trainable layer freezes to a node that equals its forward pass."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import ir
from bitwright.model.heads import Head
from bitwright.model.layers import Layer

PARTS = [cls for cls in (*Layer.kinds.values(), *Head.kinds.values()) if cls.freezes]
NOISE = [cls for cls in PARTS if getattr(cls, "vanishes", False)]
LAYERS = [cls for cls in PARTS if cls not in NOISE]


@pytest.mark.parametrize("layer_class", LAYERS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("seed", range(12))
def test_freeze_matches_forward(layer_class, seed):
    generator = torch.Generator().manual_seed(seed)
    layer = layer_class.sample(generator).eval()
    node = layer.freeze()
    x = torch.randint(2, (200, node.in_width), generator=generator)
    with torch.no_grad():
        y = layer(x.T.contiguous().float()).numpy()
    y = y if isinstance(layer, Head) else y.T
    expected = node.evaluate(x.numpy().astype(bool))
    assert y.shape == expected.shape
    assert (y == expected).all()
    assert np.ptp(x.numpy().sum(axis=0)) > 0  # the vectors are no constants


@pytest.mark.parametrize("layer_class", LAYERS, ids=lambda cls: cls.__name__)
def test_layer_freezes_to_a_node_of_its_place(layer_class):
    node = layer_class.sample(torch.Generator().manual_seed(0)).freeze()
    assert isinstance(node, ir.HeadNode if issubclass(layer_class, Head) else ir.BitNode)


@pytest.mark.parametrize("layer_class", NOISE, ids=lambda cls: cls.__name__)
def test_what_has_no_node_does_nothing_in_evaluation(layer_class):
    layer = layer_class.sample(torch.Generator().manual_seed(0))
    layer.generator = torch.Generator().manual_seed(1)
    x = torch.randint(2, (layer.geometry.width, 200)).float()
    assert torch.equal(layer.eval()(x), x)
    assert not torch.equal(layer.train()(x), x)
    with pytest.raises(TypeError, match=f"^Layer of kind '{layer.kind}' has no node$"):
        layer.freeze()
