"""Numbers as targets, and classes of unequal size: trained, frozen, told, or refused."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.utils.class_weight import compute_class_weight

from bitwright import ir
from bitwright.data import DataSet
from bitwright.model import train
from bitwright.model.heads import Head
from bitwright.model.layers import LutLayer
from bitwright.model.recipe import Recipe
from bitwright.model.rules import Rule
from bitwright.model.tasks import Classification, Regression
from bitwright.model.tasks.classification import balanced
from bitwright.model.training.freeze import FreezeError
from bitwright.model.training.trainer import Trainer

LUT = {"kind": "lut", "width": 60}
XNOR = {"kind": "xnor", "neurons": 16}
PARTS = {  # a network that each rule trains for numbers
    "backprop": ([LUT], {"kind": "group_sum", "temperature": 8.0}),
    "bernoulli": ([{"kind": "bernoulli", "neurons": 16}], {"kind": "expectation"}),
    "direct-feedback-alignment": ([LUT, LUT], {"kind": "scores"}),
}


def numbers(shift=0.0, factor=1.0):
    """A sum of four features with weights, and some noise."""
    rng = np.random.default_rng(0)
    features = rng.integers(0, 256, (400, 4)).astype(np.int32)
    labels = shift + factor * (features @ [1.0, -2.0, 0.5, 0.0] / 100 + rng.normal(0, 0.1, 400))
    return DataSet("sums", features[:300], labels[:300], features[300:], labels[300:], bits=8,
                   signed=False, full_scale=256, shape=(4,), classes=(), answers=("sum (m)",))


def unequal():
    """Two classes of 380 and 20 samples that overlap."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [380, 20])
    features = (rng.normal(110 + 40 * labels[:, None], 25, (400, 6))).clip(0, 255).astype(np.int32)
    order = rng.permutation(400)
    features, labels = features[order], labels[order]
    return DataSet("rare", features[:250], labels[:250], features[250:], labels[250:], bits=8,
                   signed=False, full_scale=256, shape=(6,), classes=("often", "rarely"))


def recipe(learning="backprop", epochs=3, layers=(LUT,), head=None, depth=8, **settings):
    return Recipe.of({"name": "x", "epochs": epochs, "patience": epochs, "batch": 16,
                      "learning": learning, "modulate": {"levels": "quantile", "depth": depth},
                      "layers": list(layers), "head": head or {"kind": "group_sum"}} | settings)


def trained(*args):
    trainer = Trainer(*args)
    while not trainer.finished:
        trainer.run_epoch(lambda samples, metric: None)
    return trainer


def test_a_regression_is_learned_frozen_and_read_back(tmp_path):
    """Far from 0 and in small units: scaling is the task's business."""
    source = numbers(shift=1e4, factor=1e-2)
    head = {"kind": "group_sum", "temperature": 8.0}
    trainer = trained(recipe(epochs=25, head=head), source)
    network = trainer.freeze()
    test = network.provenance["figures"]["test"]
    assert test["r2"] > 0.8
    ir.save(tmp_path / "n.safetensors", network)
    again = ir.load(tmp_path / "n.safetensors")
    scores = trainer.network.scores(source.x_test)
    assert (again.evaluate(source.x_test).scores == scores).all()
    answers = again.answer.apply(scores)[:, 0]
    assert answers.dtype == np.float32
    # The same in torch: a score is rounded, multiplied, shifted, in binary32.
    offset, scale = (torch.from_numpy(field.copy())
                     for field in (again.answer.offset, again.answer.scale))
    same = torch.from_numpy(scores).float() * scale + offset
    assert (same.numpy()[:, 0] == answers).all()
    errors = answers.astype(np.float64) - source.y_test
    assert test["rmse"] == np.sqrt((errors**2).mean())
    assert again.names.answers == ("sum (m)",)
    assert again.provenance["task"] == "regression"
    assert "accuracy" not in again.provenance
    assert "confusion" not in again.provenance
    assert {"train_r2", "validation_r2"} < set(again.provenance["curve"][0])


def test_numbers_of_a_logit_by_hand():
    source = numbers()
    trainer = Trainer(recipe(head={"kind": "scores", "temperature": 5.0, "scale": 2}), source)
    task = trainer.task
    assert isinstance(task, Regression)
    train_labels = source.labels[np.setdiff1d(np.arange(300), trainer._validation)]
    mean, deviation = train_labels.astype(float).mean(), train_labels.astype(float).std()
    # The middle of 60 counts of weight 2 is 60: of temperature 5 a logit of 12.
    logits, labels = torch.tensor([[12.0], [13.0]]), np.array([mean, mean], np.float32)
    targets = task.targets(labels)
    assert targets.abs().max() < 1e-6
    assert task.loss(logits, targets).item() == pytest.approx(0.5, abs=1e-5)
    assert task.metric(logits, targets) == pytest.approx(0.5, abs=1e-5)
    assert task.error(logits, targets).flatten().tolist() == pytest.approx([0, 2], abs=1e-5)
    answer = task.answer.apply(np.array([[60], [65]]))
    assert answer.flatten().tolist() == pytest.approx([mean, mean + deviation], rel=1e-5)
    assert task.told(0.75) == f"RMSE {deviation / 2:.4g}"


def test_a_fault_in_freezing_numbers_is_seen(monkeypatch):
    right = LutLayer.freeze

    def fault(self):
        node = right(self)
        return replace(node, tables=~node.tables)

    monkeypatch.setattr(LutLayer, "freeze", fault)
    with pytest.raises(FreezeError, match=r"^The frozen network differs from the trained one on "
                                          r"\d+ of 16 samples of the rehearsal: sample \d+, it "
                                          r"scores \d+ for \d+$"):
        Trainer(recipe(), numbers())


@pytest.mark.parametrize("learning", sorted(
    kind for kind, rule in Rule.kinds.items() if "regression" in rule.tasks))
def test_every_rule_that_says_so_trains_for_numbers(learning):
    layers, head = PARTS.get(learning, ([XNOR], {"kind": "scores", "temperature": 5.0}))
    trainer = trained(recipe(learning, 2, layers, head), numbers())
    assert trainer.freeze().answer is not None


def test_numbers_from_reals(tmp_path):
    trainer = trained(Recipe.of({
        "name": "x", "epochs": 15, "modulate": {"levels": "real", "standard": True},
        "layers": [{"kind": "dense", "neurons": 16}], "head": {"kind": "linear"}}), numbers())
    assert trainer.figures()["test"]["r2"] > 0.8


HEADS = ", ".join(sorted(kind for kind, head in Head.kinds.items()
                         if "regression" in head.tasks and head.values == "bits"))
RULES = ", ".join(sorted(kind for kind, rule in Rule.kinds.items() if "regression" in rule.tasks))


@pytest.mark.parametrize(("settings", "message"), [
    ({"balance": True}, "balance must be false where labels are numbers"),
    ({"backprop": {"label_smoothing": 0.1}},
     "backprop.label_smoothing must be 0 for regression, not 0.1"),
    ({"learning": "straight-through", "layers": [XNOR], "head": {"kind": "scores"},
      "straight-through": {"scaling": "xnor-net"}},
     "straight-through.scaling must be 'none' for regression, not 'xnor-net'"),
    ({"learning": "fbf", "layers": [{"kind": "bmab", "neurons": 16}], "head": {"kind": "bma"}},
     f"learning must be one of {RULES} for regression, not 'fbf'"),
    ({"head": {"kind": "goodness"}, "modulate": {"levels": "quantile", "labels": "slot"}},
     f"head.kind must be one of {HEADS} for regression, not 'goodness'"),
])
def test_what_does_not_fit_numbers_is_refused(settings, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        Trainer(recipe(**settings), numbers())


def test_targets_that_do_not_differ_are_refused():
    source = numbers(factor=0.0, shift=2.5)
    with pytest.raises(ValueError, match=r"^targets of the training split must not all be the "
                                         r"same, 2\.5$"):
        Trainer(recipe(), source)


def test_one_recording_is_no_split():
    source = replace(numbers(), groups=np.zeros(300, np.int64))
    with pytest.raises(ValueError, match=rf"^Data set '{source.name}': none can be set aside for "
                       "validation, as each of the 1 recordings is needed to train on; add "
                       r"recordings, or name a file of test samples with source\.test$"):
        Trainer(recipe(), source)


def test_weights_are_those_of_scikit_learn():
    labels = np.array([0, 0, 0, 0, 0, 2])
    task = Classification(balanced(labels, 4))
    assert task.metric_name == "balanced_accuracy"
    expected = compute_class_weight("balanced", classes=np.array([0, 2]), y=labels)
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    targets = task.targets(labels)
    weights = torch.tensor(expected)[(targets == 2).long()]
    plain = Classification()
    each = torch.tensor([plain.loss(logits[n : n + 1], targets[n : n + 1]) for n in range(6)])
    assert task.loss(logits, targets).item() == pytest.approx((each * weights).mean().item())
    error = plain.error(logits, targets) * weights[:, None]
    assert torch.allclose(task.error(logits, targets), error.float())
    # One of five and one of one are right: the mean of the recalls.
    decided = torch.eye(4)[[0, 1, 1, 1, 1, 2]]
    assert task.metric(decided, targets) == pytest.approx((1 / 5 + 1) / 2)
    assert task.told(0.6) == "60.00 % (balanced)"


def test_balance_finds_the_rare_class():
    figures = {}
    for balance in (False, True):
        network = trained(recipe(epochs=20, balance=balance,
                                 head={"kind": "group_sum", "temperature": 4.0}),
                          unequal()).freeze()
        figures[balance] = network.provenance["figures"]["test"]
        assert network.provenance["recipe"]["balance"] is balance
        assert network.provenance["accuracy"]["test_ir"] == figures[balance]["accuracy"]
    assert figures[True]["per_class"]["recall"][1] > figures[False]["per_class"]["recall"][1]
    assert figures[True]["balanced_accuracy"] > figures[False]["balanced_accuracy"]
    assert figures[True]["per_class"]["support"] == figures[False]["per_class"]["support"]


@pytest.mark.parametrize(("learning", "layers", "head", "modulate"), [
    ("fbf", {"kind": "bmab", "neurons": 16}, "bma", {"levels": "quantile"}),
    ("forward-forward", {"kind": "xnor", "neurons": 16}, "goodness",
     {"levels": "quantile", "labels": "slot", "label_width": 2}),
])
def test_balance_is_refused_where_the_loss_is_not_followed(learning, layers, head, modulate):
    settings = recipe(learning, layers=[layers], head={"kind": head}, modulate=modulate,
                      balance=True)
    with pytest.raises(ValueError, match=rf"^balance must be false where learning is "
                                         rf"'{learning}', which does not follow the loss$"):
        Trainer(settings, unequal())


def test_the_last_epoch_is_kept_where_that_is_asked_for():
    source = unequal()
    trainers = {keep: trained(recipe(epochs=6, keep=keep), source) for keep in ("best", "last")}
    assert trainers["last"].curve == trainers["best"].curve
    bests = [entry["validation_accuracy"] for entry in trainers["best"].curve]
    assert bests[trainers["best"].best["epoch"] - 1] == max(bests)
    last = trainers["last"].best
    assert (last["epoch"], last["accuracy"]) == (6, bests[-1])
    assert trainers["best"].best["epoch"] < 6  # or the two would not differ here


def test_the_command_tells_the_balanced_accuracy(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    assert train.main(["iris", "--set", "balance=true", "--set", "epochs=2"]) == 0
    told = r"\d+\.\d\d % \(balanced\)"
    assert re.fullmatch(rf"best epoch \d of 2: validation {told}, test {told} \(torch and frozen "
                        r"network agree on all 36 test samples\)", caplog.messages[-1])


def test_the_commands_follow_the_task(tmp_path, monkeypatch, caplog, capsys):
    from bitwright.model import evaluate

    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    rng = np.random.default_rng(0)
    table = rng.normal(size=(80, 3)).round(3)
    rows = [",".join(map(str, [*row, round(20 + 3 * row[0] - row[1], 3)])) for row in table]
    (tmp_path / "depth.csv").write_text("\n".join(["a,b,c,depth (cm)", *rows]))
    (tmp_path / "mine.toml").write_text(recipe(epochs=4, name="mine").toml())
    assert train.main(["mine.toml", "--data", "depth.csv", "--set",
                       "source.task=regression"]) == 0
    assert capsys.readouterr().out == "runs/mine/network.safetensors\n"
    assert re.fullmatch(r"best epoch \d of 4: validation RMSE \d\.\d+, test RMSE \d\.\d+ \(torch "
                        r"and frozen network agree on all \d+ test samples\)", caplog.messages[-1])
    assert evaluate.main(["--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    network = ir.load(tmp_path / "runs/mine/network.safetensors")
    assert result["rmse"] == network.provenance["figures"]["test"]["rmse"]
    assert result["answer"] == "depth (cm)"
