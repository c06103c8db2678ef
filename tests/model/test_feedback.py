"""Relaxations of backpropagation: the gradients they make, written out by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model import train
from bitwright.model.base import Summing
from bitwright.model.recipe import Recipe, RecipeError, load_recipe
from bitwright.model.rules import Rule
from bitwright.model.rules.feedback.relaxation import angle, draw
from bitwright.model.training.trainer import Trainer
from bitwright.model.weights.product import product

RELAXATIONS = ["direct-feedback-alignment", "feedback-alignment", "indirect-feedback-alignment",
               "sign-feedback"]
REAL = {"modulate": {"levels": "real"}, "head": {"kind": "linear"},
        "layers": [{"kind": "dense", "neurons": 7}, {"kind": "dense", "neurons": 5}]}
BITS = {"modulate": {"levels": "quantile", "depth": 2},
        "head": {"kind": "scores", "temperature": 4.0},
        "layers": [{"kind": "xnor", "neurons": 7, "depth": 2}, {"kind": "xnor", "neurons": 5}]}


def trainer_of(rule, network, **settings):
    recipe = Recipe.of({"name": "test", "data": "iris", "learning": rule, rule: settings,
                        **network})
    return Trainer(recipe, data.load("iris"))


def batch_of(trainer, size=20):
    return trainer._features[:size], trainer._labels[:size]


def gradients(trainer):
    """Gradients of every parameter after one pass, without a step."""
    trainer.network.train()
    trainer.network.zero_grad()
    trainer.rule.differentiate(*batch_of(trainer))
    # By the names of the parts: whose a parameter is inside of a part is of no interest here.
    return {name.replace(".neurons", "").replace(".values", ""):
            None if value.grad is None else value.grad.double().numpy().copy()
            for name, value in trainer.network.named_parameters()}


def dense_pass(trainer):
    """Values of a real-valued network, computed with NumPy: weights, activations, output error."""
    network = trainer.network
    features, labels = batch_of(trainer)
    x = [features.numpy().T / network.modulator.full_scale]
    weights = [layer.weights.values.detach().double().numpy() for layer in network.layers]
    for layer, w in zip(network.layers, weights, strict=True):
        x.append(np.maximum(w @ x[-1] + layer.bias.detach().double().numpy()[:, None], 0))
    head = network.head
    scores = (head.weights.values.detach().double().numpy() @ x[-1]
              + head.bias.detach().double().numpy()[:, None])
    chances = np.exp(scores) / np.exp(scores).sum(0)
    error = (chances - np.eye(3)[labels.numpy()].T) / len(labels)
    return weights, head.weights.values.detach().double().numpy(), x, error


def matrices(trainer):
    return {name: value.double().numpy()
            for name, value in trainer.rule.state_dict().get("matrices", {}).items()}


def check(found, x, deltas):
    """Gradients of weights and biases from the errors of the sums."""
    for index, delta in enumerate(deltas):
        np.testing.assert_allclose(found[f"layers.{index}.weights"], delta @ x[index].T, atol=1e-6)
        np.testing.assert_allclose(found[f"layers.{index}.bias"], delta.sum(1), atol=1e-6)


def test_product_sends_the_gradient_through_the_feedback_matrix():
    generator = torch.Generator().manual_seed(0)
    weights, feedback = (torch.randn(3, 4, generator=generator) for _ in range(2))
    x, gradient = torch.randn(4, 5, generator=generator), torch.randn(3, 5, generator=generator)
    weights.requires_grad_()
    x.requires_grad_()
    y = product(weights, x, feedback)
    assert torch.equal(y, product(weights, x))
    y.backward(gradient)
    assert torch.allclose(weights.grad, gradient @ x.T)
    assert torch.allclose(x.grad, feedback.T @ gradient)


def test_feedback_alignment_by_hand():
    trainer = trainer_of("feedback-alignment", REAL)
    _, _, x, error = dense_pass(trainer)
    b = matrices(trainer)
    assert set(b) == {"dense1", "head"}
    second = (b["head"].T @ error) * (x[2] > 0)
    first = (b["dense1"].T @ second) * (x[1] > 0)
    found = gradients(trainer)
    check(found, x, [first, second])
    np.testing.assert_allclose(found["head.weights"], error @ x[2].T, atol=1e-6)


def test_sign_feedback_by_hand():
    trainer = trainer_of("sign-feedback", REAL)
    weights, head, x, error = dense_pass(trainer)
    second = (np.sign(head).T @ error) * (x[2] > 0)
    first = (np.sign(weights[1]).T @ second) * (x[1] > 0)
    check(gradients(trainer), x, [first, second])


def test_direct_feedback_alignment_by_hand():
    trainer = trainer_of("direct-feedback-alignment", REAL)
    _, _, x, error = dense_pass(trainer)
    found = gradients(trainer)
    b = matrices(trainer)
    assert b["dense0"].shape == (7, 3)
    check(found, x, [(b["dense0"] @ error) * (x[1] > 0), (b["dense1"] @ error) * (x[2] > 0)])
    np.testing.assert_allclose(found["head.weights"], error @ x[2].T, atol=1e-6)


@pytest.mark.parametrize(("entry", "width"), [("input", 4), ("first-layer", 7)])
def test_indirect_feedback_alignment_by_hand(entry, width):
    trainer = trainer_of("indirect-feedback-alignment", REAL, entry=entry)
    weights, _, x, error = dense_pass(trainer)
    found = gradients(trainer)
    b = matrices(trainer)["input"]
    assert b.shape == (width, 3)
    entering = b @ error if entry == "first-layer" else weights[0] @ (b @ error)
    first = entering * (x[1] > 0)
    second = (weights[1] @ first) * (x[2] > 0)
    check(found, x, [first, second])
    np.testing.assert_allclose(found["head.weights"], error @ x[2].T, atol=1e-6)


def test_error_carried_forward_reaches_every_bit_of_a_neuron():
    trainer = trainer_of("indirect-feedback-alignment", BITS)
    found = gradients(trainer)
    layers = trainer.network.layers
    x = trainer.network.modulator(batch_of(trainer)[0]).float()
    sums = layers[0].product(x)
    sums.retain_grad()
    top = trainer.network.head(layers[1](layers[0].activate(sums.detach())))
    chances = torch.softmax(top / 4, 1)
    labels = batch_of(trainer)[1]
    error = (chances - torch.eye(3)[labels]).T.detach() / len(labels) / 4
    b = trainer.rule.state_dict()["matrices"]["input"]
    entering = layers[0].weights.matrix @ (b @ error)
    trainer.network.zero_grad()
    layers[0].activate(sums).backward(torch.stack([entering, entering], 1).flatten(0, 1))
    np.testing.assert_allclose(found["layers.0.weights"],
                               layers[0].weights.values.grad.numpy(), atol=1e-6)
    twice = torch.stack([sums.grad, sums.grad], 1).flatten(0, 1)
    layers[1](layers[0].activate(sums.detach()).detach()).backward(layers[1].weights.matrix @ twice)
    np.testing.assert_allclose(found["layers.1.weights"],
                               layers[1].weights.values.grad.numpy(), atol=1e-6)


def test_signs_of_binary_weights_are_the_weights():
    """For XNOR layers sign feedback is backpropagation."""
    signs = gradients(trainer_of("sign-feedback", BITS))
    exact = gradients(trainer_of("backprop", BITS))
    for name, value in exact.items():
        np.testing.assert_allclose(signs[name], value, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("network", [REAL, BITS], ids=["real", "bits"])
@pytest.mark.parametrize("rule", RELAXATIONS)
def test_head_learns_as_in_backpropagation(rule, network):
    found, exact = gradients(trainer_of(rule, network)), gradients(trainer_of("backprop", network))
    different = 0
    for name, value in exact.items():
        if name.startswith("head"):
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-8)
        else:
            different += not np.allclose(found[name], value)
    assert different or (rule, network) == ("sign-feedback", BITS)


@pytest.mark.parametrize("rule", RELAXATIONS)
def test_last_hidden_layer_learns_without_a_layer_in_front(rule):
    network = {**BITS, "layers": BITS["layers"][:1]}
    trainer = trainer_of(rule, network)
    assert np.abs(gradients(trainer)["layers.0.weights"]).max() > 0


def test_no_hidden_layer_is_no_error():
    for rule in RELAXATIONS:
        gradients(trainer_of(rule, {**BITS, "layers": []}))


def test_zeros_leave_hidden_layers_as_they_are():
    for rule in RELAXATIONS[:3]:
        trainer = trainer_of(rule, BITS, matrix="zeros")
        before = {name: value.clone() for name, value in trainer.network.named_parameters()}
        for _ in range(3):
            trainer.rule.step(*batch_of(trainer))
        for name, value in trainer.network.named_parameters():
            assert torch.equal(value, before[name]) == name.startswith("layers"), name


def test_direct_feedback_teaches_look_up_tables():
    """It asks nothing of a layer; but it is the head that comes to agree with the matrix."""
    recipe = load_recipe("iris", ["learning=direct-feedback-alignment", "epochs=15",
                                  "direct-feedback-alignment.learning_rate=0.05",
                                  "head={kind='scores', temperature=4.0}"])
    trainer = Trainer(recipe, data.load("iris"))
    entries = [trainer.run_epoch(lambda samples, accuracy: None) for _ in range(15)]
    assert entries[-1]["train_accuracy"] > 0.9


@pytest.mark.parametrize("rule", RELAXATIONS[:3])
def test_matrices_come_from_the_checkpoint(rule):
    """Not from the seed, which here is another."""
    first, second = trainer_of(rule, REAL), trainer_of(rule, {**REAL, "seed": 1})
    for trainer in (first, second):
        trainer.rule.step(*batch_of(trainer))
    second.network.load_state_dict(first.network.state_dict())
    second.rule.load_state_dict(first.rule.state_dict())
    x, labels = batch_of(first)
    for trainer in (first, second):
        trainer.network.zero_grad()
        trainer.rule.differentiate(x, labels)
    for a, b in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)


def test_matrices_have_the_size_and_the_entries_they_say():
    generator = torch.Generator().manual_seed(0)
    normal = draw((300, 200), 50, "normal", generator)
    assert float(normal.std()) == pytest.approx(50 ** -0.5, rel=0.02)
    signs = draw((300, 200), 4, "signs", generator)
    assert set(signs.unique().tolist()) == {-0.5, 0.5}
    assert abs(float(signs.mean())) < 0.01
    assert not draw((3, 2), 4, "zeros", generator).any()


def test_angle_by_hand():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.0], [0.0, 0.0]])
    assert angle(vectors[0], vectors[1]) == pytest.approx(90)
    assert angle(vectors[0], vectors[2]) == pytest.approx(45)
    assert angle(vectors[0], vectors[3]) == pytest.approx(180)
    assert angle(vectors[0], vectors[0]) == pytest.approx(0)
    assert angle(vectors[0], vectors[4]) == 90


def test_angles_are_those_of_the_gradients():
    trainer = trainer_of("feedback-alignment", REAL, angles=True)
    found, exact = gradients(trainer), gradients(trainer_of("backprop", REAL))
    for index in range(2):
        used, true = (np.concatenate([g[f"layers.{index}.{name}"].ravel()
                                      for name in ("weights", "bias")]) for g in (found, exact))
        cosine = used @ true / np.linalg.norm(used) / np.linalg.norm(true)
        measured = trainer.rule.measure(*batch_of(trainer))[f"angle.dense{index}"]
        assert measured == pytest.approx(np.degrees(np.arccos(cosine)), abs=0.01)


@pytest.mark.parametrize("network", [REAL, BITS], ids=["real", "bits"])
@pytest.mark.parametrize("rule", RELAXATIONS)
def test_measuring_angles_changes_nothing(rule, network):
    plain, measured = trainer_of(rule, network), trainer_of(rule, network, angles=True)
    for _ in range(3):
        first = plain.rule.step(*batch_of(plain))
        second = measured.rule.step(*batch_of(measured))
    assert {name for name in second if name.startswith("angle.")} == {
        f"angle.{name}" for name, _ in measured.network.named_layers}
    assert first == {name: second[name] for name in first}
    for name, value in plain.network.state_dict().items():
        assert torch.equal(value, measured.network.state_dict()[name]), name


@pytest.mark.parametrize(("rule", "message"), [
    (name, f"layers.{layer} of kind 'lut'; it trains convolution, real_weight_convolution, xnor")
    for name, layer in (("feedback-alignment", 1), ("sign-feedback", 1),
                        ("indirect-feedback-alignment", 0))
])
def test_layers_without_weights_are_refused(rule, message, tmp_path, caplog):
    assert train.main(["digits", "--set", f"learning={rule}", "--out", str(tmp_path)]) == 1
    assert caplog.messages == [
        f"Recipe digits: learning '{rule}' cannot train {message}"]


def test_unknown_matrix_is_refused():
    with pytest.raises(RecipeError, match=r"^Recipe digits: feedback-alignment.matrix must be one "
                                          r"of 'normal', 'signs', 'zeros', not 'ones'$"):
        load_recipe("digits", ["feedback-alignment.matrix=ones"])


def test_every_layer_with_weights_says_so():
    """Shapes of what :class:`Summing` promises."""
    for network in (REAL, BITS):
        chain = trainer_of("backprop", network).network.train()
        x = chain.modulator(torch.zeros(9, 4, dtype=torch.int16))
        for part in (*chain.layers, chain.head):
            assert isinstance(part, Summing)
            sums = part.product(x)
            assert part.weights.matrix.shape == (len(sums), len(x))
            x = part.activate(sums)


def test_relaxations_are_registered():
    assert set(RELAXATIONS) < set(Rule.kinds)
