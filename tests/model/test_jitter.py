"""Pictures shifted at random, whatever the learning rule."""

import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model.recipe import RecipeError, load_recipe
from bitwright.model.training.jitter import jittered
from bitwright.model.training.trainer import Trainer


def trainer(*overrides, name="digits-xnor"):
    recipe = load_recipe(name, overrides)
    return Trainer(recipe, data.load(recipe.data))


def test_shifts_each_picture_and_moves_in_zeros():
    torch.manual_seed(1)
    picture = torch.arange(1, 25, dtype=torch.int16).view(4, 3, 2)  # two colours
    expected = {}
    for down in range(-1, 2):
        for right in range(-1, 2):
            shifted = torch.zeros_like(picture)
            for row in range(4):
                for column in range(3):
                    if 0 <= row + down < 4 and 0 <= column + right < 3:
                        shifted[row + down, column + right] = picture[row, column]
            expected[tuple(shifted.flatten().tolist())] = 0
    for row in jittered(picture.flatten().repeat(900, 1), (4, 3), 1, torch.Generator()).tolist():
        expected[tuple(row)] += 1  # a KeyError for a picture that is no shift
    assert len(expected) == 9
    assert min(expected.values()) > 60


def test_every_rule_sees_shifted_pictures():
    """Of training samples only, and others in every epoch."""
    seen = []
    training = trainer("jitter=1", "validation=0.9")
    step = training.rule.step
    training.rule.step = lambda features, labels: seen.append(features) or step(features, labels)
    before = training._features.clone()
    for _ in range(2):
        training.run_epoch(lambda samples, accuracy: None)
    first, second = (torch.cat(half) for half in (seen[: len(seen) // 2], seen[len(seen) // 2 :]))
    assert torch.equal(training._features, before)
    plain = {tuple(row) for row in before.tolist()}
    epochs = [[tuple(row) for row in epoch.tolist()] for epoch in (first, second)]
    for rows in epochs:  # one shift in nine is none, and a digit may have an empty border
        assert 0 < sum(row in plain for row in rows) < len(rows) / 2
    assert set(epochs[0]) != set(epochs[1])


def test_resumed_where_it_was(tmp_path):
    from bitwright.model.training.checkpoint import Checkpoint

    settings = ("jitter=1", "validation=0.9")
    whole = trainer(*settings)
    whole.run_epoch(lambda samples, accuracy: None)
    whole.save(tmp_path / "checkpoint.pt")
    whole.run_epoch(lambda samples, accuracy: None)
    torch.manual_seed(77)
    resumed = trainer(*settings)
    resumed.restore(Checkpoint.load(tmp_path / "checkpoint.pt"), tmp_path)
    resumed.run_epoch(lambda samples, accuracy: None)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_refused_without_pictures():
    with pytest.raises(ValueError, match=r"^jitter must be 0 for features that are no pictures, "
                                         r"not 1$"):
        trainer("jitter=1", name="iris")


def test_refused_beyond_any_picture():  # places would be numbers of more than 64 bits
    with pytest.raises(RecipeError, match=(r"^Recipe digits: jitter must be at most 2147483647, "
                                           r"not 4611686018427387904$")):
        load_recipe("digits", [f"jitter={1 << 62}"])


def test_refused_below_zero():
    with pytest.raises(RecipeError, match=r"^Recipe digits: jitter must be at least 0, not -1$"):
        load_recipe("digits", ["jitter=-1"])
