"""Inferences a second over an emulated line: one request at a time, and sent ahead.

A golden emulator stands at the other end of a pseudo-terminal whose bytes take the time that they
take on a line, either way; then an adapter keeps what came from the device for a while (FTDI's
waits 16 ms unless it is told otherwise). Beside it is what the line allows: the longer of request
and reply, without a pause. Every answer is compared with the golden model.
"""

import argparse
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import serial

from bitwright import ir
from bitwright.hw.layout import Layout
from bitwright.hw.link.emulator import Emulator
from bitwright.hw.link.host import Host
from bitwright.hw.link.protocol import OVERHEAD
from bitwright.hw.link.terminal import Terminal
from bitwright.locate import locate

__all__ = ["limit", "main", "rate"]

CYCLES = 12
"""Of a bit, as on the iCEBreaker."""


def limit(layout: Layout, baud: int) -> float:
    """Samples a second that a line can carry."""
    return baud / 10 / (OVERHEAD + max(layout.sample_bytes, layout.result_bytes))


def rate(network: ir.Network, baud: int, delay_s: float, window: int | None,
         seconds: float) -> float:
    """Samples a second that a host gets answered, measured for about so long."""
    layout = Layout.of(network)
    ahead = limit(layout, baud) if window is None else 1 / (delay_s + 1 / limit(layout, baud))
    count = max(20, int(seconds * ahead))
    low, high = network.modulate.domain
    x = np.random.default_rng(0).integers(low, high + 1, size=(count, network.features))
    golden = network.evaluate(x)
    wanted = list(zip(golden.decision.tolist(), map(tuple, golden.scores.tolist()), strict=True))
    terminal = Terminal(Emulator(network), baud, delay_s)
    # A process of its own, as a board is: the interpreter runs one thread at a time.
    device = multiprocessing.get_context("fork").Process(target=terminal.serve, daemon=True)
    device.start()
    try:
        with serial.Serial(terminal.path, baud) as port:
            host = Host(port, layout, CYCLES)
            host.identify()
            start = time.monotonic()
            found = dict(host.stream(x.tolist(), window))
            took = time.monotonic() - start
    finally:
        device.kill()
        device.join()
        terminal.close()
    assert found == dict(enumerate(wanted))
    return count / took


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.link_rate", description=__doc__)
    parser.add_argument("networks", metavar="NETWORK", nargs="*",
                        default=["zoo/iris", "zoo/digits", "zoo/mnist"])
    parser.add_argument("--baud", metavar="N", type=int, default=1_000_000)
    parser.add_argument("--seconds", metavar="S", type=float, default=4,
                        help="of a measurement, about (default: %(default)s)")
    args = parser.parse_args(argv)
    print("| network | request, reply (bytes) | adapter waits | one at a time | sent ahead "
          "| the line allows |")
    print("|---|---|---|---|---|---|")
    for name in args.networks:
        network = ir.load(locate(name))
        layout = Layout.of(network)
        for delay_s in (0, 0.001, 0.016):
            single, ahead = (rate(network, args.baud, delay_s, window, args.seconds)
                             for window in (1, None))
            print(f"| `{Path(name).name}` | {OVERHEAD + layout.sample_bytes}, "
                  f"{OVERHEAD + layout.result_bytes} | {1000 * delay_s:g} ms | {single:,.0f} "
                  f"| {ahead:,.0f} | {limit(layout, args.baud):,.0f} |", flush=True)


if __name__ == "__main__":
    main()
