"""List the boards, what they hold and whether their tools are installed."""

import argparse
import json
import logging
import sys

__all__ = ["describe", "main", "render"]


def describe() -> list[dict]:
    """Every board as JSON values, the smallest first."""
    # A board is data; which tools are installed is the toolchain's to say. Imported here so that
    # the package itself needs nothing but the boards.
    from bitwright.boards import BOARDS
    from bitwright.hw.flow import toolchain

    rows = []
    for board in BOARDS.values():
        tools = {name: toolchain.describe(name) for name in toolchain.FAMILY_TOOLS[board.family]}
        rows.append({
            "name": board.name,
            "title": board.title,
            "family": board.family,
            "device": board.device,
            "luts": board.luts,
            "flip_flops": board.flip_flops,
            "memory_kbit": board.memories * board.memory_kbit,
            "clock_hz": board.clock_hz,
            "baud": board.baud,
            "tools": tools,
            "installed": all(version is not None for version in tools.values()),
        })
    return rows


def render(rows: list[dict]) -> str:
    """The list as a table for people."""
    table = [["BOARD", "DEVICE", "FAMILY", "LUT4", "FF", "BLOCK RAM", "CLOCK", "TOOLCHAIN"]]
    for row in rows:
        tools = ", ".join(f"{name} {version or 'MISSING'}" for name, version
                          in row["tools"].items())
        table.append([row["name"], row["device"], row["family"], f"{row['luts']:,}",
                      f"{row['flip_flops']:,}", f"{row['memory_kbit']:,} kbit",
                      f"{row['clock_hz'] / 1e6:g} MHz", tools])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width
                               in zip(line, widths, strict=True)).rstrip() for line in table)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m boards.list", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    rows = describe()
    sys.stdout.write((json.dumps(rows, indent=2) if args.json else render(rows)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
