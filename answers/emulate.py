"""A board that is none, on a pseudo-terminal that any program opens as a serial port.

Prints its path, and answers until it is interrupted: identity, results, errors, and contents that
can be written, as docs/link.md specifies.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from bitwright.answers.arguments import add_plan
from bitwright.command import guarded, positive
from bitwright.locate import HELP, locate

__all__ = ["main"]

logger = logging.getLogger(__name__)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright emulate", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--rtl", action="store_true",
                        help="the design in a simulator, bit by bit, instead of the golden "
                             "evaluator")
    parser.add_argument("--baud", metavar="N", type=positive,
                        help="bits a second of the line (default: as fast as it can)")
    add_plan(parser)
    return parser


def _run(args: argparse.Namespace) -> None:
    from bitwright import ir
    from bitwright.answers.board import device, load_plan
    from bitwright.hw.link.terminal import Terminal

    path = locate(args.network)
    network = ir.load(path)
    plan = load_plan(args.plan, args.build, path, args.board)
    terminal = Terminal(device("rtl" if args.rtl else "golden", network, plan), args.baud)
    try:
        logger.info("%s: emulated, until Ctrl-C, on", path)
        sys.stdout.write(f"{terminal.path}\n")
        sys.stdout.flush()
        terminal.serve()
    except KeyboardInterrupt:
        logger.info("ended")
    finally:
        terminal.close()


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    return guarded(lambda: _run(args))


if __name__ == "__main__":
    sys.exit(main())
