"""Clocks of a PLL: MNIST on an iCEBreaker at 24 MHz or more, digits on an ULX3S-25F at 80 or more.

Builds both, simulates the netlist that was placed through its pins, with a model of the PLL that is
fed with the oscillator, and tries the serial line's ends at the number of cycles that a bit has at
these clocks. Prints a table; exit status 1 if anything is not as it must be.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.pipeline import run
from bench.uart import lost_from_device, lost_to_device
from bitwright.hw.families.pll import megahertz

__all__ = ["main"]

WANTED = (("mnist-icebreaker", "icebreaker", 24e6, ("--serial-head", "28")),
          ("digits", "ulx3s-25f", 80e6, ()))
"""Network of the zoo, board, the least clock, and other arguments of the build."""

SKEW = 0.015
"""By how much the other side of the line may be off: what the simulation goes up to, too."""


def lost(cycles: int, count: int) -> int:
    """Bytes that a line of so many cycles a bit loses, either way, with a host that is off."""
    return sum(end(cycles, skew, count) for end in (lost_to_device, lost_from_device)
               for skew in (-SKEW, 0.0, SKEW))


def row(name: str, board: str, least_hz: float, form: tuple[str, ...],
        args: argparse.Namespace) -> tuple[str, bool]:
    """Build, simulate and try the line. Returns a row of the table, and whether all is right."""
    out = args.out / f"{name}-{board}"
    asked = () if args.freq is None else ("--freq", str(args.freq))
    report = json.loads(run("hw.build", name, "--board", board, "--seeds", str(args.seeds), *form,
                            *asked, "--out", str(out), "--json"))
    timing, link = report["timing"], report["throughput"]["link"]
    verdict = json.loads(run("sim.run", name, "--build", str(out), "--vectors", str(args.vectors),
                             "--json"))
    baud, clock = link["baud"], timing["clock_hz"]
    cycles = round(clock / baud)
    missing = lost(cycles, args.bytes)
    pll = timing["pll"]
    good = (pll is not None and timing["fmax_hz"] >= clock >= least_hz
            and verdict["mismatches"] == verdict["missing"] == missing == 0)
    tried = "; ".join(f"{megahertz(one['clock_hz'])}: "
                      f"{(one['fmax_hz'] or 0) / 1e6:.1f}" for one in timing["trials"])
    return (f"| {name}, {board} | {report['resources']['total']['luts']:,} | "
            f"{megahertz(timing['oscillator_hz'])} | {'none' if pll is None else pll['cell']} | "
            f"{megahertz(clock)} | {timing['fmax_hz'] / 1e6:.1f} | {tried} | "
            f"{report['throughput']['ip']['per_second_at_clock']:,.0f} | {cycles} "
            f"({100 * (clock / cycles / baud - 1):+.2f} %) | {missing} of {6 * args.bytes:,} | "
            f"{verdict['vectors']} vectors, {verdict['mismatches']} mismatches, "
            f"{verdict['cycles']:,} cycles |"), good


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.clock", description=__doc__)
    parser.add_argument("--only", metavar="BOARD", help="one of the boards")
    parser.add_argument("--freq", metavar="MHZ", type=float,
                        help="clock to build for (default: the fastest that is proven)")
    parser.add_argument("--seeds", metavar="N", type=int, default=1,
                        help="as of the build (default: %(default)s)")
    parser.add_argument("--vectors", metavar="N", type=int, default=4,
                        help="samples to simulate (default: %(default)s)")
    parser.add_argument("--bytes", metavar="N", type=int, default=200,
                        help="bytes each way and deviation (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build") / "clock",
                        help="folder of the builds (default: %(default)s)")
    args = parser.parse_args(argv)
    print("| network, board | LUTs | oscillator, MHz | PLL | clock, MHz | reached, MHz | "
          "tried: reached, MHz | samples/s, IP | cycles a bit | bytes lost | netlist as placed |")
    print("|---" * 11 + "|")
    good = True
    for name, board, least_hz, form in WANTED:
        if args.only in (None, board):
            text, right = row(name, board, least_hz, form, args)
            print(text, flush=True)
            good &= right
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
