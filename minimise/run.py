"""A frozen network made smaller: python -m minimise.run [NETWORK]."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright.command import add_data_dir, guarded, positive
from bitwright.errors import UsageError, UserError
from bitwright.extras import need
from bitwright.locate import FILE_NAME, HELP, locate, name

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.data import DataSet
    from bitwright.hw.families import Family
    from bitwright.minimise.steps import Step

__all__ = ["ExistsError", "luts", "main", "parser"]

logger = logging.getLogger("minimise.run")

_NOT_RECORDED = {"learnt", "held_back", "test"}
"""What is told of a result and is no part of its provenance."""


class ExistsError(UserError):
    """The file that would be written is there. One line, which says what to do."""


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="bitwright minimise", description=(
        "Make a frozen network smaller by what its training samples never show, as far as the "
        "validation split allows, or only by what is proven. The result is another network, which "
        "names this one. torch is not needed."))
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
             "samples, and a threshold for another that parts no more of them differently "
             "(default: 0, none of which then changes its answer)")
    parser.add_argument("--exact", action="store_true",
        help="remove only what a SAT solver proves not to matter: every score of every input "
             "stays, and no data are needed")
    parser.add_argument("--depth", metavar="N", type=positive,
        help="layers of tables that a proof looks back through (default: 3)")
    parser.add_argument("--arrange", action="store_true",
        help="last, put the tables of each layer into an order that shortens wires, which no score "
             "tells")
    parser.add_argument("--synthesise", metavar="FAMILY", action="append", default=[],
        help="count the LUTs after each step, too; may be given for several families")
    parser.add_argument("--parallel", action="store_true",
        help="for a parallel encoder: move thresholds to where comparisons take fewer LUTs, last, "
             "and count so")
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

    _check(args)
    chosen = [families.get(family) for family in args.synthesise]
    if chosen:
        need("amaranth", "amaranth_boards", "matplotlib")
    if args.exact:
        need("pysat")
    if args.arrange:
        need("scipy")
    path = locate(args.network)
    out = args.out or Path("runs", f"{name(path)}-minimised", FILE_NAME)
    if out.exists() and not args.force:
        raise ExistsError(f"{out}: is there already; name another file with --out, or replace it "
                          "with --force")
    network = ir.load(path)
    if args.parallel and network.frames > 1:
        raise UserError(f"{path}: --parallel needs a network of one frame, not of "
                        f"{network.frames}")
    steps, told, measured = (_exact if args.exact else _lossy)(args, path, network)
    if args.arrange:
        steps.append(_arranged(steps[-1], told))
    told["steps"] = [step.plain() for step in steps]
    for step, entry in zip(steps, told["steps"], strict=True):
        if chosen:
            entry["luts"] = {family.name: luts(step.network, family, parallel=args.parallel)
                             for family in chosen}
    ir.save(out, _child(network, steps[-1].network, told, measured))
    result = {"network": str(path), "out": str(out), **told}
    sys.stdout.write(json.dumps(result) + "\n" if args.json else _report(result))


def _check(args: argparse.Namespace) -> None:
    """See that the arguments go together."""
    for flag in ("allow", "rare"):
        if not 0 <= getattr(args, flag) < 1:
            raise UsageError(f"--{flag} must be at least 0 and below 1, not "
                             f"{getattr(args, flag):g}")
        if args.exact and getattr(args, flag):
            raise UsageError(f"--{flag} does not go with --exact, which changes no answer")
    if args.exact and args.data is not None:
        raise UsageError("--data does not go with --exact, which looks at none")
    if args.parallel and args.exact and not args.synthesise:
        raise UsageError("--parallel does not go with --exact, which moves no thresholds")
    if args.depth is not None and not args.exact:
        raise UsageError("--depth is for --exact, where something is proven")


def _done(steps: Iterable[Step]) -> list[Step]:
    """All steps, each told as it is done."""
    done = []
    for step in steps:
        logger.info("%s: %d of %d changes made, %d tables left", step.name, step.kept, step.wanted,
                    step.size.tables)
        done.append(step)
    return done


def _arranged(last: Step, told: dict[str, Any]) -> Step:
    """One step more, of which is told how long wires were and are."""
    from bitwright.minimise.arrange import arranged, length

    found = arranged(last.network)
    told["wires"] = {"before": length(last.network), "after": length(found)}
    return replace(last, name="arrange", wanted=0, kept=0, network=found)


_Found = tuple[list["Step"], dict[str, Any], dict[str, Any]]
"""Every step; what there is to say of them; and what of the provenance they change."""


def _exact(args: argparse.Namespace, path: Path, network: ir.Network) -> _Found:
    """Remove what is proven not to matter."""
    from bitwright import ir
    from bitwright.minimise.exact import DEPTH, exact

    depth = DEPTH if args.depth is None else args.depth
    return _done(exact(network, depth)), {"parent": ir.digest(network), "depth": depth}, {}


def _lossy(args: argparse.Namespace, path: Path, network: ir.Network) -> _Found:
    """Remove what validation allows."""
    from bitwright import ir
    from bitwright.data import chosen
    from bitwright.minimise.lossy import lossy
    from bitwright.minimise.validation import Validation, quality

    data = chosen(path, network, args.data, args.data_dir)
    validation = Validation(data, network.provenance)
    try:
        before = quality(network, data.x_test, data.y_test)
    except ValueError as error:
        raise ir.ArtifactError(f"{path}: data set {data.name!r} does not fit: {error}") from error
    steps = _done(lossy(network, validation.learnt, validation.quality, args.allow, args.rare,
                        parallel=args.parallel))
    last = steps[-1]
    return steps, {
        "parent": ir.digest(network), "allow": args.allow, "rare": args.rare,
        "data": {"name": data.name, "digest": data.digest}, "share": validation.share,
        "seed": validation.seed, "learnt": len(validation.learnt),
        "held_back": len(validation.features),
        "test": {"samples": len(data.y_test), "before": before,
                 "after": quality(last.network, data.x_test, data.y_test)},
    }, _figures(last, data)


def _figures(step: Step, data: DataSet) -> dict[str, Any]:
    """How good the network after a step is, as a training's provenance says it."""
    from bitwright.model.figures import confusion, of_classes, of_numbers

    network = step.network
    result = network.evaluate(data.x_test)
    if network.answer is not None:
        return {"figures": {"validation": {"r2": step.quality}, "test": of_numbers(
            data.y_test, network.answer.apply(result.scores)[:, 0])}}
    matrix = confusion(data.y_test, result.decision, network.classes)
    figures = of_classes(matrix)
    return {"figures": {"validation": {"accuracy": step.quality}, "test": figures},
            "accuracy": {"validation": step.quality, "test": figures["accuracy"],
                         "test_ir": figures["accuracy"]},
            "confusion": matrix.tolist()}


def luts(network: ir.Network, family: Family, *, parallel: bool = False) -> int:
    """LUTs of the block of a network, of the size that a family has, by the best of its recipes.

    Parameters
    ----------
    network : ir.Network
    family : Family
    parallel : bool
        With a parallel encoder, rather than a serial one.

    Raises
    ------
    PlanError
        If there is none for that network.
    """
    from bitwright.hw.flow.builder import build
    from bitwright.hw.flow.options import Options
    from bitwright.hw.plan import Plan
    from bitwright.hw.rtl.layers import asked

    plan = asked(Plan(lut_size=family.lut_size), network, parallel=parallel)
    with tempfile.TemporaryDirectory() as folder:
        report, _ = build("network", network, Options(
            board=None, family=family, plan=plan, out=Path(folder), stop_after="synth"))
    total: int = report["resources"]["total"]["luts"]
    return total


def _child(parent: ir.Network, found: ir.Network, told: dict[str, Any], measured: dict[str, Any]
           ) -> ir.Network:
    """The new network, which says where it comes from, and how good it is if that was measured.

    Golden vectors are the parent's. Where scores may differ, they are those of the evaluator.
    """
    from bitwright import ir

    before = parent.provenance.get("minimised")  # what was done to a parent that is itself a child
    entry = {key: value for key, value in told.items() if key not in _NOT_RECORDED}
    golden = parent.golden
    if measured and golden is not None:
        golden = ir.Golden(golden.features, found.evaluate(golden.features).scores)
    return replace(found, golden=golden, provenance={
        **parent.provenance, **measured,
        "minimised": [*(before if isinstance(before, list) else []), entry]})


def _report(result: dict[str, Any]) -> str:
    """Write a result for people: a line a step, and the accuracies if there are any."""
    steps = result["steps"]
    families = list(steps[0].get("luts", ()))
    heads = ["step", "changed", "tables", "inputs", "table bits", "input bits", "compared", *(
        ["validation"] if "test" in result else []), *families]
    rows = [[step["step"], f"{step['kept']:,} of {step['wanted']:,}" if step["wanted"] else "",
             *(f"{step[key]:,}" for key in ("tables", "table_inputs", "table_bits", "input_bits",
                                            "compared_bits")),
             *([f"{step['validation']:.2%}"] if "test" in result else []),
             *(f"{step['luts'][family]:,}" for family in families)] for step in steps]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    title, end = f"{result['network']}: every answer stays, by proof", [""]
    if "test" in result:
        test = result["test"]
        title = (f"{result['network']} on {result['data']['name']}: learnt from "
                 f"{result['learnt']:,} samples, validated on {result['held_back']:,}")
        end.append(f"test: {test['before']:.2%} before, {test['after']:.2%} after "
                   f"({test['samples']:,} samples, which chose nothing)")
    if "wires" in result:
        end.append("mean wire: {before:.3f} sides of the field before the arrangement, {after:.3f} "
                   "after".format(**result["wires"]))
    table = [" | ".join(cell.rjust(width) if column else cell.ljust(width)
                        for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
             for row in (heads, *rows)]
    return "\n".join([title, "", *table, *end, result["out"]]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
