"""LUTs of a block by each way that a family maps logic, and by two that it has not: a table.

Before the family's way through wide multiplexers (wide) or without them (small) the logic is made
small in tables of six inputs, `mfs2` among the steps. A build takes the best of the family's own
ways, see `hw/flow/synth.py`.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bitwright import ir
from bitwright.command import guarded
from bitwright.hw import families
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.options import Options
from bitwright.hw.plan import Plan
from bitwright.locate import locate

__all__ = ["main"]

BEFORE = ("simplemap", "abc -lut 6 -script +strash;dch,-f;if,-a;mfs2,-a", "simplemap")


def counted(network, family):
    """LUTs by the name of the way."""
    own = family.script.mappings
    tried = {"wide": (*BEFORE, *own["abc9"]), "small": (*BEFORE, *own["area"])}
    wider = replace(family, script=replace(family.script, mappings={**own, **tried}))
    with tempfile.TemporaryDirectory() as folder:
        report, _ = build("network", network, Options(
            board=None, family=wider, plan=Plan(lut_size=family.lut_size), out=Path(folder),
            stop_after="synth"))
    return report["resources"]["mappings_luts"]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.mappings", description=__doc__)
    parser.add_argument("networks", metavar="NETWORK", nargs="*", default=["mnist", "digits"],
                        help="of the zoo, or files (default: mnist digits)")
    parser.add_argument("--family", metavar="NAME", action="append",
                        choices=[name for name, family in families.FAMILIES.items()
                                 if "area" in family.script.mappings],
                        help="only these (default: ecp5, gowin, ice40)")
    args = parser.parse_args(argv)
    return guarded(lambda: _table(args.networks, args.family or ["ecp5", "gowin", "ice40"]))


def _table(networks, chosen):
    print("| network | family | abc9 | area | wide | small |\n|---|---|---|---|---|---|")
    for name in networks:
        for family in chosen:
            luts = counted(ir.load(locate(name)), families.get(family))
            cells = [f"{luts[way]:,}" for way in ("abc9", "area", "wide", "small")]
            print(f"| {name} | {family} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
