"""What each of several processes does for tests/model/test_processes.py, and one does alone."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bitwright import data
from bitwright.command import guarded
from bitwright.model import processes, train
from bitwright.model.recipe import load_recipe
from bitwright.model.training import group
from bitwright.model.training.group import joined
from bitwright.model.training.stream import Stream
from bitwright.model.training.trainer import Trainer

__all__ = ["Run", "beats", "both", "commands", "epoch", "free_ports", "step", "told"]

for _name in ("torch.utils.tensorboard", "bitwright.model.lookup.loops"):
    importlib.import_module(_name)  # what the fork server has is there at once in every process

def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Run:
    """Processes that do one thing together, as torchrun starts them.

    Parameters
    ----------
    work : callable
        Takes no argument that is not in ``arguments``.
    arguments : tuple
    count : int
    folder : Path
        Where they work. What each says is in ``output-RANK.txt``, what it makes in
        ``found-RANK.pt``.
    """

    def __init__(self, work: Any, arguments: tuple[Any, ...], count: int, folder: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self.folder = folder
        port = free_ports(1)[0]
        self.processes: list[BaseProcess] = []
        for rank in range(count):
            environment = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count),
                           "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            self.processes.append(context.Process(
                target=_begin, args=(work, arguments, environment, folder), daemon=True))
            self.processes[-1].start()

    def wait(self, seconds: float = 300) -> list[int | None]:
        """Exit statuses, once all have ended."""
        for one in self.processes:
            one.join(seconds)
        return [one.exitcode for one in self.processes]

    @property
    def said(self) -> list[str]:
        """What each wrote to its outputs."""
        return [(self.folder / f"output-{rank}.txt").read_text()
                for rank in range(len(self.processes))]

    @property
    def found(self) -> list[Any]:
        """What the work of each returned."""
        return [torch.load(self.folder / f"found-{rank}.pt") for rank in range(len(self.processes))]


def _begin(work: Any, arguments: tuple[Any, ...], environment: dict[str, str],
           folder: Path) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    file = os.open(f"output-{environment['RANK']}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(file, stream.fileno())
    torch.set_num_threads(1)
    torch.save(work(*arguments), f"found-{environment['RANK']}.pt")


def beats() -> None:
    """Add up numbers for ever, as a training does. ``met-RANK`` is there once all have met."""
    def work() -> None:
        with joined():
            Path(f"met-{os.environ['RANK']}").touch()
            while True:
                processes.gathered(torch.zeros(1), processes.count())

    sys.exit(guarded(work))


def told() -> None:
    """Be told to end, and twice more while it ends. Temporary files are made here."""
    tempfile.tempdir, known = str(Path.cwd()), group._is_first_to_know

    def again(slate: int | None) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return known(slate)

    def work() -> None:
        group._is_first_to_know = again
        try:
            with joined():
                os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    sys.exit(guarded(work))


def commands(which: Sequence[tuple[int, list[str]]]) -> None:
    """Trainings one after the other, each at a port of its own. Exits with the first failure."""
    for port, argv in which:
        os.environ["MASTER_PORT"] = str(port)
        status = train.main(argv)
        if status:
            sys.exit(status)


def both(which: Sequence[Sequence[Any]], shards: Path, trainings: Sequence[tuple[int, list[str]]],
         ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Several :func:`step` and an :func:`epoch`, then trainings."""
    with joined():
        found = [step(*one) for one in which], epoch(shards)
    commands(trainings)
    return found


class _Watched(Stream):
    """Shards that remember which samples they were asked for."""

    seen: list[Tensor]

    def __getitem__(self, part: Tensor) -> Tensor:
        self.seen.append(part)
        return super().__getitem__(part)


def epoch(shards: Path) -> dict[str, Any]:
    """Learn an epoch from a folder of shards by flips alone, in as many processes as there are.

    Returns
    -------
    dict
        What the log says (``entry``), the ``state`` of the network, and the samples ``seen`` here.
    """
    trainer = Trainer(load_recipe("digits-fbf", ["epochs=1", "patience=1"]), data.load(str(shards)))
    stream = trainer._features
    assert isinstance(stream, Stream)
    stream.__class__ = _Watched
    stream.seen = []
    trainer._settle = lambda order: None  # it looks at samples again
    entry = trainer.run_epoch(lambda *_: None)
    return {"entry": entry, "seen": torch.cat(stream.seen).tolist(),
            "state": trainer.network.state_dict()}


def step(name: str, overrides: Sequence[str], batch: int, steps: int) -> dict[str, Any]:
    """Take some steps of a recipe's rule, in as many processes as there are.

    Returns
    -------
    dict
        The last step's ``report`` (of all samples), the sum of the ``gradients`` of all processes,
        the ``state`` of the network and of ``chance`` after it, and the samples ``seen`` here.
    """
    recipe = load_recipe(name, ["epochs=4", "patience=4", *overrides])
    trainer = Trainer(recipe, data.load(recipe.data))
    for key, value in trainer.network.named_parameters():
        if key.endswith("shift"):  # else a count that is the mean is a bit by its rounding alone
            value.data += 0.0123
    trainer.network.train()
    trainer.rule.begin_epoch(1)
    seen, report = [], {}
    for number in range(steps):
        part = torch.arange(number * batch, (number + 1) * batch)
        with processes.sharing(batch) as share:
            mine = part[share.slice]
            seen += mine.tolist()
            features = trainer._changed(trainer._features[mine])
            with trainer._taught(mine, features):
                report = trainer.rule.step(features, trainer._labels[mine])
        report = processes.added({key: value * share.samples / batch
                                  for key, value in report.items()})
    named = dict(trainer.network.named_parameters())
    return {"report": report, "seen": seen, "chance": trainer._draws.get_state(),
            "gradients": {key: value.grad for key, value in named.items()
                          if value.grad is not None},
            "state": {key: value.clone() for key, value in trainer.network.state_dict().items()}}
