"""Teachers: runs and frozen networks, the loss with their answers, and what is refused."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.random_recipes import data_sets
from bitwright import ir
from bitwright.model.recipe import Recipe, RecipeError
from bitwright.model.tasks import Distill, Distilled
from bitwright.model.training.checkpoint import Checkpoint, CheckpointError
from bitwright.model.training.teacher import Teacher, calibrated
from bitwright.model.training.trainer import Trainer

SETS = data_sets()
PICTURE = SETS["picture"]  # 6 x 6 pixels, 4 classes
REAL = {"layers": [{"kind": "dense", "neurons": 12}], "head": {"kind": "linear"},
        "modulate": {"levels": "real"}}


def trainer_of(distill=None, source=PICTURE, **others):
    return Trainer(Recipe.of({"name": "x", "epochs": 4, "batch": 16,
                              "layers": [{"kind": "xnor", "neurons": 8}],
                              "backprop": {"learning_rate": 0.05}, "head": {"kind": "scores"},
                              "distill": distill or {}, **others}), source)


def run(trainer, epochs=1):
    for _ in range(epochs):
        trainer.run_epoch(lambda samples, metric: None)
    return trainer


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """A run of reals, a run of bits, and the frozen network of that."""
    folder = tmp_path_factory.mktemp("runs")
    for name, others in (("real", REAL), ("bits", {})):
        (folder / name).mkdir()
        trained = run(trainer_of(**others), 3)
        trained.save(folder / name / "checkpoint.pt")
    ir.save(folder / "bits" / "network.safetensors", trained.freeze())
    return folder


def test_the_loss_by_hand():
    task = Distilled(Distill("x", weight=0.25, temperature=3.0))
    logits = torch.tensor([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]], requires_grad=True)
    targets, answers = torch.tensor([0, 2]), torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    hard = torch.nn.functional.cross_entropy(logits, targets).item()
    assert task.loss(logits, targets).item() == pytest.approx(hard)
    task.answers = answers
    soft = 0.0
    for mine, theirs in zip(logits.detach().numpy(), answers.numpy(), strict=True):
        p, q = (np.exp(x / 3) / np.exp(x / 3).sum() for x in (theirs, mine))
        soft += (p * np.log(p / q)).sum() / 2
    assert task.loss(logits, targets).item() == pytest.approx(0.75 * hard + 0.25 * 9 * soft)
    task.answers = logits.detach().clone()
    loss = Distilled(Distill("x", weight=1.0))
    loss.answers = task.answers
    assert loss.loss(logits, targets).item() == pytest.approx(0, abs=1e-6)


def test_classes_that_count_more_do_so_in_both():
    weights = np.array([0.0, 2.0])
    task = Distilled(Distill("x", weight=0.5, temperature=1.0), weights)
    logits, answers = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 9.0], [3.0, 0.0]])
    task.answers = answers
    whole = task.loss(logits, torch.tensor([0, 1])).item()
    task.answers = answers[1:]
    assert whole == pytest.approx(task.loss(logits[1:], torch.tensor([1])).item() / 2)


def test_scores_become_logits_by_the_best_factor():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(4000, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    for unit in (1.0, 1e-3, 7000.0):
        assert calibrated(logits * unit, labels) * unit == pytest.approx(1, abs=0.05)
    assert np.isfinite(calibrated(torch.zeros(3, 2), torch.tensor([0, 1, 0])))


@pytest.mark.parametrize("which", ["real", "bits", "bits/network.safetensors"])
def test_a_student_follows_its_teacher(which, teachers):
    """With nothing but the teacher to learn from, it comes to say what that says."""
    name = str(teachers / which)
    student = trainer_of({"teacher": name, "weight": 1.0})
    labels = student._labels.clone()
    answers = student._teacher.answers(torch.arange(student.samples), student._features)
    assert (answers.argmax(1) == labels).float().mean() > 0.7
    student._labels.fill_(0)  # which it does not look at
    run(student, 4)
    found = student.network.eval()(student._features).argmax(1)
    assert (found == answers.argmax(1)).float().mean() > 0.7
    assert student.task.answers is None
    assert student.freeze().provenance["recipe"]["distill"]["teacher"] == name


def test_a_run_and_its_frozen_network_answer_alike(teachers):
    trainer = trainer_of()
    answers = [Teacher(str(teachers / which), PICTURE, trainer._features, trainer._labels,
                       changes=changes).answers(torch.arange(9), trainer._features[:9])
               for which in ("bits", "bits/network.safetensors") for changes in (False, True)]
    assert len(answers) == 4
    for other in answers[1:]:
        assert torch.equal(answers[0], other)


def test_a_teacher_sees_what_the_student_sees(teachers):
    student = trainer_of({"teacher": str(teachers / "bits")}, jitter=1)
    shown, ask = [], student._teacher._ask
    student._teacher._ask = lambda features: shown.append(features) or ask(features)
    seen, step = [], student.rule.step
    student.rule.step = lambda features, labels: seen.append(features) or step(features, labels)
    run(student)
    assert len(seen) > 3
    assert all(torch.equal(*both) for both in zip(shown, seen, strict=True))


def test_a_name_is_that_of_a_run(teachers, monkeypatch):
    monkeypatch.chdir(teachers.parent)
    (teachers.parent / "runs").symlink_to(teachers)
    assert trainer_of({"teacher": "real"})._teacher is not None


def test_a_training_with_a_teacher_resumes(teachers, tmp_path):
    settings = {"teacher": str(teachers / "real")}
    whole = run(trainer_of(settings))
    whole.save(tmp_path / "checkpoint.pt")
    run(whole)
    resumed = trainer_of(settings)
    resumed.restore(Checkpoint.load(tmp_path / "checkpoint.pt"), tmp_path)
    run(resumed)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


@pytest.mark.parametrize(("distill", "message"), [
    ({"weight": 0.5, "temperature": 1.0},
     "distill.teacher must be named where something is said about it"),
    ({"teacher": "x", "weight": 0.0}, "distill.weight must be above 0 and at most 1, not 0.0"),
    ({"teacher": "x", "temperature": 0.0},
     "distill.temperature must be above 0 and finite, not 0.0"),
])
def test_settings_refused(distill, message):
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        trainer_of(distill)


FLIPS = {"learning": "fbf", "layers": [{"kind": "bmab", "neurons": 8}], "head": {"kind": "bma"}}


@pytest.mark.parametrize(("which", "source", "others", "message"), [
    ("bits", "picture", FLIPS,
     "distill must be left out where learning is 'fbf', which does not follow the loss"),
    ("bits", "numbers", {}, "distill must be left out where labels are numbers"),
    ("bits/network.safetensors", "vector", {}, "distill.teacher must read 4 features, not 36"),
])
def test_refused_where_it_does_not_fit(which, source, others, message, teachers):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        trainer_of({"teacher": str(teachers / which)}, SETS[source], **others)


def test_runs_refused(teachers):
    path = re.escape(str(teachers / "bits" / "checkpoint.pt"))
    with pytest.raises(CheckpointError, match=(
            f"^{path}: the run is of other data than 'vector'; a teacher must know the same "
            "samples, or be a frozen network$")):
        trainer_of({"teacher": str(teachers / "bits")}, SETS["vector"])
    with pytest.raises(ValueError, match=(r"^distill\.teacher must be a \.safetensors file or a "
                                          r"run with a checkpoint, not 'none'$")):
        trainer_of({"teacher": "none"})
