"""Accuracy of a frozen network, from its file alone: python -m model.evaluate [NETWORK]."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

from bitwright.command import guarded
from bitwright.locate import HELP, locate

logger = logging.getLogger("model.evaluate")


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="python -m model.evaluate", description=(
        "Run a frozen network on a test set with the golden evaluator. torch is not needed."))
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--data", metavar="NAME",
        help="data set (default: the one that the network was trained on)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path,
        help="look for the data set in DIR first (default: $BITWRIGHT_DATA, then "
             "~/.cache/bitwright)")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = parser().parse_args(argv)

    def work() -> None:
        result = evaluate(args.network, args.data, args.data_dir)
        sys.stdout.write(json.dumps(result) + "\n" if args.json else report(result))

    return guarded(work)


def evaluate(argument: str | None, name: str | None, data_dir: Path | None) -> dict[str, Any]:
    """Evaluate a frozen network on a test set.

    Parameters
    ----------
    argument : str, optional
        See :func:`bitwright.locate.locate`.
    name : str, optional
        Data set; left out, that of the provenance.
    data_dir : Path, optional

    Returns
    -------
    dict
        ``network`` (path), ``data``, ``samples``, ``accuracy``, ``classes``, ``confusion``.

    Raises
    ------
    ir.ArtifactError
        If there is no usable network, or it does not fit the data.
    DataError
        If there is no such data set.
    """
    from tqdm import tqdm

    from bitwright import data, ir
    from bitwright.model.confusion import confusion

    path = locate(argument)
    network = ir.load(path)
    recorded = network.provenance.get("data", {})
    name = name or recorded.get("name")
    if name is None:
        raise ir.ArtifactError(f"{path}: the file names no data set; give one with --data")
    source = data.load(name, data_dir)
    if name == recorded.get("name") and source.digest != recorded.get("digest"):
        logger.warning("%s: data set %r is not the one that the network was trained on", path, name)
    if network.classes != len(source.classes):
        raise ir.ArtifactError(f"{path}: the network has {network.classes} classes, data set "
                               f"{name!r} has {len(source.classes)}")
    with tqdm(total=len(source.y_test), unit=" samples", leave=False, file=sys.stderr) as bar:
        try:
            decisions = network.evaluate(source.x_test, progress=bar.update).decision
        except ValueError as error:
            raise ir.ArtifactError(f"{path}: data set {name!r} does not fit: {error}") from error
    matrix = confusion(source.y_test, decisions, len(source.classes))
    return {"network": str(path), "data": name, "samples": len(source.y_test),
            "accuracy": float((decisions == source.y_test).mean()),
            "classes": list(source.classes), "confusion": matrix.tolist()}


def report(result: dict[str, Any]) -> str:
    """Write a result for people: accuracy, then the confusion matrix."""
    classes, matrix = result["classes"], result["confusion"]
    right = sum(matrix[label][label] for label in range(len(classes)))
    name = max(map(len, classes))
    cell = max(5, len(str(max(map(max, matrix)))) + 2)
    width = max(name, len("label"))
    title = (f"{result['network']} on {result['data']}: {result['accuracy']:.2%} "
             f"({right} of {result['samples']})")
    lines = [title, "", f"{'label':>{width}} | decision",
             " " * width + " | " + "".join(f"{n:>{cell}}" for n in range(len(classes)))]
    lines += [f"{label:>{width}} | " + "".join(f"{count:>{cell}}" for count in row)
              for label, row in zip(classes, matrix, strict=True)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
