"""One command for every step: bitwright train | evaluate | build | sim | infer | boards."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "train": ("model.train", "train a network and freeze it"),
    "evaluate": ("model.evaluate", "run a frozen network on a test set"),
    "build": ("hw.build", "Verilog, netlist, bitstream and report of a frozen network"),
    "sim": ("sim.run", "prove the hardware equal to the frozen network"),
    "infer": ("hw.infer", "run samples through a board"),
    "boards": ("boards.list", "list the boards and their tools"),
}
"""Module and purpose of each command. ``python -m MODULE`` in a checkout is the same."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names.

    Only that command's module is loaded, so that the help of one never waits for another.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="bitwright", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="From data to a verified FPGA bitstream.\n\ncommands:\n" + "\n".join(
            f"  {name.ljust(width)}  {purpose}" for name, (_, purpose) in COMMANDS.items()),
        epilog="Each has a --help of its own.")
    parser.add_argument("command", metavar="COMMAND", choices=COMMANDS)
    parser.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER)
    args = parser.parse_args(arguments)
    module = importlib.import_module(f"bitwright.{COMMANDS[args.command][0]}")
    return module.main(args.arguments)
