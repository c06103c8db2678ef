"""What learned wiring costs in training, and what it reaches in a few epochs.

A layer of look-up tables chooses its sources from a window, from all bits with a preference for
each of them, or from all bits by candidates that are renewed. The first table gives the time of a
step forward, back, and of Adam, that of the processor, which does not count what others take;
beside it stands what products and memory alone would take, at the rates of a product and a copy
that are measured in the same run. A batch of eight times the samples costs what one product for
eight steps would: both pass over the preferences once. With --learn the second table follows:
validation accuracy of one layer on MNIST after so many epochs.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from unittest import mock

import torch

from bitwright.command import guarded, natural, positive
from bitwright.data import load
from bitwright.model.layers import LutLayer
from bitwright.model.lookup import renewal
from bitwright.model.recipe import load_recipe
from bitwright.model.rules.optimizer import adam
from bitwright.model.training.trainer import Trainer
from bitwright.model.wiring import Geometry

__all__ = ["cost", "learn", "main"]

PASSES = 23
"""Times that preferences are read or written in a step: argmax, softmax, their gradient, Adam."""

SHAPE = 28, 28
LEARNT = {
    "window of 49": "window=49",
    "all, 64 at a time": "offered=64",
    "all, 128 at a time": "offered=128",
    "64 drawn once": "offered=64",
}


def cost(layer, batch, steps):
    """Median seconds of a step of training, of the processor."""
    optimizer = adam(layer.parameters(), 0.02)
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(2, (layer.in_width, batch), generator=generator).float()
    times = []
    for _ in range(steps + 1):
        gradient = torch.randn(len(layer.wires), batch, generator=generator) * 1e-3
        start = time.process_time()
        optimizer.zero_grad()
        layer(x).backward(gradient)
        optimizer.step()
        layer.constrain()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def rates(batch):
    """Operations a second of a product, of float32 and bfloat16, and bytes a second of a copy."""
    left, right = torch.randn(6000, batch), torch.randn(batch, 1568)
    few, half = left[:375].bfloat16(), right.bfloat16()
    source = torch.randn(6000, 1568)
    target = torch.empty_like(source)

    def least(work):
        times = []
        for _ in range(4):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    return (2 * 6000 * batch * 1568 / least(lambda: left @ right),
            2 * 375 * batch * 1568 / least(lambda: few @ half),
            8 * source.numel() / least(lambda: target.copy_(source)))


def work(layer, batch):
    """Operations and bytes of memory that a step takes for the wiring."""
    nodes, fan_in, offered = layer.preferences.shape
    surveyed = nodes / renewal.PERIOD * layer.in_width if layer.renewal else 0
    gathered = nodes * offered * 2 if layer.candidates is not None else 0
    return (2 * batch * fan_in * (nodes * offered + surveyed),
            4 * (PASSES * nodes * fan_in * offered + gathered * batch))


def learn(settings, epochs, data, seed):
    """Train one layer: validation accuracy, loss, and milliseconds of a step."""
    layer = f"layers=[{{kind='lut', width=1000, fan_in=6, wiring='learnable', {settings}}}]"
    recipe = load_recipe("mnist", (layer, "head.temperature=3.33", "jitter=1", f"seed={seed}",
                                   f"epochs={epochs}"))
    trainer = Trainer(recipe, data)
    start = time.process_time()
    steps = []
    for _ in range(epochs):
        trainer.run_epoch(lambda samples, metric: steps.append(samples))
    used = time.process_time() - start
    return *trainer.validate(), used / len(steps) * 1e3


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.wiring", description=__doc__)
    parser.add_argument("--batch", metavar="N", type=positive, default=128, help="(default: 128)")
    parser.add_argument("--steps", metavar="N", type=positive, default=10,
                        help="steps of a measurement of time (default: 10)")
    parser.add_argument("--learn", metavar="N", type=natural, default=0,
                        help="epochs of training that are compared (default: none)")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="folder of the data sets")
    parser.add_argument("--seed", metavar="N", type=natural, default=0)
    args = parser.parse_args(argv)
    return guarded(lambda: _tables(args))


def _tables(args):
    torch.set_num_threads(1)
    flops, coarse, traffic = rates(args.batch)
    print(f"Products {flops / 1e9:.1f} GFLOP/s, of bfloat16 {coarse / 1e9:.1f}; "
          f"copies {traffic / 1e9:.1f} GB/s.\n\n"
          f"| depth | chooses from | batch | ms, {args.batch} samples | steps/s | to the window | "
          "products, ms | memory, ms |\n|---|---|---|---|---|---|---|---|")
    for depth in (2, 3):
        geometry = Geometry.of(SHAPE, depth)
        first = None
        for name, times, settings in (("window of 49", 1, {"window": 49}),
                                      ("all, a preference each", 1, {"offered": geometry.width}),
                                      ("all, a preference each", 8, {"offered": geometry.width}),
                                      ("all, 64 at a time", 1, {})):
            layer = LutLayer(geometry, LutLayer.Settings(
                width=1000, fan_in=6, wiring="learnable", **settings), groups=10,
                generator=torch.Generator().manual_seed(args.seed))
            used = cost(layer, args.batch * times, max(2, args.steps // times)) / times
            first = first or used
            operations, memory = (value / times for value in work(layer, args.batch * times))
            print(f"| {depth} | {name} | {args.batch * times} | {used * 1e3:.1f} | "
                  f"{1 / used:.1f} | {used / first:.2f} | {operations / flops * 1e3:.1f} | "
                  f"{memory / traffic * 1e3:.1f} |", flush=True)
    if args.learn:
        data = load("mnist", args.data_dir)
        print(f"\n| chooses from | validation after {args.learn} epochs | loss | ms a step |\n"
              "|---|---|---|---|")
        for name, settings in LEARNT.items():
            period = 1 << 40 if name == "64 drawn once" else renewal.PERIOD
            with mock.patch.object(renewal, "PERIOD", period):
                accuracy, loss, used = learn(settings, args.learn, data, args.seed)
            print(f"| {name} | {accuracy:.4f} | {loss:.4f} | {used:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
