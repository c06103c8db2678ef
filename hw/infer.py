"""Run samples through a board, and compare every answer with the golden model."""

from __future__ import annotations

import argparse
import collections
import errno
import json
import logging
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright import ir
from bitwright.ir.locate import HELP, locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bitwright.hw.link.host import Host

__all__ = ["main"]

logger = logging.getLogger(__name__)

BAUD = 1_000_000


class PortError(RuntimeError):
    """The serial port cannot be used. One line."""


class SamplesError(ValueError):
    """There is nothing to send. One line."""


@dataclass
class Outcome:
    """What was found.

    Parameters
    ----------
    network, build : str
        The file, and the eight bytes by which the device named it.
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
    build: str
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


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hw.infer", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--port", metavar="DEV", required=True,
                        help="the serial port, such as /dev/ttyUSB1")
    parser.add_argument("--baud", metavar="N", type=_positive, default=BAUD,
                        help="rate that the bitstream was built for (default: %(default)s, that "
                             "of every board)")
    samples = parser.add_mutually_exclusive_group()
    samples.add_argument("--golden", action="store_true",
                         help="send the golden vectors inside the file (the default)")
    samples.add_argument("--features", metavar="FILE", type=Path,
                         help="send the samples of a .npy or .csv file, integers, one row each")
    parser.add_argument("--vectors", metavar="N", type=_positive,
                        help="how many samples, from the first (default: all)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    return parser


def _samples(network: ir.Network, args: argparse.Namespace) -> tuple[NDArray[np.int32], str]:
    """Features to send, and what they are."""
    if args.features is not None:
        features, source = _read(args.features, network), f"vectors of {args.features}"
    elif network.golden is None or not len(network.golden.features):
        raise SamplesError("the network stores no golden vectors; give some with --features")
    else:
        features, source = network.golden.features, "golden vectors"
        if (network.evaluate(features).scores != network.golden.scores).any():
            raise SamplesError("the network's golden scores are not those of the golden evaluator")
    if args.vectors is not None and args.vectors > len(features):
        raise SamplesError(f"there are {len(features)} {source}, not {args.vectors}")
    return features[: args.vectors], source


def _read(path: Path, network: ir.Network) -> NDArray[np.int32]:
    import numpy as np

    try:
        if path.suffix == ".npy":
            features = np.load(path, allow_pickle=False)
        elif path.suffix == ".csv":
            lines = [line for line in path.read_text().splitlines() if line.strip()]
            rows = [[int(value) for value in line.split(",")] for line in lines]
            features = np.array(rows or np.zeros((0, network.features)), np.int64)
        else:
            raise SamplesError(f"{path}: must be a .npy or .csv file")
        if not len(features):
            raise SamplesError(f"{path}: holds no sample")
        return network.modulate.check(features)
    except SamplesError:
        raise
    except (ValueError, TypeError, OverflowError, EOFError) as error:
        raise SamplesError(f"{path}: {error}") from error


def _open(name: str, baud: int):
    try:
        import serial
    except ImportError as error:
        raise PortError("pyserial is not installed; install it with "
                        "`pip install -e '.[host]'`") from error
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


def _compare(host: Host, network: ir.Network, features: NDArray[np.int32],
             outcome: Outcome) -> None:
    """Send the samples one by one. What was found so far is in ``outcome``, whatever is raised."""
    from tqdm import tqdm

    from bitwright.hw.link.host import DeviceError, LinkError

    answer = network.evaluate(features)
    errors: collections.Counter[str] = collections.Counter()
    start = time.monotonic()
    samples = tqdm(features.tolist(), unit="vector", file=sys.stderr, leave=False, disable=None)
    try:
        for index, sample in enumerate(samples):
            wanted = int(answer.decision[index]), tuple(answer.scores[index].tolist())
            outcome.vectors += 1
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
        samples.close()
        outcome.errors = dict(errors)
        outcome.seconds = time.monotonic() - start
        outcome.inferences_per_second = outcome.vectors / outcome.seconds


def _run(args: argparse.Namespace) -> Outcome:
    from bitwright.hw.layout import Layout
    from bitwright.hw.link.host import Host, LinkError
    from bitwright.hw.link.protocol import Identity
    from bitwright.hw.plan import Plan

    path = locate(args.network)
    network = ir.load(path)
    features, source = _samples(network, args)
    with _open(args.port, args.baud) as port:
        host = Host(port, Layout.of(network))
        expected = Identity.of(network, Plan()).structure.hex()
        build = host.identify().structure.hex()
        if build != expected:
            raise LinkError(f"the device has network {build}, not {expected} of {path}; program "
                            "it with the bitstream of this file")
        logger.info("%s: the device has this network, %s", path, build)
        outcome = Outcome(str(path), build, args.port, args.baud, source)
        _compare(host, network, features, outcome)
    return outcome


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    from bitwright.hw.link.host import DeviceError, LinkError

    try:
        outcome = _run(args)
    except (LinkError, DeviceError) as error:
        logger.error("%s: %s", args.port, error)
        return 1
    except (ir.ArtifactError, PortError, SamplesError) as error:
        logger.error("%s", error)
        return 1
    except OSError as error:  # a file, or a port that was unplugged
        logger.error("%s: %s", error.filename or args.port, error.strerror or error)
        return 1
    except KeyboardInterrupt:
        logger.error("interrupted")
        return 1
    sys.stdout.write((json.dumps(asdict(outcome), indent=2) if args.json else outcome.summary)
                     + "\n")
    return 1 if outcome.mismatches or outcome.errors else 0


if __name__ == "__main__":
    sys.exit(main())
