"""LUTs of a block by each way that a family maps logic, and by ways that it has not: a table.

Before the family's way through wide multiplexers (wide) or without them (small) the logic is made
small in tables of six inputs, `mfs2` among the steps. A build takes the best of the family's own
ways, see `hw/flow/synth.py`.

With ``--straight`` nothing is synthesised: the LUTs of the core of every build in
``bench/measured.jsonl`` beside those of its tables one by one, put straight on the device, with
nothing shared and nothing made small. A table of six inputs is four LUT4 behind the wide
multiplexers of an ECP5 or a Gowin (two of five); where there are none, a split by the inputs that
leave the fewest different parts. Of the zoo, a family's first board stands for all.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench import measured
from bitwright import boards, ir
from bitwright.command import guarded
from bitwright.hw import families
from bitwright.hw.contents import as_built
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.options import Options
from bitwright.hw.flow.tables import costs
from bitwright.hw.plan import Plan
from bitwright.locate import locate

__all__ = ["main", "straight"]

WIDE = ("ecp5", "gowin")
"""Families that have multiplexers behind their LUTs which cost nothing."""

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
                        help="of the zoo, files, or numbers of bench.measured (default: mnist "
                             "digits)")
    parser.add_argument("--straight", action="store_true",
                        help="tables straight on the device beside what was measured")
    parser.add_argument("--family", metavar="NAME", action="append",
                        choices=[name for name, family in families.FAMILIES.items()
                                 if "area" in family.script.mappings],
                        help="only these (default: ecp5, gowin, ice40)")
    args = parser.parse_args(argv)
    chosen = args.family or ["ecp5", "gowin", "ice40"]
    return guarded(lambda: _straight(chosen) if args.straight else _table(args.networks, chosen))


def _table(networks, chosen):
    print("| network | family | abc9 | area | wide | small |\n|---|---|---|---|---|---|")
    for name in networks:
        for family in chosen:
            network = measured.made(int(name)) if name.isdigit() else ir.load(locate(name))
            luts = counted(network, families.get(family))
            cells = [f"{luts[way]:,}" for way in ("abc9", "area", "wide", "small")]
            print(f"| {name} | {family} | {' | '.join(cells)} |", flush=True)


def straight(network, family):
    """LUTs of all tables, each by itself."""
    total = 0.0
    for entry in network.entries:
        if isinstance(entry.node, ir.Lut):
            if family.name in WIDE:
                inputs = (entry.node.sources >= 0).sum(axis=1)
                total += (1 << (inputs - family.lut_size).clip(0))[inputs > 1].sum()
            else:
                total += sum(costs(entry.node.tables, family.lut_size))
    return round(total)


def _straight(chosen):
    """A row for each network and family whose core was measured."""
    print("| network | family | inputs | core | straight | % |\n|---|---|---|---:|---:|---:|")
    sums, seen = {}, set()
    for one in measured.load():
        name, where = one["network"], one["target"]
        family = families.get(where) if where in families.FAMILIES else boards.get(where).family
        network = as_built(measured.network(name), measured.plan(name, family))
        sizes = [entry.node.fan_in for entry in network.entries if isinstance(entry.node, ir.Lut)]
        if (family.name not in chosen or not sizes or (name, family.name) in seen
                or measured.parted(name)[1]):
            continue
        seen.add((name, family.name))
        core, luts = one["luts"]["core"], straight(network, family)
        sums.setdefault((family.name, max(sizes)), []).append(
            (core, luts, sum(one["luts"].values())))
        print(f"| {name} | {family.name} | {max(sizes)} | {core:,} | {luts:,} | "
              f"{100 * (luts / core - 1):+.1f} |")
    print()
    for (family, inputs), rows in sorted(sums.items()):
        core, luts, total = map(sum, zip(*rows, strict=True))
        saved = sum(max(0, was - now) for was, now, _ in rows)
        print(f"{family}, {inputs} inputs: straight {100 * (luts / core - 1):+.1f} % of the core; "
              f"the better of both in each build {-100 * saved / core:+.1f} %, and "
              f"{-100 * saved / total:+.1f} % of the whole")


if __name__ == "__main__":
    sys.exit(main())
