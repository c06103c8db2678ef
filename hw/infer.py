"""Run samples through a board, and compare every answer with the golden model."""

from __future__ import annotations

import argparse
import collections
import contextlib
import errno
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitwright import boards
from bitwright.command import guarded, positive
from bitwright.errors import UserError
from bitwright.hw.samples import SamplesError, read_samples
from bitwright.locate import HELP, locate, name

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from serial import Serial
    from tqdm import tqdm

    from bitwright import ir
    from bitwright.hw.contents import Contents
    from bitwright.hw.link.host import Host
    from bitwright.hw.link.protocol import Identity
    from bitwright.hw.plan import Plan

__all__ = ["main"]

logger = logging.getLogger(__name__)


class PortError(UserError):
    """The serial port, or the device behind it, does not do. One line, which names the port."""


@dataclass
class Outcome:
    """What was found.

    Parameters
    ----------
    network : str
        The file whose answers are expected.
    structure, contents : str
        Eight bytes each, by which the device named itself.
    port, source : str
    baud : int
    vectors : int
        Sent.
    mismatches : int
        Results that are not those of the golden model, in class or any score.
    errors : dict from str to int
        Error replies, by name.
    seconds, inferences_per_second : float
        From the first request to the last reply, one at a time.
    """

    network: str
    structure: str
    contents: str
    port: str
    baud: int
    source: str
    vectors: int = 0
    mismatches: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    inferences_per_second: float = 0.0

    @property
    def summary(self) -> str:
        errors = ", ".join(f"{count} {name}" for name, count in self.errors.items()) or "0"
        return (f"{self.vectors:,} {self.source} on {self.port}: {self.mismatches:,} mismatches, "
                f"{errors} errors, {self.inferences_per_second:,.1f} inferences/s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hw.infer", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?",
                        help=f"what the bitstream was built from: {HELP}")
    parser.add_argument("--port", metavar="DEV", required=True,
                        help="the serial port, such as /dev/ttyUSB1")
    parser.add_argument("--board", metavar="NAME", default=boards.DEFAULT,
                        help="the board (default: %(default)s)")
    parser.add_argument("--baud", metavar="N", type=positive,
                        help="rate that the bitstream was built for (default: the board's)")
    parser.add_argument("--load", metavar="FILE",
                        help="first write the contents of another network of the same structure, "
                             "whose answers are expected then")
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument("--build", metavar="DIR", type=Path,
                      help="the folder of the build, whose plan says what can be written (default: "
                           "build/NETWORK-BOARD if there is one)")
    plan.add_argument("--plan", metavar="FILE", type=Path, help="the plan itself")
    samples = parser.add_mutually_exclusive_group()
    samples.add_argument("--golden", action="store_true",
                         help="send the golden vectors inside the file (the default)")
    samples.add_argument("--features", metavar="FILE", type=Path,
                         help="send the samples of a .npy or .csv file, integers, one row each")
    parser.add_argument("--vectors", metavar="N", type=positive,
                        help="how many samples, from the first (default: all)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    return parser


def _samples(path: Path, network: ir.Network,
             args: argparse.Namespace) -> tuple[NDArray[Any], str]:
    """Features to send, and what they are."""
    if args.features is not None:
        features, source = read_samples(args.features, network), f"vectors of {args.features}"
    elif network.golden is None or not len(network.golden.features):
        raise SamplesError(f"{path}: the network stores no golden vectors; give some with "
                           "--features")
    else:
        features, source = network.golden.features, "golden vectors"
        if (network.evaluate(features).scores != network.golden.scores).any():
            raise SamplesError(f"{path}: the network's golden scores are not those of the golden "
                               "evaluator")
    if args.vectors is not None and args.vectors > len(features):
        raise SamplesError(f"there are {len(features)} {source}, not {args.vectors}")
    return features[: args.vectors], source


def _plan(args: argparse.Namespace, path: Path) -> Plan:
    """Plan of the bitstream; where nothing is told or found, one by which nothing is written."""
    from bitwright.hw.plan import Plan, PlanError

    file = args.plan
    if file is None:
        file = (args.build or Path("build") / f"{name(path)}-{args.board}") / "plan.toml"
        if args.build is None and not file.exists():
            return Plan()
    try:
        return Plan.load(file)
    except PlanError as error:
        raise PlanError(f"{file}: {error}") from error


def _open(name: str, baud: int) -> Serial:
    try:
        import serial
    except ImportError as error:
        raise PortError("pyserial is not installed; install it with "
                        "`pip install 'bitwright[host]'`") from error
    try:
        return serial.Serial(name, baud, exclusive=True, write_timeout=10)
    except serial.SerialException as error:
        if error.errno == errno.ENOENT:
            raise PortError(f"{name}: no such port{_others()}") from error
        if error.errno in (errno.EBUSY, errno.EAGAIN):
            raise PortError(f"{name}: another program has this port open") from error
        reason = str(error) if error.errno is None else os.strerror(error.errno)
        raise PortError(f"{name}: {reason}") from error
    except ValueError as error:  # a baud rate that the port has not
        raise PortError(f"{name}: {error}") from error


def _others() -> str:
    from serial.tools import list_ports

    found = sorted(port.device for port in list_ports.comports())
    return f"; found: {', '.join(found) or 'none'}"


@contextlib.contextmanager
def _opened(name: str, baud: int) -> Iterator[Serial]:
    """The port. What goes wrong with it, or is said by the device behind it, names it."""
    from bitwright.hw.link.host import DeviceError, LinkError

    with _open(name, baud) as port:
        try:
            yield port
        except (DeviceError, LinkError) as error:
            raise PortError(f"{name}: {error}") from error
        except OSError as error:  # it was unplugged
            raise PortError(f"{name}: {error.strerror or error}") from error


def _bar(total: int, unit: str) -> tqdm[None]:
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, unit_scale=True, file=sys.stderr, leave=False,
                disable=None)


def _check_structure(identity: Identity, contents: Contents, path: Path) -> None:
    """Refuse a device of another structure."""
    from bitwright.hw.link.host import LinkError
    from bitwright.hw.link.protocol import short

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


def _check_contents(identity: Identity, digest: bytes, path: Path) -> None:
    """Refuse a device of other contents."""
    from bitwright.hw.link.host import LinkError

    if not identity.complete:
        raise LinkError("the device's contents were being written and are not complete; write them "
                        f"with --load {path}")
    if identity.contents != digest:
        raise LinkError(f"the device has the contents {identity.contents.hex()}, not "
                        f"{digest.hex()} of {path}; write them with --load {path}")


def _compare(host: Host, network: ir.Network, features: NDArray[Any], outcome: Outcome) -> None:
    """Send the samples one by one. What was found so far is in ``outcome``, whatever is raised."""
    from bitwright.hw.link.host import DeviceError, LinkError

    answer = network.evaluate(features)
    errors: collections.Counter[str] = collections.Counter()
    start = time.monotonic()
    bar = _bar(len(features), "vector")
    try:
        for index, sample in enumerate(features.tolist()):
            wanted = int(answer.decision[index]), tuple(answer.scores[index].tolist())
            outcome.vectors += 1
            bar.update()
            try:
                found = host.infer(sample)
            except DeviceError as error:
                errors[error.code.name] += 1
                logger.error("vector %d: %s", index, error)
                continue
            except LinkError as error:
                raise LinkError(f"vector {index}: {error}") from error
            if found != wanted:
                outcome.mismatches += 1
                logger.error("vector %d: the device says class %d with scores %s, the golden model "
                             "class %d with scores %s", index, *found, *wanted)
    finally:
        bar.close()
        outcome.errors = dict(errors)
        outcome.seconds = time.monotonic() - start
        outcome.inferences_per_second = outcome.vectors / outcome.seconds


def _image(contents: Contents, network: ir.Network, path: Path) -> bytes:
    """What is to be written so that a device of the structure has the contents of a file."""
    from bitwright.hw.contents import ContentsError

    try:
        image = contents.image(network)
    except ContentsError as error:
        raise ContentsError(f"{path}: {error}") from error
    if not image:
        raise ContentsError("by the plan nothing can be written; name the folder of the build with "
                            "--build, or its plan with --plan")
    return image


def _run(args: argparse.Namespace) -> int:
    from bitwright import ir
    from bitwright.hw.contents import Contents
    from bitwright.hw.layout import Layout
    from bitwright.hw.link.host import Host
    from bitwright.hw.link.protocol import short

    baud = args.baud or boards.get(args.board).baud
    path = wanted = locate(args.network)
    network = expected = ir.load(path)
    contents = Contents(network, _plan(args, path))
    if args.load is not None:
        wanted = locate(args.load)
        expected = ir.load(wanted)
        image = _image(contents, expected, wanted)
    digest = short(contents.digest(expected))
    features, source = _samples(wanted, expected, args)
    with _opened(args.port, baud) as port:
        host = Host(port, Layout.of(network))
        identity = host.identify()
        _check_structure(identity, contents, path)
        if args.load is not None:
            with contextlib.closing(_bar(len(image), "B")) as bar:
                host.load(image, digest, bar.update)
            identity = host.identify()
        _check_contents(identity, digest, wanted)
        logger.info("%s: the device has this network, structure %s, contents %s", wanted,
                    identity.structure.hex(), identity.contents.hex())
        outcome = Outcome(str(wanted), identity.structure.hex(), identity.contents.hex(),
                          args.port, baud, source)
        _compare(host, expected, features, outcome)
    sys.stdout.write((json.dumps(asdict(outcome), indent=2) if args.json else outcome.summary)
                     + "\n")
    return 1 if outcome.mismatches or outcome.errors else 0


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    return guarded(lambda: _run(args), interrupted="interrupted" if args.load is None else
                   "interrupted; until the same command has ended, the device may have no answers")


if __name__ == "__main__":
    sys.exit(main())
