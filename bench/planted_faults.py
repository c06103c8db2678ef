"""Plant one fault at a time in a copy of the source, and see that the tests catch it.

Each row of `bench.faults` names the file, the text to find (it must occur exactly once), what
replaces it, and the tests that claim to catch it. Exit status 1 if any fault goes unnoticed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.faults import FAULTS

__all__ = ["main"]

ROOT = Path(__file__).parents[1]


def caught(fault, tree):
    """Plant a fault in a copy of the source, and tell whether the tests fail."""
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise SystemExit(f"{fault.file}: {fault.old!r} must occur once, "
                         f"not {text.count(fault.old)} times")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    try:
        run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", *fault.tests.split()],
                             cwd=tree, capture_output=True, encoding="utf-8", check=False)
    finally:
        path.write_text(text, encoding="utf-8")
    return run.returncode == 1  # 1: tests ran and failed; other codes are no proof


def _share(text):
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"must be I/N with I from 1 to N, not {text!r}")
    return int(found[1]), int(found[2])


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.planted_faults", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="plant only faults of files whose name holds TEXT")
    parser.add_argument("--share", metavar="I/N", type=_share, default=(1, 1),
                        help="every N-th fault, from the I-th on: N processes plant all of them")
    args = parser.parse_args(argv)
    if not any(args.only in fault.file for fault in FAULTS):  # else a slip looks like a success
        parser.error(f"--only: no fault is planted in a file whose name holds {args.only!r}")
    number, shares = args.share
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "runs", "build",
                                                                  "__pycache__"))
        print("| file | planted | caught by |")
        print("|---|---|---|")
        for fault in FAULTS[number - 1::shares]:
            if args.only not in fault.file:
                continue
            found = caught(fault, tree)
            missed += not found
            planted = fault.new.strip().replace("|", "\\|")
            print(f"| {fault.file} | `{planted}` | {fault.tests if found else '**missed**'} |",
                  flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
