"""Bits of a frozen network that are inverted at random, and what evaluate says of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bitwright import data, ir
from bitwright.model import evaluate
from bitwright.model.bit_errors import BitErrors

IRIS = str(Path(__file__).parents[2] / "zoo" / "iris.safetensors")


@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.3, 0.5, 1.0])
def test_the_share_is_the_rate_of_every_lane(rate):
    mask = BitErrors(rate, 3).mask((4000, 2))
    lanes = np.unpackbits(mask.view(np.uint8), bitorder="little").reshape(4000, 128)
    assert lanes.mean() == pytest.approx(rate, rel=0.1)
    deviation = max((rate * (1 - rate) / 4000) ** 0.5, 1e-9)
    assert np.abs(lanes.mean(0) - rate).max() <= 5 * deviation


def test_every_node_that_drives_bits_is_hit_and_no_other():
    network = ir.load(IRIS)
    features = data.load("iris").x_test
    names = [entry.name for entry in network.entries]
    clean, seen = network.evaluate(features, names), {}

    def disturb(name, words):
        seen[name] = words
        return ~words if name == names[1] else words

    found = network.evaluate(features, names, disturb=disturb)
    assert list(seen) == names[:-1]
    assert (found.taps[names[0]] == clean.taps[names[0]]).all()
    assert (found.taps[names[1]] == ~clean.taps[names[1]]).all()
    node = network.entries[2].node
    assert (found.taps[names[2]][0] == node.evaluate(found.taps[names[1]][0])).all()
    assert (found.scores != clean.scores).any()


def figures(capsys, *arguments):
    assert evaluate.main([IRIS, "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_evaluate_measures_robustness(capsys):
    clean = figures(capsys)
    assert "bit_errors" not in clean
    assert figures(capsys, "--bit-errors", "0") == clean
    some = figures(capsys, "--bit-errors", "0.3")
    assert some["bit_errors"] == 0.3
    assert some["accuracy"] < clean["accuracy"]
    assert figures(capsys, "--bit-errors", "0.3", "--seed", "1")["confusion"] != some["confusion"]
    assert figures(capsys, "--bit-errors", "0.3") == some
    assert evaluate.main([IRIS, "--bit-errors", "0.0125"]) == 0
    assert " of iris with 1.250% of its bits inverted: " in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "message"), [
    (["--bit-errors", "1.5"], "rate of bit errors must be from 0 to 1, not 1.5"),
    (["--bit-errors", "nan"], "rate of bit errors must be from 0 to 1, not nan"),
    (["--seed", "-1"], "seed of bit errors must be at least 0, not -1"),
])
def test_refused(arguments, message, caplog):
    assert evaluate.main([IRIS, *arguments]) == 2
    assert re.fullmatch(message, caplog.messages[-1])
