"""Time of a step of training a convolution of look-up tables: a table, position and sample.

The realisations take turns: compiled loops on a processor, Triton's kernels on a GPU, and the
tensor operations that both have. Time is that of the processor, which does not count what others
take; on a GPU it is that of the clock.
"""

import argparse
import sys
import time
from unittest import mock

import torch

from bitwright.command import guarded, natural, positive
from bitwright.model.layers import LutConvolutionLayer
from bitwright.model.lookup import trees
from bitwright.model.training.device import choose
from bitwright.model.wiring import Geometry

__all__ = ["clock", "main", "measure"]


def clock(device):
    """A function that tells seconds: of the processor; on a GPU, when all asked of it is done."""
    if device.type != "cuda":
        return time.process_time

    def done():
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return done


def measure(layer, batch, steps):
    """Nanoseconds of a step forward and back, a table, position and sample: the least of all."""
    device = layer.slopes.device
    timer = clock(device)
    x = torch.randint(2, (layer.in_width, batch), device=device).float().requires_grad_()
    tables = sum(len(level) for level in layer.tables)
    times = []
    for _ in range(steps + 1):
        start = timer()
        y = layer(x)
        y.backward(torch.ones_like(y))
        times.append(timer() - start)
    return min(times[1:]) * 1e9 / (tables * layer.window.positions * batch)


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.lookups", description=__doc__)
    parser.add_argument("--batch", metavar="N", type=positive, default=128)
    parser.add_argument("--steps", metavar="N", type=positive, default=5)
    parser.add_argument("--seed", metavar="N", type=natural, default=0)
    parser.add_argument("--device", metavar="NAME", default="cpu")
    args = parser.parse_args(argv)
    return guarded(lambda: _table(args))


def _table(args):
    torch.set_num_threads(1)
    device = choose(args.device)
    generator = torch.Generator().manual_seed(args.seed)
    on_gpu = device.type == "cuda"
    print(f"| fan-in | levels | wiring | {'kernels' if on_gpu else 'loops'}, ns | tensors, ns |\n"
          "|---|---|---|---|---|")
    for fan_in, levels, wiring in ((6, 2, "random"), (6, 2, "learnable"), (4, 2, "random"),
                                   (2, 3, "random")):
        settings = LutConvolutionLayer.Settings(channels=32, kernel=3, fan_in=fan_in, levels=levels,
                                                wiring=wiring)
        layer = LutConvolutionLayer(Geometry.of((14, 14), 32), settings, generator=generator)
        layer.to(device)
        layer.kernels = on_gpu
        own = measure(layer, args.batch, args.steps)
        layer.kernels = False
        with mock.patch.object(trees, "_loops", return_value=None):
            tensors = measure(layer, args.batch, args.steps)
        print(f"| {fan_in} | {levels} | {wiring} | {own:.1f} | {tensors:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
