"""Options of commands that say how a network is built and how pictures reach it."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from bitwright import ir
from bitwright.command import natural, positive
from bitwright.form import Form

if TYPE_CHECKING:
    from bitwright.hw.plan import Plan

__all__ = ["add_pictures", "add_ways", "form", "pictures"]


def add_ways(group: argparse._ActionsContainer) -> None:
    """Add the options of :class:`Form`, how nodes are built, to a parser, or a group of one."""
    group.add_argument("--fold", metavar="CYCLES", type=positive,
                       help="keep the weights or tables of every node that can be folded in "
                            "memory, and take so many cycles a frame (default: as in the plan)")
    group.add_argument("--large", action="store_true",
                       help="with --fold: tables and neurons lie in the large memories of devices "
                            "that have such, and are written before they answer (default: as in "
                            "the plan)")
    group.add_argument("--streamed", action="store_true",
                       help="build convolutions, pools and joins that work pixel by pixel, with "
                            "line buffers; --fold says in how many cycles a frame (default: as in "
                            "the plan)")
    group.add_argument("--parallel", action="store_true",
                       help="a sample comes whole, in one beat, and each threshold is a comparator "
                            "of its own: a sample every cycle (default: as in the plan)")
    group.add_argument("--serial-head", metavar="BITS", type=positive,
                       help="the head counts so many bits at a time, class by class, and the input "
                            "waits as long (default: as in the plan)")


def form(args: argparse.Namespace) -> Form:
    """The form that the options say."""
    return Form(**{field.name: getattr(args, field.name) for field in dataclasses.fields(Form)})


def add_pictures(group: argparse._ActionsContainer) -> None:
    """Add the options to a parser, or a group of one."""
    group.add_argument("--video", metavar="PIXELS", type=positive, nargs="?", const=1,
                       help="the block takes AXI4-Stream video, so many pixels in a beat (1 where "
                            "left out): tuser with the first beat of a picture, tlast with the "
                            "last one of a line (default: as in the plan)")
    group.add_argument("--replay", choices=("block", "large", "sent"),
                       help="where a picture comes from for every frame but the first: block RAM, "
                            "the large memories of devices that have such, or whoever sends it "
                            "again (default: as in the plan)")
    group.add_argument("--early-exit", metavar="LEAD", type=natural, nargs="?", const=0,
                       help="a sample ends with the frame that decides: as all frames would, or, "
                            "where a lead is given that is enough, nearly so (default: as in the "
                            "plan)")


def pictures(args: argparse.Namespace, plan: Plan, network: ir.Network) -> Plan:
    """The plan as the options have it.

    Raises
    ------
    PlanError
        If they do not go together, or the network reads no pictures.
    """
    from bitwright.hw.pictures import Shape
    from bitwright.hw.plan import VIDEO

    if args.replay is not None:
        plan = dataclasses.replace(plan, replay=args.replay)
    if args.early_exit is not None:
        plan = dataclasses.replace(plan, early_exit=True, exit_lead=args.early_exit)
    if args.video is not None:
        lanes = args.video * Shape.of(network).colours
        plan = dataclasses.replace(plan, input=VIDEO, lanes=lanes)
    return plan
