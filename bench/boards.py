"""A network on every board whose bitstream the open tools make: a table in Markdown.

``python -m bench.boards`` builds digits for each, or iris where that is too large, in a folder that
is kept: interrupted, the same command goes on, and once done it only prints. A board without a
serial port is given two pins of its first connector, so that there is a bitstream; its rate is that
of the network alone.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.commands import last_words
from bitwright.boards import BOARDS, Board
from bitwright.hw.families import FAMILIES

__all__ = ["main", "pins", "row"]

NETWORKS = ("digits", "iris")
"""Of the zoo, the one that is tried first in front."""

TOO_LARGE = ("does not fit", "no router connects", "Unable to", "no Bels remaining", "wasm trap")
"""Words of the messages after which the smaller network is tried. The last is nextpnr that stops
without a word on a design that it cannot hold."""

PINS = {"fomu-hacker": ("F4", "E5"), "fomu-pvt": ("E4", "D5")}
"""Of boards whose platform has no connector of two pins: its pads ``pin_0`` and ``pin_1``, and its
touch pads 0 and 1."""


def pins(board: Board) -> tuple[str, str] | None:
    """Two pins for a serial line, receiver and sender, of a board that has none.

    Returns None if its platform knows of none that are free.
    """
    if board.name in PINS:
        return PINS[board.name]
    connectors = board.platform().connectors
    for (name, number), connector in connectors.items():
        if len(connector.mapping) >= 2:
            first, second = list(connector.mapping)[:2]
            return f"{name}_{number}:{first}", f"{name}_{number}:{second}"
    return None


def built(board: Board, out: Path) -> tuple[str, dict | None, str]:
    """Build. Returns the network, the report if there is a bitstream, and else the message."""
    extra = []
    if board.uart is None:
        line = pins(board)
        if line is None:
            return NETWORKS[0], None, "no free pins are known"
        extra = ["--uart", f"rx={line[0]},tx={line[1]}"]
    message = ""
    for network in NETWORKS:
        folder = out / f"{network}-{board.name}"
        done = subprocess.run(
            [sys.executable, "-m", "hw.build", network, "--board", board.name, "--out",
             str(folder), "--json", *extra], capture_output=True, encoding="utf-8", check=False)
        if done.returncode == 0:
            return network, json.loads(done.stdout), ""
        message = last_words(done.stderr)
        if not any(words in message for words in TOO_LARGE):
            break
    return network, None, message


def row(board: Board, network: str, report: dict | None, message: str) -> str:
    """A row of the table."""
    start = f"| {board.family.name} | {board.name} | {board.part.name} | {network} |"
    if report is None:
        return f"{start} **{message}** | | | | |"
    timing, rates = report["timing"], report["throughput"]
    line = "-" if board.uart is None else f"{rates['link']['per_second']:,.0f}"
    return (f"{start} {report['resources']['total']['luts']:,} | {report['device']['percent']:g} % "
            f"| {timing['fmax_hz'] / 1e6:.1f} | {timing['clock_hz'] / 1e6:g} | "
            f"{rates['core']['per_second_at_clock']:,.0f} | {line} |")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.boards", description=__doc__)
    parser.add_argument("--only", metavar="FAMILY", choices=sorted(FAMILIES),
                        help="boards of one family")
    parser.add_argument("--jobs", metavar="N", type=int, default=2,
                        help="builds at a time (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("build") / "boards",
                        help="where they are kept (default: %(default)s)")
    args = parser.parse_args(argv)
    boards = sorted((board for board in BOARDS.values() if args.only in (None, board.family.name)),
                    key=lambda board: (board.family.name, board.part.luts, board.name))
    print("| family | board | part | network | LUTs | cells | MHz reached | MHz used | "
          "inferences/s, core | with line |\n" + "|---" * 4 + "|---:" * 6 + "|")
    good = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        found = pool.map(lambda board: built(board, args.out), boards)
        for board, (network, report, message) in zip(boards, found, strict=True):
            print(row(board, network, report, message), flush=True)
            good += report is not None
    print(f"\n{good} of {len(boards)} boards have a bitstream.")
    return 0 if good == len(boards) else 1


if __name__ == "__main__":
    sys.exit(main())
