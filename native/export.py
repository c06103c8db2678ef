"""A frozen network as C: python -m native.export [NETWORK]."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright.command import guarded, positive
from bitwright.locate import HELP, locate

if TYPE_CHECKING:
    from bitwright import ir

__all__ = ["export", "main"]

logger = logging.getLogger("native.export")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright export", description=(
        "Write a frozen network as C99 that needs no library: NAME.c, NAME.h, and NAME_test.c, a "
        "program that compares scores with those of the evaluator. Its scores are those of the "
        "hardware, to the bit."))
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build/c"),
                        help="folder to write to (default: build/c)")
    parser.add_argument("--name", metavar="NAME", default="network",
                        help="what the files are called, and the functions begin with "
                             "(default: network)")
    parser.add_argument("--vectors", metavar="N", type=positive, default=200,
                        help="vectors of the test program: those of the file, further ones drawn "
                             "at random (default: 200)")
    return parser


def export(network: ir.Network, folder: Path, name: str = "network", vectors: int = 200
           ) -> list[Path]:
    """Write a network as C.

    Parameters
    ----------
    network : ir.Network
    folder : Path
        Made if there is none.
    name : str
        Of the files, and what the functions begin with.
    vectors : int
        Of the test program.

    Returns
    -------
    list of Path
        What is written.

    Raises
    ------
    UsageError
        If the name is none of C.
    NativeError
        If a node is of a kind that is not written in C.
    """
    from bitwright.errors import UsageError
    from bitwright.files import write_atomic
    from bitwright.native.bench import bench
    from bitwright.native.source import header, source

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise UsageError(f"Name must be letters, digits and underscores, a letter first, "
                         f"not {name!r}")
    texts = {f"{name}.c": source(network, name), f"{name}.h": header(network, name),
             f"{name}_test.c": bench(network, name, vectors)}
    for file, text in texts.items():
        write_atomic(folder / file, text)
    return [folder / file for file in texts]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    args = _parser().parse_args(argv)

    def work() -> None:
        from bitwright import ir

        network = ir.load(locate(args.network))
        for path in export(network, args.out, args.name, args.vectors):
            logger.info("wrote %s", path)
        logger.info("Try it: cc -O3 -march=native %s.c %s_test.c -o %s_test && ./%s_test",
                    *[args.out / args.name] * 2, *[args.name] * 2)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
