"""A board on a serial port, or an emulator in its place, and whether it is the right one."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright import boards, ir
from bitwright.errors import UserError
from bitwright.extras import MissingError, missing, need
from bitwright.hw.contents import Contents, ContentsError
from bitwright.hw.link.emulator import Device, EmulatedPort, Emulator
from bitwright.hw.link.host import DeviceError, LinkError
from bitwright.hw.link.line import Port
from bitwright.hw.link.protocol import Identity, short
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rate import FEWEST_CYCLES
from bitwright.locate import name as name_of

if TYPE_CHECKING:
    from serial import Serial

__all__ = ["PortError", "check_contents", "check_structure", "device", "folder", "image",
           "load_plan", "reached"]


class PortError(UserError):
    """The serial port, or the device behind it, does not do. One line, which names the port."""


def load_plan(file: Path | None, build: Path | None, network: Path, board: str) -> Plan:
    """Plan of a bitstream; where nothing is told or found, one by which nothing is written.

    Parameters
    ----------
    file : Path, optional
        The plan.
    build : Path, optional
        Folder of the build. Left out: ``build/NETWORK-BOARD``, if there is one.
    network : Path
        The frozen file.
    board : str

    Raises
    ------
    PlanError, OSError
        If it cannot be read. Names the file.
    """
    if file is None:
        file = folder(build, network, board) / "plan.toml"
        if build is None and not file.exists():
            return Plan()
    try:
        return Plan.load(file)
    except PlanError as error:
        raise PlanError(f"{file}: {error}") from error


def folder(build: Path | None, network: Path, board: str) -> Path:
    """Folder of the build that a command means: the one that is named, or where a build for the
    board puts it."""
    if build is not None:
        return build
    return Path("build") / f"{name_of(network)}-{boards.label(board)}"


def _open(name: str, baud: int) -> Serial:
    need("serial")
    import serial

    try:
        return serial.Serial(name, baud, exclusive=True, write_timeout=10)
    except serial.SerialException as error:
        if error.errno == errno.ENOENT:
            raise PortError(f"{name}: no such port{_others()}") from error
        if error.errno in (errno.EBUSY, errno.EAGAIN):
            raise PortError(f"{name}: another program has this port open") from error
        raise PortError(f"{name}: {_reason(error)}") from error
    except ValueError as error:  # a baud rate that the port has not
        raise PortError(f"{name}: {error}") from error


def _reason(error: Exception) -> str:
    """What the system said, which pyserial hands on as the text of a tuple."""
    said = (getattr(error, "errno", None), *getattr(error.__context__, "args", ()))
    number = next((one for one in said if isinstance(one, int)), None)
    if number == errno.ENOTTY:
        return "no serial port"
    return str(error) if number is None else os.strerror(number)


def _others() -> str:
    from serial.tools import list_ports

    found = sorted(port.device for port in list_ports.comports())
    return f"; found: {', '.join(found) or 'none'}"


def reached(args: argparse.Namespace, network: ir.Network, plan: Plan,
            build: Path) -> tuple[int, int, AbstractContextManager[Port]]:
    """The device that a command line asks for: the board at its port, or an emulator.

    Parameters
    ----------
    args : argparse.Namespace
        With ``port`` or ``emulate``, and ``board`` and ``baud``.
    network : ir.Network
        As it was frozen.
    plan : Plan
    build : Path
        See :func:`folder`; its ``board.json``, if there is one, says clock and rate.

    Returns
    -------
    int, int, context manager
        Bits a second of the line, 0 where there is none; cycles of the device's clock in a bit;
        and what opens the port. What goes wrong within names the port, as a :class:`PortError`.
    """
    if args.emulate is not None:
        return 0, FEWEST_CYCLES, _emulated(args.emulate, network, plan)
    about = _about(build)
    baud, clock = args.baud or about.get("baud"), about.get("clock_hz")
    if baud is None or clock is None:
        try:
            board = boards.find(args.board)
        except MissingError as error:  # beside a board there may be no Amaranth
            if baud is None:
                raise MissingError(f"{args.board}: its rate is not known here; name it with "
                                   f"--baud, or its build with --build: {error}") from error
        else:
            baud, clock = baud or board.baud, clock or board.clock_hz
    return baud, max(FEWEST_CYCLES, round((clock or 0) / baud)), _opened(args.port, baud)


def _about(build: Path) -> dict[str, Any]:
    """What a build says of the board that it is for; nothing if there is no build."""
    file = build / "board.json"
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        return {key: about[key] for key in ("baud", "clock_hz")}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise PortError(f"{file}: damaged; build again, or name the rate with --baud") from error


@contextlib.contextmanager
def _opened(name: str, baud: int) -> Iterator[Serial]:
    """A serial port. What goes wrong with it, or is said by the device behind it, names it."""
    with _open(name, baud) as port, _named(name):
        yield port


@contextlib.contextmanager
def _emulated(kind: str, network: ir.Network, plan: Plan) -> Iterator[EmulatedPort]:
    """An emulator in place of a port. As :func:`_opened`."""
    with _named(f"{kind} emulator"):
        yield EmulatedPort(device(kind, network, plan))


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Put the name of the port before what goes wrong."""
    try:
        yield
    except (DeviceError, LinkError) as error:
        raise PortError(f"{name}: {error}") from error
    except OSError as error:  # it was unplugged
        raise PortError(f"{name}: {error.strerror or error}") from error


def device(kind: str, network: ir.Network, plan: Plan) -> Device:
    """A device that is no board.

    Parameters
    ----------
    kind : str
        One of :data:`answers.arguments.EMULATORS`.
    network : ir.Network
        As it was frozen.
    plan : Plan

    Raises
    ------
    MissingError
        If it takes packages that are not installed.
    """
    if kind == "golden":
        return Emulator(network, plan)
    try:
        from bitwright.hw.link.simulated import Simulated
    except ImportError as error:
        raise missing("amaranth") from error
    return Simulated(network, plan)


def check_structure(identity: Identity, contents: Contents, path: Path) -> None:
    """Refuse a device of another structure."""
    wanted = short(contents.structure)
    if identity.structure == wanted:
        return
    if bool(identity.size) != bool(contents.bytes):
        can, said = (("can", "cannot") if identity.size else ("cannot", "can"))
        raise LinkError(f"the device's contents {can} be written, and by the plan of {path} they "
                        f"{said}; name the folder of its build with --build, or its plan with "
                        "--plan")
    raise LinkError(f"the device has the structure {identity.structure.hex()}, not {wanted.hex()} "
                    f"of {path}; program it with the bitstream of this file")


def check_contents(identity: Identity, digest: bytes, path: Path) -> None:
    """Refuse a device of other contents."""
    if not identity.complete:
        raise LinkError(f"the device's contents are not complete; write them with --load {path}")
    if identity.contents != digest:
        raise LinkError(f"the device has the contents {identity.contents.hex()}, not "
                        f"{digest.hex()} of {path}; write them with --load {path}")


def image(contents: Contents, network: ir.Network, path: Path) -> bytes:
    """What is to be written so that a device of the structure has the contents of a file."""
    try:
        image = contents.image(network)
    except ContentsError as error:
        raise ContentsError(f"{path}: {error}") from error
    if not image:
        raise ContentsError("by the plan nothing can be written; name the folder of the build with "
                            "--build, or its plan with --plan")
    return image
