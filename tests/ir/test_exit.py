"""Early exit never changes a decision, and leaves no frame out that could."""

import itertools

import numpy as np
import pytest

from bitwright import ir
from tests.networks import features, labelled, network, regression


def far(seed, *, frames=4):
    """A network with many frames, by turns with either head."""
    return network(seed, frames=frames)


@pytest.mark.parametrize("seed", range(12))
def test_decision_is_that_of_all_frames(seed):
    subject = far(seed)
    x = features(subject, 100, seed)
    exits = ir.Exit.of(subject).evaluate(subject, x)
    whole = subject.evaluate(x, [subject.entries[-1].name])
    assert (exits.decision == whole.decision).all()
    frames = whole.taps[subject.entries[-1].name]
    for sample, count in enumerate(exits.frames.tolist()):
        assert (frames[:count, sample].sum(axis=0) == exits.scores[sample]).all()


@pytest.mark.parametrize(("classes", "group"), [(2, 2), (3, 1)])
def test_it_stops_exactly_where_no_future_can_change_it(classes, group):
    """Against every future that there is, of three frames of a small popcount."""
    assert ir.GroupSum(group * classes, classes).gain == group
    rule = ir.Exit((2 * group, group, 0))
    frames = np.array(list(itertools.product(range(group + 1), repeat=classes)))
    pairs = (frames[:, None] + frames).reshape(-1, classes)
    for first, second in itertools.product(frames, repeat=2):
        found = rule.apply(np.array([first, second, first])[:, None])
        for count, sums, futures in ((1, first, pairs), (2, first + second, frames)):
            decisions = set(np.argmax(sums + futures, axis=1).tolist())
            assert (len(decisions) == 1) == (found.frames[0] <= count)
            if len(decisions) == 1:
                assert decisions == {int(found.decision[0])}
                break


def test_gain_of_neurons_is_what_inputs_can_do():
    """Against every input: only where weights differ does one class gain on another."""
    rng = np.random.default_rng(0)
    every = np.array(list(itertools.product((False, True), repeat=6)))
    for _ in range(20):
        head = ir.Scores(rng.integers(2, size=(4, 6)).astype(bool), int(rng.integers(1, 4)),
                         rng.integers(-9, 10, size=4))
        scores = head.evaluate(every)
        assert head.gain == max((scores[:, a] - scores[:, b]).max()
                                for a in range(4) for b in range(4))


def test_a_lead_is_enough():
    rule, subject = ir.Exit.of(far(3), 1), far(3)
    assert set(rule.margins) == {0, 1}
    x = features(subject, 200, 0)
    fewer = ir.Exit.of(subject, 1).evaluate(subject, x).frames
    exact = ir.Exit.of(subject).evaluate(subject, x).frames
    assert fewer.mean() < exact.mean()


@pytest.mark.parametrize("subject", [network(0), labelled(0, classes=3), regression(0, frames=3)])
def test_frames_that_decide_nothing(subject):
    with pytest.raises(ValueError, match=r"^Early exit must be from several frames whose scores "
                                         r"add up to a decision$"):
        ir.Exit.of(subject)


def test_a_negative_lead():
    with pytest.raises(ValueError, match=r"^Lead must be at least 0, not -1$"):
        ir.Exit.of(far(0), -1)
