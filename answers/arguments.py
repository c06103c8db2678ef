"""Arguments that commands have in common. Loads nothing, so that help is quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from bitwright import boards
from bitwright.command import positive

__all__ = ["EMULATORS", "add_emulator", "add_forms", "add_plan", "add_samples"]

EMULATORS = ("golden", "rtl")
"""What can stand in place of a board: the golden evaluator behind the protocol, or the design."""


def add_samples(parser: argparse.ArgumentParser) -> None:
    """Arguments by which :func:`choose` chooses."""
    parser.add_argument("file", metavar="FILE", nargs="?",
                        help="a table (.csv, .npy, .npz and others), a picture, or a folder or zip "
                             "file of pictures: raw values, as in the data set; '-' reads CSV from "
                             "the standard input (default: the golden vectors inside the network)")
    samples = parser.add_mutually_exclusive_group()
    samples.add_argument("--features", metavar="FILE", help="the same as FILE")
    samples.add_argument("--golden", action="store_true",
                         help="the golden vectors inside the network (the default)")
    samples.add_argument("--random", action="store_true",
                         help="draw vectors at random, the corners and the thresholds among them")
    parser.add_argument("--seed", metavar="N", type=int, default=1,
                        help="of random vectors (default: %(default)s)")
    parser.add_argument("--integers", action="store_true",
                        help="FILE holds the integers that the network takes, not raw values")
    parser.add_argument("--vectors", metavar="N", type=positive,
                        help="how many samples, from the first (default: all, or 200 of --random)")


def add_forms(parser: argparse.ArgumentParser) -> None:
    """Arguments that say in which form answers are printed."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", dest="form", action="store_const", const="json",
                       help="print an object a line")
    forms.add_argument("--csv", dest="form", action="store_const", const="csv",
                       help="print comma-separated values")
    parser.set_defaults(form="text")


def add_emulator(parser: argparse._ActionsContainer) -> None:
    """The argument that asks for an emulator in place of a board."""
    parser.add_argument("--emulate", metavar="KIND", nargs="?", choices=EMULATORS, const="golden",
                        help="no board: an emulator, 'golden' (the default), or 'rtl', the design "
                             "in a simulator, bit by bit")


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Arguments that say which design a device has."""
    parser.add_argument("--board", metavar="NAME", default=boards.DEFAULT,
                        help="the board (default: %(default)s)")
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument("--build", metavar="DIR", type=Path,
                      help="the folder of the build, whose plan says what can be written (default: "
                           "build/NETWORK-BOARD if there is one)")
    plan.add_argument("--plan", metavar="FILE", type=Path, help="the plan itself")
