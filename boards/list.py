"""List the boards, what they hold and whether their tools are installed; or show one."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import logging
import shlex
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bitwright.command import guarded
from bitwright.extras import missing

if TYPE_CHECKING:
    from bitwright.boards import Board, VendorBoard

__all__ = ["describe", "main", "render", "show"]

logger = logging.getLogger(__name__)

_PACKAGE = "amaranth_boards"


def describe(board: Board | VendorBoard, tools: dict[str, str | None]) -> dict[str, Any]:
    """A board as JSON values.

    Parameters
    ----------
    board : Board or VendorBoard
    tools : dict
        Versions of the open tools of its family, None where one is missing; empty if there are
        none.
    """
    from bitwright.boards import Board

    about = {"name": board.name, "title": board.title, "clock_hz": board.clock_hz or None,
             "baud": board.baud or None, "uart": board.uart is not None}
    if not isinstance(board, Board):
        return {**about, "family": None, "part": board.device, "maker": board.maker,
                "project": board.tool}
    part = board.part
    return {**about, "family": board.family.name, "part": part.name, "luts": part.luts,
            "flip_flops": part.flip_flops, "memory_kbit": part.memories * part.memory_kbit,
            "program": board.program, "tools": tools,
            "installed": all(version is not None for version in tools.values())}


def _rows(family: str | None) -> list[dict[str, Any]]:
    """Every board, or those of a family: by family and maker, the smallest first."""
    from bitwright.boards import BOARDS, VENDOR_BOARDS
    from bitwright.hw import families

    chosen = list(BOARDS.values())
    if family is not None:
        wanted = families.get(family)
        chosen = [board for board in chosen if board.family is wanted]
    chosen.sort(key=lambda board: board.family.name)  # stable
    tools = {board.family.name: board.family.programs for board in chosen}
    versions = {name: _versions(programs) for name, programs in tools.items()}
    rows = [describe(board, versions[board.family.name]) for board in chosen]
    if family is None:
        rows += sorted((describe(board, {}) for board in VENDOR_BOARDS.values()),
                       key=lambda row: (row["maker"], row["project"]))
    return rows


def _versions(programs: Sequence[Any]) -> dict[str, str | None]:
    from bitwright.hw.flow import toolchain

    return {program.name: toolchain.describe(program) for program in programs}


def render(rows: list[dict[str, Any]]) -> str:
    """The list for people: a table a family, and the names of the others by maker."""
    lines: list[str] = []
    for family, group in itertools.groupby(
            (row for row in rows if row["family"] is not None), key=lambda row: row["family"]):
        found = list(group)
        tools = ", ".join(f"{name} {version or 'MISSING'}"
                          for name, version in found[0]["tools"].items())
        lines += [f"{family}: {tools}", *_table(found), ""]
    others = [row for row in rows if row["family"] is None]
    if others:
        lines.append("as a project for the maker's programs (build --project DIR):")
    for (maker, tool), group in itertools.groupby(
            others, key=lambda row: (row["maker"], row["project"])):
        names = ", ".join(row["name"] for row in group)
        lines += textwrap.wrap(f"{maker}, {tool}: {names}", 96, initial_indent="  ",
                               subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(lines).rstrip()


def _table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    table = [["  BOARD", "PART", "LUT4", "FF", "BLOCK RAM", "CLOCK", "SERIAL"]]
    table += [[f"  {row['name']}", row["part"], f"{row['luts']:,}", f"{row['flip_flops']:,}",
               f"{row['memory_kbit']:,} kbit", f"{row['clock_hz'] / 1e6:g} MHz",
               "yes" if row["uart"] else "name its pins"] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        yield "  ".join(cell.ljust(width) for cell, width
                        in zip(line, widths, strict=True)).rstrip()


def show(row: dict[str, Any]) -> str:
    """One board for people."""
    lines = [("board", row["title"]), ("part", row["part"])]
    if row["family"] is not None:
        lines += [("family", row["family"]), ("LUT4", f"{row['luts']:,}"),
                  ("flip-flops", f"{row['flip_flops']:,}"),
                  ("block RAM", f"{row['memory_kbit']:,} kbit")]
    else:
        lines.append(("bitstream", f"by {row['project']} alone, see build --project DIR"))
    if row["clock_hz"]:
        lines += [("clock", f"{row['clock_hz'] / 1e6:g} MHz"),
                  ("serial link", f"{row['baud']:,} baud by default")]
    else:
        lines.append(("clock", "none of a known frequency"))
    if not row["uart"]:
        lines.append(("serial port", "none: name its pins with --uart rx=PIN,tx=PIN"))
    if row["family"] is not None:
        lines.append(("programmed by", "nothing that is known here" if row["program"] is None
                      else shlex.join(row["program"])))
        lines += [(name, version or "MISSING") for name, version in row["tools"].items()]
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bitwright boards", description=__doc__)
    parser.add_argument("board", metavar="BOARD", nargs="?",
                        help="show this one: a name, a file of your own board (NAME.toml), or a "
                             "Platform class (MODULE:CLASS)")
    parser.add_argument("--family", metavar="NAME", help="list the boards of a family")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return guarded(lambda: _print(args))


def _print(args: argparse.Namespace) -> None:
    from bitwright.boards import Board, find

    if args.board is not None:
        board = find(args.board)
        row = describe(board, _versions(board.family.programs) if isinstance(board, Board) else {})
        sys.stdout.write((json.dumps(row, indent=2) if args.json else show(row)) + "\n")
        return
    rows = _rows(args.family)
    sys.stdout.write((json.dumps(rows, indent=2) if args.json else render(rows)) + "\n")
    if importlib.util.find_spec(_PACKAGE) is None:
        logger.info("most boards are missing here: %s", missing(_PACKAGE))


if __name__ == "__main__":
    sys.exit(main())
