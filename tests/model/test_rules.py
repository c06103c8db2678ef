"""What a rule can train, and what it refuses before the first epoch."""

import io
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright import data, ir
from bitwright.model.base import Trait
from bitwright.model.heads import Head
from bitwright.model.heads.scores import ScoresHead
from bitwright.model.layers import Layer
from bitwright.model.recipe import Recipe, RecipeError
from bitwright.model.rules import Rule
from bitwright.model.training.trainer import Trainer

PICTURE = data_sets()["picture"]  # 6 x 6 pixels, 4 classes

DENSE, CONVOLUTION = {"neurons": 12}, {"neurons": 6, "kernel": 3, "stride": 2}
LATENT = ([("xnor", DENSE), ("convolution", CONVOLUTION)], {"kind": "scores"})
FLIPS = ([("bmab", DENSE), ("bmab_convolution", CONVOLUTION)], {"kind": "bma"})
DOUBT = ([("bernoulli", DENSE), ("bernoulli_convolution", CONVOLUTION)], {"kind": "expectation"})
WEIGHTS = {"fbf": FLIPS, "bernoulli": DOUBT}
SETTINGS = {"fbf": {"signal": "wish", "mask": "rank", "error": "chance", "update_rate": 0.05},
            "forward-forward": {"loss": "symba", "temperature": 0.1},
            "unsupervised-forward-forward": {"readout_rate": 0.05, "loss": "symba",
                                             "temperature": 0.1}}
LABELS = {"modulate": {"labels": "first"}, "head": {"kind": "goodness"}}


def trainer_of(learning, layers=(), head=None, *, epochs=3, source=PICTURE, **others):
    """A trainer of layers, each a kind and settings."""
    recipe = Recipe.of({"name": "x", "learning": learning, "epochs": epochs, "batch": 16,
                        "layers": [{"kind": kind, **settings} for kind, settings in layers],
                        "head": head or {"kind": "scores"}, **others})
    return Trainer(recipe, source)


def run(trainer, epochs=3):
    return [trainer.run_epoch(lambda samples, metric: None) for _ in range(epochs)]


@pytest.mark.parametrize("place", [0, 1], ids=["dense", "convolution"])
@pytest.mark.parametrize("rule", Rule.kinds)
def test_every_rule_trains_dense_layers_and_convolutions(rule, place):
    """They learn, all of their weights move, and they freeze to what they are."""
    layers, head = WEIGHTS.get(rule, LATENT)
    others = {"head": head, **(LABELS if rule == "forward-forward" else {}),
              rule: SETTINGS.get(rule, {})}
    chain = [layers[place], layers[0]]
    trainer = trainer_of(rule, chain, source=data.load("digits"), **others)
    before = [layer.weights.bits.clone() for layer in trainer.network.layers]
    entries = run(trainer, 2)
    for old, layer in zip(before, trainer.network.layers, strict=True):
        assert (layer.weights.bits != old).any()
    assert entries[-1]["train_accuracy"] > 0.15
    # The counts of flips that chance decides are no loss that falls within two epochs.
    assert rule == "fbf" or entries[-1]["train_loss"] < entries[0]["train_loss"]
    frozen = trainer.freeze()
    assert [entry.node.kind for entry in frozen.entries[1:-1]] == [
        "convolution" if "convolution" in kind else "xnor" for kind, _ in chain]


BY_GRADIENT = ", ".join(sorted(kind for kind, layer in Layer.kinds.items()
                               if layer.values == "bits" and Trait.GRADIENT in layer.traits))

REFUSED = [
    ("backprop", [("bernoulli", DENSE)], {},
     f"layers.0 of kind 'bernoulli'; it trains {BY_GRADIENT}"),
    ("backprop", [("xnor", DENSE), ("bmab", DENSE)], {},
     f"layers.1 of kind 'bmab'; it trains {BY_GRADIENT}"),
    ("backprop", [("xnor", DENSE)], {"head": {"kind": "bma", "centre": "batch"}},
     "a head of kind 'bma'; it trains goodness, group_sum, scores"),
    ("backprop", [("xnor", DENSE)], {"head": {"kind": "expectation"}},
     "a head of kind 'expectation'; it trains goodness, group_sum, scores"),
    ("direct-feedback-alignment", [("xnor", DENSE)], LABELS,
     "a head of kind 'goodness'; it trains group_sum, scores"),
    ("indirect-feedback-alignment", [("xnor", DENSE)], LABELS,
     "a head of kind 'goodness'; it trains scores"),
    ("feedback-alignment", [("xnor", DENSE)], LABELS,
     "a head of kind 'goodness'; it trains scores"),
    ("direct-feedback-alignment", [("dense", DENSE)] * 2,
     {"modulate": {"levels": "real"}, "head": {"kind": "readout"}},
     "a head of kind 'readout'; it trains linear"),
    ("fbf", [("dense", DENSE)], {"modulate": {"levels": "real"}, "head": {"kind": "linear"}},
     "layers.0 of kind 'dense'; nor any other of reals"),
    ("forward-forward", [("bernoulli", DENSE)], LABELS,
     f"layers.0 of kind 'bernoulli'; it trains {BY_GRADIENT}"),
    ("forward-forward", [("xnor", DENSE)], {}, "a head of kind 'scores'; it trains goodness"),
    ("feedback-alignment", [("convolution", CONVOLUTION), ("convolution", CONVOLUTION
                                                           | {"groups": 2, "kernel": 1})], {},
     "layers.1 of kind 'convolution' with groups above 1"),
    ("bernoulli", DOUBT[0][:1], {"head": {"kind": "expectation"},
                                 "modulate": {"levels": "batch-norm"}},
     "thresholds: modulate.levels must not be 'batch-norm'"),
    ("fbf", FLIPS[0][:1], {"head": FLIPS[1], "modulate": {"levels": "learned"}},
     "thresholds: modulate.levels must not be 'learned'"),
    ("bernoulli", DOUBT[0][:1], {"head": DOUBT[1], "modulate": {"levels": "global-learned"}},
     "thresholds: modulate.levels must not be 'global-learned'"),
]


@pytest.mark.parametrize(("rule", "layers", "others", "message"), REFUSED)
def test_refused_with_the_place_and_what_is_allowed(rule, layers, others, message):
    message = f"learning '{rule}' cannot train {message}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        trainer_of(rule, layers, **others)


@pytest.mark.parametrize(("rule", "head", "message"), [
    ("unsupervised-forward-forward", {"kind": "scores"},
     "learning 'unsupervised-forward-forward' needs at least one layer in front of the head"),
    ("backprop", {"kind": "group_sum"},
     "learning 'backprop' finds nothing to train: neither layers nor head have parameters"),
])
def test_refused_without_layers(rule, head, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        trainer_of(rule, head=head)


def test_refused_where_the_head_is_not_trained():
    with pytest.raises(ValueError, match=(
            r"^learning 'unsupervised-forward-forward' needs a head that is trained, such as "
            r"'readout' or 'scores', not 'group_sum'$")):
        trainer_of("unsupervised-forward-forward", [("xnor", DENSE)], {"kind": "group_sum"})


def test_the_old_name_of_a_kind_says_the_new_one():
    with pytest.raises(RecipeError, match=(
            r"^layers.0.kind 'unit_dense' is now 'dense' with unit_length = true$")):
        trainer_of("backprop", [("unit_dense", DENSE)])


@pytest.mark.parametrize("layer", [("xnor", DENSE), ("convolution", CONVOLUTION),
                                   ("lut", {"width": 12, "fan_in": 3, "window": 9})])
def test_backpropagation_learns_the_modulation_s_batch_norm(layer):
    modulate = {"levels": "batch-norm", "depth": 2, "frames": 2}
    head = {"kind": "group_sum"} if layer[0] == "lut" else None
    trainer = trainer_of("backprop", [layer], head, modulate=modulate)
    run(trainer)
    modulator = trainer.network.modulator
    assert (modulator.scale_log != 0).float().mean() > 0.5
    assert (modulator.shift != 0).float().mean() > 0.5
    trainer.freeze()


def test_large_scores_freeze():
    """2^25 and more, of which floats have only every second one."""
    head = ScoresHead.make(1024, 3, ScoresHead.Settings(10.0, 32767),
                           generator=torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        head.offsets.copy_(torch.tensor([0.1, -0.7, 1e12]))
    x = head.weights.bits[:1] ^ (torch.arange(1024) % torch.arange(1, 41)[:, None] == 1)
    head.constrain()
    scores = head(x.T.float())
    assert scores.dtype == torch.int64
    assert scores.max() > 1 << 30
    assert (scores[:, 0] > 1 << 24).any()
    assert (scores.numpy() == head.freeze().evaluate(x.numpy())).all()


def test_a_convolution_of_one_window_is_a_dense_layer():
    """By every rule that does more than follow gradients: in the same steps."""
    kernel = {"neurons": 8, "kernel": 6}
    for rule, dense, convolution, head in (
            ("fbf", "bmab", "bmab_convolution", "bma"),
            ("bernoulli", "bernoulli", "bernoulli_convolution", "expectation"),
            ("indirect-feedback-alignment", "xnor", "convolution", "scores"),
            ("feedback-alignment", "xnor", "convolution", "scores"),
            ("bop", "xnor", "convolution", "scores")):
        found = []
        for kind, settings in ((dense, {"neurons": 8}), (convolution, kernel)):
            trainer = trainer_of(rule, [(kind, settings), (dense, DENSE)], {"kind": head})
            trainer.network.train()
            trainer.rule.begin_epoch(0)
            for part in range(3):
                here = slice(16 * part, 16 * part + 16)
                trainer.rule.step(trainer._features[here], trainer._labels[here])
            found.append([layer.weights.bits for layer in trainer.network.layers])
        for first, second in zip(*found, strict=True):
            assert torch.equal(first, second), rule


@pytest.mark.parametrize("signal", ["wish", "flip"])
def test_windows_vote_together_on_the_bits_that_they_share(signal):
    """FBF on a convolution: the signal of an input bit is that of the neurons of all windows."""
    trainer = trainer_of("fbf", [FLIPS[0][1]], {"kind": "bma"},
                         fbf={"signal": signal})
    recipe_layer = Layer.kinds["bmab_convolution"]
    settings = recipe_layer.Settings(neurons=3, kernel=2)
    generator = torch.Generator().manual_seed(4)
    convolution = recipe_layer(trainer.network.modulator.geometry, settings, generator=generator)
    window = convolution.window
    x = 2.0 * torch.randint(2, (36, 5), generator=generator) - 1
    targets = torch.randint(-1, 2, (3, window.positions * 5), generator=generator).float()
    one = type("Pass", (), {"layer": convolution, "targets": targets, "seen": x,
                            "x": convolution.columns(x)})
    weights = convolution.weights.signs
    found = trainer.rule._signal(one, weights, weights)
    wants = np.zeros((36, 5, 2))  # voters for -1 and for +1
    voters = np.zeros(36)
    for position, places in enumerate(window.index):
        for place, bit in enumerate(places):
            voters[bit] += 3
            for neuron in range(3):
                for sample in range(5):
                    column = sample * window.positions + position
                    wish = targets[neuron, column] * weights[neuron, place]
                    wants[bit, sample] += [wish < 0, wish > 0]
    if signal == "wish":
        expected = np.sign(wants[..., 1] - wants[..., 0])
    else:
        against = np.where(x.numpy() > 0, wants[..., 0], wants[..., 1])
        flip = against > np.maximum(voters[:, None] / 2, against.mean())
        expected = -x.numpy() * flip
    assert (found.numpy() == expected).all()
    assert len(np.unique(expected)) == 3


def test_what_rules_set_on_layers_is_in_a_state():
    """A network alone resumes with slopes, temperatures and bounds as they were."""
    steep = trainer_of("straight-through", [("xnor", DENSE)], **{"straight-through": {
        "surrogate": "sign-swish", "steepness": "learned", "learning_rate": 0.1}})
    doubt = trainer_of("bernoulli", [("bernoulli", DENSE)], {"kind": "expectation"})
    for trainer, names in ((steep, {"layers.0.neurons.step.beta"}),
                           (doubt, {"layers.0.neurons.temperature", "layers.0.weights.bound"})):
        start = {name: value.clone() for name, value in trainer.network.state_dict().items()}
        run(trainer, 2)
        state = trainer.network.state_dict()
        for name in names:
            name = name if name in state else name.replace("layers.0.", "layers.0.neurons.")
            assert name in state
            assert state[name] != start[name] or "bound" in name
        buffer = io.BytesIO()
        torch.save(state, buffer)
        buffer.seek(0)
        trainer.network.load_state_dict(torch.load(buffer, weights_only=True))


@pytest.mark.parametrize("frames", [1, 2])
def test_hybrids_are_told_from_the_pictures_of_their_frame(frames):
    trainer = trainer_of("unsupervised-forward-forward", [("xnor", DENSE)],
                         modulate={"frames": frames})
    trainer.network.train()
    trainer.rule.begin_epoch(0)
    seen = []
    learner = next(iter(trainer.rule._learners.values()))
    right = learner.learn
    learner.learn = lambda x: (seen.append(x), right(x))[1]
    features = trainer._features[:10]
    trainer.rule.step(features, trainer._labels[:10])
    assert seen[0].shape[1] == 20 * frames
    assert torch.equal(seen[0][:, : 10 * frames], trainer.network.modulator(features))


def test_every_part_says_what_it_offers():
    for part in (*Layer.kinds.values(), *Head.kinds.values()):
        assert part.values in ("bits", "reals")
        assert part.traits, part.kind
    for rule in Rule.kinds.values():
        assert any(rule.needs.allows(head) for head in Head.kinds.values())
        assert any(rule.needs.layers in layer.traits for layer in Layer.kinds.values())


def test_a_network_of_reals_has_no_frozen_form():
    trainer = trainer_of("backprop", [("dense", DENSE)], {"kind": "linear"},
                         modulate={"levels": "real"})
    assert not trainer.network.freezes
    bits = trainer_of("backprop", [("xnor", DENSE)])
    assert bits.network.freezes
    assert isinstance(bits.network.freeze()[0], ir.Entry)
    message = "layers.0.kind must be one of reals where modulate.levels is 'real', not 'xnor'"
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        trainer_of("backprop", [("xnor", DENSE)], {"kind": "linear"}, modulate={"levels": "real"})
