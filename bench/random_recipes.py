"""Random recipes, rule x layers x head x settings: each trains and freezes equal to itself, or is
refused in one line before its first epoch.

Two in three are one of the recipes that come along with its settings drawn anew, so that much of
what is drawn trains; of the others everything is drawn. Settings are found by their types: a new
rule, layer or head is drawn from without a change here. Recipes are told by seed and number:
``--first N --count 1`` repeats the one that a report names.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from dataclasses import MISSING, fields
from pathlib import Path
from pprint import pformat
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

__all__ = ["data_sets", "draw", "main", "outcome"]

SIZES = (1, 2, 5, 8, 12, 12, 24, 24, 30, 60)
"""Neurons, nodes, channels: some are multiples of the classes, some are not."""

RANGES: dict[str, tuple[Any, ...]] = {
    "neurons": SIZES, "width": SIZES, "channels": SIZES,
    "kernel": (1, 2, 3, 4, 6), "stride": (1, 2, 3), "padding": ("valid", "same", 1, (0, 1, 2, 0)),
    "dilation": (1, 1, 2), "groups": (1, 1, 1, 1, 1, 2), "top_bits": (0, 1, 3),
    "trained_frames": (0, 1, 3), "depth": (1, 2, 3), "frames": (1, 1, 2, 3),
    "fan_in": (2, 3, 4, 6), "window": (0, 1, 4, 9, 16), "label_width": (1, 2, 3, 5, 8),
    "bias": (0, 0, 1, 5), "scale": (1, 2, 2, 3, 32767, 32768), "processes": (0,),
    "first_layer": (1, 1, 2), "last_layer": (0, 0, 1, 2), "suppressor_every": (0, 1, 2),
    "second_epochs": (0, 1), "candidates": (1, 1, 2), "parts": (1, 2, 4), "blurs": (0, 2, 6),
    "learning_rate": (0.001, 0.01, 0.1), "readout_rate": (0.001, 0.01, 0.1),
    "temperature": (0.05, 0.4, 1.0, 1.0, 8.0), "update_rate": (0.01, 0.1, 1.0),
    "threshold": (0.0, 1e-6, 0.5, 5.0), "adaptivity": (1e-4, 0.1, 1.0),
    "regularisation": (1e-7, 1e-4), "label_smoothing": (0.0, 0.1), "soft": (0.2, 0.5, 0.9),
    "beta": (0.5, 2.0, 5.0), "bound": (0.3, 0.8, 1.0), "rate": (0.0, 0.05, 0.3),
    "mean": (0.3, 0.5), "deviation": (0.1, 0.3, 2.0),
    "regulariser": (0.0, 0.3, 2.0),
}
"""What is drawn for a setting of a name. Others: numbers near 1."""

BAD = (0, -1, 1 << 40, math.nan, math.inf, -0.5, "x", True)
"""Now and then, whatever the setting."""


def data_sets() -> dict[str, Any]:
    """Small data sets of every shape: vectors, pictures, colours, signed, wide and degenerate, and
    one whose labels are numbers."""
    from bitwright.data import DataSet

    made = {}
    for name, shape, bits, signed, classes, odd in (
            ("vector", (4,), 8, False, 3, ""), ("picture", (6, 6), 4, False, 4, ""),
            ("colours", (4, 5, 3), 8, False, 2, ""), ("signed", (7,), 6, True, 3, ""),
            ("wide", (5,), 16, False, 5, ""), ("one feature", (1,), 3, False, 2, ""),
            ("constant", (3, 3), 2, False, 2, "constant"), ("absent", (6,), 5, False, 4, "absent"),
            ("line", (1, 9), 1, False, 2, "")):
        rng = np.random.default_rng(len(made))
        low = -(1 << bits - 1) if signed else 0
        high = low + (1 << bits) - 1
        width = math.prod(shape)
        centres = rng.integers(low, high + 1, (classes, width))
        parts = []
        for count in (90, 24):
            labels = np.arange(count) % (classes - (odd == "absent"))
            noise = rng.normal(0, (high - low) / 5 + 0.3, (count, width))
            x = (centres[labels] + noise).round().clip(low, high).astype(np.int32)
            parts += [x * 0 if odd == "constant" else x, labels]
        made[name] = DataSet(name, *parts, bits=bits, signed=signed, full_scale=max(high, 1),
                             shape=shape, classes=tuple(map(str, range(classes))))
    rng = np.random.default_rng(len(made))
    x = rng.integers(0, 256, (90, 4)).astype(np.int32)
    numbers = 1e3 + x @ rng.normal(size=4)
    made["numbers"] = DataSet("numbers", x, numbers, x[:24], numbers[:24], bits=8, signed=False,
                              full_scale=255, shape=(4,), classes=(), answers=("n",))
    return made


def draw(seed: int, number: int) -> tuple[dict[str, Any], str]:
    """Plain values of a recipe, and the name of the data set that it shall train on."""
    from bitwright.model.base import Head, Layer
    from bitwright.model.inputs.modulate import Settings as Modulate
    from bitwright.model.recipe import load_recipe, recipe_names
    from bitwright.model.rules import Rule

    chance = random.Random(f"{seed} {number}")
    modulate = _settings(Modulate, chance)
    if chance.random() < 0.65:
        template = load_recipe(chance.choice(recipe_names()))
        kinds, learning = template.kinds, template.learning
        modulate |= {"levels": template.modulate.levels, "labels": template.modulate.labels}
    else:
        values = "reals" if chance.random() < 0.25 else "bits"
        layers, heads = (sorted(kind for kind, cls in family.kinds.items() if cls.values == values)
                         for family in (Layer, Head))
        kinds = (*chance.choices(layers, k=chance.choice((0, 1, 1, 2, 2, 3))),
                 chance.choice(heads))
        learning = chance.choice(sorted(Rule.kinds))
        if values == "reals":
            modulate["levels"] = "real"
    parts = [{"kind": kind, **_settings(Layer.kinds[kind].Settings, chance)}
             for kind in kinds[:-1]]
    if chance.random() < 0.2:
        _branch(parts, chance)
    head = {"kind": kinds[-1], **_settings(Head.kinds[kinds[-1]].Settings, chance)}
    sets = sorted(data_sets())
    jitter = chance.choice((0, 0, 0, 1))
    if chance.random() < 0.9:
        _agree(modulate, parts, per_frame=Head.kinds[kinds[-1]].per_frame)
        if jitter or any("kernel" in part for part in parts) or learning.startswith("unsup"):
            sets = ["colours", "picture"]
    recipe = {
        "name": f"random-{seed}-{number}", "seed": chance.randrange(1000),
        "epochs": chance.choice((1, 2, 2, 3)), "batch": chance.choice((1, 2, 7, 16, 16, 37, 1000)),
        "validation": chance.choice((0.15, 0.2, 0.5)), "jitter": jitter, "learning": learning,
        learning: _settings(Rule.kinds[learning].Settings, chance), "modulate": modulate,
        "layers": parts, "head": head}
    name = chance.choice(sets)
    return recipe | {"balance": chance.random() < 0.1}, name


def _branch(layers: list[dict[str, Any]], chance: random.Random) -> None:
    """Make a graph of a chain: some layers read an earlier one as well, before or behind."""
    names = ["modulate"]
    for layer in layers:
        inputs = [names[-1], chance.choice(names)]
        if len(names) > 1 and chance.random() < 0.7:
            layer["inputs"] = chance.sample(inputs, 2)
        layer["name"] = f"layer{len(names)}"
        names.append(layer["name"])


def _agree(modulate: dict[str, Any], layers: list[dict[str, Any]], *, per_frame: bool) -> None:
    """Take back what other settings forbid, or most recipes would be refused for it."""
    real = modulate.get("levels") == "real"
    if not real:
        modulate.pop("standard", None)
        modulate.pop("top_bits", None)
    if modulate.get("levels") not in ("uniform", "normal"):
        for name in ("each", "mean", "deviation", "seed"):
            modulate.pop(name, None)
    if not per_frame or modulate.get("levels") == "batch-norm":
        modulate.pop("labels", None)
    elif modulate.get("labels", "none") == "none":
        modulate["labels"] = "first" if real else "slot"
    if "labels" in modulate or modulate.get("levels") in ("real", "batch-norm"):
        modulate.pop("draw", None)
        modulate.pop("trained_frames", None)
    if "labels" in modulate:
        modulate.pop("frames", None)
    for layer in layers:
        if layer["kind"] == "lut":
            layer["window"] = 0 if layer.get("wiring") == "random" else layer.get("window") or 4
        if "kernel" in layer:
            layer["kernel"] = 2 if layer["kernel"] in RANGES["kernel"] else layer["kernel"]
            if sum("kernel" in other for other in layers) > 2 and "padding" in layer:
                layer["padding"] = "same"  # the pictures are small


def _settings(cls: type, chance: random.Random) -> dict[str, Any]:
    """Draw what a recipe says about a part: about half of the settings that have a default."""
    hints = get_type_hints(cls)
    result: dict[str, Any] = {}
    for field in fields(cls):
        if field.default is not MISSING and chance.random() < 0.5:
            continue
        hint = hints[field.name]
        if chance.random() < 0.005:
            result[field.name] = chance.choice(BAD)
        elif field.name in RANGES and get_origin(hint) is not Literal:
            result[field.name] = chance.choice(RANGES[field.name])
        elif get_origin(hint) is Literal:
            result[field.name] = chance.choice(get_args(hint))
        elif hint is bool:
            result[field.name] = chance.random() < 0.5
        else:
            result[field.name] = hint(chance.choice((0, 1, 1, 2, 3)))
    return result


def outcome(values: dict[str, Any], data: Any) -> tuple[str, str]:
    """What becomes of a recipe: ``trained``, ``refused`` or ``failed``, and what was said."""
    import torch

    from bitwright.model.recipe import Recipe
    from bitwright.model.settings import RecipeError
    from bitwright.model.training.trainer import Trainer

    state = torch.get_rng_state()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                trainer = Trainer(Recipe.of(values), data)
            except (RecipeError, ValueError) as error:
                return ("refused" if len(str(error).splitlines()) == 1 else "failed"), str(error)
            while not trainer.finished:
                trainer.run_epoch(lambda samples, metric: None)
            fault = _differs(trainer)
    except Exception:  # whatever it is, it is what is looked for
        return "failed", traceback.format_exc()
    if not torch.equal(torch.get_rng_state(), state):
        fault = "torch's own generator was drawn from"
    return ("failed", fault) if fault else ("trained", "")


def _differs(trainer: Any) -> str:
    """What is not equal between the trained network and its frozen file, or nothing."""
    import torch

    from bitwright import ir

    data, task = trainer.data, trainer.task
    best = trainer.best[task.metric_name]
    if not trainer.network.freezes:
        test = trainer.figures()["test"]
        return "" if task.kind != "classification" or 0 <= test["accuracy"] <= 1 else "accuracy"
    frozen = trainer.freeze()
    with tempfile.TemporaryDirectory() as folder:
        ir.save(Path(folder, "network.safetensors"), frozen)
        frozen = ir.load(Path(folder, "network.safetensors"))
    for features in (data.features, data.x_test):
        scores = frozen.evaluate(features).scores
        if not np.array_equal(scores, np.asarray(trainer.network.scores(features))):
            return "scores of the file differ from those of torch"
    features, targets = trainer.held_back
    scores = frozen.evaluate(features.numpy().astype(np.int32)).scores
    reached = task.metric(torch.from_numpy(scores).double() / trainer.network.scale, targets).item()
    if reached != best:
        return f"validation said {best}, the frozen file reaches {reached}"
    return ""


def main(argv: list[str] | None = None) -> int:
    """Print what became of the recipes, by rule, and every recipe that failed. 1 if one did."""
    parser = argparse.ArgumentParser(prog="python -m bench.random_recipes", description=__doc__)
    parser.add_argument("--count", metavar="N", type=int, default=1000, help="(default: 1000)")
    parser.add_argument("--first", metavar="N", type=int, default=0, help="(default: 0)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="(default: 0)")
    parser.add_argument("--verbose", action="store_true", help="say what was refused, and why")
    args = parser.parse_args(argv)
    import torch

    torch.set_num_threads(1)
    sets, table = data_sets(), Counter[tuple[str, str]]()
    for number in range(args.first, args.first + args.count):
        values, name = draw(args.seed, number)
        what, said = outcome(values, sets[name])
        table[values["learning"], what] += 1
        if what == "failed":
            print(f"--- recipe {number} on {name} failed:\n{pformat(values)}\n{said}\n",
                  file=sys.stderr, flush=True)
        elif args.verbose:
            print(f"{number} on {name}: {what} {said}", file=sys.stderr, flush=True)
    columns = ("trained", "refused", "failed")
    print(f"| rule | {' | '.join(columns)} |\n|---|---|---|---|")
    for rule in sorted({rule for rule, _ in table}):
        print(f"| {rule} | {' | '.join(str(table[rule, what]) for what in columns)} |")
    totals = [sum(n for (_, what), n in table.items() if what == column) for column in columns]
    print(f"| all | {' | '.join(map(str, totals))} |")
    return 1 if totals[2] else 0


if __name__ == "__main__":
    sys.exit(main())
