"""One command for every step: bitwright train | sweep | evaluate | build | sim | infer | boards."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence

from bitwright.extras import MissingError, named

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "data": ("data.show", "describe a data set"),
    "recipes": ("model.catalogue", "list the recipes, or write a first one for own data"),
    "train": ("model.train", "train a network and freeze it"),
    "sweep": ("model.sweep", "try many settings of a recipe and keep the best networks"),
    "evaluate": ("model.evaluate", "run a frozen network on a test set"),
    "predict": ("answers.predict", "say what a frozen network answers to a file"),
    "minimise": ("minimise.run", "make a frozen network smaller"),
    "export": ("native.export", "write a frozen network as C"),
    "build": ("hw.build", "make Verilog, netlist, bitstream and report of a frozen network"),
    "sim": ("sim.run", "prove the hardware equal to the frozen network"),
    "infer": ("answers.infer", "run samples through a board, or an emulator of one"),
    "emulate": ("answers.emulate", "answer like a board, on a pseudo-terminal"),
    "demo": ("demo.serve", "show a network at work on a page"),
    "boards": ("boards.list", "list the boards and their tools"),
}
"""Module and purpose of each command. In a checkout ``python -m MODULE`` is the same."""


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    return argparse.ArgumentParser(
        prog="bitwright", usage="bitwright COMMAND [...]", add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="From data to a verified FPGA bitstream.\n\n" + "\n".join(
            f"  {name.ljust(width)}  {purpose}" for name, (_, purpose) in COMMANDS.items()),
        epilog="Each command has a --help of its own.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names, with the arguments behind it.

    Only that command's module is loaded, so that the help of one never waits for another.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not arguments or arguments[0] in ("-h", "--help"):
        parser.print_help()
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}"
        parser.error(f"no command {name!r}; {hint}")
    try:
        with named():
            module = importlib.import_module(f"bitwright.{COMMANDS[name][0]}")
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    status: int = module.main(rest)
    return status
