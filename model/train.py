"""Train a network and freeze it: python -m model.train [RECIPE]."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright.command import add_data_dir, guarded
from bitwright.extras import need
from bitwright.model.training.folder import (
    CHECKPOINT,
    METRICS,
    NETWORK,
    RECIPE,
    RESULT,
    begin,
    epochs,
    freeze,
    fronted,
)

if TYPE_CHECKING:
    from bitwright.data import DataSet
    from bitwright.model.recipe import Recipe
    from bitwright.model.training.checkpoint import Checkpoint
    from bitwright.model.training.trainer import Trainer

logger = logging.getLogger("model.train")

__all__ = ["CHECKPOINT", "METRICS", "NETWORK", "RECIPE", "main", "parser", "train"]


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="bitwright train", description=(
        "Train a network and freeze it. The run folder holds the frozen network, the checkpoint, "
        "metrics.jsonl, recipe.toml and a TensorBoard log. A network of real numbers, a reference "
        "in software, has no frozen form: its accuracy is in result.json. Under torchrun, its "
        "processes share out every batch."))
    parser.add_argument("recipe", metavar="RECIPE", nargs="?",
        help="name of a recipe, or path of a .toml file (default: digits; with --resume, that of "
             "the run)")
    parser.add_argument("--out", metavar="DIR", type=Path,
        help="run folder (default: runs/ and the name of the recipe)")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true",
        help="go on with the run in the folder, as if it had not been stopped")
    existing.add_argument("--force", action="store_true", help="replace the run in the folder")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], dest="overrides",
        help="replace a setting of the recipe, such as layers.0.width=200; may be repeated")
    parser.add_argument("--data", metavar="DATA",
        help="what to train on: a table, a .npz file, a folder or zip file of class folders, "
             "openml:NUMBER, or the name of a data set (default: the recipe's; without a RECIPE, "
             "one is made by rules of thumb)")
    add_data_dir(parser)
    parser.add_argument("--seed", metavar="N", type=int, help="replace the recipe's seed")
    parser.add_argument("--device", metavar="NAME",
        help="where to compute: cpu, cuda or cuda:N (default: cpu; with --resume, as the run had)")
    parser.add_argument("--mixed", action="store_true",
        help="compute the steps of binary convolutions in bfloat16, which GPUs are fast in; what "
             "is validated and frozen has all bits")
    parser.add_argument("--compile", action="store_true",
        help="let torch compile the pass of training, which takes up to a minute: for long runs "
             "of convolutions")
    parser.add_argument("--triton", action="store_true",
        help="look tables up by kernels of Triton, on a GPU")
    parser.add_argument("--threads", metavar="N", type=int,
        help="threads of torch (default: 1, the fastest for networks of this size; another number "
             "rounds sums otherwise; with --resume, as the run had)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = parser().parse_args(argv)
    return guarded(lambda: train(args), interrupted=(
        "stopped; the same command with --resume goes on from the last whole epoch"))


def train(args: argparse.Namespace) -> None:
    """Train as the command line says, and print where the frozen network is."""
    need("torch", "tensorboard")
    from bitwright.model.training.group import joined

    with joined():
        _train(args)


def _train(args: argparse.Namespace) -> None:
    import torch

    from bitwright import data
    from bitwright.model import processes
    from bitwright.model.recipe import RecipeError
    from bitwright.model.training import group
    from bitwright.model.training.device import choose
    from bitwright.model.training.trainer import Trainer

    if args.threads is not None and args.threads < 1:
        raise RecipeError(f"--threads must be at least 1, not {args.threads}")
    checkpoint = _resumed(args) if args.resume else None
    recipe = _recipe(args, checkpoint.recipe if checkpoint else None)
    out = args.out or Path("runs", recipe.name)
    if not args.resume and not args.force:
        _check_free(out)
    torch.set_num_threads(args.threads or (checkpoint.threads if checkpoint else 1))
    device = choose(args.device if args.device is not None
                    else checkpoint.kept_device if checkpoint else "cpu")
    with group.in_turn():
        source = data.load(recipe.data, args.data_dir, recipe.source)
    trainer = Trainer.of(recipe, source, device=device, mixed=args.mixed, compiled=args.compile,
                         kernels=args.triton)
    if checkpoint is None:
        _tell_constant(source)
        begin(trainer, out)
    else:
        trainer.restore(checkpoint, out / CHECKPOINT)
    _loop(trainer, out)
    if not processes.is_first():
        return
    if trainer.network.freezes:
        _freeze(trainer, out)
    else:
        _tell(trainer, out)


def _resumed(args: argparse.Namespace) -> Checkpoint:
    """The checkpoint to go on from; the first process reads it for all."""
    from bitwright.model import processes
    from bitwright.model.proposal import named
    from bitwright.model.training import group
    from bitwright.model.training.checkpoint import Checkpoint

    if args.out is None:
        args.out = Path("runs", args.recipe or (named(args.data) if args.data else "digits"))
    path = args.out / CHECKPOINT
    content = group.from_first(Checkpoint.read(path) if processes.is_first() else None)
    return Checkpoint.of(content, path)


def _check_free(out: Path) -> None:
    from bitwright.model import processes
    from bitwright.model.training.checkpoint import CheckpointError

    if processes.is_first() and (out / CHECKPOINT).exists():
        raise CheckpointError(f"{out}: the folder already holds a run; add --resume to go on with "
                              "it, --force to replace it, or --out for another folder")


def _tell_constant(source: DataSet) -> None:
    """Say which columns a network can learn nothing from."""
    from bitwright.data.dataset import some

    if source.constant:
        logger.info("%s: the same in every sample to train on, so that nothing is learnt from it: "
                    "%s", source.name, some(map(repr, source.constant)))


def _freeze(trainer: Trainer, out: Path) -> None:
    """Write the frozen network."""
    for path, point in fronted(trainer, out):
        logger.info("%s: epoch %d, %d LUTs of tables, validation %s", path, point["epoch"],
                    point["luts"], trainer.task.told(point[trainer.task.metric_name]))
    network = freeze(trainer, out)
    figures = network.provenance["figures"]
    logger.info("%s epoch %d of %d: validation %s, test %s (torch and frozen network agree on "
                "all %d test samples)", _kept(trainer), trainer.best["epoch"], trainer.epoch,
                trainer.task.brief(figures["validation"]), trainer.task.brief(figures["test"]),
                len(trainer.data.y_test))
    sys.stdout.write(f"{out / NETWORK}\n")


def _kept(trainer: Trainer) -> str:
    return "last" if trainer.recipe.keep == "last" else "best"


def _tell(trainer: Trainer, out: Path) -> None:
    """Write the figures of a network that has no frozen form."""
    from bitwright import files

    figures = trainer.figures()
    logger.info("%s epoch %d of %d: validation %s, test %s; a network of real numbers has no "
                "frozen form", _kept(trainer), trainer.best["epoch"], trainer.epoch,
                trainer.task.brief(figures["validation"]), trainer.task.brief(figures["test"]))
    accuracy = {part: of["accuracy"] for part, of in figures.items() if "accuracy" in of}
    files.write_atomic(out / RESULT, json.dumps({"accuracy": accuracy, "figures": figures}) + "\n")
    sys.stdout.write(f"{out / RESULT}\n")


def _recipe(args: argparse.Namespace, resumed: dict[str, Any] | None) -> Recipe:
    from bitwright.model.proposal import first_recipe
    from bitwright.model.recipe import Recipe, load_recipe

    overrides = list(args.overrides)
    if args.seed is not None:
        overrides.append(f"seed={args.seed}")
    if resumed is not None and args.recipe is None and not overrides and (
            args.data in (None, resumed.get("data"))):
        return Recipe.of(resumed)
    if args.data is not None and args.recipe is None:
        return first_recipe(args.data, args.data_dir, overrides)
    if args.data is not None:
        overrides.append(f"data={json.dumps(args.data, ensure_ascii=False)}")
    return load_recipe(args.recipe or "digits", overrides)


def _loop(trainer: Trainer, out: Path) -> None:
    """Train to the end, and say how it goes."""
    from bitwright.model import processes
    from bitwright.model.training.progress import Progress

    if not processes.is_first():
        for _ in epochs(trainer, out):
            pass
        return
    with Progress(trainer) as progress:
        for entry in epochs(trainer, out, progress.step):
            progress.epoch(entry)


if __name__ == "__main__":
    sys.exit(main())
