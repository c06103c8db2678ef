"""The loop shared by all learning rules: epochs, validation, early stopping, checkpoints."""

from __future__ import annotations

import hashlib
import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data import DataSet
from bitwright.errors import UserError
from bitwright.model import processes
from bitwright.model.layers import LutConvolutionLayer, LutLayer, XnorConvolutionLayer
from bitwright.model.network import build_network
from bitwright.model.recipe import Recipe
from bitwright.model.rules import Rule
from bitwright.model.rules.rule import Figure, Report
from bitwright.model.settings import RecipeError, flat
from bitwright.model.tasks import Distilled, Task, make_task
from bitwright.model.training import group
from bitwright.model.training.augment import augmented
from bitwright.model.training.checkpoint import Checkpoint, CheckpointError
from bitwright.model.training.device import in_main_memory
from bitwright.model.training.freeze import freeze, rehearse
from bitwright.model.training.front import joined, luts
from bitwright.model.training.jitter import jittered
from bitwright.model.training.stream import Stream, spread
from bitwright.model.training.teacher import Teacher

__all__ = ["DivergedError", "Trainer"]

_SETTLING = 40
"""Batches that leave 1.5 % of what the running statistics of layers were before."""


class DivergedError(UserError, ValueError):
    """A training has left the range of numbers. The message names epoch and figure."""


class Trainer:
    """A training, from the first epoch to the frozen network.

    It is a function of recipe, data and number of threads: on one machine equal trainings give
    equal bytes, however often they were stopped and resumed, and whatever else the process does.
    (A processor with other vector instructions adds in another order, and CUDA in no fixed one.)

    Whatever recipe cannot be trained, or not be frozen, is refused before the first epoch: the
    rule checks the network, and the untrained network is frozen and compared on a few samples.

    Parameters
    ----------
    recipe : Recipe
    data : DataSet
    parts : (training, validation), optional
        Indices of samples, in place of the recipe's split.
    device : torch.device, optional
        Where everything is computed: main memory and processor, unless given.
    mixed : bool
        Whether steps compute the binary convolutions in bfloat16, see
        :class:`bitwright.model.layers.XnorConvolutionLayer`. Statistics that are measured anew,
        validation and the frozen network have all bits.
    compiled : bool
        Whether the network's pass in training is compiled by torch, with its way back. It takes
        up to a minute, and rounds otherwise.
    kernels : bool
        Whether tables are looked up by Triton's kernels, see :mod:`model.lookup.kernels`.

    Attributes
    ----------
    held_back : (features, targets)
        The validation split, as Tensors on the device.

    Raises
    ------
    ValueError
        If the recipe does not fit the data, or its network cannot be trained or frozen.
    """

    def __init__(self, recipe: Recipe, data: DataSet,
                 parts: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
                 device: torch.device | None = None, *, mixed: bool = False,
                 compiled: bool = False, kernels: bool = False) -> None:
        self.recipe = recipe
        self.data = data
        self.device = device or torch.device("cpu")
        train, validation = parts or data.parted(recipe.validation, recipe.seed)
        # Three sources of chance, so that a longer wiring does not reorder the data. What is drawn
        # once, and the order, are the same on every device.
        make, order, draws = (int(seed) for seed in
                              np.random.SeedSequence(recipe.seed).generate_state(3))
        self._order = torch.Generator().manual_seed(order)
        self._draws = torch.Generator(self.device).manual_seed(draws)
        measured = data.features[train if data.shards is None else spread(train)]
        self.network = build_network(recipe.modulate, recipe.layer_types, recipe.head_type, data,
                                     measured, torch.Generator().manual_seed(make),
                                     recipe.places)
        self._shape = self.network.modulator.geometry.shape
        if recipe.jitter and not self._shape:
            raise ValueError("jitter must be 0 for features that are no pictures, "
                             f"not {recipe.jitter}")
        recipe.augment.check(self._shape)
        self.task: Task = make_task(data, data.labels[train], self.network,
                                    balance=recipe.balance,
                                    distill=recipe.distill if recipe.distill.teacher else None)
        rule = Rule.kinds[recipe.learning]
        if recipe.distill.teacher and not rule.weighs:
            raise ValueError(f"distill must be left out where learning is {recipe.learning!r}, "
                             "which does not follow the loss")
        rule.check(self.network, recipe.rule, recipe.epochs, self.task)
        if recipe.keep == "front" and not any(layer.decaying for layer in self.network.layers):
            raise ValueError("keep must not be 'front' where no layer trains tables")
        self.network.to(self.device)
        self.network.draw_from(self._draws)
        if self.network.freezes:
            rehearse(self.network, measured, self.task.answer)
        self._labels = self.task.targets(data.labels[train]).to(self.device)
        self._features: torch.Tensor | Stream = (
            self._narrow(data.features[train]) if data.shards is None
            else Stream(data.shards, train, self._kind, self.device))
        self._teacher: Teacher | None = None
        if recipe.distill.teacher:
            if isinstance(self._features, Stream):
                raise ValueError("distill must be left out where samples are read from shards")
            self._teacher = Teacher(recipe.distill.teacher, data, self._features, self._labels,
                                    changes=bool(recipe.jitter) or recipe.augment.changes)
        self.held_back = (self._narrow(data.features[validation]),
                          self.task.targets(data.labels[validation]).to(self.device))
        self._validation = validation
        if compiled:
            if processes.count() > 1:
                raise ValueError("--compile must be left out where several processes train: what "
                                 "they tell each other cannot be compiled")
            self.network.compile()
        if kernels:
            self._take_kernels()
        self._mixed = [layer for layer in self.network.layers
                       if mixed and isinstance(layer, XnorConvolutionLayer)]
        self._least = self._least_batch()
        self.rule = rule(self.network, recipe.rule, epochs=recipe.epochs, task=self.task,
                         generator=self._draws)
        self.epoch = 0
        self.best: dict[str, Any] = {"epoch": 0, self.task.metric_name: float("-inf"),
                                     "loss": float("inf")}
        self.curve: list[dict[str, Any]] = []

    @classmethod
    def of(cls, recipe: Recipe, data: DataSet, **options: Any) -> Self:
        """A trainer of settings that come from a user: what does not fit is told of the recipe.

        Raises
        ------
        RecipeError
            In place of the constructor's ValueError; the message begins with the recipe's name.
        """
        try:
            return cls(recipe, data, **options)
        except ValueError as error:
            raise RecipeError(f"Recipe {recipe.name}: {error}") from error

    def _take_kernels(self) -> None:
        """Have tables looked up by Triton."""
        if self.device.type != "cuda":
            raise ValueError(f"--triton wants a GPU, as by --device cuda, not {self.device}")
        if find_spec("triton") is None:
            raise ValueError("--triton must be left out: the package triton is not installed")
        for layer in self.network.layers:
            if isinstance(layer, LutLayer | LutConvolutionLayer):
                layer.kernels = True

    def _least_batch(self) -> int:
        """Samples that a step must have: of one, there are no statistics, and each of the
        processes that share a step out has one at least.

        Raises
        ------
        ValueError
            If the recipe gives it fewer.
        """
        parts = (self.network.modulator, *self.network.layers, self.network.head)
        least = 2 if any(part.batch_statistics for part in parts) else 1
        shares = processes.count()
        for what, count in (("batch", self.recipe.batch), ("samples to train on", self.samples)):
            if count < least:
                raise ValueError(f"{what} must be at least {least} where a layer takes statistics "
                                 f"of the batch, not {count}")
            if count < shares:
                raise ValueError(f"{what} must be at least the {shares} processes that share them, "
                                 f"not {count}")
        return max(least, shares)

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return len(self._labels)

    @property
    def finished(self) -> bool:
        """Whether no epoch is left: all done, or none was better for as long as is waited."""
        kept = [self.best, *self.best.get("front", ())]
        waited = self.epoch - max(point["epoch"] for point in kept)  # 0 where the last is kept
        return self.epoch >= self.recipe.epochs or waited >= self.recipe.patience

    def run_epoch(self, progress: Callable[[int, Figure], object]) -> dict[str, Any]:
        """Learn from every sample of the training split once, then validate.

        Parameters
        ----------
        progress : callable
            Called after each step with its number of samples and the task's metric so far, which
            need not be computed yet.

        Returns
        -------
        dict
            What the metrics log says about the epoch.

        Raises
        ------
        DivergedError
            If a figure of the epoch is not finite.
        """
        started = time.perf_counter()
        self.network.train()
        self._coarsen(True)
        self.rule.begin_epoch(self.epoch)
        order = (self._features.order(self._order) if isinstance(self._features, Stream) else
                 torch.randperm(self.samples, generator=self._order, device="cpu")).to(self.device)
        metric = self.task.metric_name
        # Nothing is read before the epoch's end: to read waits for all that a GPU was asked for.
        totals: Report = {}
        done = seen = 0  # samples of all processes, and those here
        for part in self._parts(order, self.rule.batch(self.epoch, self.recipe.batch,
                                                       self.samples)):
            with processes.sharing(len(part)) as share:
                mine = part[share.slice]
                features = self._changed(self._features[mine])
                with self._taught(mine, features):
                    step = self.rule.step(features, self._labels[mine])
            seen += share.samples
            done += len(part)
            for name, value in step.items():
                if isinstance(value, torch.Tensor):
                    value = value.double()
                totals[name] = totals.get(name, 0.0) + value * share.samples
            progress(len(part), totals[metric] / seen)
        sums = processes.added({name: float(value) for name, value in totals.items()})
        self.rule.end_epoch()
        self._coarsen(False)
        means = {f"train_{name}": value / done for name, value in sums.items()}
        with self.rule.averaged():
            if any(layer.settles for layer in self.network.layers):
                self._settle(order)
            seconds = time.perf_counter() - started
            self._check_finite(sums)
            entry = self._judge(means)
            group.check_same(self.network.state_dict(), self._draws.get_state(), self.epoch)
            return {**entry, "samples_per_second": done / seconds, **self.network.measures()}

    def _check_finite(self, totals: dict[str, float]) -> None:
        for name, value in totals.items():
            if not math.isfinite(value):
                raise DivergedError(f"Training diverged: the {name} of epoch {self.epoch + 1} is "
                                    f"{value}; a lower learning rate or a higher temperature may "
                                    "help")

    def _judge(self, means: dict[str, float]) -> dict[str, Any]:
        """Validate the network as it is, and keep it if it is one to be kept.

        Returns
        -------
        dict
            What the curve says about the epoch: the means of its steps, and these figures.
        """
        score, loss = self.validate()
        self.epoch += 1
        metric = self.task.metric_name
        point: dict[str, Any] = {"epoch": self.epoch, metric: score, "loss": loss}
        if self.recipe.keep == "last" or (
                (score, -loss) > (self.best[metric], -self.best["loss"])):
            state = {key: value.clone() for key, value in self.network.state_dict().items()}
            self.best |= {**point, "network": state}
        entry = {"epoch": self.epoch, **means, f"validation_{metric}": score,
                 "validation_loss": loss}
        self.curve.append(entry)
        if self.recipe.keep == "front":
            with in_main_memory(self.network):
                entry["luts"] = point["luts"] = luts(ir.Network(self.network.freeze()))
            front = joined(self.best.get("front", []), point, metric)
            if front is not None:
                # As bytes, which need a hundredth of what the trained values do.
                file = bytearray(ir.to_bytes(self._frozen(self._figures())))
                point["file"] = torch.frombuffer(file, dtype=torch.uint8)
                self.best["front"] = front
        return entry

    def _changed(self, features: torch.Tensor) -> torch.Tensor:
        """Training samples as the recipe has them changed at random."""
        recipe = self.recipe
        if not self._shape:
            return features  # no pictures, of which nothing is asked
        shape = self._shape[0], self._shape[1]
        if recipe.jitter:
            features = jittered(features, shape, recipe.jitter, self._draws)
        return augmented(features, shape, recipe.augment, self._draws)

    @contextmanager
    def _taught(self, samples: torch.Tensor, features: torch.Tensor) -> Iterator[None]:
        """Let the task know what a teacher, if there is one, says of the samples of a step."""
        if self._teacher is None or not isinstance(self.task, Distilled):
            yield
            return
        self.task.answers = self._teacher.answers(samples, features)
        yield
        self.task.answers = None

    def _parts(self, order: torch.Tensor, size: int) -> list[torch.Tensor]:
        """Cut an epoch into batches, of which none is too small for statistics."""
        parts = list(torch.split(order, size))
        if len(parts) > 1 and len(parts[-1]) < self._least:
            parts[-2:] = [torch.cat(parts[-2:])]
        return parts

    def _coarsen(self, coarse: bool) -> None:
        for layer in self._mixed:
            layer.coarse = coarse

    def _settle(self, order: torch.Tensor) -> None:
        """Measure running statistics with the weights as they now are.

        They lag behind the weights of the last steps otherwise ("precise" batch norm of Wu and
        Johnson, arXiv:2105.07576, section 3).
        """
        batches = itertools.cycle(self._parts(order, self.recipe.batch))
        self.network.train()
        with torch.no_grad(), self.network.quiet():
            for part in itertools.islice(batches, _SETTLING):
                with processes.sharing(len(part)) as share:
                    self.network(self._features[part[share.slice]])

    def validate(self) -> tuple[float, float]:
        """Metric of the task, and loss, on the validation split, of the hard network."""
        features, targets = self.held_back
        samples = len(targets)
        shares = 1 < processes.count() <= samples  # else each process does all of them
        part = processes.Share.of(samples).slice if shares else slice(samples)
        scores = torch.as_tensor(self.network.scores(features[part]), device=self.device)
        if shares:
            scores = processes.gathered(scores, samples)
        logits = scores.double() / self.network.scale
        # The first process decides: what follows is done by all or by none.
        found = self.task.metric(logits, targets).item(), self.task.loss(logits, targets).item()
        metric, loss = group.from_first(found)
        return metric, loss

    def save(self, path: Path) -> None:
        """Write the checkpoint.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        Checkpoint(self.recipe.plain(), self.data.digest, torch.get_num_threads(),
                   str(self.device), self.epoch, self.network.state_dict(), self.rule.state_dict(),
                   {"order": self._order.get_state(), "draws": self._draws.get_state()},
                   self.best, self.curve, self.finished).save(path)

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Continue from a checkpoint, also of another device.

        Chance goes on where it was. On another kind of device, whose draws are others, it starts
        anew from the state that it had.

        Raises
        ------
        CheckpointError
            If it is of another recipe or other data.
        """
        # Read as a recipe, so that a setting that came since stands at its default.
        mine, theirs = (flat(recipe.plain()) for recipe in (self.recipe,
                                                            Recipe.of(checkpoint.recipe)))
        for key in mine | theirs:
            if mine.get(key) != theirs.get(key):
                raise CheckpointError(f"{path}: the run has {key} = {theirs.get(key)!r}, not "
                                      f"{mine.get(key)!r}; resume with its own settings, or add "
                                      "--force to start again")
        if checkpoint.data_digest != self.data.digest:
            raise CheckpointError(f"{path}: the data set {self.data.name!r} has changed since the "
                                  "run was started; add --force to start again")
        self.network.load_state_dict(checkpoint.network)
        self.rule.load_state_dict(_moved(checkpoint.rule, self.device))
        self._order.set_state(checkpoint.generators["order"])
        draws = checkpoint.generators["draws"]
        if torch.device(checkpoint.device).type == self.device.type:
            self._draws.set_state(draws)
        else:
            state = hashlib.sha256(bytes(draws.tolist())).digest()
            self._draws.manual_seed(int.from_bytes(state[:7], "big"))
        self.epoch, self.best = checkpoint.epoch, _moved(checkpoint.best, self.device)
        self.curve = checkpoint.curve

    def figures(self) -> dict[str, dict[str, Any]]:
        """Every figure of the best epoch, on the ``validation`` split and on the ``test`` part."""
        self.network.load_state_dict(self.best["network"])
        return self._figures()

    def _figures(self) -> dict[str, dict[str, Any]]:
        """The same of the network as it is."""
        data, held_back = self.data, self._validation
        parts = {"validation": (data.features[held_back], data.labels[held_back]),
                 "test": (data.x_test, data.y_test)}
        return {name: self.task.figures(self.network.scores(features), labels)
                for name, (features, labels) in parts.items()}

    def freeze(self) -> ir.Network:
        """Freeze the best epoch. See :func:`model.training.freeze.freeze`."""
        if not self.network.freezes:
            raise TypeError("A network of real numbers has no frozen form")
        return self._frozen(self.figures())

    def _frozen(self, figures: dict[str, dict[str, Any]]) -> ir.Network:
        """The network as it is, frozen."""
        return freeze(self.network, self.data, self.task, {
            "recipe": self.recipe.plain(), "seed": self.recipe.seed, "epochs": self.epoch,
            "figures": figures, "curve": self.curve})

    @property
    def _kind(self) -> torch.dtype:
        """Type of features, as narrow as they go: every step copies them."""
        low, high = self.data.domain
        return torch.int16 if low >= -(1 << 15) and high < (1 << 15) - 1 else torch.int32

    def _narrow(self, features: NDArray[np.int32]) -> torch.Tensor:
        """Features on the device."""
        return torch.from_numpy(features).to(self._kind).to(self.device)


def _moved(value: Any, device: torch.device) -> Any:
    """Nested dicts, lists and tuples with their tensors on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: _moved(item, device) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_moved(item, device) for item in value)
    return value
