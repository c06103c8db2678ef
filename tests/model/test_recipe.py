"""Recipes: every one that comes along is valid, and every mistake is named."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from bitwright.model.base import BitLayer, Head, RealHead, RealLayer
from bitwright.model.recipe import Recipe, RecipeError, load_recipe, recipe_names
from bitwright.model.rules import Rule

NAMES = recipe_names()
LAYERS = ", ".join(sorted(BitLayer.kinds | RealLayer.kinds))
HEADS = ", ".join(sorted(Head.kinds | RealHead.kinds))


def test_recipes_that_come_along():
    assert {"digits", "iris", "mnist"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_recipe_survives_its_file(name, tmp_path):
    recipe = load_recipe(name)
    assert recipe.name == name
    path = tmp_path / "other.toml"
    path.write_text(recipe.toml())
    assert load_recipe(str(path)) == recipe
    assert Recipe.of(recipe.plain()) == recipe


def test_overrides():
    recipe = load_recipe("digits", ["seed=3", "layers.0.width=120", "modulate.levels=quantile",
                                    'head.kind="scores"', "backprop.learning_rate=1",
                                    "layers.1.gradient=\"multilinear\"", "head.temperature=2.5"])
    assert recipe.seed == 3
    assert recipe.layers[0].width == 120
    assert recipe.modulate.levels == "quantile"
    assert recipe.kinds == ("lut", "lut", "scores")
    assert recipe.rule.learning_rate == 1.0
    assert recipe.layers[1].gradient == "multilinear"


def test_one_rule_of_several_is_chosen():
    overrides = ["feedback-alignment.learning_rate=0.5", "backprop.learning_rate=0.25"]
    assert load_recipe("digits", overrides).rule.learning_rate == 0.25
    other = load_recipe("digits", [*overrides, "learning=feedback-alignment"])
    assert other.rule.learning_rate == 0.5
    assert "backprop" not in other.plain()


@pytest.mark.parametrize(("override", "message"), [
    ("feedback-alignment.learning_rate=0",
     "feedback-alignment.learning_rate must be above 0 and finite, not 0.0"),
    ("epohcs=3", "unknown key 'epohcs'; did you mean 'epochs'?"),
    ("layers.0.widht=3", "unknown key 'layers.0.widht'; did you mean 'width'?"),
    ("modulate.dpeth=3", "unknown key 'modulate.dpeth'; did you mean 'depth'?"),
    ("head.zzz=3", "unknown key 'head.zzz'; known are temperature"),
    ("backprop.lerning_rate=3",
     "unknown key 'backprop.lerning_rate'; did you mean 'learning_rate'?"),
    ("learning=backporp", "unknown learning rule 'backporp'; did you mean 'backprop'?"),
    ("learning=[1]", f"unknown learning rule [1]; known are {', '.join(sorted(Rule.kinds))}"),
    ("head.kind=[1]", f"unknown head.kind [1]; known are {HEADS}"),
    ("layers.0.kind=lutt", "unknown layers.0.kind 'lutt'; did you mean 'lut'?"),
    ("head.kind=sum", "unknown head.kind 'sum'; did you mean 'group_sum'?"),
    ("head={kind='linear'}",
     "head.kind must be one of bits where modulate.levels is 'even', not 'linear'"),
    ("modulate.levels=real",
     "layers.0.kind must be one of reals where modulate.levels is 'real', not 'lut'"),
    ("epochs=0", "epochs must be at least 1, not 0"),
    ("epochs=many", "epochs must be an integer, not 'many'"),
    ("epochs=true", "epochs must be an integer, not True"),
    ("data=3", "data must be a string, not 3"),
    ("validation=1.0", "validation must be between 0 and 1, not 1.0"),
    ("validation=\"x\"", "validation must be a number, not 'x'"),
    ("seed=-1", "seed must be from 0 to 2^63 - 1, not -1"),
    (f"batch={1 << 63}", f"batch must be an integer of 64 bits, not {1 << 63}"),
    ("name=a/b", "name must be one that a folder may have, not 'a/b'"),
    ('name=".."', "name must be one that a folder may have, not '..'"),
    ('name=""', "name must be one that a folder may have, not ''"),
    ('name="\\u0000"', "name must be one that a folder may have, not '\\x00'"),
    ("data=\udcff", "data must be text, not '\\udcff'"),
    ("layers=3", "layers must be a list of tables, not 3"),
    ("layers=[3]", "layers.0 must be a table, not 3"),
    ("layers=[{}]", f"key 'layers.0.kind' is missing; known are {LAYERS}"),
    ("layers=[{kind='lut'}]", "key 'layers.0.width' is missing"),
    ("layers.0.wiring=far",
     ("layers.0.wiring must be one of 'random', 'serial', 'depthwise', 'butterfly', 'window', "
      "'learnable', '', not 'far'")),
    ("layers.0.fan_in=9", "layers.0.fan_in must be between 2 and 8, not 9"),
    ("backprop.learning_rate=0", "backprop.learning_rate must be above 0 and finite, not 0.0"),
    ("backprop.label_smoothing=1",
     "backprop.label_smoothing must be from 0 to below 1, not 1.0"),
    ("head.temperature=0", "head.temperature must be above 0 and finite, not 0.0"),
    ("modulate=3", "modulate must be a table, not 3"),
    ("layers.9.width=3", "layers.9: there is no such entry, the list has 2"),
    ("layers.x.width=3", "layers.x: there is no such entry, the list has 2"),
    ("seed.x.y=3", "seed.x: 0 has no settings inside"),
    ("layers.0=3", "layers.0: a setting inside an entry must be named"),
    ("nothing", "a setting must look like key=value, not 'nothing'"),
])
def test_refused(override, message):
    with pytest.raises(RecipeError, match=rf"^Recipe digits: {re.escape(message)}$"):
        load_recipe("digits", ["seed=0", override])


def test_unknown_recipe():
    with pytest.raises(RecipeError, match=r"^Unknown recipe 'digit'; did you mean 'digits'\?$"):
        load_recipe("digit")


def test_missing_and_malformed_files(tmp_path):
    path = tmp_path / "mine.toml"
    with pytest.raises(RecipeError, match=rf"^{re.escape(str(path))}: no such file$"):
        load_recipe(str(path))
    path.write_text("epochs = = 3")
    with pytest.raises(RecipeError, match=rf"^{re.escape(str(path))}: not readable as TOML "
                                          r"\(Invalid value \(at line 1, column 10\)\)$"):
        load_recipe(str(path))


@pytest.mark.parametrize("text", ['a"b\\c', "a\nb", "\t\r\x1b\x7f", "ünï \U0001f33c", "'" * 3,
                                  '"' * 3, "a = [[b]] # c"])
def test_strings_of_any_kind_survive_the_file(text, tmp_path):
    recipe = Recipe.of({"name": "x", "data": text, "layers": [], "head": {"kind": "group_sum"},
                        "source": {"label": text, "header": "yes"}})
    assert tomllib.loads(recipe.toml())["data"] == text
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.toml(), encoding="utf-8", newline="")
    assert load_recipe(str(path)) == recipe


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\tb", "a\u2028b", "\x7f"])
def test_a_name_is_of_one_line(name):
    with pytest.raises(RecipeError, match=rf"^name must be one that a folder may have, "
                                          rf"not {re.escape(repr(name))}$"):
        Recipe.of({"name": name})


@given(name=st.text(), source=st.text())
def test_any_text_survives_or_is_refused_in_one_line(name, source):
    try:
        recipe = Recipe.of({"name": name, "data": source})
    except RecipeError as error:
        assert_one_line(error)
    else:
        assert Recipe.of(tomllib.loads(recipe.toml())) == recipe


def assert_one_line(error):
    assert len(str(error).splitlines()) == 1


def test_byte_order_mark(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + load_recipe("digits", ["name=mine"]).toml().encode())
    assert load_recipe(str(path)) == load_recipe("digits", ["name=mine"])
