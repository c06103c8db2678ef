"""What the same network costs on each family that the open tools place: a table in Markdown.

``python -m bench.families`` builds from nothing, one after the other, for a board of each family.
Time is that of the processor, so that it does not matter what else the machine does.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile

from bench.commands import last_words

__all__ = ["BOARDS", "main", "measured"]

BOARDS = ("icebreaker", "ulx3s-25f", "tang-nano-9k", "crosslink-nx-evn", "gatemate-a1-evb")
"""One of each family."""


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(network: str, board: str) -> str:
    """A row of the table."""
    before = _seconds()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "hw.build", network, "--board", board, "--out",
                               folder, "--json"], capture_output=True, encoding="utf-8",
                              check=False)
    minutes = (_seconds() - before) / 60
    if done.returncode:
        message = last_words(done.stderr)
        return f"| {network} | {board} | **{message}** | | | | | {minutes:.1f} |"
    report = json.loads(done.stdout)
    total, device, timing = report["resources"]["total"], report["device"], report["timing"]
    return (f"| {network} | {report['board']['family']}: {board} | {total['luts']:,} | "
            f"{total['flip_flops']:,} | {total['memories']} | {device['logic_cells']:,} of "
            f"{device['logic_cells_available']:,} | {timing['fmax_hz'] / 1e6:.1f} | "
            f"{minutes:.1f} |")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.families", description=__doc__)
    parser.add_argument("networks", metavar="NETWORK", nargs="*", default=["iris", "digits"],
                        help="of the zoo, or files (default: iris digits)")
    parser.add_argument("--board", metavar="NAME", action="append", help="only these")
    args = parser.parse_args(argv)
    print("| network | family: board | LUTs | flip-flops | block RAMs | logic cells | MHz | "
          "CPU minutes |\n|---|---|---:|---:|---:|---:|---:|---:|")
    for network in args.networks:
        for board in args.board or BOARDS:
            print(measured(network, board), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
