"""The comparisons of learning rules: settings were searched, and results are kept by recipe."""

import json
import math

import pytest
import torch

from bench import feedback, kept, rules, ste
from bench.rules import RULES, Widths, flips, gradients, local, probabilities, slug, width
from bitwright.model.recipe import Recipe


@pytest.mark.parametrize("data", sorted(feedback.DATA))
def test_every_way_has_a_rate_that_was_tried(data):
    assert set(feedback.RATES[data]) == set(feedback.WAYS)
    for name, rate in feedback.RATES[data].items():
        assert rate in feedback.GRIDS[data][feedback.WAYS[name].network], name
        made = feedback.recipe(name, data, rate=rate, seed=0, epochs=1)
        assert made.rule.learning_rate == rate


@pytest.mark.parametrize("data", sorted(feedback.DATA))
def test_every_variant_has_choices_that_were_tried(data):
    searched = {name: way.searched for name, way in ste.VARIANTS.items() if way.searched}
    assert set(ste.CHOSEN[data]) == set(searched)
    for name, choice in ste.CHOSEN[data].items():
        assert set(choice) == set(searched[name])
        for key, value in choice.items():
            assert value in searched[name][key], name
            made = ste.recipe(name, data, choice=choice, seed=0, epochs=1)
            assert getattr(made.rule, key) == value


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_settings_that_were_tried(name):
    way = RULES[name]
    for key, values in way.grids.items():
        assert way.settings[key] in values, key
    made = rules.recipe(name, "mnist", 1, 8)
    assert [layer.neurons for layer in made.layers] == [128, 128]
    assert (made.seed, made.epochs, made.patience) == (1, 8, 8)


@pytest.mark.parametrize(("epochs", "rises", "every"), [
    (8, 1, 4), (8, 3, 2), (8, 7, 1), (40, 3, 10), (2, 3, 1)])
def test_suppressor_rises_so_often(epochs, rises, every):
    made = rules.recipe("FBF", "digits", 0, epochs, {"rises": rises})
    assert made.rule.suppressor_every == every


def test_search_changes_one_setting():
    plain = rules.recipe("Bop", "digits", 0, 8).plain()
    changed = rules.recipe("Bop", "digits", 0, 8, {"threshold": 0.5}).plain()
    assert changed.pop("bop") == plain.pop("bop") | {"threshold": 0.5}
    assert changed == plain


def test_names_of_files_differ():
    assert slug("STE, clipped") == "ste-clipped"
    assert len({slug(name) for name in RULES}) == len(RULES)


@pytest.mark.parametrize(("count", "bits"), [
    (gradients, 20 + 32 * (2 * 8 + 3)), (flips, 20 + 2 * 8 + 32 * 3),
    (probabilities, 20 + 32 * (3 * 8 + 3)), (local, 2 * (12 + 32 * 4))])
def test_bits_kept_of_a_sample(count, bits):
    """12 inputs, two layers of four neurons, three classes."""
    assert count(Widths(inputs=20, neurons=8, classes=3)) == bits


@pytest.mark.parametrize(("values", "bits"), [
    ([1.0, -1.0, 1.0], 1), ([0.5, -0.5], 1), ([1.0, -2.0], 32), ([0.0, 0.0], 32), ([3.0], 32)])
def test_a_matrix_of_signs_is_a_bit_an_entry(values, bits):
    assert width(torch.tensor(values)) == bits


def test_weight_bits_are_a_bit_each():
    assert width(torch.zeros(3, dtype=torch.bool)) == 1


def tiny(**changed):
    return Recipe.of({"name": "tiny", "data": "iris", "epochs": 2, "patience": 2,
                      "layers": [{"kind": "xnor", "neurons": 6}],
                      "head": {"kind": "scores", "temperature": 2.0}, **changed})


def test_result_is_kept_for_its_very_recipe(tmp_path):
    first = kept.result(tiny(), tmp_path)
    assert len(first["curve"]) == 2
    assert first["wall"] > 0
    assert first["peak"] >= 0
    path = tmp_path / "tiny-seed0.json"
    path.write_text(json.dumps(first | {"test": 2.0}))
    assert kept.result(tiny(), tmp_path)["test"] == 2.0  # kept, not trained again
    assert kept.kept(tiny(epochs=1), tmp_path) is None
    assert len(kept.result(tiny(epochs=1), tmp_path)["curve"]) == 1


@pytest.mark.slow
def test_training_of_a_rule_is_a_process_of_its_own(tmp_path):
    values = rules.measured(tiny(), tmp_path, None)
    again = kept.result(tiny(), tmp_path)
    assert again["validation"] == values["validation"]
    assert 0 < values["peak"] < 4096
    assert (tmp_path / "tiny-seed0.safetensors").exists()


def test_mean_and_spread():
    assert kept.mean([1.0]) == "1.00"
    assert kept.mean([1.0, 2.0]) == f"1.50 ± {math.sqrt(0.5):.2f}"


@pytest.mark.parametrize(("main", "arguments", "message"), [
    (feedback.main, ["table", "digits", "--ways", "real-bp,bits"],
     f"--ways must name some of {', '.join(feedback.WAYS)}, not 'bits'"),
    (ste.main, ["table", "--variants", "swish,swash"],
     f"--variants must name some of {', '.join(ste.VARIANTS)}, not 'swash'")])
def test_unknown_rows_are_refused(capsys, main, arguments, message):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert capsys.readouterr().err.splitlines()[-1].endswith(f": error: {message}")
