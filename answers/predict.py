"""What a frozen network says about samples: classes, or numbers in their unit, and scores.

The golden evaluator answers, to the bit as the hardware does. Raw values become integers as the
file says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bitwright.answers.arguments import add_forms, add_samples
from bitwright.command import guarded
from bitwright.locate import HELP, locate

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright predict", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    add_samples(parser)
    add_forms(parser)
    parser.add_argument("--compiled", action="store_true",
        help="run the network as machine code, the same scores at many times the speed; compiling "
             "takes some seconds, once a network")
    return parser


def _run(args: argparse.Namespace) -> None:
    from bitwright import ir, native
    from bitwright.answers.predictions import Predictions, show
    from bitwright.answers.samples import choose

    path = locate(args.network)
    network = ir.load(path)
    inputs = choose(network, path, args)
    runner = native.evaluator(network) if args.compiled else network
    scores = runner.evaluate(inputs.features).scores
    show(Predictions.of(network, scores, inputs.places, inputs.labels), args.form)


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_intermixed_args(argv)
    return guarded(lambda: _run(args))


if __name__ == "__main__":
    sys.exit(main())
