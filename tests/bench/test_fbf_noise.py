"""The noise that FBF was measured with."""

import pytest

torch = pytest.importorskip("torch")

from bench.fbf_noise import Noisy
from bitwright import data
from bitwright.model.recipe import load_recipe
from bitwright.model.rules.flip import votes
from bitwright.model.training.trainer import Trainer


def rule_of(**noise):
    recipe = load_recipe("iris-fbf", ["fbf.signal=wish", "fbf.mask=rank", "fbf.update_rate=0.02",
                                      "head.centre=batch"])
    trainer = Trainer(recipe, data.load("iris"))
    trainer.network.train()
    return trainer, Noisy(trainer.network, recipe.rule, epochs=recipe.epochs, task=trainer.task,
                          generator=trainer._draws, **noise)


def test_dropout_inverts_its_share_in_training():
    trainer, _ = rule_of(dropout=0.1)
    layer = trainer.network.layers[0]
    x = torch.randint(2, (layer.in_width, 5000)).float()
    inverted = (layer.weights.extend(x) != 2 * x - 1).float().mean().item()
    assert inverted == pytest.approx(0.1, abs=0.01)
    assert torch.equal(layer.eval().weights.extend(x), 2 * x - 1)


@torch.no_grad()
def test_disrupt_flips_the_least_voted():
    plain, noisy = rule_of(), rule_of(disrupt=0.03)
    after = []
    for trainer, rule in (plain, noisy):
        torch.manual_seed(0)
        passes, logits = rule._forward(trainer.network.modulator(trainer._features[:40]))
        error = logits.softmax(1) - torch.eye(3)[trainer._labels[:40]]
        rule._backward(passes, error, None)
        head = passes[-1]
        flipped = rule._change(head, head.x)
        after.append((head.layer.weights.signs, flipped))
    (by_votes, few), (with_noise, more) = after
    extra = by_votes != with_noise
    assert 0 < extra.sum() == more - few <= 0.03 * extra.numel() + 1
    # Counted with the weights that the votes have left.
    count = votes.wishes_of_weights(head.targets, by_votes, head.x, centred=True)
    assert count[extra].max() <= count[~extra].min()
