"""Measured builds, to which the model behind ``build --estimate`` is fitted.

``python -m bench.measured build`` synthesises made networks for each family and writes what Yosys
finds to ``bench/measured.jsonl``, a line a build; what is there is not built again, so that the
same command goes on, and ``--networks 40`` adds to it. ``python -m bench.measured adopt FOLDER``
adds builds of the zoo that are there already, such as those of ``python -m bench.boards``, with
link and Fmax.

``--held-out 10`` are the first ten made networks that nothing is fitted to, instead of those from 0
on, ``--board icebreaker`` places them on a board instead, with the link, at the fastest clock, and
``--form serial`` builds them with a serial head, ``parallel`` with a parallel encoder,
``folded`` with their tables or neurons in memories, ``loaded`` with a link that writes those, which
is synthesised for the board and not placed; ``levels1`` and ``levels4`` with so many levels per
register. ``streamed`` is other made networks: pictures whose pixels stream through convolutions
and pools.

``--freq 60`` places once, for that clock, in place of a search for the fastest, which takes three
times as long.

``python -m bench.measured fit`` fits the coefficients of the estimate to the made networks of even
numbers, in all forms, to digits and to iris, and writes them where it reads them; ``python -m
bench.measured errors`` prints how far it lies from the others, to none of which it was fitted, and
how many have the block RAMs that it tells, to which nothing is fitted; with ``--form`` for builds
of that form, with ``--constant`` how far off one Fmax for all designs of a speed grade is.
"""

import argparse
import dataclasses
import functools
import json
import math
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from bench.lines import put, read
from bitwright import boards, files, ir
from bitwright.hw import families
from bitwright.hw.contents import as_built
from bitwright.hw.flow.builder import build
from bitwright.hw.flow.estimate import (
    COEFFICIENTS,
    COUNTED,
    Coefficients,
    Design,
    coefficients,
    speed_grade,
)
from bitwright.hw.flow.options import Options
from bitwright.hw.plan import FOLDED, STREAMED, Plan
from bitwright.hw.rtl.layers import asked
from bitwright.locate import locate

__all__ = ["DATA", "FORMS", "LEVELS", "errors", "fit", "fitted_to", "load", "made", "main",
           "network", "off", "parted", "placed_on", "plan", "worth"]

DATA = Path(__file__).with_name("measured.jsonl")

FITTED = ("digits", "iris")
"""Networks of the zoo that the coefficients are fitted to, beside made ones of even numbers."""

PARTS = ("encoder", "core", "head", "link", "other")

LEVELS = {"levels1": 1, "levels4": 4}
"""Forms with other levels per register than a plan has by itself."""

LARGE, SCALE = 100, 8
"""Number from which on made networks are so many times as large."""

PRIOR, ABSENT = 0.2, 0.001
"""Weight of a coefficient of 1, and of one of what is there or not, whatever that takes."""

SHORT = 0.2
"""Weight of a factor of 1 of what makes paths long."""

SWITCHES = {"fixed", "writes", "board", "parallel", "turns", "pictures", "layers"}
"""Features that are there or not."""

LOADED = "loaded"

FORMS = {"serial": {"serial": 10}, "parallel": {"parallel": True}, "folded": {"cycles": 256},
         LOADED: {"cycles": 4096}}
"""Other ways to build, as :func:`hw.rtl.layers.asked` takes them. A line's network is then called
``3-serial``. Of those that are loaded, contents can be written, in large memories where there are
some; they have a link, and so a board."""


def made(number):
    """A network of that number: the same one every time, each of another size. Those from
    :data:`LARGE` on are large."""
    rng = np.random.default_rng([12, number])
    scale = SCALE if number >= LARGE else 1
    features, depth = scale * int(rng.integers(8, 120)), int(rng.integers(1, 4))
    classes, bits = int(rng.integers(2, 11)), int(rng.integers(4, 9))
    top = 1 << bits
    thresholds = np.sort(rng.integers(1, top, (1, features, depth)), axis=2).astype(np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(thresholds, bits), ("input",))]
    width, source = features * depth, "modulate"
    if number % 5 == 4:
        neurons = int(rng.integers(16, 48))
        nodes = [ir.Xnor(rng.integers(2, size=(neurons, width)).astype(bool),
                         rng.integers(width // 3, 2 * width // 3 + 1, (neurons, 1))
                         .astype(np.int32))]
        head = ir.Scores(rng.integers(2, size=(classes, neurons)).astype(bool), 1,
                         rng.integers(-8, 9, classes).astype(np.int32))
    else:
        widths = [scale * int(rng.integers(40, 200)) for _ in range(int(rng.integers(1, 3)))]
        widths[-1] = classes * max(2, widths[-1] // classes)
        nodes, fan_in = [], 4 if rng.integers(2) else 6
        for tables in widths:
            nodes.append(lut(rng, width if not nodes else nodes[-1].out_width, tables, fan_in,
                             neurons=bool(rng.integers(4))))
        head = ir.GroupSum(widths[-1], classes)
    for index, node in enumerate(nodes):
        entries.append(ir.Entry(f"node{index}", node, (source,)))
        source = f"node{index}"
    return ir.Network((*entries, ir.Entry("head", head, (source,))))


def pictured(number):
    """A network of that number that streams, of small pictures: convolutions of neurons or of
    tables, and pools. The same one every time."""
    rng = np.random.default_rng([13, number])
    side, channels = int(rng.integers(8, 17)), int(rng.integers(1, 5))
    classes, bits = int(rng.integers(2, 11)), 8
    size = (1, side * side, channels) if rng.integers(2) else (1, 1, channels)
    thresholds = np.sort(rng.integers(1, 1 << bits, size), axis=2).astype(np.int32)
    thresholds = np.broadcast_to(thresholds, (1, side * side, channels)).copy()
    nodes = [ir.Modulate(thresholds, bits)]
    for _ in range(int(rng.integers(1, 4))):
        kernel, tables = min(side, int(rng.choice([2, 3, 3, 5]))), not rng.integers(3)
        padding = (1, 1, 1, 1) if kernel == 3 and not rng.integers(3) else (0, 0, 0, 0)
        stride = 2 if side > 6 and not rng.integers(4) else 1
        window = ir.Window(side, side, channels, (kernel, kernel), (stride, stride), padding)
        channels = int(rng.integers(4, 33))
        nodes.append(ir.Convolution(_body(rng, window.bits, channels, tables), window))
        side = window.shape[0]
        if side >= 4 and rng.integers(2):
            pool = ir.Pool(ir.Window(side, side, channels, (2, 2), (2, 2)), "or")
            nodes.append(pool)
            side = pool.window.shape[0]
    width = nodes[-1].out_width
    if tables:
        wide = classes * int(rng.integers(4, 30))
        nodes += [lut(rng, width, wide, 6, neurons=True), ir.GroupSum(wide, classes)]
    else:
        nodes.append(ir.Scores(rng.integers(2, size=(classes, width)).astype(bool), 1,
                               rng.integers(-8, 9, classes).astype(np.int32)))
    names = ["modulate", *(f"node{index}" for index in range(len(nodes) - 2)), "head"]
    return ir.Network(tuple(ir.Entry(name, node, (source,)) for name, node, source in zip(
        names, nodes, ("input", *names), strict=False)))


def _body(rng, width, channels, tables):
    """Nodes of a convolution: neurons, or a layer or two of tables."""
    if not tables:
        return ir.Xnor(rng.integers(2, size=(channels, width)).astype(bool),
                       rng.integers(width // 3, 2 * width // 3 + 1, (channels, 1))
                       .astype(np.int32)),
    fan_in = 4 if rng.integers(2) else 6
    first = lut(rng, width, fan_in * channels, fan_in, neurons=True)
    if rng.integers(2):
        return lut(rng, width, channels, fan_in, neurons=True),
    return first, lut(rng, first.out_width, channels, fan_in, neurons=True)


def streaming(number):
    """How a network of pictures is built, as :func:`hw.rtl.layers.asked` takes it: into the cycles
    of its pixels, or into more, and every other head of tables serial."""
    subject = pictured(number)
    serial = isinstance(subject.head, ir.GroupSum) and number % 4 < 2
    return {"stream": True, "cycles": subject.features * 4 ** (number % 3),
            "serial": 10 if serial else None}


def lut(rng, width, tables, fan_in, *, neurons):
    """Tables of sums of weights, as training makes them, or of bits at random."""
    sources = np.stack([rng.choice(width, fan_in, replace=width < fan_in) for _ in range(tables)])
    patterns = np.arange(1 << fan_in)[:, None] >> np.arange(fan_in) & 1
    if neurons:
        sums = rng.normal(size=(tables, fan_in)) @ (2 * patterns.T - 1)
        contents = sums > rng.normal(size=(tables, 1)) / 2
    else:
        contents = rng.integers(2, size=(tables, 1 << fan_in)).astype(bool)
    return ir.Lut(width, sources.astype(np.int32), contents)


@functools.cache
def network(name):
    """The network that a line of the data names."""
    name, form = parted(name)
    if form == STREAMED:
        return pictured(int(name))
    return made(int(name)) if name.isdigit() else ir.load(locate(f"zoo/{name}"))


def parted(name):
    """A line's network, and its form, ``""`` where it is built as by itself."""
    for form in (*FORMS, STREAMED, *LEVELS):
        if name.endswith(f"-{form}"):
            return name.removesuffix(f"-{form}"), form
    return name, ""


def plan(name, family, board=None):
    """The plan that a network is built with: its neurons folded, if it has any."""
    number, form = parted(name)
    if form == STREAMED:
        return asked(Plan(lut_size=family.lut_size), network(name), **streaming(int(number)))
    nodes = {} if not number.isdigit() or int(number) % 5 != 4 else {
        part: {"way": FOLDED, "cycles": 256} for part in ("node0", "head")}
    found = asked(Plan(lut_size=family.lut_size, nodes=nodes), network(number),
                  **FORMS.get(form, {}))
    if form in LEVELS:
        return dataclasses.replace(found, levels_per_register=LEVELS[form])
    if form != LOADED:
        return found
    large = board is not None and board.part.large_memories > 0
    return dataclasses.replace(found, nodes={**found.nodes, **{
        entry.name: {**found.nodes[entry.name], "writable": True, "large": large}
        for entry in network(number).entries if isinstance(entry.node, ir.Lut | ir.Xnor)}})


def buildable(number, form):
    """Whether a made network can be built in a form: none of neurons has a serial head."""
    return form != "serial" or number % 5 != 4


def load():
    """What was measured, a dictionary a build."""
    return read(DATA)


def placed_on(where):
    """Family that a target names, and the board, if it is one."""
    board = None if where in families.FAMILIES else boards.get(where)
    return families.get(where) if board is None else board.family, board


def measure(name, where, *, clock_hz=None):
    """Synthesise for a family, or place on a board, and tell what was found."""
    family, board = placed_on(where)
    synthesised = board is None or parted(name)[1] == LOADED
    with tempfile.TemporaryDirectory() as folder:
        report, _ = build(f"made{name}" if name[0].isdigit() else name, network(name), Options(
            board=board, family=family, plan=plan(name, family, board), out=Path(folder),
            stop_after="synth" if synthesised else "route",
            clock_hz=clock_hz, allow_timing_fail=clock_hz is not None,
            baud=None if board is None else board.baud))
    return line(name, where, report)


def line(name, where, report):
    """What a report says, as a line of the data."""
    resources, timing = report["resources"], report["timing"]
    fmax = timing["fmax_hz"]
    return {"network": name, "target": where,
            "luts": {part: found["luts"] for part, found in resources["parts"].items()},
            "flip_flops": resources["total"]["flip_flops"],
            "memories": resources["total"]["memories"],
            "fmax_mhz": None if fmax is None else round(fmax / 1e6, 2),
            "clock_mhz": None if fmax is None else round(timing["clock_hz"] / 1e6, 2)}


def save(found):
    """Add to what was measured, in place of what is there of the same network and target."""
    put(DATA, found, lambda one: (one["network"], one["target"]))


def add(names, targets, *, clock_hz=None):
    """Build what is not there yet."""
    for name in names:
        for where in targets:
            if any((one["network"], one["target"]) == (name, where) for one in load()):
                continue
            found = measure(name, where, clock_hz=clock_hz)
            save([found])
            print(json.dumps(found), flush=True)


def adopt(folder):
    """Take the reports of build folders, of networks of the zoo as they are now."""
    digests = {ir.digest(network(name)): name for name in FITTED}
    found = []
    for path in sorted(folder.glob("*/report.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        name = digests.get(report["digests"]["network"])
        if name is not None and report["resources"] is not None and report["board"] is not None:
            found.append(line(name, report["target"], report))
    save(found)
    print(f"{len(found)} builds taken from {folder}")


def fitted_to(one):
    """Whether the coefficients are fitted to a line; the others tell how good they are."""
    name, form = parted(one["network"])
    return int(name) % 2 == 0 if name.isdigit() else not form and name in FITTED


def described(one):
    """What there is to know of a line's design, its family and its board, if there is one."""
    family, board = placed_on(one["target"])
    large = board is not None and board.part.large_memories > 0
    return _design(one["network"], one["target"] if large else family.name,
                   board is not None), family, board


@functools.cache
def _design(name, where, link):
    family, board = placed_on(where)
    chosen = plan(name, family, board)
    return Design.of(as_built(network(name), chosen), chosen, family, link=link)


def fit(lines, *, constant=False):
    """Coefficients of each family, by name, as the file has them; with an Fmax that is the same for
    all designs of a speed grade, to compare with."""
    known = [(one, *described(one)) for one in lines if fitted_to(one)]
    found = {}
    for name in families.FAMILIES:
        own = [(one, design, board) for one, design, family, board in known if family.name == name]
        # Made networks of no form were synthesised alone: placed, they would count twice.
        parts = {part: solved([(design.features[part], one["luts"].get(part, 0))
                               for one, design, board in own if part in design.features
                               and not (board is not None and one["network"].isdigit())])
                 for part in PARTS}
        luts = Coefficients(parts, {}, {}).luts
        found[name] = {"parts": parts, **speeds([
            (one, speed_grade(board.part),
             {} if constant else design.lengths(sum(luts(design.features).values())))
            for one, design, board in own if one["fmax_mhz"] is not None])}
    return found


def solved(rows):
    """Coefficients, none negative, that make relative errors small.

    A little weight keeps each near 1, LUTs as the components tell them, where little was measured.
    """
    if not rows:
        return {}
    rows = [({name: value for name, value in values.items() if name != COUNTED},
             luts - values.get(COUNTED, 0)) for values, luts in rows]
    names = list(dict.fromkeys(name for values, _ in rows for name in values))
    weights = [1 / max(20, luts) for _, luts in rows]
    matrix = [[values.get(name, 0) * weight for name in names]
              for (values, _), weight in zip(rows, weights, strict=True)]
    wanted = [luts * weight for (_, luts), weight in zip(rows, weights, strict=True)]
    scale = [max((abs(row[index]) for row in matrix), default=0) for index in range(len(names))]
    prior = np.diag([(ABSENT if name in SWITCHES else PRIOR) * max(one, 1e-3)
                     for name, one in zip(names, scale, strict=True)])
    solution, _ = nnls(np.vstack([matrix, prior]), np.concatenate([wanted, prior.sum(axis=1)]))
    return {name: round(float(value), 4) for name, value in zip(names, solution, strict=True)}


def speeds(rows):
    """Fmax of each speed grade, and how much longer what makes paths long makes a period.

    Periods are products, so that their logarithms are sums. A little weight keeps each factor
    near 1, where little was measured. A network counts once, on however many boards it is.

    Parameters
    ----------
    rows : list
        Of placed lines of a family: the line, its speed grade, and what makes its paths long.
    """
    if not rows:
        return {"mhz": {}, "slower": {}}
    boards_of = Counter(one["network"] for one, _, _ in rows)
    grades = sorted({grade for _, grade, _ in rows})
    names = list(rows[0][2])
    matrix, wanted = [], []
    for one, grade, paths in rows:
        weight = boards_of[one["network"]] ** -0.5
        matrix.append([weight * value for value in (
            *(grade == other for other in grades), *paths.values())])
        wanted.append(weight * math.log(1000 / one["fmax_mhz"]))
    prior = np.diag([0.0] * len(grades) + [
        SHORT * max(abs(row[len(grades) + index]) for row in matrix)
        for index in range(len(names))])[len(grades):]
    solution, _ = nnls(np.vstack([matrix, prior]), [*wanted, *np.zeros(len(names))])
    mhz = {grade: round(1000 * math.exp(-value), 2)
           for grade, value in zip(grades, solution, strict=False)}
    return {"mhz": mhz | {"": min(mhz.values())},
            "slower": {name: round(float(value), 4)
                       for name, value in zip(names, solution[len(grades):], strict=True)}}


def errors(lines, fitted, form=""):
    """A row a line that was not fitted to: measured, estimated, and how far off in percent.

    Parameters
    ----------
    lines : list of dict
    fitted : mapping of str to Coefficients
        By family.
    form : str
        Only builds of that form.
    """
    rows = []
    for one in lines:
        if fitted_to(one) or parted(one["network"])[1] != form:
            continue
        design, family, board = described(one)
        told = fitted[family.name].luts(design.features)
        total = sum(one["luts"].values())
        mhz = None if one["fmax_mhz"] is None else fitted[family.name].fmax_mhz(
            design, speed_grade(board.part))
        rows.append({"network": one["network"], "target": one["target"], "family": family.name,
                     "luts": total, "told": sum(told.values()),
                     "luts_off": 100 * (sum(told.values()) / total - 1),
                     "memories": one["memories"], "told_memories": design.memories.blocks,
                     "mhz": one["fmax_mhz"], "told_mhz": mhz,
                     "mhz_off": None if mhz is None else 100 * (mhz / one["fmax_mhz"] - 1),
                     "parts": {part: (one["luts"].get(part, 0), told[part]) for part in told}})
    return rows


def off(rows):
    """How far off a family's estimates are: builds that were compared, and of these placed ones,
    which alone have an Fmax; means and the largest.

    Of block RAMs: builds that have as many as was told, and the largest difference.
    """
    found = {}
    for name in families.FAMILIES:
        luts = [abs(row["luts_off"]) for row in rows if row["family"] == name]
        memories = [abs(row["told_memories"] - row["memories"]) for row in rows
                    if row["family"] == name]
        mhz = [abs(row["mhz_off"]) for row in rows
               if row["family"] == name and row["mhz_off"] is not None]
        found[name] = {"builds": len(luts), "placed": len(mhz),
                       "luts": round(statistics.mean(luts), 1) if luts else None,
                       "luts_most": round(max(luts), 1) if luts else None,
                       "fmax": round(statistics.mean(mhz), 1) if mhz else None,
                       "fmax_most": round(max(mhz), 1) if mhz else None,
                       "memories_exact": sum(not one for one in memories),
                       "memories_most": max(memories, default=None)}
    return found


def write():
    """Fit, and write the coefficients where the estimate reads them."""
    found = fit(load())
    known = {name: Coefficients(**values) for name, values in found.items()}
    files.write_atomic(COEFFICIENTS, json.dumps({
        "command": "python -m bench.measured fit", "families": found,
        "off": worth(known)}, indent=1) + "\n")


def worth(fitted):
    """How far off estimates are by some coefficients: of each form, and in it of each family, with
    the LUTs of the largest build that was placed, fitted to or not."""
    lines = load()
    return {form: {name: found | {"placed_luts": largest(lines, form, name)}
                   for name, found in off(errors(lines, fitted, form)).items()}
            for form in ("", *FORMS, STREAMED)}


def largest(lines, form, family):
    """LUTs of the largest build of a form that was placed on a device of a family; None where none
    was."""
    return max((sum(one["luts"].values()) for one in lines
                if one["fmax_mhz"] is not None and parted(one["network"])[1] == form
                and placed_on(one["target"])[0].name == family), default=None)


def table(rows):
    """The errors as a table in Markdown, and their means."""
    print("| network | target | LUTs | estimated | % | encoder | core | head | block RAMs | MHz | "
          "estimated | % |\n" + "|---" * 2 + "|---:" * 10 + "|")
    for row in rows:
        speed = (f"{row['mhz']:.1f} | {row['told_mhz']:.1f} | {row['mhz_off']:+.0f}"
                 if row["told_mhz"] is not None else "- | - | -")
        parts = " | ".join("{:,} / {:,}".format(*row["parts"][part])
                           for part in ("encoder", "core", "head"))
        print(f"| {row['network']} | {row['target']} | {row['luts']:,} | {row['told']:,} | "
              f"{row['luts_off']:+.1f} | {parts} | {row['memories']} / {row['told_memories']} | "
              f"{speed} |")
    print()
    for name, found in off(rows).items():
        for key, noun, builds in (("luts", "LUTs", "builds"), ("fmax", "Fmax", "placed")):
            if found[key] is not None:
                print(f"{name}: {noun} off by {found[key]} % on average, {found[key + '_most']} % "
                      f"at most; {found[builds]} builds.")
        if found["builds"]:
            print(f"{name}: block RAMs exact in {found['memories_exact']} of {found['builds']} "
                  f"builds, off by {found['memories_most']} at most.")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.measured", description=__doc__)
    parser.add_argument("what", choices=("build", "adopt", "fit", "errors"))
    parser.add_argument("folder", metavar="FOLDER", nargs="?", type=Path,
                        default=Path("build", "boards"),
                        help="folder of build folders, for adopt (default: %(default)s)")
    parser.add_argument("--networks", metavar="N", type=int, default=20,
                        help="made networks to build (default: %(default)s)")
    parser.add_argument("--held-out", metavar="N", type=int, default=0,
                        help="build the first N made networks that nothing is fitted to, instead")
    parser.add_argument("--form", choices=[*FORMS, STREAMED, *LEVELS],
                        help="build, or compare, in that form")
    parser.add_argument("--only", metavar="NAME", action="append",
                        help="only this network: a number, or a name of the zoo")
    parser.add_argument("--family", metavar="NAME", action="append", help="only these")
    parser.add_argument("--board", metavar="NAME", action="append", help="boards, instead")
    parser.add_argument("--freq", metavar="MHZ", type=float,
                        help="place once, for that clock, in place of a search for the fastest")
    parser.add_argument("--constant", action="store_true",
                        help="of errors: those of one Fmax for all designs of a speed grade")
    args = parser.parse_args(argv)
    if args.what == "adopt":
        adopt(args.folder)
    elif args.what == "fit":
        write()
    elif args.what == "errors":
        known = ({name: Coefficients(**found) for name, found in fit(load(), constant=True).items()}
                 if args.constant else {name: coefficients(name) for name in families.FAMILIES})
        table(errors(load(), known, args.form or ""))
    else:
        numbers = range(1, 2 * args.held_out, 2) if args.held_out else range(args.networks)
        names = args.only or [str(number) for number in numbers if buildable(number, args.form)]
        add([f"{name}-{args.form}" if args.form else name for name in names],
            args.board or args.family or families.FAMILIES,
            clock_hz=args.freq and 1e6 * args.freq)
    return 0


if __name__ == "__main__":
    sys.exit(main())
