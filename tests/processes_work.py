"""What each of several processes does for tests/model/test_processes.py, and one does alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(command: Sequence[str], count: int, folder: Path) -> list[subprocess.Popen[str]]:
    """Start processes as torchrun does; each writes its output to a file of the folder."""
    port = free_ports(1)[0]
    started = []
    for rank in range(count):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "RANK": str(rank), "LOCAL_RANK":
                       str(rank), "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1",
                       "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        with (folder / f"output-{rank}.txt").open("w") as file:
            started.append(subprocess.Popen([sys.executable, *command], cwd=folder, text=True,
                                            env=environment, stdout=file, stderr=file))
    return started


def step(name: str, overrides: Sequence[str], batch: int, steps: int) -> dict[str, Any]:
    """Take some steps of a recipe's rule, in as many processes as there are.

    Returns
    -------
    dict
        The last step's ``report`` (of all samples), the sum of the ``gradients`` of all processes,
        the ``state`` of the network and of ``chance`` after it, and the samples ``seen`` here.
    """
    import torch

    from bitwright import data
    from bitwright.model import processes
    from bitwright.model.recipe import load_recipe
    from bitwright.model.training.trainer import Trainer

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
            report = trainer.rule.step(features, trainer._labels[mine])
        report = processes.added({key: value * share.samples / batch
                                  for key, value in report.items()})
    named = dict(trainer.network.named_parameters())
    return {"report": report, "seen": seen, "chance": trainer._draws.get_state(),
            "gradients": {key: value.grad for key, value in named.items()
                          if value.grad is not None},
            "state": {key: value.clone() for key, value in trainer.network.state_dict().items()}}


def main(folder: Path) -> None:
    """Do what ``work.json`` of a folder says, and write what came out to a file of the rank."""
    import torch

    from bitwright.model import train
    from bitwright.model.training.group import joined

    torch.set_num_threads(1)
    work = json.loads((folder / "work.json").read_text())
    with joined():
        found = [step(*one) for one in work["steps"]]
    for port, command in zip(work["ports"], work["commands"], strict=True):
        os.environ["MASTER_PORT"] = str(port)
        assert train.main(command) == 0
    torch.save(found, folder / f"found-{os.environ['RANK']}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
