"""Labels that ride on the frames, and the heads that make every frame a class."""

import dataclasses
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import ir
from bitwright.data import DataSet
from bitwright.model.heads import MeanSquareHead
from bitwright.model.inputs.labels import LabelCode, label_code, make_code
from bitwright.model.inputs.scaler import Scaler
from bitwright.model.recipe import RecipeError, load_recipe
from bitwright.model.training.trainer import Trainer

FEATURES = np.random.default_rng(0).integers(0, 16, size=(60, 6)).astype(np.int32)
FEATURES[:, 2] = 7  # the first that labels may take
FEATURES[:, 4] = FEATURES[:, 4] // 8  # and the second
CLASSES = 3
DATA = DataSet("made", FEATURES, np.arange(60) % CLASSES, FEATURES[:9], np.arange(9) % CLASSES,
               bits=4, signed=False, full_scale=16, shape=(6,), classes=("a", "b", "c"))
RECIPE = ["validation=0.2", "learning=forward-forward", "modulate={labels='slot'}",
          "layers=[{kind='xnor', neurons=5}, {kind='xnor', neurons=7, depth=2}]",
          "head={kind='goodness'}"]


def network(*overrides, data=DATA):
    return Trainer(load_recipe("digits", [*RECIPE, *overrides]), data).network


@pytest.mark.parametrize(("labels", "width", "depth"), [
    ("first", 1, 2), ("dull", 4, 2), ("slot", 1, 3), ("slot", 2, 4)])
@pytest.mark.parametrize("low", [0, -8])
def test_each_frame_shows_a_label_and_the_features(labels, width, depth, low):
    data = dataclasses.replace(DATA, features=FEATURES + low, x_test=FEATURES[:9] + low,
                               signed=low < 0)
    options = ["modulate.levels=quantile", "modulate.depth=2", f"modulate.label_width={width}"]
    plain = network(*options, "modulate.labels=none", "head={kind='group_sum'}",
                    "layers=[{kind='xnor', neurons=3}]", "learning=backprop", data=data).modulator
    modulator = network(f"modulate.labels={labels}", *options, data=data).modulator
    features = torch.from_numpy(data.features)
    bits = modulator(features).view(6, depth, CLASSES, -1)
    where = torch.zeros(6, depth, dtype=torch.bool)
    if labels == "slot":
        where[:, 2:] = True
    else:
        where[{"first": [0, 1, 2], "dull": [0, 2, 3, 4, 5]}[labels][: max(3, width)]] = True
        if labels == "dull":
            variances = data.features.var(axis=0)
            where[:] = False
            where[np.argsort(variances)[:width]] = True
            assert where[2].all()
            assert where[4].all()
    codes = bits[where]
    assert (codes == codes[..., :1]).all()  # the same for every sample
    assert len(codes[..., 0].T.unique(dim=0)) == CLASSES
    if labels == "first":
        assert (codes[::2, :, 0] == torch.eye(3)).all()
    rest = ~where[:, :2]
    expected = plain(features).view(6, 2, 1, -1)[rest]
    assert (bits[:, :2][rest] == expected).all()


def test_one_frame_a_sample_is_what_the_frames_hold():
    for levels, labels, layers, head in [
            ("even", "slot", "xnor", "goodness"), ("real", "dull", "dense", "mean_square")]:
        modulator = network(f"modulate.levels={levels}", f"modulate.labels={labels}",
                            f"layers=[{{kind='{layers}', neurons=5}}]",
                            "modulate.label_width=3" if labels == "dull" else "seed=0",
                            f"head={{kind='{head}'}}").modulator
        features = torch.from_numpy(FEATURES)
        frames = torch.arange(60) * 7 % CLASSES
        every = modulator(features).view(-1, CLASSES, 60)
        assert (modulator.frame(features, frames) == every[:, frames, torch.arange(60)]).all()


def test_label_in_place_of_the_first_pixels():
    code = make_code("first", 1, CLASSES, FEATURES, torch.Generator())
    scaler = Scaler((6,), 16, code)
    features = torch.tensor([[16, 8, 4, 2, 0, 16]], dtype=torch.int16)
    expected = [[1, 0, 0, .125, 0, 1], [0, 1, 0, .125, 0, 1], [0, 0, 1, .125, 0, 1]]
    assert scaler(features).T.tolist() == expected
    assert scaler.frame(features, torch.tensor([2])).T.tolist() == expected[2:]
    assert features.tolist() == [[16, 8, 4, 2, 0, 16]]


def test_standard_features_have_mean_0_and_variance_1():
    training = Trainer(load_recipe("digits", [*RECIPE, "modulate={levels='real', standard=true}",
                                              "learning=backprop", "head={kind='linear'}",
                                              "layers=[{kind='dense', neurons=3}]"]), DATA)
    values = training.network.modulator(training._features)
    assert abs(values.mean().item()) < 1e-5
    assert values.square().mean().item() == pytest.approx(1, abs=1e-5)
    code = make_code("first", 1, CLASSES, FEATURES, torch.Generator())
    scaler = Scaler((6,), 16, code, mean=0.25, deviation=0.5)
    features = torch.tensor([[9, 9, 9, 8, 0, 16]])
    assert scaler.frame(features, torch.tensor([1])).T.tolist() == [[0, 1.5, 0, .5, -.5, 1.5]]


@pytest.mark.parametrize("length", [4, 9, 40])
def test_codes_are_half_ones_and_far_apart(length):
    code = label_code(5, length, torch.Generator().manual_seed(1))
    assert (code.sum(axis=1) == length // 2).all()
    distances = (code[:, None] != code).sum(axis=2) + length * np.eye(5, dtype=int)
    assert distances.min() >= {4: 2, 9: 2, 40: 14}[length]


def test_constant_thresholds():
    code = LabelCode(np.array([[0, 1], [1, 0]], bool), np.array([0, 2]))
    thresholds = np.full((1, 3, 1), 5, np.int32)
    assert code.modulate(thresholds, 0, 15)[:, :, 0].tolist() == [[16, 5, 0], [0, 5, 16]]
    slots = LabelCode(np.array([[0, 1, 1, 0, 0, 1]], bool))
    assert slots.modulate(thresholds, -8, 7)[0].tolist() == [[5, 8, 8], [5, -8, 8], [5, -8, -8]]


@pytest.mark.parametrize(("first", "last", "count"), [(1, 0, 19), (2, 0, 14), (1, 1, 5)])
def test_score_is_the_popcount_of_the_chosen_layers_with_each_label(first, last, count):
    net = network(f"head.first_layer={first}", f"head.last_layer={last}")
    with torch.no_grad():
        for layer in net.layers:
            layer.neurons.shift.normal_(generator=torch.Generator().manual_seed(2))
    scores = net.scores(FEATURES)
    net.eval()
    for label in range(CLASSES):
        x = net.modulator.frame(torch.from_numpy(FEATURES), torch.full((60,), label))
        one = net.layers[0](x)
        two = net.layers[1](one)
        bits = torch.cat([one, two])[(0 if first == 1 else 5):][:count]
        assert len(bits) == count
        assert (scores[:, label] == bits.sum(0).numpy()).all()
    assert len(np.unique(scores)) > 3
    frozen = ir.Network(net.freeze())
    assert (frozen.evaluate(FEATURES).scores == scores).all()
    assert frozen.classes == CLASSES
    names = [entry.name for entry in frozen.entries]
    assert names == ["modulate", "xnor0", *(["xnor1"] if last != 1 else []), "head"]


def test_mean_square_head():
    x = torch.tensor([[1.0, 0.0], [3.0, 2.0], [4.0, 1.0]])
    assert MeanSquareHead([2, 1], slice(1, 3))(x).tolist() == [[(5 + 16) / 2], [(2 + 1) / 2]]
    inverted = MeanSquareHead([2, 1], slice(1, 3), inverted=True)
    assert inverted(x).tolist() == [[-10.5], [-1.5]]


@pytest.mark.parametrize(("override", "message"), [
    ("modulate.labels=none",
     "modulate.labels must not be 'none' in front of a head of kind 'goodness'"),
    ("head={kind='scores'}",
     "modulate.labels must be 'none' in front of a head of kind 'scores', not 'slot'"),
    ("head.last_layer=3", "head: layers 1 to 3 are not among the 2 of the network"),
    ("modulate={labels='dull', label_width=6}",
     "modulate.label_width must be below the 6 features, not 6"),
    ("modulate={labels='dull', label_width=2}",
     "modulate.label_width must be larger: 2 label bits do not tell 3 classes apart"),
])
def test_refused_with_the_data(override, message):
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        network(override)


def test_too_few_features_for_a_label_each():
    with pytest.raises(ValueError, match=r"^modulate\.labels must not be 'first' for 7 classes and "
                                         r"6 features$"):
        make_code("first", 1, 7, FEATURES, torch.Generator())


@pytest.mark.parametrize(("override", "message"), [
    ("modulate.frames=2", "modulate.frames must be 1 where labels take them, not 2"),
    ("modulate.label_width=0", "modulate.label_width must be at least 1, not 0"),
    ("modulate.levels=batch-norm",
     "modulate.labels must be 'none' where levels is 'batch-norm', not 'slot'"),
    ("modulate.levels=real", "modulate.labels must not be 'slot' where levels is 'real'"),
    ("modulate.standard=true", "modulate.standard must be false where levels is 'even'"),
    ("head.first_layer=0", "head.first_layer must be at least 1, not 0"),
    ("head={kind='goodness', first_layer=3, last_layer=2}",
     "head.last_layer must be 0 or at least first_layer, not 2"),
    ("head.temperature=0", "head.temperature must be above 0 and finite, not 0.0"),
])
def test_refused(override, message):
    with pytest.raises(RecipeError, match=rf"^Recipe digits: {re.escape(message)}$"):
        load_recipe("digits", [*RECIPE, override])
