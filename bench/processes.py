"""Train on two processes what one trains, and kill one of them at random moments.

The first table compares one process with several at the same batches, all started by torchrun:
figures of the best epoch, samples a second (the median of the epochs), and the run of several that
one process goes on with from the middle. Votes are whole numbers, so that nodes of recipes of
learning `fbf` must be equal; others may differ by TOLERANCE in accuracy.

With `--kills N` a worker of a small run is killed N times at random moments, and the run resumed:
its frozen file must have the bytes of a run that nobody disturbed, and what the run says at each
end must be one line beside the report of torchrun. No line is right in two cases alone: the run had
not said yet what it learns from, so that the processes may not have met, or all epochs were done,
after which the first process is alone.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

__all__ = ["TOLERANCE", "compare", "kill", "main", "missing"]

ROOT = Path(__file__).parents[1]

TOLERANCE = 0.005
"""Largest difference of validation accuracies: runs of different seeds differ by as much."""

SMALL = ["digits", "--set", "epochs=30", "--set", "patience=30", "--set", "jitter=1"]
"""What is killed."""

SAID = "with --resume goes on from the last whole epoch"
EARLY, LATE = "before the processes had met", "after the last epoch"
MET = "samples to learn from"
"""What the first process says once it has waited for the others."""


def launch(count, argv, log=None):
    """Start a training on so many processes."""
    under = [] if count == 1 else ["torch.distributed.run", "--standalone", "--nproc-per-node",
                                   str(count), "-m"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", *under, "model.train", *argv], cwd=ROOT,
                            env=environment, stdout=subprocess.DEVNULL, stderr=log)


def finish(process, log=None):
    """Wait for a training that nobody disturbs."""
    if process.wait():
        why = "" if log is None else f"; {log} says why"
        raise SystemExit(f"a training has failed with status {process.returncode}{why}")


def figures(out):
    """Validation and test accuracy, samples a second, and nodes, of a run."""
    from bitwright import ir

    network = ir.load(out / "network.safetensors")
    metrics = (out / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in metrics.splitlines()]
    accuracy = network.provenance["accuracy"]
    return {"validation": accuracy["validation"], "test": accuracy["test"],
            "rate": statistics.median(line["samples_per_second"] for line in lines),
            "entries": network.entries}


def compare(recipe, count, out, settings, data_dir):
    """Train on one process, on several, and on several and then one. Returns what was wrong."""
    extra = [word for setting in settings for word in ("--set", setting)]
    extra += ["--data-dir", data_dir] if data_dir else []
    one, several, mixed = (out / f"{recipe}-{name}" for name in ("one", "several", "mixed"))
    if not (one / "network.safetensors").exists():
        finish(launch(1, [recipe, "--force", "--out", str(one), *extra]))
    if not (mixed / "network.safetensors").exists():
        process = launch(count, [recipe, "--force", "--out", str(several), *extra])
        copied = False
        while process.poll() is None:
            time.sleep(0.02)
            if not copied and _epochs(several) * 2 >= _planned(several):
                copied = _copy(several, mixed)
        finish(process)
        if not copied:
            raise SystemExit(f"{recipe}: too short a training to be stopped in the middle")
        finish(launch(1, [recipe, "--resume", "--out", str(mixed), *extra]))
    found = {name: figures(path) for name, path in (
        ("1", one), (str(count), several), (f"{count}, then 1", mixed))}
    base, faults = found["1"], []
    for name, values in found.items():
        same = values["entries"] == base["entries"]
        print(f"| `{recipe}` | {name} | {100 * values['validation']:.2f} | "
              f"{100 * values['test']:.2f} | {values['rate']:,.0f} | "
              f"{values['rate'] / base['rate']:.2f} | {'equal' if same else 'other'} |", flush=True)
        if recipe.endswith("fbf") and not same:
            faults.append(f"{recipe}: nodes differ on {name} processes")
        if abs(values["validation"] - base["validation"]) > TOLERANCE:
            faults.append(f"{recipe}: accuracy differs on {name} processes")
    return faults


def _epochs(out):
    metrics = out / "metrics.jsonl"
    return len(metrics.read_text(encoding="utf-8").splitlines()) if metrics.exists() else 0


def _planned(out):
    import tomllib

    recipe = out / "recipe.toml"  # written before the first epoch
    if not recipe.exists():
        return 1 << 30
    return tomllib.loads(recipe.read_text(encoding="utf-8"))["epochs"]


def _copy(source, target):
    """Copy the checkpoint of a run that goes on, which is replaced as a whole."""
    if not (source / "checkpoint.pt").exists():
        return False
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("checkpoint.pt", "metrics.jsonl", "recipe.toml"):
        shutil.copy(source / name, target)
    return True


def workers(process):
    """Processes that torchrun has started."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(
            encoding="utf-8")
    except OSError:
        return []
    return [int(pid) for pid in children.split()]


def kill(times, count, out, seed):
    """Kill a worker so many times. Returns what was wrong."""
    chance, faults = random.Random(seed), []
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    whole, killed, log = out / "whole", out / "killed", out / "said.txt"
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        finish(launch(count, [*SMALL, "--out", str(whole)], file), log)
    window = time.monotonic() - started
    done, finished, found = 0, 0, Counter()
    while True:
        how = ["--resume"] if (killed / "checkpoint.pt").exists() else ["--force"]
        with log.open("w", encoding="utf-8") as file:
            process = launch(count, [*SMALL, *how, "--out", str(killed)], file)
            until = time.monotonic() + chance.uniform(0, window) if done < times else float("inf")
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            there = workers(process) if process.poll() is None else []
            if there:
                before = log.read_text(encoding="utf-8")
                os.kill(chance.choice(there), signal.SIGKILL)
                done += 1
            status = process.wait()
        if there:
            said = log.read_text(encoding="utf-8").count(SAID)
            why = None if said else missing(before, _epochs(killed), _planned(killed))
            found["told" if said else why] += 1
            if said > 1 or not (said or why):
                faults.append(f"kill {done} was told in {said} lines")
        if there or status:
            if status and not there:
                faults.append(f"a run that was not killed has ended with status {status}")
                break
            continue
        finished += 1
        if not _same(whole, killed):
            faults.append(f"run {finished} has ended in other bytes")
        if done >= times:
            break
        shutil.rmtree(killed)
    print(f"{done} kills of a worker of {count}: {found['told']} told, {found[EARLY]} {EARLY} and "
          f"{found[LATE]} {LATE}, which need not be; {finished} runs that came to their end")
    return faults


def missing(said, epochs, planned):
    """Why a kill need not have been told, or None if it must have been.

    Parameters
    ----------
    said : str
        What the run had said before the kill.
    epochs, planned : int
        Epochs that it had done in the end, and those of the recipe.
    """
    if MET not in said:
        return EARLY
    return LATE if epochs >= planned else None


def _same(first, second):
    return all((first / name).read_bytes() == (second / name).read_bytes()
               for name in ("network.safetensors",))


def main(argv=None):
    """Run the bench. Returns 1 if anything was not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.processes", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", metavar="RECIPE", nargs="*",
                        help="default: mnist and mnist-fbf, or none with --kills")
    parser.add_argument("--processes", metavar="N", type=int, default=2, help="(default: 2)")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], dest="settings",
                        help="replace a setting of the recipes")
    parser.add_argument("--kills", metavar="N", type=int, default=0,
                        help="kill a worker so many times (default: 0)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the kills")
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT / "runs" / "processes")
    parser.add_argument("--data-dir", metavar="DIR")
    args = parser.parse_args(argv)
    recipes = args.recipes or ([] if args.kills else ["mnist", "mnist-fbf"])
    faults = []
    if recipes:
        print("| recipe | processes | validation, % | test, % | samples a second | of one process "
              "| nodes |\n|---|---|---|---|---|---|---|")
    for recipe in recipes:
        faults += compare(recipe, args.processes, args.out.resolve(), args.settings, args.data_dir)
    if args.kills:
        faults += kill(args.kills, args.processes, args.out.resolve() / "kills", args.seed)
    for fault in faults:
        print(f"FAULT: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
