"""The form of a sweep's hardware: tried before anything is trained, then used by trials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright import data
from bitwright.errors import UserError
from bitwright.form import Form
from bitwright.model.recipe import RecipeError
from bitwright.model.sweeping.events import Task
from bitwright.model.sweeping.spec import Spec, SweepError
from bitwright.model.sweeping.trial import Estimator, trainer, untrained

if TYPE_CHECKING:
    from bitwright import ir

__all__ = ["in_form", "try_form"]


def try_form(name: str, spec: Spec, data_dir: Path | None, estimate: Estimator) -> None:
    """See that each end of each range gives a network that can be built, the other settings being
    as they are in the recipe.

    Parameters
    ----------
    name : str
        Of the sweep, for messages.
    spec : Spec
    data_dir : Path or None
    estimate : callable
        In the form.

    Raises
    ------
    SweepError
        If one cannot.
    UserError
        If there are no data.
    """
    load = cache(data.load)  # kept no longer than this
    for path, value in ((path, value) for path, varied in spec.ranges.items()
                        for value in varied.ends):
        recipe = spec.recipe({path: value}, 0, spec.seeds[0])
        task = Task(((Path(), recipe),), spec.target,
                    loaded=load(recipe.data, data_dir, recipe.source))
        try:
            network = untrained(trainer(recipe, task))
        except RecipeError:  # settings that do not go together make a failed trial
            continue
        try:
            estimate(network, spec.target)
        except UserError as error:
            raise SweepError(f"Sweep {name}: settings.{path} = {value!r}, for {spec.where}: "
                             f"{error}") from error


def in_form(network: ir.Network, target: str, estimate: Estimator,
            form: Form) -> Mapping[str, float]:
    """An estimate for a trial, which fails where its own settings cannot be built so.

    That all of a sweep cannot be was seen by :func:`try_form`.

    Raises
    ------
    RecipeError
        If it cannot be built.
    """
    try:
        return estimate(network, target, form=form)  # type: ignore[call-arg]
    except UserError as error:
        raise RecipeError(f"{target}, {form}: {error}") from error
