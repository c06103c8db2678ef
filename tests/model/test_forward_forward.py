"""Forward-forward learning: its losses and negatives by hand, and layers that learn alone."""

import re
from itertools import pairwise
from math import exp, log

import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model.layers import LutLayer, RealDenseLayer, XnorLayer
from bitwright.model.recipe import RecipeError, load_recipe
from bitwright.model.rules.forward_forward.learner import Learner, goodness, pair_loss
from bitwright.model.rules.forward_forward.supervised import wrong_labels
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

BITS = ["learning=forward-forward", "modulate={depth=3, labels='slot', label_width=2}",
        "layers=[{kind='xnor', neurons=24}, {kind='xnor', neurons=16}]", "head={kind='goodness'}",
        "forward-forward={loss='symba', temperature=0.2}", "epochs=4"]
REALS = ["learning=forward-forward", "modulate={levels='real', labels='first'}",
         ("layers=[{kind='dense', unit_length=true, neurons=24}, "
         "{kind='dense', unit_length=true, neurons=16}]"),
         "head={kind='mean_square'}", "forward-forward.threshold=2.0", "epochs=4"]
PIXELS = [*REALS[:1], "data=digits", "validation=0.8", *REALS[1:]]


def trainer(*overrides):
    recipe = load_recipe("iris", overrides)
    return Trainer(recipe, data.load(recipe.data))


def epochs(trainer, count):
    for _ in range(count):
        trainer.run_epoch(lambda samples, accuracy: None)
    return trainer


def tensors(value, name="state"):
    """Bytes of every tensor in nested states, by name."""
    if isinstance(value, torch.Tensor):
        return {name: value.numpy().tobytes()}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    result = {}
    for key, item in items:
        if isinstance(item, dict | list | torch.Tensor):
            result |= tensors(item, f"{name}.{key}")
    return result


def state(trainer):
    return tensors([trainer.network.state_dict(), trainer.rule.state_dict()])


def softplus(x):
    return log(1 + exp(x))


def test_goodness_is_the_mean_square():
    assert goodness(torch.tensor([[1.0, -2.0], [3.0, 0.0]])).tolist() == [5.0, 2.0]
    bits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert goodness(bits).tolist() == [0.75, 0.0]  # the popcount over the width


@pytest.mark.parametrize(("kind", "expected"), [
    ("softplus", (softplus(-2) + softplus(1) + softplus(-1) + softplus(3)) / 4),
    ("relu", (0 + 1 + 0 + 3) / 4),
    ("symba", (softplus(2 - 5) + softplus(6 - 2)) / 2),
])
def test_losses_by_hand(kind, expected):
    positive, negative = torch.tensor([5.0, 2.0]), torch.tensor([2.0, 6.0])
    loss = pair_loss(positive, negative, torch.tensor([3.0]), kind)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["softplus", "relu", "symba"])
def test_gradient_of_a_layer_is_that_of_its_own_loss(kind):
    """Against finite differences, in float64, of the weights and of the threshold."""
    layer = RealDenseLayer(5, RealDenseLayer.Settings(4),
                           generator=torch.Generator().manual_seed(3)).double()
    x = torch.rand(5, 8, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    threshold = torch.tensor([0.1], dtype=torch.float64, requires_grad=True)

    def loss():
        positive, negative = goodness(layer(x)).chunk(2)
        return pair_loss(positive, negative, threshold, kind)

    loss().backward()
    for values in (layer.weights.values, *([threshold] if kind != "symba" else [])):
        for place in range(values.numel()):
            flat = values.data.view(-1)
            before = flat[place].item()
            flat[place] = before + 1e-6
            above = loss().item()
            flat[place] = before - 1e-6
            below = loss().item()
            flat[place] = before
            expected = (above - below) / 2e-6
            assert values.grad.view(-1)[place].item() == pytest.approx(expected, abs=1e-7)


def test_wrong_labels_are_wrong_distinct_and_even():
    torch.manual_seed(0)
    labels = torch.arange(4).repeat(3000)
    wrong = wrong_labels(labels, 4, 2, torch.Generator())
    assert wrong.shape == (2, 12000)
    assert (wrong != labels).all()
    assert (wrong[0] != wrong[1]).all()
    counts = torch.stack([torch.bincount(wrong[0][labels == label], minlength=4)
                          for label in range(4)])
    assert (counts[~torch.eye(4, dtype=torch.bool)] - 1000).abs().max() < 110
    assert (wrong_labels(labels, 4, 3, torch.Generator()).sort(0)[0] == torch.stack(
        [torch.tensor([other for other in range(4) if other != label])
         for label in labels]).T).all()


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", ["dense", "xnor", "lut"])
def test_a_layer_learns_alone_and_lets_no_gradient_out(kind, inverted):
    generator = torch.Generator().manual_seed(5)
    if kind == "dense":
        layer = RealDenseLayer(12, RealDenseLayer.Settings(16), generator=generator)
    elif kind == "xnor":
        layer = XnorLayer(12, XnorLayer.Settings(16), generator=generator)
    else:
        layer = LutLayer(Geometry.line(12), LutLayer.Settings(16), generator=generator)
    learner = Learner(layer, "symba", 1.0, 0.2, inverted=inverted)
    learner.set_rate(0.02)
    x = torch.randint(2, (12, 80), generator=generator).float()
    x[:3, :40], x[:3, 40:] = 1, 0  # what tells the positive half
    x.requires_grad_(kind == "dense")
    first = learner.learn(x)[1]
    for _ in range(60):
        activities, figures = learner.learn(x)
    assert not activities.requires_grad
    assert figures.loss < first.loss
    assert figures.accuracy > 0.9
    positive, negative = goodness(activities).chunk(2)
    assert ((positive > negative) != inverted).float().mean() > 0.9


def test_threshold_is_learned_and_kept():
    one = epochs(trainer(*REALS), 2).rule
    assert len(one.thresholds) == 2
    assert all(abs(value - 2.0) > 0.01 for value in one.thresholds)
    other = trainer(*REALS).rule
    other.load_state_dict(one.state_dict())
    assert other.thresholds == one.thresholds


def test_one_by_one():
    """The epochs are shared out; a layer rests before its turn and after it."""
    training = trainer(*REALS, "forward-forward.order=one-by-one")
    assert [training.rule.learning(epoch) for epoch in range(4)] == [
        ([True, False], 0.0), ([True, False], 0.5), ([False, True], 0.0), ([False, True], 0.5)]
    states = [[layer.weights.values.clone() for layer in training.network.layers]]
    for _ in range(4):
        epochs(training, 1)
        states.append([layer.weights.values.clone() for layer in training.network.layers])
    changed = [[bool((a != b).any()) for a, b in zip(before, after, strict=True)]
               for before, after in pairwise(states)]
    assert changed == [[True, False], [True, False], [False, True], [False, True]]


def test_finished_layers_of_bits_pass_on_what_the_frozen_layer_gives():
    training = trainer(*BITS, "forward-forward.order=one-by-one")
    epochs(training, 2)
    seen = []
    learner = training.rule.learners[1]
    learner.layer.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].clone()))
    training.rule.begin_epoch(2)
    features, labels = training._features[:8], training._labels[:8]
    mean = training.network.layers[0].neurons.mean.clone()
    training.rule.step(features, labels)
    node = training.network.layers[0].freeze()
    x = training.network.modulator.frame(features, labels).T.numpy().astype(bool)
    assert (seen[0][:, :8].T.numpy() == node.evaluate(x)).all()
    assert (training.network.layers[0].neurons.mean == mean).all()


def test_rate_falls_over_the_epochs_of_each_layer():
    def rates(*overrides):
        rule = trainer(*REALS, "forward-forward.learning_rate=0.4", *overrides).rule
        result = []
        for epoch in range(4):
            rule.begin_epoch(epoch)
            result.append(rule.learners[0]._optimizer.param_groups[0]["lr"])
        return result

    assert rates() == pytest.approx([0.4, 0.2 + 0.2 * 0.5 ** 0.5, 0.2, 0.2 - 0.2 * 0.5 ** 0.5])
    assert rates("forward-forward.order=one-by-one") == pytest.approx([0.4, 0.2, 0.4, 0.2])
    assert rates("forward-forward.schedule=constant") == [0.4] * 4


def test_hard_negatives_have_the_highest_score_of_all_wrong_labels():
    training = epochs(trainer(*BITS, "forward-forward.candidates=2"), 1)
    features, labels = training._features[:40], training._labels[:40]
    scores = torch.from_numpy(training.network.scores(features.numpy()))
    chosen = training.rule._negatives(features, labels)
    assert training.network.training
    scores[torch.arange(40), labels] = -1
    assert (chosen != labels).all()
    assert (scores.gather(1, chosen[:, None])[:, 0] == scores.amax(1)).all()


def test_layers_that_the_head_does_not_read_up_to_are_left_out():
    training = trainer(*BITS, "head={kind='goodness', last_layer=1}")
    before = training.network.layers[1].weights.values.clone()
    epochs(training, 1)
    assert len(training.rule.learners) == 1
    assert (training.network.layers[1].weights.values == before).all()


@pytest.mark.parametrize("loss", ["softplus", "relu", "symba"])
@pytest.mark.parametrize("inverted", ["true", "false"])
def test_reals_learn_digits(loss, inverted):
    training = trainer(*PIXELS, f"forward-forward.loss={loss}", f"head.inverted={inverted}",
                       "forward-forward.threshold=0.1", "forward-forward.learning_rate=0.05",
                       "forward-forward.temperature=0.02", "epochs=8", "validation=0.5")
    epochs(training, 8)
    assert training.best["accuracy"] > 0.6


def test_refused_without_a_class_a_frame():
    with pytest.raises(ValueError, match=r"^learning 'forward-forward' cannot train a head of kind "
                                         r"'group_sum'; it trains goodness$"):
        trainer(*BITS, "head={kind='group_sum'}", "modulate={depth=3}", "layers.1.neurons=15")


@pytest.mark.parametrize(("override", "message"), [
    ("forward-forward.candidates=3",
     "forward-forward.candidates must be below the 3 classes, not 3"),
    ("forward-forward.processes=3",
     "forward-forward.processes must be at most the 2 layers, not 3"),
])
def test_refused_with_the_network(override, message):
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        trainer(*BITS, override)


def test_refused_where_a_layer_has_nothing_to_learn():
    with pytest.raises(ValueError, match=(
            r"^learning 'forward-forward' finds nothing to train in layers\.0 of kind 'lut'$")):
        trainer(*BITS, "layers=[{kind='lut', width=12, table='or'}, {kind='lut', width=12}]")


def test_refused_with_fewer_epochs_than_layers():
    with pytest.raises(ValueError, match=r"^epochs must be at least the 2 layers that learn one by "
                                         r"one, not 1$"):
        trainer(*BITS, "epochs=1", "forward-forward.order=one-by-one")


@pytest.mark.parametrize(("settings", "message"), [
    ("learning_rate=0", "learning_rate must be above 0 and finite, not 0.0"),
    ("temperature=-1", "temperature must be above 0 and finite, not -1.0"),
    ("threshold=inf", "threshold must be finite, not inf"),
    ("candidates=0", "candidates must be at least 1, not 0"),
    ("processes=-1", "processes must be at least 0, not -1"),
    ("processes=2, order='one-by-one'",
     "processes must be 0 where layers learn one by one, not 2"),
    ("processes=2, candidates=2",
     "candidates must be 1 where processes share out the layers, not 2"),
    ("loss='hinge'", "loss must be one of 'softplus', 'relu', 'symba', not 'hinge'"),
])
def test_refused_settings(settings, message):
    with pytest.raises(RecipeError,
                       match=rf"^Recipe iris: forward-forward\.{re.escape(message)}$"):
        load_recipe("iris", [*BITS, f"forward-forward={{{settings}}}"])
