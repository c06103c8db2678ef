"""The rule of flips: whole steps against the packed modules, its options, its layers."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model.heads import BmaHead
from bitwright.model.inputs.batch_norm import (
    EPSILON,
    BatchNormModulator,
)
from bitwright.model.inputs.modulate import Modulator
from bitwright.model.layers import BmabLayer
from bitwright.model.network import Network
from bitwright.model.recipe import load_recipe
from bitwright.model.rules.flip.fbf import FBF, Settings
from bitwright.model.rules.flip.telemetry import Telemetry
from bitwright.model.tasks import Classification
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.trainer import Trainer
from tests.reference.flip import modules
from tests.reference.flip.words import pack, unpack

FEATURES, HIDDEN, CLASSES, DEPTH = 6, 9, 3, 3


def network_of(seed, modulator=None):
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    levels = np.sort(rng.integers(1, 16, (1, FEATURES, DEPTH)), axis=2).astype(np.int32)
    modulator = modulator or Modulator(levels, (FEATURES,), bits=4, signed=False)
    widths = (FEATURES * DEPTH, HIDDEN * DEPTH)
    layers = [BmabLayer(width, BmabLayer.Settings(HIDDEN, DEPTH), generator=generator)
              for width in widths]
    head = BmaHead(HIDDEN * DEPTH, CLASSES, BmaHead.Settings(), generator=generator)
    return Network(modulator, layers, head).train()


def rule_of(network, settings, epochs=1, seed=0):
    return FBF(network, settings, epochs=epochs, task=Classification(),
               generator=torch.Generator().manual_seed(seed))


def batch_of(seed, samples=24):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randint(16, (samples, FEATURES), generator=generator)
    return features, torch.randint(CLASSES, (samples,), generator=generator)


def packed(layer, n):
    """Weights of a layer in the report's axes, (d, o, i)."""
    bits = layer.weights.bits.reshape(-1, n, DEPTH)
    return pack(bits.permute(2, 0, 1).contiguous())


def unpacked(module):
    bits = unpack(module.xnor.weight.words, module.n)
    return bits.permute(1, 2, 0).reshape(bits.shape[1], -1)


def reference_step(stack, bits, labels, order, published):
    """A step of the report's modules on packed bits (b, d, i)."""
    xs = [bits]
    for module in stack[:-1]:
        xs.append(module.forward(xs[-1]))
    logits = stack[-1].forward(xs[-1]).float()
    gradient = logits.softmax(1) - torch.nn.functional.one_hot(labels, CLASSES)
    flips = stack[-1].flips(gradient, xs[-1])
    for index in reversed(range(len(stack))):
        if order == "v1":
            below = stack[index].xnor.backward_weight_first(flips, xs[index], published=published)
        else:
            below = stack[index].xnor.backward(flips, xs[index])
        if index:
            flips = stack[index - 1].flips(below, xs[index - 1])
    if order == "fbf":
        x = bits
        for module in stack:
            module.xnor.update(x, published=published)
            x = module.forward(x)


@pytest.mark.parametrize(("order", "update"),
                         list(itertools.product(["fbf", "v1"], ["xor", "xnor"])))
@pytest.mark.parametrize("seed", range(3))
def test_steps_are_those_of_the_packed_modules(order, update, seed):
    network = network_of(seed)
    rule = rule_of(network, Settings(order=order, update=update))
    first, second = network.layers
    stack = [modules.BMAB(packed(first, FEATURES), FEATURES, DEPTH),
             modules.BMAB(packed(second, HIDDEN), HIDDEN, DEPTH),
             modules.BMA(packed(network.head, HIDDEN), HIDDEN)]
    start = [layer.weights.bits.clone() for layer in (first, second, network.head)]
    for step in range(3):
        features, labels = batch_of(10 * seed + step)
        bits = network.modulator(features).reshape(FEATURES, DEPTH, -1).permute(2, 1, 0)
        rule.step(features, labels)
        reference_step(stack, pack(bits.contiguous()), labels, order, update == "xnor")
        for layer, module in zip((first, second, network.head), stack, strict=True):
            assert torch.equal(layer.weights.bits, unpacked(module).bool())
    changed = [bool((layer.weights.bits != old).any())
               for layer, old in zip((first, second, network.head), start, strict=True)]
    # Weight-first, what is left to do does not reach the front: the reason for the order "fbf".
    assert changed == [order == "fbf" or update == "xnor", True, True]


def test_what_a_step_reports():
    network = network_of(0)
    before = [layer.weights.bits.clone() for layer in (*network.layers, network.head)]
    features, labels = batch_of(0)
    logits = network(features)
    report = rule_of(network, Settings()).step(features, labels)
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert report["loss"] == pytest.approx(expected, rel=1e-5)
    assert report["accuracy"] == pytest.approx((logits.argmax(1) == labels).float().mean().item())
    after = [layer.weights.bits.clone() for layer in (*network.layers, network.head)]
    assert report["flipped"] == sum(int((a != b).sum())
                                    for a, b in zip(before, after, strict=True))


def test_the_suppressor_halves_what_is_flipped():
    torch.manual_seed(0)
    flipped = [np.mean([rule_of(network_of(0), Settings(suppressor=suppressor)).step(*batch_of(0))
                        ["flipped"] for _ in range(30)]) for suppressor in range(4)]
    # Later layers see what earlier ones have not become: only about a half.
    assert np.array(flipped[1:]) / flipped[:-1] == pytest.approx(0.5, abs=0.15)


def test_the_rank_rule_flips_at_most_its_share():
    network = network_of(0)
    settings = Settings(mask="rank", update_rate=0.05, signal="wish")
    total = sum(layer.weights.bits.numel() for layer in (*network.layers, network.head))
    flipped = [rule_of(network, settings).step(*batch_of(seed))["flipped"] for seed in range(10)]
    assert 0 < max(flipped) <= 0.05 * total + 1


def test_chance_takes_the_gradient_as_probability():
    torch.manual_seed(0)
    rule = rule_of(network_of(0), Settings(error="chance"))
    error = torch.tensor([[-0.75, 0.25, 0.5]]).expand(4000, 3)
    targets = rule._targets_of_error(error)
    assert targets.mean(1).tolist() == pytest.approx([0.75, -0.25, -0.5], abs=0.03)
    assert set(targets.unique().tolist()) == {-1.0, 0.0, 1.0}


def test_far_neurons_have_no_target_within_a_window():
    network = network_of(1)
    rule = rule_of(network, Settings(window=0.3, order="v1"))
    features, _ = batch_of(0)
    passes, logits = rule._forward(network.modulator(features))
    error = logits.softmax(1) - 1 / CLASSES
    rule._backward(passes, error, None)
    for one in passes[:-1]:
        near = (one.z[:, None] - one.layer.neurons.cuts.float()[:, None]).abs().amin(1) <= 0.3
        assert near.any()
        assert not near.all()
        assert one.targets[~near].abs().max() == 0
        assert one.targets[near].abs().max() == 1


def test_phases():
    rule = rule_of(network_of(0), Settings(suppressor=1, suppressor_every=3, second_epochs=2,
                                           second_suppressor=4), epochs=10)
    seen = []
    for epoch in range(10):
        rule.begin_epoch(epoch)
        seen.append((rule._suppressor, rule.batch(epoch, 32, 500)))
    assert [rule.batch(0, 100, samples) for samples in (600, 601, 649, 650, 30)] == [
        100, 101, 109, 100, 30]
    assert seen == [(1, 32)] * 3 + [(2, 32)] * 3 + [(3, 32)] * 2 + [(4, 500)] * 2


def test_the_batch_norm_learns_what_the_bits_ask_for():
    modulator = BatchNormModulator((FEATURES,), DEPTH, 1, bits=4, signed=False).train()
    network = network_of(0, modulator)
    rule = rule_of(network, Settings(learning_rate=0.1))
    features, _ = batch_of(0)
    z, bits = rule._modulate(features)
    assert torch.equal(bits, (z[:, None] > modulator.cuts[..., 0][None, :, None]).flatten(0, 1))
    # Every bit of feature 0 should be 1, every bit of feature 1 should be 0.
    signal = torch.zeros(FEATURES * DEPTH, len(features))
    signal[:DEPTH], signal[DEPTH : 2 * DEPTH] = 1, -1
    rule._learn_modulation(z, signal)
    shift = modulator.shift.detach()
    assert shift[0] > 0.09
    assert shift[1] < -0.09
    assert shift[2:].abs().max() == 0


@pytest.mark.parametrize(("frames", "signed"), [(1, False), (2, False), (1, True)])
def test_folded_thresholds_are_the_batch_norm(frames, signed):
    generator = torch.Generator().manual_seed(0)
    modulator = BatchNormModulator((FEATURES,), DEPTH, frames, bits=4, signed=signed).train()
    low = -8 if signed else 0
    with torch.no_grad():
        modulator.scale_log.normal_(generator=generator)
        modulator.shift.normal_(generator=generator)
        for _ in range(40):
            features = torch.randint(low, low + 16, (50, FEATURES), generator=generator)
            modulator(features)
    modulator.eval()
    x = features.double()
    z = (x - modulator.mean.double()) / (modulator.variance.double() + EPSILON).sqrt()
    z = z * modulator.scale_log.double().exp() + modulator.shift.double()
    ladder = modulator.cuts.reshape(-1)
    assert ladder.tolist() == sorted(ladder.tolist())
    for f in range(frames):
        expected = z[:, :, None] > ladder[f::frames].double()
        got = modulator(features).reshape(FEATURES * DEPTH, frames, -1)[:, f]
        assert torch.equal(got.T.bool(), expected.flatten(1))
        node = modulator.freeze()
        assert (node.evaluate_frame(features.numpy(), f).shape[0]) == FEATURES * DEPTH
    assert np.array_equal(node.thresholds, modulator.thresholds.numpy())


def test_normalised_features_are_those_of_an_ordinary_batch_norm():
    modulator = BatchNormModulator((FEATURES,), DEPTH, 1, bits=4, signed=False).train()
    features, _ = batch_of(3)
    expected = torch.nn.functional.batch_norm(features.float(), None, None, training=True)
    assert torch.allclose(modulator.normalise(features).T, expected, atol=1e-5)


@pytest.mark.parametrize("centre", ["half", "batch"])
def test_bias_is_an_input_that_is_always_one(centre):
    generator = torch.Generator().manual_seed(0)
    settings = BmabLayer.Settings(7, 3, centre, 4)
    layer = BmabLayer(5, settings, generator=generator).eval()
    x = torch.randint(2, (5, 60), generator=generator).float()
    whole = torch.cat([x, torch.ones(4, 60)])
    counts = (layer.weights.all.float()[:, :, None] == whole).sum(1)
    expected = counts[:, None, :] > 9 / 2 + layer.neurons.cuts[:, None] * (9 / 4) ** 0.5
    assert torch.equal(layer(x).bool(), expected.flatten(0, 1))


def test_batch_centre_balances_the_bits():
    generator = torch.Generator().manual_seed(0)
    layer = BmabLayer(40, BmabLayer.Settings(30, 1, "batch"), generator=generator).train()
    x = (torch.rand(40, 500, generator=generator) < 0.1).float()  # mostly 0, as pixels are
    assert layer(x).mean(1).sub(0.5).abs().max() < 0.15
    for _ in range(60):
        layer(x)
    assert (layer.eval()(x).mean(1) - 0.5).abs().max() < 0.15
    plain = BmabLayer(40, BmabLayer.Settings(30), generator=generator)
    assert (plain(x).mean(1) - 0.5).abs().max() > 0.4


def test_training_and_evaluation_agree_where_nothing_is_real():
    network = network_of(2)
    features, _ = batch_of(4, 300)
    assert torch.equal(network.train()(features), network.eval()(features))


def test_a_resumed_training_draws_what_a_whole_one_draws(tmp_path):
    recipe = load_recipe("iris-fbf", ["epochs=6", "fbf.second_epochs=2", "fbf.suppressor=1",
                                      "fbf.error=chance", "layers.0.centre=batch"])
    source = data.load("iris")
    whole, stopped, resumed = (Trainer(recipe, source) for _ in range(3))
    for trainer, epochs in ((stopped, 3), (resumed, 0), (whole, 6)):
        torch.manual_seed(recipe.seed)
        for _ in range(epochs):
            trainer.run_epoch(lambda samples, accuracy: None)
        if trainer is stopped:
            stopped.save(tmp_path / "checkpoint.pt")
    resumed.restore(Checkpoint.load(tmp_path / "checkpoint.pt"), tmp_path / "checkpoint.pt")
    for _ in range(3):
        resumed.run_epoch(lambda samples, accuracy: None)
    assert resumed.curve == whole.curve
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_frames_have_their_samples_targets():
    modulator = BatchNormModulator((FEATURES,), DEPTH, 2, bits=4, signed=False).train()
    network = network_of(0, modulator)
    rule = rule_of(network, Settings())
    features, labels = batch_of(0)
    passes, logits = rule._forward(modulator(features))
    assert torch.allclose(logits, network(features), atol=1e-5)
    error = logits.softmax(1) - torch.nn.functional.one_hot(labels, CLASSES)
    targets = rule._targets_of_error(error)
    assert targets.shape == (CLASSES, 2 * len(features)) == passes[-1].z.shape
    assert torch.equal(targets[:, : len(features)], -error.sign().T)
    assert torch.equal(targets[:, len(features) :], -error.sign().T)
    assert rule.step(features, labels)["flipped"] > 0


def test_no_parameter_is_a_weight():
    network = network_of(0)
    assert list(network.parameters()) == []
    assert {buffer.dtype for name, buffer in network.named_buffers()
            if ".weights." in f".{name}" and buffer is not None} == {torch.bool}


def test_telemetry_by_hand():
    telemetry = Telemetry()
    telemetry.observe("a", bits=torch.tensor([[1.0, 0.0], [1.0, 1.0]]),
                      counts=torch.tensor([[-99.0, 0.1, 0.1, 99.0]]))
    telemetry.observe("a", bits=torch.tensor([[0.0, 0.0], [1.0, 1.0]]),
                      flips=torch.tensor([True, False]), gradient=torch.tensor([-2.0, 1.0]))
    telemetry.end_epoch()
    telemetry.observe("a", bits=torch.zeros(2, 2))
    telemetry.end_epoch()
    assert telemetry.over_epochs("a", "mean_of_bits").tolist() == [[0.25, 1.0], [0.0, 0.0]]
    first = telemetry.epochs[0]
    assert first["a", "histogram"][[0, 24, -1]].tolist() == [0.25, 0.5, 0.25]
    assert (first["a", "flip_ratio"], first["a", "gradient"]) == (0.5, 1.5)
    with pytest.raises(KeyError):
        telemetry.over_epochs("a", "update_ratio")


def test_the_rule_tells_its_telemetry_of_every_layer():
    network = network_of(0, BatchNormModulator((FEATURES,), DEPTH, 1, bits=4, signed=False).train())
    rule = rule_of(network, Settings())
    rule.telemetry = Telemetry()
    flipped = rule.step(*batch_of(0))["flipped"]
    rule.telemetry.end_epoch()
    entry = rule.telemetry.epochs[0]
    figures = {layer: {figure for name, figure in entry if name == layer}
               for layer in ("modulate", "bmab0", "bmab1", "head")}
    inner = {"mean_of_bits", "histogram", "flip_ratio", "update_ratio"}
    assert figures == {"modulate": {"mean_of_bits", "flip_ratio", "gradient"}, "bmab0": inner,
                       "bmab1": inner, "head": {"histogram", "gradient", "update_ratio"}}
    sizes = {"bmab0": HIDDEN * FEATURES * DEPTH, "bmab1": HIDDEN * HIDDEN * DEPTH,
             "head": CLASSES * HIDDEN * DEPTH}
    assert sum(entry[name, "update_ratio"] * size
               for name, size in sizes.items()) == pytest.approx(flipped)


@pytest.mark.parametrize(("cls", "settings", "message"), [
    (Settings, {"update_rate": 0.0}, "update_rate must be above 0 and at most 1, not 0.0"),
    (Settings, {"suppressor": -1}, "suppressor must be between 0 and 32, not -1"),
    (Settings, {"second_suppressor": 33}, "second_suppressor must be between 0 and 32, not 33"),
    (Settings, {"suppressor_every": -1}, "suppressor_every must be at least 0, not -1"),
    (Settings, {"second_epochs": -1}, "second_epochs must be at least 0, not -1"),
    (Settings, {"window": -0.5}, "window must be at least 0 and finite, not -0.5"),
    (Settings, {"learning_rate": 0.0}, "learning_rate must be above 0 and finite, not 0.0"),
    (BmabLayer.Settings, {"neurons": 0}, "neurons must be at least 1, not 0"),
    (BmabLayer.Settings, {"neurons": 1, "depth": 0}, "depth must be at least 1, not 0"),
    (BmabLayer.Settings, {"neurons": 1, "bias": -1}, "bias must be at least 0, not -1"),
    (BmaHead.Settings, {"temperature": 0.0}, "temperature must be above 0 and finite, not 0.0"),
    (BmaHead.Settings, {"bias": -1}, "bias must be at least 0, not -1"),
])
def test_settings_refused(cls, settings, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        cls(**settings)


def test_other_layers_are_refused():
    recipe = load_recipe("iris", ["learning=fbf"])
    with pytest.raises(ValueError, match=r"^learning 'fbf' cannot train layers.0 of kind 'lut'; it "
                                         r"trains bmab, bmab_convolution$"):
        Trainer(recipe, data.load("iris"))


def test_a_split_may_be_given():
    source = data.load("iris")
    trainer = Trainer(load_recipe("iris-fbf"), source, (np.arange(50, 110), np.arange(20)))
    assert trainer.samples == 60
    assert np.array_equal(trainer._features.numpy(), source.features[50:110])
    assert np.array_equal(trainer.held_back[0], source.features[:20])
