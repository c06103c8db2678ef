"""What takes too long for every run of the tests: the slow ones, planted faults, a bitstream of
each family whose placed netlist is simulated, tutorial and notebook, every vector of the zoo.
Prints a table; exit status 1 if anything is not as it must be.

Two at a time on two cores by default. Run before a release, the table goes into docs/results.md.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.commands import last_words
from bitwright import ir
from bitwright.boards import BOARDS
from bitwright.data import DataError, load
from bitwright.hw.families import FAMILIES

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
NETWORK = "iris"
"""Of the zoo: the one whose bitstreams are made."""

SHARES = 4
"""Checks that plant the faults: more than run at a time, so that none is left alone at the end."""

Check = tuple[str, Callable[[], str]]
"""What is checked, and what does it: returns what was found, raises AssertionError if it is not as
it must be."""


def run(*arguments: str, may_fail: bool = False) -> str:
    """What a command of the checkout prints. Its last words are the error if it fails."""
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True,
                          encoding="utf-8", check=False)
    assert may_fail or done.returncode == 0, last_words(done.stderr)
    return done.stdout


def simulated(*arguments: str) -> str:
    """Counts of a simulation, in words."""
    verdict = json.loads(run("sim.run", *arguments, "--json"))
    assert verdict["mismatches"] == verdict["missing"] == 0, verdict["failure"]
    return (f"{verdict['vectors']:,} vectors ({verdict['source']}), 0 mismatches, "
            f"{verdict['cycles']:,} cycles")


def bitstream(board: str, folder: Path) -> str:
    """Build for a board, and simulate what was placed and what came out of the router."""
    out = folder / board
    report = json.loads(run("hw.build", NETWORK, "--board", board, "--out", str(out), "--json"))
    found = simulated(NETWORK, "--build", str(out), "--vectors", "36")
    place = BOARDS[board].family.place
    if place is not None and place.routed is not None:
        found += "; as routed: " + simulated(NETWORK, "--build", str(out), "--level", "routed",
                                             "--vectors", "36")
    return f"{report['timing']['fmax_hz'] / 1e6:.1f} MHz; netlist as placed: {found}"


def bitstreams(folder: Path) -> Iterator[Check]:
    """One board of each family that can be placed."""
    for name in FAMILIES:
        board = next((board for board in BOARDS.values()
                      if board.family.name == name and board.uart and board.part.luts > 4000), None)
        if board is not None:
            yield (f"bitstream of {name} ({board.name}, {NETWORK})",
                   lambda board=board.name: bitstream(board, folder))


def zoo() -> Iterator[Check]:
    """The whole test set of each network, or all golden vectors where there is no data set."""
    for path in sorted((ROOT / "zoo").glob("*.safetensors")):
        data = ir.load(path).provenance.get("data", {}).get("name")
        try:
            count = ["--vectors", str(len(load(data).x_test))]
        except DataError:
            count = ["--golden"]
        yield (f"zoo: {path.stem}, rtl", lambda path=path, count=count: simulated(
            str(path), "--stall", "0.1", *count))


def pages() -> Iterator[Check]:
    """The tutorial and the notebook as they stand, with what takes minutes in them."""
    def tutorial() -> str:
        rows = run("bench.tutorial", may_fail=True).splitlines()
        failed = [row for row in rows if not row.startswith("ok: ")]
        assert rows, "there was no command"
        assert not failed, failed[0]
        return f"{len(rows)} commands"

    def notebook() -> str:
        cells = json.loads((ROOT / "docs" / "library.ipynb").read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-c", "\n".join(code)], cwd=folder,
                                  env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
                                  capture_output=True, encoding="utf-8")
        assert done.returncode == 0, last_words(done.stderr)
        return f"{len(code)} cells"

    yield "tutorial", tutorial
    yield "notebook", notebook


def odd_places() -> Iterator[Check]:
    """A simulation where the path of everything has a space and an accent."""
    def simulation() -> str:
        with tempfile.TemporaryDirectory(prefix="a b é ") as folder:
            return simulated(NETWORK, "--vectors", "20", "--out", folder)

    yield "simulation in a folder with a space", simulation


def slow_tests() -> Iterator[Check]:
    """The tests that `make test` leaves out."""
    def tests() -> str:
        words = run("pytest", "-q", "-m", "slow", may_fail=True).strip().splitlines()
        assert words, "no test ran"
        assert re.fullmatch(r"\d+ passed, .*", words[-1].strip("= ")), words[-1]
        return words[-1].partition(",")[0]

    yield "slow tests", tests


def faults() -> Iterator[Check]:
    """Every planted fault is caught. Those of a check take turns in one copy of the source."""
    def planted(share: str) -> str:
        rows = run("bench.planted_faults", "--share", share, may_fail=True).splitlines()[2:]
        missed = [row for row in rows if "**missed**" in row]
        assert rows, "no fault was planted"
        assert not missed, "missed: " + "; ".join(row.strip("| ") for row in missed)
        return f"{len(rows)} planted, {len(rows)} caught"

    for number in range(1, SHARES + 1):
        share = f"{number}/{SHARES}"
        yield f"planted faults {share}", lambda share=share: planted(share)


def line(check: Check) -> tuple[str, bool]:
    """Do a check. Returns its row of the table, and whether all was as it must be."""
    name, work = check
    start = time.monotonic()
    try:
        found, good = work(), True
    except AssertionError as error:
        found, good = f"**{error}**", False
    return f"| {name} | {found} | {(time.monotonic() - start) / 60:.1f} |", good


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.slow", description=__doc__)
    parser.add_argument("--jobs", metavar="N", type=int, default=2,
                        help="checks at a time (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="only checks whose name holds TEXT")
    args = parser.parse_args(argv)
    print("| check | found | minutes |\n|---|---|---|")
    good = True
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.jobs) as pool:
        checks = [*faults(), *slow_tests(), *bitstreams(Path(folder)), *pages(), *odd_places(),
                  *zoo()]
        for row, passed in pool.map(line, [check for check in checks if args.only in check[0]]):
            print(row, flush=True)
            good &= passed
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
