"""What helps training: weight decay, averages, the cost of inputs, the front, bit flips."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from bitwright import data, ir
from bitwright.model import train
from bitwright.model.base import Context
from bitwright.model.heads.group_sum import GroupSumHead, temperature_of
from bitwright.model.lookup import dependence
from bitwright.model.recipe import Recipe
from bitwright.model.settings import RecipeError
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.front import joined, luts
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

DIGITS = data.load("digits")
LUT = {"kind": "lut", "width": 60, "fan_in": 4, "wiring": "learnable", "window": 9}


def recipe_of(*layers, epochs=3, keep="best", head=None, batch=32, modulate=None, **backprop):
    return Recipe.of({"name": "small", "epochs": epochs, "batch": batch, "keep": keep,
                      "backprop": {"learning_rate": 0.02, **backprop},
                      "modulate": modulate or {"levels": "even", "depth": 2},
                      "layers": list(layers or [LUT]),
                      "head": {"kind": "group_sum", "temperature": 1.5} | (head or {})})


def epochs(trainer, count):
    return [trainer.run_epoch(lambda samples, metric: None) for _ in range(count)]


def test_weight_decay_takes_a_share_of_tables_alone():
    plain, decayed = (Trainer(recipe_of(LUT, weight_decay=decay), DIGITS) for decay in (0, 5.0))
    features, labels = plain.held_back
    before = plain.network.layers[0].tables.detach().clone()
    for trainer in (plain, decayed):
        trainer.network.train()
        trainer.rule.begin_epoch(0)
        trainer.rule.step(features[:32].int(), labels[:32])
    layer, other = plain.network.layers[0], decayed.network.layers[0]
    assert torch.equal(layer.preferences, other.preferences)
    expected = layer.tables - 0.02 * 5.0 * before
    assert torch.allclose(other.tables, expected, rtol=0, atol=1e-6)
    assert not torch.equal(layer.tables, other.tables)


def test_averages_are_those_of_the_steps():
    trainer = Trainer(recipe_of(average=0.5), DIGITS)
    tables = trainer.network.layers[0].tables
    features, labels = trainer.held_back
    expected = tables.detach().clone()
    trainer.network.train()
    trainer.rule.begin_epoch(0)
    for step in range(1, 12):
        trainer.rule.step(features.int(), labels)
        kept = min(0.5, step / (step + 9))
        expected = kept * expected + (1 - kept) * tables.detach()
    trained = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    with trainer.rule.averaged():
        assert torch.allclose(tables, expected, rtol=0, atol=1e-6)
        assert not torch.equal(tables, trained["layers.0.tables"])
    for name, value in trainer.network.state_dict().items():
        assert torch.equal(value, trained[name])


def test_what_is_validated_is_the_average_and_is_frozen():
    trainer = Trainer(recipe_of(average=0.98), DIGITS)
    entry = epochs(trainer, 1)[-1]
    stepped = trainer.network.layers[0].hard.clone()
    assert trainer.validate()[1] != entry["validation_loss"]  # of the last step
    with trainer.rule.averaged():
        assert trainer.validate()[1] == entry["validation_loss"]
        hard = trainer.network.layers[0].hard.clone()
    frozen = trainer.freeze()
    assert frozen.provenance["accuracy"]["validation"] == entry["validation_accuracy"]
    assert (frozen.entries[1].node.tables == hard.numpy()).all()
    assert not torch.equal(stepped, hard)


def test_running_statistics_go_with_the_averages():
    layers = [{"kind": "xnor", "neurons": 20}]
    trainer = Trainer(recipe_of(*layers, average=0.9, head={"temperature": 1.0}), DIGITS)
    epochs(trainer, 2)
    trainer.freeze()  # proves that thresholds of file and torch are the same


@pytest.mark.parametrize("settings", [
    {"average": 0.9}, {"weight_decay": 0.1}, {"cost": 2.0, "cost_start": 0.1},
    {"average": 0.9, "keep": "front", "cost": 4.0}])
def test_resumes_to_the_same_bytes(settings, tmp_path):
    recipe = recipe_of(**settings, epochs=4)
    whole, resumed = Trainer(recipe, DIGITS), Trainer(recipe, DIGITS)
    epochs(whole, 2)
    whole.save(tmp_path / "half")
    resumed.restore(Checkpoint.load(tmp_path / "half"), tmp_path / "half")
    for trainer in (whole, resumed):
        epochs(trainer, 2)
    assert ir.to_bytes(whole.freeze()) == ir.to_bytes(resumed.freeze())
    fronts = [[(point["luts"], point["file"].tolist()) for point in trainer.best.get("front", ())]
              for trainer in (whole, resumed)]
    assert fronts[0] == fronts[1]


def test_dependence_by_hand():
    first, none, both = [-1, 1, -1, 1], [0.3] * 4, [-1, 1, 1, -1]
    found = dependence(torch.tensor([first, none, both, [-1, 1, 1, 1]]).double())
    expected = [[1, 0], [0, 0], [1, 1], [0.5**0.5, 0.5**0.5]]
    assert torch.allclose(found, torch.tensor(expected).double(), rtol=0, atol=2e-4)


def test_dependence_is_differentiable_everywhere():
    values = torch.zeros(2, 8, dtype=torch.float64)
    values[1] = torch.rand(8, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(dependence, values[1:].requires_grad_())
    zero = values[:1].detach().requires_grad_()
    dependence(zero).sum().backward()
    assert not zero.grad.any()


def test_cost_rises_by_equal_factors_and_makes_networks_smaller():
    settings = recipe_of(cost=8.0, cost_start=0.5).rule
    costs = [settings.cost_of(epoch, 5) for epoch in range(5)]
    assert [round(cost, 6) for cost in costs] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert recipe_of(cost=8.0).rule.cost_of(0, 5) == 8.0
    sizes = []
    for cost in (0.0, 5.0):
        trainer = Trainer(recipe_of(cost=cost), DIGITS)
        entry = epochs(trainer, 4)[-1]
        shares = trainer.network.layers[0].dependences()[0]
        sizes.append((shares.mean().item(), luts(ir.Network(trainer.network.freeze()))))
        assert entry["validation_accuracy"] > 0.6
    assert sizes[1][0] < 0.7 * sizes[0][0]
    assert sizes[1][1] < sizes[0][1]


def test_luts_are_tables_that_are_left():
    """Of six: a constant, a wire, one that reads two, one that nobody reads, two of seven."""
    modulate = ir.Modulate(torch.ones(1, 8, 1).int().numpy(), 4, False)
    seven = [[*range(7)], [*range(1, 8)]]
    rng = torch.Generator().manual_seed(0)
    wide = ir.Lut(8, torch.tensor(seven).int().numpy(),
                  torch.randint(2, (2, 128), generator=rng).bool().numpy())
    narrow = ir.Lut(8, torch.tensor([[0, 1]] * 4).int().numpy(), torch.tensor(
        [[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 1]]).bool().numpy())
    chosen = ir.Lut(4, torch.tensor([[0, 1], [0, 2], [1, 2]]).int().numpy(),
                    torch.tensor([[0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0]]).bool().numpy())
    entries = (ir.Entry("m", modulate, ("input",)), ir.Entry("w", wide, ("m",)),
               ir.Entry("n", narrow, ("m",)), ir.Entry("c", chosen, ("n",)),
               ir.Entry("head", ir.GroupSum(5, 5), ("w", "c")))
    # Bit 0 of `c` is a wire of bit 0; bit 1 and 2 of `c` read two bits: 4 + 2, and what `n` has.
    assert luts(ir.Network(entries)) == 2 * 2 + 2


def test_a_front_has_no_point_that_another_beats():
    front = []
    for size, score in [(9, 0.5), (7, 0.5), (9, 0.6), (8, 0.4), (3, 0.2), (5, 0.6), (5, 0.6)]:
        front = joined(front, {"luts": size, "accuracy": score}, "accuracy") or front
    assert [(point["luts"], point["accuracy"]) for point in front] == [(3, 0.2), (5, 0.6)]
    assert joined(front, {"luts": 5, "accuracy": 0.6}, "accuracy") is None


def test_the_front_of_a_run_is_written(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    recipe = recipe_of(keep="front", cost=20.0, cost_start=0.5, epochs=5)
    Path("small.toml").write_text(recipe.toml())
    argv = ["small.toml", "--out", "run", "--threads", "1"]
    assert train.main(argv) == 0
    metrics = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    networks = {int(re.sub(r"\D", "", path.stem)): ir.load(path)
                for path in sorted(Path("run").glob("front-*.safetensors"))}
    assert 1 < len(networks) <= 5
    found = []
    for size, network in sorted(networks.items()):
        entry = metrics[network.provenance["epochs"] - 1]
        assert luts(network) == size == entry["luts"]
        assert network.provenance["accuracy"]["validation"] == entry["validation_accuracy"]
        found.append(entry["validation_accuracy"])
    assert all(one < other for one, other in pairwise(found))
    best = ir.load(Path("run/network.safetensors"))
    assert best.provenance["accuracy"]["validation"] == found[-1]
    Path("run/front-1.safetensors").touch()
    assert train.main([*argv, "--force"]) == 0
    assert not Path("run/front-1.safetensors").exists()


def test_bits_are_flipped_in_front_of_tables_in_training_only():
    """The layer of bit errors behind the modulation is the augmentation."""
    trainer = Trainer(recipe_of({"kind": "bit_error", "rate": 0.1}, LUT), DIGITS)
    assert epochs(trainer, 3)[-1]["validation_accuracy"] > 0.5
    kinds = [entry.node.kind for entry in trainer.freeze().entries]
    assert kinds == ["modulate", "lut", "group_sum"]


def test_temperature_by_the_law_of_the_width():
    assert temperature_of(100) == 10 / 3
    published = {100: 0.897, 300: 1.678, 500: 2.25, 2000: 4.948}
    for nodes, temperature in published.items():
        assert temperature_of(nodes // 10) == pytest.approx(temperature, abs=5e-3)
    trainer = Trainer(recipe_of(head={"temperature": "auto"}), DIGITS)
    assert trainer.network.head.temperature == temperature_of(6)
    assert recipe_of(head={"temperature": "auto"}).plain()["head"]["temperature"] == "auto"


@pytest.mark.parametrize(("settings", "message"), [
    ({"average": 1.0}, r"^backprop\.average must be from 0 to below 1, not 1\.0$"),
    ({"weight_decay": -1}, r"^backprop\.weight_decay must be at least 0 and finite, not -1\.0$"),
    ({"cost": -1}, r"^backprop\.cost must be at least 0 and finite, not -1\.0$"),
    ({"cost_start": 1}, r"^backprop\.cost_start must be 0 where cost is, not 1\.0$"),
    ({"head": {"temperature": "low"}},
     r"^head\.temperature must be a number or 'auto', not 'low'$"),
])
def test_settings_refused(settings, message):
    with pytest.raises(RecipeError, match=message):
        recipe_of(**settings)


@pytest.mark.parametrize(("settings", "message"), [
    ({"cost": 1.0}, r"^backprop\.cost must be 0 where no layer trains tables, not 1\.0$"),
    ({"weight_decay": 1.0},
     r"^backprop\.weight_decay must be 0 where no layer trains tables, not 1\.0$"),
    ({"keep": "front"}, r"^keep must not be 'front' where no layer trains tables$")])
def test_refused_without_tables(settings, message):
    with pytest.raises(ValueError, match=message):
        Trainer(recipe_of({"kind": "xnor", "neurons": 20}, **settings), DIGITS)


def test_numbers_have_no_law():
    settings = GroupSumHead.Settings("auto")
    with pytest.raises(ValueError, match=(
            r"^temperature must be a number for regression, not 'auto'$")):
        GroupSumHead.build(settings, Context(Geometry.line(10), 1), torch.Generator())
