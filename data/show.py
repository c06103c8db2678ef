"""What is in a data set, and what a training will make of it: python -m data.show PATH."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright.command import add_data_dir, guarded

if TYPE_CHECKING:
    from bitwright.data import DataSet
    from bitwright.data.samples import Samples

logger = logging.getLogger("data.show")

MOST = 20
"""Columns and classes that are printed; the JSON has all."""


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="bitwright data", description=(
        "Describe a data set: sizes, classes, ranges, what the quantiser makes of its numbers. A "
        "picture is written beside: thumbnails of pictures, histograms of numbers, by class."))
    parser.add_argument("data", metavar="DATA",
        help="a table, a .npz file, a folder or zip file of class folders, openml:NUMBER, or the "
             "name of a data set")
    parser.add_argument("--source", metavar="KEY=VALUE", action="append", default=[],
        help="how the file is read, as in a recipe's table [source], such as label=state; may be "
             "repeated")
    add_data_dir(parser)
    parser.add_argument("--picture", metavar="FILE", type=Path,
        help="where the picture goes, a .png file (default: data-NAME.png)")
    parser.add_argument("--json", action="store_true", help="write the description as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = parser().parse_args(argv)

    def work() -> None:
        from bitwright import data, files
        from bitwright.data import own
        from bitwright.data.overview import draw
        from bitwright.errors import UsageError

        try:
            source = data.Source.of(args.source)
        except ValueError as error:
            raise UsageError(f"--source: {error}") from error
        raw = None
        if data.is_own(args.data) and not own.is_sharded(args.data, args.data_dir):
            raw, test = own.read_file(args.data, args.data_dir, source)
            loaded = data.prepare(args.data, raw, test, source)
        else:
            loaded = data.load(args.data, args.data_dir, source)
        described = describe(loaded, raw)
        out = args.picture or Path(f"data-{Path(args.data.replace(':', '-')).stem}.png")
        files.write_atomic(out, draw(loaded.few))
        sys.stdout.write(json.dumps(described | {"picture": str(out)}) + "\n" if args.json
                         else "\n".join(report(described, out)) + "\n")

    return guarded(work)


def describe(data: DataSet, raw: Samples | None) -> dict[str, Any]:
    """Describe a data set in plain values.

    Parameters
    ----------
    data : DataSet
    raw : Samples, optional
        All raw samples, or those of the training part; left out, the integers stand for them.

    Returns
    -------
    dict
        ``name``, ``samples`` (``train`` and ``test``), ``shape`` of a sample, ``recordings`` (or
        None), ``preparation`` (in words, or None), ``classes`` (``name``, ``train``, ``test``) or
        ``target`` (``name`` and figures), and ``columns``: ``name``, ``least``, ``median``,
        ``most``, ``missing``, ``integers`` (how many different ones), ``step`` (what one integer
        more means, or None).
    """
    import numpy as np

    described: dict[str, Any] = {
        "name": data.name, "samples": {"train": len(data.labels), "test": len(data.y_test)},
        "shape": list(data.shape),
        "recordings": None if data.groups is None else len(np.unique(data.groups)),
        "preparation": None if data.preparation is None else data.preparation.describe()}
    if data.classes:
        counts = [np.bincount(y, minlength=len(data.classes)) for y in (data.labels, data.y_test)]
        described["classes"] = [{"name": name, "train": int(train), "test": int(test)}
                                for name, train, test in zip(data.classes, *counts, strict=True)]
    else:
        described["target"] = {"name": data.answers[0], **_figures(data.labels)}
    described["columns"] = list(_columns(data, raw))
    return described


def _columns(data: DataSet, raw: Samples | None) -> Iterator[dict[str, Any]]:
    """Of a table each column; of pictures all pixels together."""
    import numpy as np

    from bitwright import ir

    made = data.preparation
    if len(data.shape) > 1 and not isinstance(made, ir.Numbers):
        yield {"name": "pixels", **_figures(data.few.features), "missing": 0, "step": None,
               "integers": len(np.unique(data.few.features))}
        return
    count = made.shape[-1] if isinstance(made, ir.Numbers) else data.features.shape[1]
    integers = data.few.features.reshape(-1, count)
    values = integers if raw is None else raw.values.reshape(-1, count)
    for index in range(count):
        column = values[:, index]
        lacks = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)
        yield {"name": data.columns[index] if data.columns else str(index + 1),
               **_figures(column[~lacks]), "missing": int(lacks.sum()),
               "integers": len(np.unique(integers[:, index])),
               "step": 1 / float(made.scale[index]) if isinstance(made, ir.Affine) else None}


def _figures(values: Any) -> dict[str, float]:
    import numpy as np

    low, middle, high = (float(np.quantile(values, share)) for share in (0, 0.5, 1))
    return {"least": low, "median": middle, "most": high}


def report(described: dict[str, Any], picture: Path) -> Iterator[str]:
    """Lines for people."""
    samples, shape = described["samples"], " x ".join(map(str, described["shape"]))
    yield (f"{described['name']}: {samples['train'] + samples['test']} samples of {shape} "
           f"({samples['train']} to train on, {samples['test']} to test on)")
    if described["recordings"] is not None:
        yield f"{described['recordings']} recordings to train on, no other one to test on"
    yield ""
    yield from _classes(described)
    yield ""
    columns = described["columns"]
    width = max(6, *(len(column["name"]) for column in columns[:MOST]))
    yield (f"{'column':<{width}}      least     median       most  missing  integers  "
           "one step is")
    for column in columns[:MOST]:
        step = "-" if column["step"] is None else f"{column['step']:.4g}"
        notes = "  the same in every sample" if column["least"] == column["most"] else ""
        yield (f"{column['name']:<{width}} {column['least']:>10.4g} {column['median']:>10.4g} "
               f"{column['most']:>10.4g} {column['missing']:>8} {column['integers']:>9}  {step}"
               f"{notes}")
    if len(columns) > MOST:
        yield f"... and {len(columns) - MOST} more; --json has all"
    if described["preparation"]:
        yield f"a network reads {described['preparation']}"
    yield ""
    yield f"picture: {picture}"


def _classes(described: dict[str, Any]) -> Iterator[str]:
    if "target" in described:
        target = described["target"]
        yield (f"target {target['name']}: from {target['least']:.6g} to {target['most']:.6g}, "
               f"median {target['median']:.6g}")
        return
    classes = described["classes"]
    width = max(5, *(len(of["name"]) for of in classes[:MOST]))
    yield f"{'class':<{width}}    train     test"
    for of in classes[:MOST]:
        yield f"{of['name']:<{width}} {of['train']:>8} {of['test']:>8}"
    if len(classes) > MOST:
        yield f"... and {len(classes) - MOST} more; --json has all"
    counts = [of["train"] for of in classes]
    if max(counts) > 3 * min(counts):
        yield "classes are of unequal size: balance = true in the recipe makes them count the same"


if __name__ == "__main__":
    sys.exit(main())
