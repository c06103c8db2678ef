"""Speed of the golden evaluator and of machine code on 10,000 images: LUT networks of several sizes
on MNIST's 784 pixels, and convolutions of neurons and of tables on CIFAR-10's 32 by 32 by 3."""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from tqdm import tqdm

from bitwright import ir, native
from bitwright.command import guarded, positive

__all__ = ["dense", "main", "measure"]

ROOT = Path(__file__).parents[1]

CHANNELS = (32, 64, 0, 64, 128, 0, 128, 256)
"""Outputs of each 3 x 3 convolution, 0 for a pool of 2 x 2 pixels; 512 neurons and 10 classes
follow. It is a common network for CIFAR-10, of 30 million products an image."""


def dense(luts, fan_in, rng):
    """Two layers with uniformly random wiring, the worst case for the caches."""
    thresholds = np.array([64, 128, 192], np.int32) + np.zeros((1, 784, 1), np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",))]
    for index in range(2):
        width = entries[-1].node.out_width
        _append(entries, f"lut{index}", _lut(width, luts // 2, fan_in, rng))
    _append(entries, "head", ir.GroupSum(luts // 2, 10))
    return ir.Network(tuple(entries))


def convolutions(body, depth, rng):
    """A network for 32 x 32 pixels of three colours, with so many thresholds for each.

    Parameters
    ----------
    body : callable
        Makes nodes of a number of bits to read, outputs, and a generator.
    depth : int
    rng : numpy.random.Generator
    """
    levels = np.linspace(0, 256, depth + 2)[1:-1].astype(np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(np.tile(levels, (1, 3072, 1)), 8), ("input",))]
    side, channels = 32, 3 * depth
    for index, count in enumerate(CHANNELS):
        kernel, stride = ((3, 3), (1, 1)) if count else ((2, 2), (2, 2))
        window = ir.Window(side, side, channels, kernel, stride)
        node = (ir.Convolution(body(window.bits, count, rng), window) if count
                else ir.Pool(window, "or"))
        _append(entries, f"{node.kind}{index}", node)
        side, channels = window.shape[0], node.channels
    for index, node in enumerate(body(channels, 512, rng)):
        _append(entries, f"dense{index}", node)
    _append(entries, "head", ir.Scores(_bits(rng, 10, 512), 1, np.zeros(10, np.int32)))
    return ir.Network(tuple(entries))


def neurons(width, count, rng):
    """One layer of them."""
    return (ir.Xnor(_bits(rng, count, width), np.full((count, 1), width // 2, np.int32)),)


def tables(width, count, rng):
    """A tree of two levels of tables with six inputs for each output."""
    return _lut(width, 6 * count, 6, rng), ir.Lut(
        6 * count, np.arange(6 * count).reshape(count, 6), _bits(rng, count, 64))


def _lut(width, count, fan_in, rng):
    sources = rng.integers(width, size=(count, fan_in)).astype(np.int32)
    return ir.Lut(width, sources, _bits(rng, count, 1 << fan_in))


def _bits(rng, *shape):
    return rng.integers(2, size=shape).astype(bool)


def _append(entries, name, node):
    entries.append(ir.Entry(name, node, (entries[-1].name,)))


def measure(evaluate, images, repeats):
    """CPU seconds of each of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        with tqdm(total=len(images), disable=None) as bar:
            evaluate(images, progress=bar.update)
        seconds.append(time.process_time() - start)
    return seconds


def compiled(net):
    """The network as machine code, and CPU seconds that making it took, as if never made before."""
    with (tempfile.TemporaryDirectory() as folder,
          mock.patch.object(native.library, "_FOLDER", Path(folder))):
        start = _used()
        evaluator = native.Compiled(net)
        return evaluator, _used() - start


def _used():
    """CPU seconds of this process and of those that it has waited for."""
    return sum(used.ru_utime + used.ru_stime for used in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def cases(rng):
    """Networks and their names."""
    for luts, fan_in in ((2000, 6), (4000, 4), (4000, 6), (10_000, 6), (20_000, 6)):
        yield f"{luts:,} tables of {fan_in} inputs, dense", dense(luts, fan_in, rng)
    yield "zoo/mnist", ir.load(ROOT / "zoo" / "mnist.safetensors")
    for body, depth in ((neurons, 1), (neurons, 4), (tables, 1)):
        yield f"convolutions of {body.__name__}, depth {depth}", convolutions(body, depth, rng)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.evaluator", description=__doc__)
    parser.add_argument("--images", metavar="N", type=positive, default=10_000,
                        help="images in a batch (default: %(default)s)")
    parser.add_argument("--repeats", metavar="N", type=positive, default=5,
                        help="runs of each size, the median is given (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="networks whose names have this in them (default: all)")
    args = parser.parse_args(argv)
    return guarded(lambda: _table(args))


def _table(args):
    rng = np.random.default_rng(0)
    print("| network | NumPy: CPU s, median | spread | images/s | machine code: images/s "
          "| from bytes | made in, CPU s | memory of the process so far, MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for name, net in cases(rng):
        if args.only not in name:
            continue
        images = rng.integers(0, 256, size=(args.images, net.features)).astype(np.int32)
        slow = measure(net.evaluate, images, args.repeats)
        evaluator, made = compiled(net)
        rates = [args.images / float(np.median(measure(evaluator.evaluate, given, args.repeats)))
                 for given in (images, images.astype(np.uint8))]
        median = float(np.median(slow))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {name} | {median:.2f} | {min(slow):.2f}-{max(slow):.2f} | "
              f"{args.images / median:,.0f} | {rates[0]:,.0f} | {rates[1]:,.0f} | {made:.1f} | "
              f"{memory:,.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
