"""How the layers of a network hang together: a chain where a recipe says nothing, else a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bitwright.ir.network import INPUT, NAME
from bitwright.model.settings import nearest
from bitwright.model.wiring import Geometry

__all__ = ["MODULATE", "Place", "agree", "joined", "settled", "together"]

MODULATE = "modulate"
"""Name of what a network begins with."""

HEAD = "head"


@dataclass(frozen=True)
class Place:
    """Where a layer stands.

    Parameters
    ----------
    name : str
        By which others read it. Left out, it is the layer's kind and a count from 0 for each kind.
    inputs : tuple of str
        Names of what it reads, ``modulate`` among them: the first one's values come first. Left
        out, it reads the layer before.
    """

    name: str = ""
    inputs: tuple[str, ...] = ()


def settled(kinds: Sequence[str], places: Sequence[Place] = ()) -> tuple[Place, ...]:
    """Fill in what places leave out.

    Parameters
    ----------
    kinds : sequence of str
        Of the layers, first to last.
    places : sequence of Place
        One a layer, or none at all: a chain.

    Raises
    ------
    ValueError
        If a name is malformed or taken, or an input is no layer before. The message starts with
        the layer.
    """
    places = places or [Place()] * len(kinds)
    names = [place.name or f"{kind}{kinds[:index].count(kind)}"
             for index, (kind, place) in enumerate(zip(kinds, places, strict=True))]
    result: list[Place] = []
    for index, (name, place) in enumerate(zip(names, places, strict=True)):
        if not NAME.fullmatch(name) or name in (INPUT, MODULATE, HEAD):
            raise ValueError(f"layers.{index}.name must match {NAME.pattern} and not be {INPUT!r}, "
                             f"{MODULATE!r} or {HEAD!r}, not {name!r}")
        if name in names[:index]:
            raise ValueError(f"layers.{index}.name must be one that no other layer has, which "
                             f"layers.{names.index(name)} is called already, not {name!r}")
        before = [MODULATE, *names[:index]]
        for other in place.inputs:
            if other not in before:
                raise ValueError(f"layers.{index}.inputs must name what comes before it, "
                                 f"not {other!r}; {nearest(other, before)}")
        result.append(Place(name, place.inputs or (before[-1],)))
    return tuple(result)


def agree(places: Sequence[Place], parts: Sequence[Any], values: str, origin: str) -> None:
    """Check that every part reads what those before it make: bits or reals.

    Parameters
    ----------
    places : sequence of Place
        What :func:`settled` gave for the layers.
    parts : sequence of Part, or of such classes
        The layers, then the head, which reads the last one, or all alike.
    values : str
        What the modulation makes.
    origin : str
        How a message says so.

    Raises
    ------
    ValueError
        If one does not. The message starts with its place.
    """
    made = {MODULATE: values}
    for index, part in enumerate(parts):
        layer = index < len(places)
        where = f"layers.{index}" if layer else "head"
        for other in places[index].inputs if layer else list(made)[-1:]:
            if part.values != made[other]:
                behind = origin if made[other] == values else f"behind {other!r}"
                raise ValueError(f"{where}.kind must be one of {made[other]} {behind}, "
                                 f"not {part.kind!r}")
        if layer:
            made[places[index].name] = part.makes


def together(values: Mapping[str, Tensor], inputs: Sequence[str]) -> Tensor:
    """Values of several names, one after the other: shape (sum of widths, batch).

    Where samples are contiguous, as images keep them, they stay so.
    """
    parts = [values[name] for name in inputs]
    if len(parts) == 1:
        return parts[0]
    if all(part.stride(0) == 1 for part in parts):
        return torch.cat([part.T for part in parts], 1).T
    return torch.cat(parts)


def joined(parts: Sequence[Geometry]) -> Geometry:
    """Where values of several origins lie, one after the other: each where it lay."""
    if len(parts) == 1:
        return parts[0]
    if len({part.dimensions for part in parts}) > 1:
        return Geometry.line(sum(part.width for part in parts))
    return Geometry(np.concatenate([part.places for part in parts]))
