"""A frozen network made smaller: python -m minimise.run [NETWORK]."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright.command import add_data_dir, guarded
from bitwright.errors import UsageError, UserError
from bitwright.extras import need
from bitwright.locate import FILE_NAME, HELP, locate, name

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.data import DataSet
    from bitwright.hw.families import Family
    from bitwright.minimise.steps import Step

logger = logging.getLogger("minimise.run")


class ExistsError(UserError):
    """The file that would be written is there. One line, which says what to do."""


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="bitwright minimise", description=(
        "Make a frozen network smaller by what its training samples never show, as far as the "
        "validation split allows. The result is another network, which names this one. torch is "
        "not needed."))
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--data", metavar="DATA",
        help="name of a data set, or a file or folder, whose training part is taken (default: the "
             "data set that the network was trained on)")
    add_data_dir(parser)
    parser.add_argument("--allow", metavar="LOSS", type=float, default=0.0,
        help="share of the validation split's decisions by which accuracy may fall, of a "
             "regression of R2 (default: 0)")
    parser.add_argument("--rare", metavar="SHARE", type=float, default=0.0,
        help="take also for unreached what is reached by no more than this share of the training "
             "samples (default: 0, none of which then changes its answer)")
    parser.add_argument("--synthesise", metavar="FAMILY", action="append", default=[],
        help="count the LUTs after each step, too; may be given for several families")
    parser.add_argument("--out", metavar="FILE", type=Path,
        help=f"the new network (default: runs/NAME-minimised/{FILE_NAME})")
    parser.add_argument("--force", action="store_true", help="replace that file if it is there")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = parser().parse_args(argv)
    return guarded(lambda: _minimise(args))


def _minimise(args: argparse.Namespace) -> None:
    from bitwright import ir
    from bitwright.hw import families

    for flag in ("allow", "rare"):
        if not 0 <= getattr(args, flag) < 1:
            raise UsageError(f"--{flag} must be at least 0 and below 1, not "
                             f"{getattr(args, flag):g}")
    chosen = [families.get(family) for family in args.synthesise]
    if chosen:
        need("amaranth", "amaranth_boards", "matplotlib")
    path = locate(args.network)
    out = args.out or Path("runs", f"{name(path)}-minimised", FILE_NAME)
    if out.exists() and not args.force:
        raise ExistsError(f"{out}: is there already; name another file with --out, or replace it "
                          "with --force")
    network = ir.load(path)
    data = _data(path, network, args)
    found, told = _lossy(args, path, network, data)
    if chosen:
        for step, entry in zip(found, told["steps"], strict=True):
            entry["luts"] = {family.name: _luts(step.network, family) for family in chosen}
    ir.save(out, _child(network, found[-1].network, data, told))
    result = {"network": str(path), "out": str(out), **told}
    sys.stdout.write(json.dumps(result) + "\n" if args.json else _report(result))


def _lossy(args: argparse.Namespace, path: Path, network: ir.Network, data: DataSet
           ) -> tuple[list[Step], dict[str, Any]]:
    """Every step, and what there is to say of them."""
    from bitwright import ir
    from bitwright.minimise.lossy import lossy
    from bitwright.minimise.validation import Validation, quality

    validation = Validation(data, network.provenance)
    try:
        before = quality(network, data.x_test, data.y_test)
    except ValueError as error:
        raise ir.ArtifactError(f"{path}: data set {data.name!r} does not fit: {error}") from error
    steps = []
    for step in lossy(network, validation.learnt, validation.quality, args.allow, args.rare):
        logger.info("%s: %d of %d changes made, %d tables left", step.name, step.kept, step.wanted,
                    step.size.tables)
        steps.append(step)
    after = steps[-1].network
    return steps, {
        "parent": ir.digest(network), "allow": args.allow, "rare": args.rare,
        "data": {"name": data.name, "digest": data.digest}, "share": validation.share,
        "seed": validation.seed, "learnt": len(validation.learnt),
        "held_back": len(validation.features), "steps": [step.plain() for step in steps],
        "test": {"samples": len(data.y_test), "before": before,
                 "after": quality(after, data.x_test, data.y_test)}}


def _data(path: Path, network: ir.Network, args: argparse.Namespace) -> DataSet:
    """The data set that is asked for, or that of the network."""
    from bitwright import data, ir

    recorded = network.provenance.get("data")
    known = recorded if isinstance(recorded, dict) else {}
    if args.data is None and not isinstance(known.get("name"), str):
        raise ir.ArtifactError(f"{path}: the file names no data set; give one with --data")
    if args.data in (None, known.get("name")):
        found = data.recorded(network.provenance, args.data_dir)
        if found.digest != known.get("digest"):
            logger.warning("%s: data set %r is not the one that the network was trained on", path,
                           found.name)
    else:
        found = data.load(args.data, args.data_dir)
    try:
        found.check_fits(network)
    except data.DataError as error:
        raise ir.ArtifactError(f"{path}: {error}") from error
    return found


def _luts(network: ir.Network, family: Family) -> int:
    """LUTs of a network in a family's own, the best of its recipes."""
    from bitwright.hw.flow.builder import build
    from bitwright.hw.flow.options import Options
    from bitwright.hw.plan import Plan

    with tempfile.TemporaryDirectory() as folder:
        report, _ = build("network", network, Options(
            board=None, family=family, plan=Plan(lut_size=family.lut_size), out=Path(folder),
            stop_after="synth"))
    total: int = report["resources"]["total"]["luts"]
    return total


def _child(parent: ir.Network, found: ir.Network, data: DataSet, told: dict[str, Any]
           ) -> ir.Network:
    """The new network, which says where it comes from and how good it is itself.

    Golden vectors have the features of the parent's, and the scores of the evaluator.
    """
    from bitwright import ir
    from bitwright.model.figures import confusion, of_classes, of_numbers

    result = found.evaluate(data.x_test)
    steps = told["steps"]
    entry = {key: told[key] for key in ("parent", "allow", "rare", "data", "share", "seed",
                                        "steps")}
    provenance = {**parent.provenance,
                  "minimised": [*_minimised(parent.provenance), entry]}
    validation = steps[-1]["validation"]
    if found.answer is None:
        matrix = confusion(data.y_test, result.decision, found.classes)
        figures = of_classes(matrix)
        provenance |= {"confusion": matrix.tolist(), "accuracy": {
            "validation": validation, "test": figures["accuracy"], "test_ir": figures["accuracy"]}}
        held_back = {"accuracy": validation}
    else:
        figures = of_numbers(data.y_test, found.answer.apply(result.scores)[:, 0])
        held_back = {"r2": validation}
    provenance["figures"] = {"validation": held_back, "test": figures}
    golden = parent.golden
    if golden is not None:
        golden = ir.Golden(golden.features, found.evaluate(golden.features).scores)
    return replace(found, provenance=provenance, golden=golden)


def _minimised(provenance: Mapping[str, Any]) -> list[Any]:
    """What was done to the parent, if it is itself a child."""
    given = provenance.get("minimised")
    return given if isinstance(given, list) else []


def _report(result: dict[str, Any]) -> str:
    """Write a result for people: a line a step, and the accuracies."""
    steps, test = result["steps"], result["test"]
    families = list(steps[0].get("luts", ()))
    heads = ["step", "changed", "tables", "inputs", "table bits", "input bits", "validation",
             *families]
    rows = [[step["step"], f"{step['kept']:,} of {step['wanted']:,}" if step["wanted"] else "",
             *(f"{step[key]:,}" for key in ("tables", "table_inputs", "table_bits", "input_bits")),
             f"{step['validation']:.2%}", *(f"{step['luts'][family]:,}" for family in families)]
            for step in steps]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    title = (f"{result['network']} on {result['data']['name']}: learnt from {result['learnt']:,} "
             f"samples, validated on {result['held_back']:,}")
    end = (f"test: {test['before']:.2%} before, {test['after']:.2%} after ({test['samples']:,} "
           "samples, which chose nothing)")
    lines = [title, ""]
    for row in (heads, *rows):
        lines.append(" | ".join(cell.ljust(width) if column < 1 else cell.rjust(width)
                                for column, (cell, width) in enumerate(zip(row, widths,
                                                                           strict=True))))
    return "\n".join([*lines, "", end, result["out"]]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
