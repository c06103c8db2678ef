"""A build for what it measures: the same figures as an estimate has, of the real thing."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

from bitwright import boards, ir
from bitwright.boards import Board, BoardError
from bitwright.errors import UsageError
from bitwright.form import Form
from bitwright.hw import families
from bitwright.hw.families import Family
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.estimate import estimate
from bitwright.hw.flow.fit import Candidate, MisfitError, Wish, choose_plan
from bitwright.hw.flow.options import TARGETS, Options
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.layers import formed

__all__ = ["expect", "measure", "option"]


def _site(target: str, rate: float | None, form: Form | None) -> tuple[Family, Board | None]:
    if rate is not None and form not in (None, Form()):
        raise UsageError(f"a rate of {rate:g} chooses the form by itself: leave out the rate, or "
                         f"{form}")
    if target not in families.FAMILIES:
        board = _device(target)
        return board.family, board
    if rate is not None:
        raise UsageError(f"{target}: a rate is reached on a device; name a board or a part")
    return families.get(target), None


def _device(target: str) -> Board:
    """A board, or a part as one."""
    try:
        return boards.get(target)
    except BoardError:
        with suppress(families.PartError):
            return boards.bare(target, boards.BOARDS.values())
        raise


def option(target: str, rate: float | None = None) -> str | None:
    """The option of ``bitwright build`` that names a target; None for a family that is built for
    boards and parts only.

    Raises
    ------
    UserError
        If there is no such target.
    UsageError
        If there is a rate without a device.
    """
    family, board = _site(target, rate, None)
    if board is None:
        return "--target" if family.name in TARGETS else None
    return "--part" if board.estimate else "--board"


def _formed(network: ir.Network, family: Family, form: Form | None) -> Plan:
    return formed(Plan(lut_size=family.lut_size), network, form or Form(), gated=family.gated)


def expect(network: ir.Network, target: str, rate: float | None = None,
           form: Form | None = None) -> dict[str, float]:
    """Estimate for a family, a board or a part.

    Without a rate in a form, that of a build without options by default; else by the smallest plan
    that reaches the rate, or by the nearest where none does.

    Returns
    -------
    dict
        ``luts``; ``fmax_mhz`` where there is a device; with a rate ``per_second``, and ``fits``, 0
        or 1.

    Raises
    ------
    UserError
        If there is no such target, or the network cannot be built in that form.
    UsageError
        If there is a rate without a device.
    """
    family, board = _site(target, rate, form)
    if rate is None or board is None:
        found = estimate(network, _formed(network, family, form), family, board)
        more: dict[str, float] = {}
    else:
        chosen = _nearest(network, board, rate)
        found = chosen.estimated
        more = {"per_second": chosen.per_second, "fits": float(chosen.too_large <= 1)}
    told = {"luts": float(found.total)}
    if found.fmax_mhz is not None:
        told["fmax_mhz"] = found.fmax_mhz
    return told | more


def _nearest(network: ir.Network, board: Board, rate: float) -> Candidate:
    try:
        return choose_plan(network, Plan(lut_size=board.family.lut_size), board, Wish(rate))[0]
    except MisfitError as error:
        return error.nearest


def measure(network: ir.Network, target: str, rate: float | None = None, *, out: Path,
            form: Form | None = None, name: str = "network") -> dict[str, float]:
    """Build for a family (as far as synthesis), a board or a part (placed and routed).

    Parameters
    ----------
    network : ir.Network
    target : str
    rate : float, optional
        Samples a second by which the plan is chosen. Left out: the plan of the form.
    out : Path
        The build folder.
    form : Form, optional
    name : str

    Returns
    -------
    dict
        ``luts``; of a device ``fmax_mhz``, and ``per_second`` at the clock that it got.

    Raises
    ------
    UserError
        If it cannot be built.
    """
    family, board = _site(target, rate, form)
    options = Options(board, family, _formed(network, family, form), out,
                      stop_after="synth" if board is None else "route",
                      baud=None if board is None else board.baud)
    if board is not None and rate is not None:
        chosen, _ = choose_plan(network, options.plan, board, Wish(rate))
        options = dataclasses.replace(options, plan=chosen.plan)
    report, _ = build(name, network, options)
    return _figures(report)


def _figures(report: dict[str, Any]) -> dict[str, float]:
    told = {"luts": float(report["resources"]["total"]["luts"])}
    fmax = report["timing"]["fmax_hz"]
    if fmax is not None:
        told |= {"fmax_mhz": fmax / 1e6,
                 "per_second": float(report["throughput"]["ip"]["per_second_at_clock"])}
    return told
