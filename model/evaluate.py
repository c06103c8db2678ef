"""How good a frozen network is, from its file alone: python -m model.evaluate [NETWORK]."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright.command import add_data_dir, guarded, natural
from bitwright.locate import HELP, locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bitwright import ir
    from bitwright.model.bit_errors import BitErrors

MOST_CLASSES = 20
"""Of so many classes the whole confusion matrix is printed; of more, what stands out."""

MOST_LETTERS = 100
"""Letters of a line up to which the matrix has names above its columns."""

MOST_PAIRS = 10
"""Confusions that are printed where the matrix is not."""


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="bitwright evaluate", description=(
        "Run a frozen network on samples with labels, with the golden evaluator. torch is not "
        "needed."))
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--data", metavar="DATA",
        help="name of a data set, of which the test part is taken, or a file or folder with "
             "labels (default: the data set that the network was trained on)")
    add_data_dir(parser)
    parser.add_argument("--bit-errors", metavar="RATE", type=float, default=0.0,
        help="share of all bits inside, of every sample, that are inverted at random, to see what "
             "faults of a device would do (default: 0)")
    parser.add_argument("--seed", metavar="N", type=int, default=0,
        help="of those errors (default: 0)")
    parser.add_argument("--early-exit", metavar="LEAD", type=natural, nargs="?", const=0,
        help="end each sample with the frame that decides, and tell how many were needed: as all "
             "frames would decide, or, where a lead is given that is enough, nearly so")
    parser.add_argument("--compiled", action="store_true",
        help="run the network as machine code, the same scores at many times the speed; compiling "
             "takes some seconds, once a network")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = parser().parse_args(argv)

    def work() -> None:
        result = evaluate(args.network, args.data, args.data_dir, _errors(args),
                          args.early_exit, compiled=args.compiled)
        sys.stdout.write(json.dumps(result) + "\n" if args.json else report(result))

    return guarded(work)


def _errors(args: argparse.Namespace) -> BitErrors | None:
    from bitwright.errors import UsageError
    from bitwright.model.bit_errors import BitErrors

    try:
        errors = BitErrors(args.bit_errors, args.seed)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return errors if args.bit_errors else None


def evaluate(argument: str | None = None, name: str | None = None,
             data_dir: Path | None = None, errors: BitErrors | None = None,
             lead: int | None = None, *, compiled: bool = False) -> dict[str, Any]:
    """Evaluate a frozen network on samples with labels.

    Parameters
    ----------
    argument : str, optional
        See :func:`bitwright.locate.locate`.
    name : str, optional
        A data set, of which the test part is taken, or a file or folder of samples, of which all
        are; left out, the data set of the provenance.
    data_dir : Path, optional
    errors : BitErrors, optional
        What happens to the bits inside.
    lead : int, optional
        End each sample with the frame that decides, see :meth:`ir.Exit.of`.
    compiled : bool
        Run machine code, see :func:`bitwright.native.evaluator`.

    Returns
    -------
    dict
        ``network`` (path), ``data``, ``part`` of it (``test`` or ``all``), ``samples``, ``task``,
        ``bit_errors`` (their rate), where there are any,
        and the figures of :mod:`bitwright.model.figures`: of a classification also ``classes``
        (names) and ``confusion``, of a regression ``answer`` (what the numbers are, or None). With
        a lead also ``frames``: how many samples needed 1, 2 and so on of them (``counts``), the
        ``mean``, the ``lead``, and how many decisions are not those of all frames (``changed``).

    Raises
    ------
    ir.ArtifactError
        If there is no usable network, or it does not fit the data.
    DataError
        If there is no such data set, or a label that the network does not know.
    UsageError
        If machine code should have bit errors, or an early exit.
    """
    from tqdm import tqdm

    from bitwright import ir, native
    from bitwright.errors import UsageError
    from bitwright.model.figures import confusion, of_classes, of_numbers

    if compiled and (errors is not None or lead is not None):
        raise UsageError("--compiled must be without --bit-errors and --early-exit")
    path = locate(argument)
    network = ir.load(path)
    samples = _samples(path, network, name, data_dir)
    with tqdm(total=len(samples.targets), unit=" samples", leave=False, file=sys.stderr,
              disable=None) as bar:
        try:
            if compiled:
                runner = native.evaluator(network)
                found, exits = runner.evaluate(samples.features, progress=bar.update), {}
            else:
                found, exits = _run(network, samples.features, lead, progress=bar.update,
                                    disturb=errors)
        except ValueError as error:
            raise ir.ArtifactError(f"{path}: data set {samples.name!r} does not fit: {error}"
                                   ) from error
    targets = samples.targets
    result = {"network": str(path), "data": samples.name, "part": samples.part,
              "samples": len(targets),
              **({} if errors is None else {"bit_errors": errors.rate}), **exits}
    if network.answer is not None:
        answers = network.answer.apply(found.scores)[:, 0]
        return {**result, "task": "regression", **of_numbers(targets, answers),
                "answer": next(iter(network.names.answers), None)}
    matrix = confusion(targets, found.decision, network.classes)
    return {**result, "task": "classification", **of_classes(matrix),
            "classes": list(samples.classes), "confusion": matrix.tolist()}


def _run(network: ir.Network, features: NDArray[np.int32], lead: int | None, **how: Any
         ) -> tuple[ir.Result | ir.Exits, dict[str, Any]]:
    """What the network answers, and the section ``frames`` of a result, if there is one."""
    import numpy as np

    from bitwright import ir

    if lead is None:
        return network.evaluate(features, **how), {}
    rule, head = ir.Exit.of(network, lead), network.entries[-1].name
    whole = network.evaluate(features, [head], **how)
    found = rule.apply(whole.taps[head])
    counts = np.bincount(found.frames, minlength=network.frames + 1)[1:]
    return found, {"frames": {
        "counts": counts.tolist(), "mean": float(found.frames.mean()), "lead": lead,
        "changed": int((found.decision != whole.decision).sum())}}


@dataclass(frozen=True)
class _Samples:
    """What a network is evaluated on."""

    name: str
    part: str
    features: NDArray[np.int32]
    targets: NDArray[Any]
    classes: tuple[str, ...]


def _samples(path: Path, network: ir.Network, name: str | None,
             data_dir: Path | None) -> _Samples:
    """Find what the network is evaluated on.

    The file that it was trained on is a data set, too: of it the test part is taken.
    """
    from bitwright import data

    recorded = network.provenance.get("data")
    if not isinstance(recorded, Mapping):  # of another tool
        recorded = {}
    if name not in (None, recorded.get("name"), *data.names()) and Path(name).exists():
        inputs = data.read_inputs(name, network)
        return _Samples(name, "all", inputs.features, inputs.targets(network), network.score_names)
    source = data.chosen(path, network, name, data_dir)
    return _Samples(source.name, "test", source.x_test, source.y_test, source.classes)


def report(result: dict[str, Any]) -> str:
    """Write a result for people.

    Of classes: accuracy, figures of each class, confusion matrix; of more classes than
    :data:`MOST_CLASSES` the worst ones, and the most frequent confusions. Of numbers: the errors.
    """
    part = "the test part of " if result["part"] == "test" else ""
    title = f"{result['network']} on {part}{result['data']}"
    if "bit_errors" in result:
        title += f" with {result['bit_errors']:.3%} of its bits inverted"
    if result["task"] == "regression":
        return "\n".join(_numbers(title, result)) + "\n"
    right = sum(row[label] for label, row in enumerate(result["confusion"]))
    title += (f": {result['accuracy']:.2%} ({right} of {result['samples']}), balanced "
              f"{result['balanced_accuracy']:.2%}")
    lines = [title, "", *_frames(result), *_per_class(result), ""]
    whole = len(result["classes"]) <= MOST_CLASSES
    return "\n".join([*lines, *(_matrix if whole else _pairs)(result)]) + "\n"


def _frames(result: dict[str, Any]) -> Iterator[str]:
    """How many frames were needed, if that was asked for."""
    if "frames" not in result:
        return
    frames = result["frames"]
    rule = f"where the lead is {frames['lead']}" if frames["lead"] else "as all frames decide"
    yield (f"early exit {rule}: {frames['mean']:.2f} of {len(frames['counts'])} frames a sample, "
           f"{frames['changed']} decisions changed")
    yield "samples by frames needed: " + ", ".join(
        f"{number}: {count}" for number, count in enumerate(frames["counts"], start=1) if count)
    yield ""


def _numbers(title: str, result: dict[str, Any]) -> Iterator[str]:
    yield f"{title}: {result['samples']} samples" + (
        f" of {result['answer']}" if result["answer"] else "")
    yield ""
    yield f"RMSE {result['rmse']:.6g}"
    yield f"MAE  {result['mae']:.6g}"
    yield f"R2   {_or_dash(result['r2'], '.4f')}"


def _per_class(result: dict[str, Any]) -> Iterator[str]:
    """A line a class; of many classes, those with the lowest F1."""
    classes, figures = result["classes"], result["per_class"]
    order = list(range(len(classes)))
    if len(classes) > MOST_CLASSES:
        order.sort(key=lambda label: -1 if figures["f1"][label] is None else figures["f1"][label])
        order = order[:MOST_CLASSES]
        yield f"the {MOST_CLASSES} of {len(classes)} classes with the lowest F1"
    width = max(len("class"), *(len(classes[label]) for label in order))
    yield f"{'class':>{width}} | precision  recall      F1  samples"
    for label in order:
        cells = [_or_dash(figures[name][label], ".2%") for name in ("precision", "recall", "f1")]
        yield (f"{classes[label]:>{width}} | {cells[0]:>9} {cells[1]:>7} {cells[2]:>7} "
               f"{figures['support'][label]:>8}")


def _matrix(result: dict[str, Any]) -> Iterator[str]:
    """The whole confusion matrix."""
    classes, matrix = result["classes"], result["confusion"]
    width = max(max(map(len, classes)), len("label"))
    count = len(str(max(map(max, matrix)))) + 2
    cell = max(5, count, max(map(len, classes)) + 2)
    heads, rows = classes, [f"{name:>{width}}" for name in classes]
    if width + 3 + cell * len(classes) > MOST_LETTERS:  # numbers, and whose they are
        cell, heads = max(5, count), range(len(classes))
        rows = [f"{name} {n:>2}" for n, name in enumerate(rows)]
        width += 3
    yield f"{'label':>{width}} | decision"
    yield " " * width + " | " + "".join(f"{head:>{cell}}" for head in heads)
    for label, row in zip(rows, matrix, strict=True):
        yield f"{label} | " + "".join(f"{count:>{cell}}" for count in row)


def _pairs(result: dict[str, Any]) -> Iterator[str]:
    """The most frequent confusions."""
    classes, matrix = result["classes"], result["confusion"]
    pairs = sorted(((-count, label, decision) for label, row in enumerate(matrix)
                    for decision, count in enumerate(row) if count and label != decision))
    yield f"the {min(MOST_PAIRS, len(pairs))} most frequent of {len(pairs)} confusions"
    for count, label, decision in pairs[:MOST_PAIRS]:
        yield f"{-count:>8}  {classes[label]} taken for {classes[decision]}"


def _or_dash(value: float | None, form: str) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


if __name__ == "__main__":
    sys.exit(main())
