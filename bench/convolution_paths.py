"""Time the ways in which a convolution's inner products can be computed where it is trained.

Each is exact: what is multiplied is 0, 1 and -1, and float32 holds every sum of fewer than 2^24. A
row is a layer of the recipe cifar10, forward and back, in milliseconds of the processor for a
batch; the training takes the way of the last column.
"""

import argparse
import sys
import time

import torch
from torch.nn.functional import conv2d

from bitwright.ir.window import Window
from bitwright.model.layers.windows import see_windows, slide

__all__ = ["LAYERS", "WAYS", "main"]

LAYERS = ((32, 3, 3, 32), (30, 32, 3, 64), (14, 64, 3, 64), (12, 64, 3, 128), (5, 128, 3, 128),
          (3, 128, 3, 256), (1, 256, 1, 512))
"""Side of the picture, its channels, side of the window, neurons."""


def matrix(x, weights, window):
    """Every window as a column, one product of matrices."""
    return weights @ see_windows(x, window)


def planes(x, weights, window):
    """Torch's convolution of pictures of which each channel lies together."""
    kernels = weights.view(-1, *window.kernel, window.channels).permute(0, 3, 1, 2).contiguous()
    image = x.view(window.height, window.width, window.channels, -1).permute(3, 2, 0, 1)
    sums = conv2d(image.contiguous(), kernels)
    return sums.permute(1, 0, 2, 3).reshape(len(weights), -1)


WAYS = {"im2col and BLAS": matrix, "convolution, channels first": planes,
        "convolution, channels last": slide}


def measure(way, side, channels, kernel, neurons, batch, device):
    """Least milliseconds of a pass forward and back, and its sums."""
    window = Window(side, side, channels, (kernel, kernel))
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(2, (batch, window.in_width), generator=generator)
    signs = 2.0 * torch.randint(2, (neurons, window.bits), generator=generator) - 1
    if way is not slide:  # as the wiring of tables keeps them: a value of all samples together
        x = pictures.T.contiguous().float().to(device).requires_grad_()
    else:
        x = pictures.float().to(device).T.requires_grad_()
    weights = signs.to(device).requires_grad_()
    slopes, best = None, float("inf")
    for _ in range(5):
        start = _now(device)
        sums = way(x, weights, window)
        if slopes is None:
            slopes = torch.ones_like(sums)
        torch.autograd.grad(sums, (x, weights), slopes)
        best = min(best, _now(device) - start)
    return 1e3 * best, sums.detach()


def _now(device):
    """Seconds: of the processor, so that others on it do not count, or by the clock."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.convolution_paths", description=__doc__)
    parser.add_argument("--batch", metavar="N", type=int, default=64,
                        help="pictures of a batch (default: %(default)s)")
    parser.add_argument("--device", metavar="NAME", default="cpu",
                        help="where to compute (default: %(default)s, one thread)")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    lines = [f"| layer | million products | {' | '.join(WAYS)} |", "|---" * (len(WAYS) + 2) + "|"]
    total = [0.0] * len(WAYS)
    for side, channels, kernel, neurons in LAYERS:
        times, found = zip(*(measure(way, side, channels, kernel, neurons, args.batch, args.device)
                             for way in WAYS.values()), strict=True)
        assert all(int(sums.round().sum()) == int(found[0].round().sum()) for sums in found)
        total = [sum(pair) for pair in zip(total, times, strict=True)]
        products = args.batch * (side - kernel + 1) ** 2 * kernel**2 * channels * neurons / 1e6
        lines.append(f"| {channels} to {neurons}, {kernel} x {kernel} of {side} x {side} | "
                     f"{products:,.0f} | {' | '.join(f'{each:,.1f}' for each in times)} |")
    lines.append(f"| all | | {' | '.join(f'{each:,.1f}' for each in total)} |")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
