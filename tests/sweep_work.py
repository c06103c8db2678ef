"""Work of processes in the tests of sweeps, which import this and no torch."""

import json
import os
import time

from bitwright.model.sweeping.events import Begun, Done, Epoch


def work(task, say):
    """Take the target as what to do."""
    if task.target == "die":
        os._exit(3)
    if task.target == "sleep":
        time.sleep(600)
    for epoch in range(1, 4):
        if not say(Epoch((0.0,) * epoch, epoch / 3)):
            return
    say(Done({"validation": 1.0}))


def train(task, say):
    """Train by a formula, into run folders as a training has them."""
    curve = []
    for out, recipe in task.runs:
        out.mkdir(parents=True, exist_ok=True)
        state, metrics = out / "checkpoint.pt", out / "metrics.jsonl"
        epoch = int(state.read_text()) if state.exists() else 0
        lines = metrics.read_text().splitlines()[:epoch] if epoch else []
        curve = [json.loads(line)["validation_accuracy"] for line in lines]
        if not epoch:
            say(Begun(recipe.layers[0].width))
        while len(curve) < recipe.epochs:
            if curve and not say(Epoch(tuple(curve), len(curve) / recipe.epochs)):
                return
            curve.append(1 - recipe.rule.learning_rate - 1 / (len(curve) + len(task.loaded.labels)))
            lines.append(json.dumps({"validation_accuracy": curve[-1]}))
            metrics.write_text("".join(f"{line}\n" for line in lines))
            (out / "log").write_text("x" * len(curve))
            state.write_text(str(len(curve)))
        (out / "network.safetensors").write_text(recipe.name)
    figures = {"validation": max(curve), "luts": float(task.runs[0][1].layers[0].width)}
    say(Done(figures, {"runs": [{"seed": 0, "epochs": len(curve), **figures}]}))
