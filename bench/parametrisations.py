"""What tables are worth that are made of other things than their entries.

Every row is the recipe (`digits`, unless said) with other tables in both of its layers, whose
wiring is learned. `--recipe mnist` takes one hundred times as long.
"""

import sys

from bench.trained_rows import compare

__all__ = ["ROWS", "main"]

WIRED = ["layers.1.wiring=learnable"]


def both(*settings):
    """The settings for each of the two layers."""
    return [*WIRED, *(f"layers.{layer}.{setting}" for layer in (0, 1) for setting in settings)]


ROWS = {
    "`entries`, `efd`": both(),
    "`entries`, `multilinear`": both("gradient=multilinear"),
    "`entries`, `efd`, residual start": both("start=residual"),
    "`walsh`, `efd`": both("table=walsh"),
    "`walsh`, `multilinear`": both("table=walsh", "gradient=multilinear"),
    "`walsh`, `efd`, residual start": both("table=walsh", "start=residual"),
    "`gates`, `efd`": both("table=gates"),
    "`gates`, `multilinear`, residual start": both("table=gates", "gradient=multilinear",
                                                   "start=residual"),
    "`mlp`, `efd`": both("table=mlp"),
    "`entries`, two inputs": both("fan_in=2"),
    "`gates`, two inputs": both("fan_in=2", "table=gates"),
    "`walsh`, two inputs": both("fan_in=2", "table=walsh"),
    "`majority` of three, then `entries`": [*both(), "layers.0.table=majority",
                                            "layers.0.fan_in=3"],
    "`or`, then `entries`": [*both(), "layers.0.table=or"],
    "`entries`, then `majority` of three": [*both(), "layers.1.table=majority",
                                            "layers.1.fan_in=3"],
}


def main(argv=None):
    """Run the bench. Returns the exit status."""
    return compare(ROWS, argv, program="python -m bench.parametrisations", description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
