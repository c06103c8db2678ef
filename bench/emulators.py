"""The golden emulator against the design in Amaranth's simulator, for longer than a test can.

Random requests, right, wrong and damaged, byte for byte; then requests without a pause, of which
none may be refused. Exit status 1 if anything differs.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from bitwright.hw.layout import Layout
from bitwright.hw.link.emulator import Emulator
from bitwright.hw.link.pipeline import filler
from bitwright.hw.link.protocol import Parser, ReplyType, Request, encode_request
from bitwright.hw.link.simulated import CYCLES, Simulated
from bitwright.hw.plan import Plan
from tests.hw.test_emulator import damaged, requests, signed, speak, wide
from tests.hw.test_link_load import OLD, PLAN
from tests.networks import features, network

__all__ = ["main"]

SIZES = ((3, 2, 60), (2, 9, 60), (12, 6, 60), (140, 2, 8), (784, 3, 4))
"""Features, classes, and samples of a stream."""


def compared(subject, plan, count, seed):
    """Kinds of replies to so many requests, which are the same of both."""
    rng = np.random.default_rng(seed)
    devices = Emulator(subject, plan), Simulated(subject, plan, timeout=300)
    stream, seen = requests(subject, plan, rng), set()
    for _ in range(count):
        data = damaged(next(stream), rng)
        golden, design = speak(devices, data, rng)
        assert golden == design, data.hex()
        seen |= {reply.type.name if reply.type != ReplyType.ERROR else f"error {reply.payload[0]}"
                 for reply in Parser().feed(golden)}
    return seen


def streamed(size, classes, count):
    """Bytes of the pause with which the design answers all of a stream."""
    subject = wide(size, classes)
    layout = Layout.of(subject)
    pause = filler(layout, CYCLES)
    data = bytes(pause).join(
        encode_request(Request.INFER, index, layout.sample(row))
        for index, row in enumerate(features(subject, count, 0).tolist()))
    assert Simulated(subject).receive(data) == Emulator(subject).receive(data)
    return pause


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.emulators", description=__doc__)
    parser.add_argument("--requests", metavar="N", type=int, default=300)
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    args = parser.parse_args(argv)
    start = time.monotonic()
    for name, subject, plan in (("fixed", network(24), Plan()), ("signed", signed(), Plan()),
                                ("writable", OLD, PLAN)):
        seen = compared(subject, plan, args.requests, args.seed)
        print(f"{name}: {args.requests} requests, the same replies: {', '.join(sorted(seen))}",
              flush=True)
    for size, classes, count in SIZES:
        pause = streamed(size, classes, count)
        print(f"{size} features, {classes} classes: {count} requests without a pause but {pause} "
              "bytes, all answered", flush=True)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
