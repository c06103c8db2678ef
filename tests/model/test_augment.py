"""Training pictures that are cropped, mirrored and cut out, whatever the learning rule."""

import re

import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright.model.recipe import Recipe, RecipeError
from bitwright.model.training.affine import turned
from bitwright.model.training.augment import Augment, augmented, cut_out, flipped
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.jitter import jittered
from bitwright.model.training.trainer import Trainer

SETS = data_sets()
PICTURE = torch.arange(1, 25, dtype=torch.int16).view(4, 3, 2)  # two colours
MANY = PICTURE.flatten().repeat(900, 1)


def trainer_of(augment, name="picture"):
    return Trainer(Recipe.of({"name": "x", "epochs": 2, "batch": 16, "augment": augment,
                              "layers": [{"kind": "xnor", "neurons": 5}],
                              "head": {"kind": "scores"}}), SETS[name])


def run(trainer, epochs=1):
    for _ in range(epochs):
        trainer.run_epoch(lambda samples, metric: None)
    return trainer


def counted(expected, found):
    """How often each picture of a list was found; a KeyError for any other."""
    counts = {tuple(picture.flatten().tolist()): 0 for picture in expected}
    for row in found.tolist():
        counts[tuple(row)] += 1
    return counts.values()


def test_half_are_mirrored():
    mirrored = torch.stack([PICTURE[:, 2], PICTURE[:, 1], PICTURE[:, 0]], 1)
    counts = counted([PICTURE, mirrored], flipped(MANY, (4, 3), torch.Generator()))
    assert len(counts) == 2
    assert min(counts) > 400


@pytest.mark.parametrize("border", ["zero", "replicate", "reflect"])
def test_cropped_as_torch_pads(border):
    pad = torch.nn.functional.pad
    mode = {"mode": "constant"} if border == "zero" else {"mode": border}
    image = PICTURE.permute(2, 0, 1)[None].float()  # (1, colours, height, width)
    wide = pad(image, (2,) * 4, **mode)[0].permute(1, 2, 0).short()
    crops = [wide[down : down + 4, right : right + 3] for down in range(5) for right in range(5)]
    found = jittered(MANY, (4, 3), 2, torch.Generator(), border)
    counts = counted(crops, found)
    assert len(counts) == (20 if border == "reflect" else 25)  # three columns, mirrored: four
    assert min(counts) > 10
    augment = Augment(crop=2, border=border)
    assert torch.equal(augmented(MANY, (4, 3), augment, torch.Generator()), found)


@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_square_is_cut_out(side):
    expected = []
    for row in range(4):
        for column in range(3):
            cut = PICTURE.clone()
            top, left = row - side // 2, column - side // 2
            cut[max(top, 0) : top + side, max(left, 0) : left + side] = 0
            expected.append(cut)
    counts = counted(expected, cut_out(MANY, (4, 3), side, torch.Generator()))
    assert len(counts) == 12  # none the same as another, and each was drawn
    assert min(counts) > 30


def test_one_after_the_other():
    generator = torch.Generator().manual_seed(3)
    found = augmented(MANY, (4, 3), Augment(20.0, 0.1, True, 1, "reflect", 2), generator)
    generator.manual_seed(3)
    expected = turned(MANY, (4, 3), 20.0, 0.1, generator, "reflect")
    expected = jittered(expected, (4, 3), 1, generator, "reflect")
    expected = cut_out(flipped(expected, (4, 3), generator), (4, 3), 2, generator)
    assert torch.equal(found, expected)
    assert found.dtype == MANY.dtype
    assert augmented(MANY, (4, 3), Augment(), generator) is MANY


def test_a_training_sees_changed_pictures_and_resumes(tmp_path):
    augment = {"rotate": 10.0, "flip": True, "crop": 1, "cutout": 2}
    whole = trainer_of(augment)
    seen, step = [], whole.rule.step
    whole.rule.step = lambda features, labels: seen.append(features) or step(features, labels)
    before = whole._features.clone()
    run(whole)
    whole.save(tmp_path / "checkpoint.pt")
    run(whole)
    assert torch.equal(whole._features, before)
    plain = {tuple(row) for row in before.tolist()}
    half = len(seen) // 2
    for part in (seen[:half], seen[half:]):
        assert sum(tuple(row) in plain for row in torch.cat(part).tolist()) < len(before) / 2
    torch.manual_seed(7)
    resumed = trainer_of(augment)
    resumed.restore(Checkpoint.load(tmp_path / "checkpoint.pt"), tmp_path)
    run(resumed)
    other = run(trainer_of(augment | {"cutout": 1}), 2)
    states = [trainer.network.state_dict() for trainer in (whole, resumed, other)]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name
    assert any(not torch.equal(value, states[2][name]) for name, value in states[0].items())


def test_what_is_not_said_is_not_in_a_recipe():
    assert "augment" not in trainer_of({}).recipe.plain()
    assert trainer_of({"crop": 1}).recipe.plain()["augment"] == {
        "rotate": 0.0, "zoom": 0.0, "flip": False, "crop": 1, "border": "zero", "cutout": 0}


@pytest.mark.parametrize(("augment", "name", "message"), [
    ({"flip": True}, "vector",
     "augment.flip must be left out for features that are no pictures"),
    ({"rotate": 5.0}, "vector",
     "augment.rotate must be left out for features that are no pictures"),
    ({"cutout": 2}, "vector",
     "augment.cutout must be left out for features that are no pictures"),
    ({"crop": 6, "border": "reflect"}, "picture",
     ("augment.crop must be below 6, the smaller side of the pictures, where the border reflects, "
      "not 6")),
])
def test_refused_for_these_pictures(augment, name, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        trainer_of(augment, name)


@pytest.mark.parametrize(("augment", "message"), [
    ({"rotate": -1.0}, "augment.rotate must be between 0 and 180 degrees, not -1.0"),
    ({"rotate": float("nan")}, "augment.rotate must be between 0 and 180 degrees, not nan"),
    ({"zoom": 1.5}, "augment.zoom must be between 0 and 1, not 1.5"),
    ({"crop": -1}, "augment.crop must be at least 0, not -1"),
    ({"cutout": -2}, "augment.cutout must be at least 0, not -2"),
    ({"crop": 1 << 62}, "augment.crop must be at most 2147483647, not 4611686018427387904"),
    ({"cutout": 1 << 62}, "augment.cutout must be at most 2147483647, not 4611686018427387904"),
    ({"border": "one"},
     "augment.border must be one of 'zero', 'replicate', 'reflect', not 'one'"),
    ({"flop": True}, "unknown key 'augment.flop'; did you mean 'flip'?"),
    (3, "augment must be a table, not 3"),
])
def test_settings_refused(augment, message):
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        trainer_of(augment)
