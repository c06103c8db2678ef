"""Run samples through a board, and compare every answer with the golden model."""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import logging
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright.answers.arguments import add_emulator, add_forms, add_plan, add_samples
from bitwright.command import guarded, positive
from bitwright.errors import UsageError
from bitwright.locate import HELP, locate

if TYPE_CHECKING:
    from tqdm import tqdm

    from bitwright import ir
    from bitwright.answers.predictions import Predictions
    from bitwright.data.inputs import Inputs
    from bitwright.hw.contents import Contents
    from bitwright.hw.link.host import Host
    from bitwright.hw.link.protocol import Identity
    from bitwright.hw.plan import Plan

__all__ = ["Outcome", "main"]

logger = logging.getLogger(__name__)


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
        0 where there is no line.
    vectors : int
        Sent.
    mismatches : int
        Results that are not those of the golden model, in class or any score.
    errors : dict from str to int
        Samples without an answer, by the name of the error.
    repeated : int
        Requests that were sent again, for the device was busy.
    seconds, inferences_per_second : float
        From the first request to the last reply.
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
    repeated: int = 0
    seconds: float = 0.0
    inferences_per_second: float = 0.0

    @property
    def summary(self) -> str:
        errors = ", ".join(f"{count} {name}" for name, count in self.errors.items()) or "0"
        one = re.sub(r"^(golden )?(sample|vector)s\b", r"\1\2", self.source)
        what = one if self.vectors == 1 else self.source
        return (f"{self.vectors:,} {what} on {self.port}: {self.mismatches:,} mismatches, "
                f"{errors} errors, {self.inferences_per_second:,.1f} inferences/s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright infer", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?",
                        help=f"what the bitstream was built from: {HELP}")
    add_samples(parser)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", metavar="DEV", help="the serial port, such as /dev/ttyUSB1")
    add_emulator(where)
    add_plan(parser)
    parser.add_argument("--baud", metavar="N", type=positive,
                        help="rate that the bitstream was built for (default: the board's)")
    parser.add_argument("--load", metavar="FILE",
                        help="first write the contents of another network of the same structure, "
                             "whose answers are expected then")
    add_forms(parser)
    return parser


def _bar(total: int, unit: str) -> tqdm[None]:
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, unit_scale=True, file=sys.stderr, leave=False,
                disable=None)


def _compare(host: Host, network: ir.Network, plan: Plan, inputs: Inputs,
             outcome: Outcome) -> Predictions:
    """Send the samples, and return the answers that there are, in the order of the samples.

    What was found so far is in ``outcome``, whatever is raised.
    """
    from bitwright.hw.link.host import DeviceError, LinkError

    golden = plan.evaluate(network, inputs.features)
    errors: collections.Counter[str] = collections.Counter()
    found: dict[int, tuple[int, ...]] = {}
    start = time.perf_counter()
    try:
        with contextlib.closing(_bar(len(inputs), "sample")) as bar:
            for index, answer in host.stream(inputs.features.tolist()):
                outcome.vectors += 1
                bar.update()
                place = inputs.places[index]
                if isinstance(answer, DeviceError):
                    errors[answer.name] += 1
                    logger.error("%s: %s", place, answer)
                    continue
                found[index] = answer[1]
                wanted = int(golden.decision[index]), tuple(golden.scores[index].tolist())
                if answer != wanted:
                    outcome.mismatches += 1
                    logger.error("%s: the device says class %d with scores %s, the golden model "
                                 "class %d with scores %s", place, *answer, *wanted)
    except LinkError as error:
        place = "" if error.sample is None else f"{inputs.places[error.sample]}: "
        raise LinkError(f"{place}{error}") from error
    finally:
        outcome.errors = dict(errors)
        outcome.repeated = host.repeated
        outcome.seconds = time.perf_counter() - start
        if outcome.seconds:  # a clock may be coarser than a short work
            outcome.inferences_per_second = outcome.vectors / outcome.seconds
    return _predictions(network, inputs, found)


def _predictions(network: ir.Network, inputs: Inputs,
                 found: dict[int, tuple[int, ...]]) -> Predictions:
    import numpy as np

    from bitwright.answers.predictions import Predictions

    rows = sorted(found)
    scores = np.array([found[row] for row in rows], np.int64).reshape(len(rows), network.classes)
    return Predictions.of(network, scores, [inputs.places[row] for row in rows],
                          None if inputs.labels is None else [inputs.labels[row] for row in rows])


def _ready(host: Host, contents: Contents, path: Path, expected: ir.Network, wanted: Path,
           data: bytes | None) -> Identity:
    """See that the device has the network, after its contents were written if they are given."""
    from bitwright.answers.board import check_contents, check_structure
    from bitwright.hw.link.protocol import short

    digest = short(contents.digest(expected))
    identity = host.identify()
    check_structure(identity, contents, path)
    if data is not None:
        with contextlib.closing(_bar(len(data), "B")) as bar:
            host.load(data, digest, bar.update)
        identity = host.identify()
    check_contents(identity, digest, wanted)
    logger.info("%s: the device has this network, structure %s, contents %s", wanted,
                identity.structure.hex(), identity.contents.hex())
    return identity


def _run(args: argparse.Namespace) -> int:
    from bitwright import ir
    from bitwright.answers.board import folder, image, load_plan, reached
    from bitwright.answers.predictions import show
    from bitwright.answers.samples import choose
    from bitwright.hw.contents import Contents
    from bitwright.hw.layout import Layout
    from bitwright.hw.link.host import Host

    if args.baud is not None and args.emulate is not None:
        raise UsageError("--baud does not go with --emulate, which has no line")
    path = wanted = locate(args.network)
    network = expected = ir.load(path)
    plan = load_plan(args.plan, args.build, path, args.board)
    contents, data = Contents(network, plan), None
    if args.load is not None:
        wanted = locate(args.load)
        expected = ir.load(wanted)
        data = image(contents, expected, wanted)
    given = args.file is not None or args.features is not None
    inputs = choose(expected, wanted, args)
    baud, cycles, opening = reached(args, network, plan,
                                     folder(args.build, path, args.board))
    port_name = args.port if args.emulate is None else f"{args.emulate} emulator"
    with opening as port:
        host = Host(port, Layout.of(network), cycles)
        identity = _ready(host, contents, path, expected, wanted, data)
        outcome = Outcome(str(wanted), identity.structure.hex(), identity.contents.hex(),
                          port_name, baud, f"samples of {inputs.path}" if given else inputs.path)
        answers = _compare(host, expected, plan, inputs, outcome)
    if not given:
        sys.stdout.write((json.dumps(asdict(outcome), indent=2) if args.form == "json"
                          else outcome.summary) + "\n")
    else:
        show(answers, args.form)
        logger.info("%s", outcome.summary)
    return 1 if outcome.mismatches or outcome.errors else 0


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_intermixed_args(argv)
    return guarded(lambda: _run(args), interrupted="interrupted" if args.load is None else
                   "interrupted; until the same command has ended, the device may have no answers")


if __name__ == "__main__":
    sys.exit(main())
