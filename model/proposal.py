"""A first recipe for a data set, by rules of thumb. docs/own-data.md has them in words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bitwright import ir
from bitwright.data import DataSet, Source, load
from bitwright.model.recipe import Recipe, override
from bitwright.model.settings import plain

__all__ = ["first_recipe", "named", "propose"]

BITS = 512
"""Bits of a sample after modulation that the first layer chooses from."""

NODES = 1200
"""Nodes of the last layer at most, if that leaves a class enough of them."""


LINE = 4096
"""Bits of a sample where nothing but the head reads them."""


def named(data: str) -> str:
    """Name of a recipe for a data set, or a file."""
    stem = re.sub(r"[^\w.-]+", "-", Path(data.replace(":", "-")).stem).strip("-.")
    return stem or "own"


def propose(data: DataSet, source: Source) -> dict[str, Any]:
    """Write a recipe that trains well enough to begin with, on a network that fits a small board.

    Parameters
    ----------
    data : DataSet
    source : Source
        How it was read.

    Returns
    -------
    dict
        Plain values of a recipe: what is not as ever, and what one would change first.

    Raises
    ------
    DataError
        If too few samples can be trained on to set some aside for validation.
    """
    samples, scores = len(data.labels), len(data.classes) or 1
    numbers = len(data.shape) == 1 or isinstance(data.preparation, ir.Numbers)
    plane = len(data.shape) > 1  # pixels, or steps by columns: what is near belongs together
    features, sites = data.features.shape[1], math.prod(data.shape[:2])
    # Of a small sample more bits, so that a node has some to choose from.
    depth = max(1, min(16, BITS // features)) if numbers else max(2, 16 // features)
    share = max(4, min(40, NODES // scores)) if data.classes else 300
    table = {"kind": "lut", "fan_in": 4, "wiring": "learnable"}
    if plane:
        layers = [table | {"width": scores * share * 3 // 2, "window": min(49, sites)},
                  table | {"width": scores * share, "window": 100}]
    else:
        window = 0 if features * depth <= 2 * BITS else BITS // depth
        layers = [table | {"width": scores * share, "window": window}]
    head = {"kind": "group_sum", "temperature": 4.0 if data.classes else 20.0}
    if not data.classes and numbers and not plane:  # a straight line of bits: safe with few rows
        depth = max(1, min(64, LINE // features))
        layers, head = [], {"kind": "scores", "temperature": 2.5 * depth}
    small = samples < 5000
    default = plain(Source())
    changed = {key: value for key, value in plain(source).items() if value != default[key]}
    values = {
        "name": named(data.name), "data": data.name,
        "epochs": 100 if small else 30, "patience": 30 if small else 10,
        "batch": 1 << int(np.clip(round(math.log2(samples / 20)), 4, 7)),
        **({"source": changed} if changed else {}),
        "backprop": {"learning_rate": 0.02 if layers else 0.01},
        "modulate": {"levels": "quantile" if numbers else "even", "depth": depth},
        "layers": layers,
        "head": head}
    recipe = Recipe.of(values)  # what is written can be read
    data.parted(recipe.validation, recipe.seed)  # and trained with
    return values


def first_recipe(name: str, data_dir: Path | None, overrides: Sequence[str]) -> Recipe:
    """Recipe for a data set that nobody has written one for.

    Parameters
    ----------
    name : str
        Of the data set, or a file.
    data_dir : Path, optional
    overrides : sequence of str
        Each ``key=value`` replaces a setting; those of ``source`` say how the data is read.

    Raises
    ------
    DataError
        If the data cannot be used.
    RecipeError
        If a setting is refused.
    """
    said: dict[str, Any] = {}
    for text in overrides:
        if text.startswith("source."):
            override(said, text)
    source = Recipe.of({"name": "source", "source": said.get("source", {})}).source
    values = propose(load(name, data_dir, source), source)
    for text in overrides:
        override(values, text)
    return Recipe.of(values)
