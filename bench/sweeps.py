"""Sweeps through plain processes and through a Ray cluster of two nodes on this machine.

``same``: the same trials and the same results through both. ``rate``: trials an hour on one and two
processes, by both. ``kills``: workers, and now and then the
sweep itself, killed at random moments; nothing may be lost and no trial done twice. ``driver``:
what a sweep itself takes for a trial, when others train. ``beside``: networks of a sweep's folder
with networks made by hand, all of them sized anew for the target and in the form of --spec.
``sizes``: what a sweep has left on disk, and what its trials took.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import fmean

from bitwright import files, ir
from bitwright.command import guarded, positive
from bitwright.form import Form
from bitwright.library import estimate
from bitwright.model.sweeping.events import Begun, Done, Epoch
from bitwright.model.sweeping.front import front, points
from bitwright.model.sweeping.ledger import JOURNAL, Ledger
from bitwright.model.sweeping.picture import draw
from bitwright.model.sweeping.spec import FOLDER, SweepError, load_spec
from bitwright.model.sweeping.sweep import SPEC, TRIALS, Sweep, claim, described, run_folder
from bitwright.model.training.folder import CHECKPOINT, METRICS, NETWORK, curve

__all__ = ["beside", "driver", "kills", "main", "nodes", "rate", "same", "sizes"]

ROOT = Path(__file__).parents[1]

SIZING = ("target", "rate", "form")
"""Keys of a sweep that no training depends on."""


def written(name, out, **changes):
    """The file of a spec, by fixed-seed random sampling without pruning, with other changes."""
    import tomli_w

    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    values |= {"sampler": "random", "pruner": "none"} | changes
    files.write_atomic(out / "bench.toml", tomli_w.dumps(values))
    return out / "bench.toml"


def command(spec, folder, processes, address=None):
    """The sweep's own command."""
    return [sys.executable, "-m", "bitwright", "sweep", str(spec), "--out", str(folder),
            "--processes", str(processes), *([] if address is None else ["--address", address])]


def heading(*names):
    print(f"| {' | '.join(names)} |\n" + "|---" * len(names) + "|")


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def run(*arguments):
    """Run a sweep to its end. Returns the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run(command(*arguments), env=environment(), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


@contextlib.contextmanager
def nodes(count=2) -> Iterator[str]:
    """The address of a Ray cluster: so many raylets on this machine, a core each."""
    os.environ |= environment() | {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={
        "num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            made.add_node(num_cpus=1)
        yield made.address
    finally:
        made.shutdown()


def results(spec, folder):
    """All that counts of a sweep: settings, state and figures of each trial, and its networks."""
    settings = load_spec(str(spec))
    return [(trial.number, trial.state.name, trial.params, trial.user_attrs,
             [ir.digest(ir.load(run_folder(folder, trial.number, seed) / NETWORK))
              for seed in settings.seeds])
            for trial in Ledger(folder, settings).trials]


def same(args, out):
    """One sweep through both engines."""
    spec = written(args.spec, out, trials=args.trials)
    seconds = {"two processes": run(spec, out / "processes", 2)}
    with nodes() as address:
        seconds["two nodes of a Ray cluster"] = run(spec, out / "cluster", 2, address)
    found = [results(spec, out / name) for name in ("processes", "cluster")]
    heading("engine", "trials", "seconds")
    for engine, took in seconds.items():
        print(f"| {engine} | {len(found[0])} | {took:.0f} |")
    equal = found[0] == found[1]
    print(f"\nsettings, figures and networks are {'the same' if equal else 'NOT the same'}")
    return 0 if equal else 1


def rate(args, out):
    """Trials an hour, the start of the command included."""
    spec = written(args.spec, out, trials=args.trials)
    heading("engine", "processes", "seconds", "trials/hour")
    for address, count in itertools.product((None, "local"), (1, 2)):
        took = run(spec, out / f"{address}-{count}", count, address)
        print(f"| {'processes' if address is None else 'Ray'} | {count} | {took:.0f} | "
              f"{3600 * args.trials / took:.0f} |", flush=True)
    return 0


def processes():
    """Parent and command line of all processes."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            found[int(path.name)] = parent, (path / "cmdline").read_bytes()
    return found


def workers(sweep):
    """Processes that train for a sweep that is a child of this one: nobody else's."""
    found, own = processes(), os.getpid()

    def ours(number):
        while number in found and number != own:
            number = found[number][0]
        return number == own

    return [number for number, (parent, line) in found.items() if ours(number) and (
        line.startswith(b"ray::Worker") or (parent == sweep and b"spawn_main" in line))]


def struck(arguments, count, pause, draws):
    """Run a sweep, and kill as often. Returns how often what was killed."""
    killed = Counter()
    while True:
        sweep = subprocess.Popen(command(*arguments), env=environment(),
                                 stdout=subprocess.DEVNULL)
        while sweep.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                sweep.wait(draws.uniform(0, 2 * pause))
                break
            aims = workers(sweep.pid)
            if killed.total() >= count or not aims:
                continue
            whom = sweep.pid if draws.random() < 0.1 else draws.choice(aims)
            with contextlib.suppress(ProcessLookupError):
                os.kill(whom, signal.SIGKILL)
                killed["the sweep" if whom == sweep.pid else "a worker"] += 1
        if sweep.wait() != -signal.SIGKILL:
            return sweep.returncode, killed


def journal(folder):
    """Entries of a sweep's journal, which is only read: another may be writing it."""
    return [json.loads(line) for line in
            (folder / JOURNAL).read_text(encoding="utf-8").splitlines(keepends=True)
            if line.endswith("\n")]


def ended(entries):
    """Entries of a journal by which trials have ended."""
    return [entry for entry in entries
            if entry["op_code"] == 6 and entry["state"] not in (0, 4)]  # running, waiting


def kills(args, out):
    """The same sweep undisturbed and struck. One that is over before the last kill shows less."""
    spec = written(args.spec, out, trials=args.trials)
    run(spec, out / "whole", 2)
    draws, wrong = random.Random(args.seed), 0
    heading("engine", "killed", "trials", "done twice", "other than undisturbed")
    for engine in args.engines:
        folder = out / engine
        with nodes() if engine == "ray" else contextlib.nullcontext() as address:
            status, killed = struck((spec, folder, 2, address), args.count, args.pause, draws)
        ends = Counter(entry["trial_id"] for entry in ended(journal(folder)))
        twice = sum(times > 1 for times in ends.values())
        whole, found = results(spec, out / "whole"), results(spec, folder)
        others = sum(one != two for one, two in itertools.zip_longest(whole, found))
        wrong += bool(status or twice or others or killed.total() < args.count)
        told = ", ".join(f"{what} {times} times" for what, times in sorted(killed.items()))
        print(f"| {engine} | {told} | {len(found)} | {twice} | {others} |", flush=True)
    return 1 if wrong else 0


class Idle:
    """An engine that says at once what a training would: all that is left is the sweep's own."""

    def __init__(self, slots):
        self._slots, self._trials = slots, {}

    @property
    def free(self):
        return self._slots - len(self._trials)

    def begin(self, number, task):
        self._trials[number] = self._said(*task.runs[0])

    def _said(self, out, recipe):
        size, curve = recipe.layers[0].width, []
        yield Begun(size)
        for epoch in range(recipe.epochs):
            curve.append(1 - 1 / (size + epoch))
            yield Epoch(tuple(curve), epoch / recipe.epochs)
        files.write_atomic(out / "metrics.jsonl", "".join(
            json.dumps({"validation_accuracy": value}) + "\n" for value in curve))
        figures = {"validation": curve[-1], "luts": float(size)}
        yield Done(figures, {"runs": [{"seed": 0, "epochs": len(curve), **figures}]})

    def events(self, timeout):
        found = [(number, next(said)) for number, said in list(self._trials.items())]
        for number, event in found:
            if isinstance(event, Done):
                del self._trials[number]
        return found

    def answer(self, number, go_on):
        if not go_on:
            del self._trials[number]

    def close(self):
        pass


def driver(args, out):
    """What the sweep itself takes, by how many trials there are already."""
    spec = load_spec(str(written(args.spec, out, sampler=args.sampler, pruner=args.pruner)))
    heading("trials", "seconds each", "trials/hour")
    claim(out / "driver", spec)
    before = 0
    for total in args.totals:
        begun = time.perf_counter()
        Sweep(replace(spec, trials=total), out / "driver", Idle(args.slots)).run()
        took = (time.perf_counter() - begun) / (total - before)
        print(f"| {before:,} to {total:,} | {took:.3f} | {3600 / took:,.0f} |", flush=True)
        before = total
    return 0


def trained(folder, spec):
    """What a sweep's folder says of its own sizing. One of other trainings is refused."""
    import tomli_w

    path = folder / SPEC
    if not path.is_file():
        raise SweepError(f"{folder}: no sweep is there, as it has no {SPEC}")
    there = tomllib.loads(path.read_text(encoding="utf-8"))
    own = tomllib.loads(tomli_w.dumps(described(spec)))
    told = {name: there.pop(name) for name in SIZING if name in there}
    if there != {name: value for name, value in own.items() if name not in SIZING}:
        raise SweepError(f"{folder}: the folder holds trainings of another sweep than --spec, see "
                         f"{path}")
    return told


def sized(network, spec):
    """Figures of hardware of any network beside others: the only place that asks for them."""
    return estimate(network, spec.target, spec.rate, spec.form)


def anew(point, folder, spec):
    """A trial with the figures of hardware that its networks have by a spec."""
    told = [sized(ir.load(run_folder(folder, point.number, run["seed"]) / NETWORK), spec)
            for run in point.runs]
    means = {name: fmean(one[name] for one in told) for name in told[0]}
    return replace(point, figures=point.figures | means)


def beside(args, out):
    """Table and picture of a sweep's front with networks made by hand, in the form of --spec."""
    spec = load_spec(args.spec)
    before = trained(args.sweep, spec)
    with files.lock(args.sweep):
        trials = Ledger(args.sweep, spec).trials
    found = [anew(point, args.sweep, spec) for point in points(trials)]
    best = front(found, spec.objectives)
    hand = []
    heading("network", "validation", f"LUTs ({spec.where}, estimated)")
    for point in best:
        print(f"| trial {point.number} | {100 * point.figures['validation']:.2f} % | "
              f"{point.figures['luts']:,.0f} |")
    for path in args.networks:
        network = ir.load(path)
        share = 100 * network.provenance["accuracy"]["validation"]
        luts = sized(network, spec)["luts"]
        hand.append((luts, share))
        name = path.parent.name if path.name == NETWORK else path.name  # that of its run
        print(f"| {name} | {share:.2f} % | {luts:,.0f} |")
    own = replace(spec, target=before["target"], form=Form(**before.get("form", {})))
    print(f"\n{len(found)} of {len(trials)} trials came to their end; the sweep compared them by "
          f"LUTs of {own.where}.")
    files.write_atomic(out / "beside.svg", draw(
        found, best, spec.where, f"Sweep of {spec.base.name}", {"made by hand": hand}))
    print(f"{out / 'beside.svg'}")
    return 0


def sizes(args, out):
    """Bytes that a sweep's folder holds of a trial and of a build, and what a trial took."""
    del out
    runs, builds = ([path for path in sorted((args.sweep / name).glob("*")) if path.is_dir()]
                    for name in (TRIALS, "builds"))
    each = {"run folder": [_bytes(path) for path in runs]}
    for name in (CHECKPOINT, NETWORK, METRICS):
        each[f"{name} of it"] = [(path / name).stat().st_size for path in runs
                                 if (path / name).exists()]
    each["build folder"] = [_bytes(path) for path in builds]
    heading("what", "number", "bytes: mean", "least", "most")
    for what, found in each.items():
        if found:
            print(f"| {what} | {len(found)} | {sum(found) / len(found):,.0f} | {min(found):,} | "
                  f"{max(found):,} |")
    entries = journal(args.sweep)
    begun = [datetime.fromisoformat(entry["datetime_start"]) for entry in entries
             if entry["op_code"] == 4]  # in the order of their numbers
    took = [(datetime.fromisoformat(entry["datetime_complete"])
             - begun[entry["trial_id"]]).total_seconds() for entry in ended(entries)]
    print(f"| journal, of a trial | {len(begun)} | "
          f"{(args.sweep / JOURNAL).stat().st_size / max(1, len(begun)):,.0f} | | |")
    epochs = sum(len(curve(path)) for path in runs)
    print(f"\n{len(begun)} trials, {epochs:,} epochs; from its begin to its end a trial took "
          f"{sum(took) / max(1, len(took)):.1f} s, as a mean of the {len(took)} that have ended")
    return 0


def _bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _parser():
    parser = argparse.ArgumentParser(prog="python -m bench.sweeps", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", default="digits", help="name or file (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="DIR",
                        help="a new folder that stays (default: one that is removed)")
    which = parser.add_subparsers(required=True, metavar="WHAT")
    for function, trials in ((same, 8), (rate, 8), (kills, 200)):
        part = which.add_parser(function.__name__, help=function.__doc__)
        part.add_argument("--trials", type=positive, default=trials)
        part.set_defaults(function=function)
    part.add_argument("--count", type=positive, default=50, help="kills of each engine")
    part.add_argument("--pause", type=float, default=10.0, help="mean seconds between two")
    part.add_argument("--engines", nargs="+", choices=("processes", "ray"),
                      default=("processes", "ray"))
    part.add_argument("--seed", type=int, default=0)
    part = which.add_parser("driver", help=driver.__doc__)
    part.add_argument("--totals", type=positive, nargs="+", default=[100, 300, 1000])
    part.add_argument("--slots", type=positive, default=100)
    part.add_argument("--sampler", default="tpe")
    part.add_argument("--pruner", default="median")
    part.set_defaults(function=driver)
    part = which.add_parser("beside", help=beside.__doc__)
    part.add_argument("sweep", type=Path, metavar="FOLDER")
    part.add_argument("networks", type=Path, nargs="*", metavar="NETWORK")
    part.set_defaults(function=beside)
    part = which.add_parser("sizes", help=sizes.__doc__)
    part.add_argument("sweep", type=Path, metavar="FOLDER")
    part.set_defaults(function=sizes)
    return parser


def main(argv=None):
    args = _parser().parse_args(argv)

    def work():
        if args.out is not None:
            args.out.mkdir(parents=True, exist_ok=True)
            return args.function(args, args.out)
        with tempfile.TemporaryDirectory() as folder:
            return args.function(args, Path(folder))

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
