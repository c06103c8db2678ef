"""List the boards, what they hold and whether their tools are installed."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from bitwright.command import guarded

__all__ = ["describe", "main", "render"]


def describe() -> list[dict[str, Any]]:
    """Every board as JSON values, the smallest first."""
    from bitwright.boards import BOARDS
    from bitwright.hw.flow import toolchain

    rows = []
    for board in BOARDS.values():
        tools = {program.name: toolchain.describe(program) for program in board.family.programs}
        rows.append({
            "name": board.name,
            "title": board.title,
            "family": board.family.name,
            "part": board.part.name,
            "luts": board.part.luts,
            "flip_flops": board.part.flip_flops,
            "memory_kbit": board.part.memories * board.part.memory_kbit,
            "clock_hz": board.clock_hz,
            "baud": board.baud,
            "tools": tools,
            "installed": all(version is not None for version in tools.values()),
        })
    return rows


def render(rows: list[dict[str, Any]]) -> str:
    """The list as a table for people."""
    table = [["BOARD", "PART", "FAMILY", "LUT4", "FF", "BLOCK RAM", "CLOCK", "TOOLCHAIN"]]
    for row in rows:
        tools = ", ".join(f"{name} {version or 'MISSING'}" for name, version
                          in row["tools"].items())
        table.append([row["name"], row["part"], row["family"], f"{row['luts']:,}",
                      f"{row['flip_flops']:,}", f"{row['memory_kbit']:,} kbit",
                      f"{row['clock_hz'] / 1e6:g} MHz", tools])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width
                               in zip(line, widths, strict=True)).rstrip() for line in table)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bitwright boards", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return guarded(lambda: _print(args.json))


def _print(as_json: bool) -> None:
    rows = describe()
    sys.stdout.write((json.dumps(rows, indent=2) if as_json else render(rows)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
