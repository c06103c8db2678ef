"""Speed of the golden evaluator on 10,000 MNIST-sized images, for LUT networks of several sizes."""

import argparse
import sys
import time

import numpy as np

from bitwright import ir

__all__ = ["main"]


def network(luts, fan_in, rng):
    """Two layers with uniformly random wiring, the worst case for the caches."""
    thresholds = np.array([64, 128, 192], np.int32) + np.zeros((1, 784, 1), np.int32)
    entries = [ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",))]
    for index in range(2):
        width = entries[-1].node.out_width
        sources = rng.integers(width, size=(luts // 2, fan_in)).astype(np.int32)
        tables = rng.integers(2, size=(luts // 2, 1 << fan_in)).astype(bool)
        entries.append(ir.Entry(f"lut{index}", ir.Lut(width, sources, tables),
                                (entries[-1].name,)))
    entries.append(ir.Entry("head", ir.GroupSum(luts // 2, 10), (entries[-1].name,)))
    return ir.Network(tuple(entries))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.evaluator", description=__doc__)
    parser.add_argument("--images", metavar="N", type=int, default=10_000,
                        help="images in a batch (default: %(default)s)")
    parser.add_argument("--repeats", metavar="N", type=int, default=5,
                        help="runs of each size, the median is given (default: %(default)s)")
    args = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(args.images, 784)).astype(np.int32)
    print("| LUTs | inputs | CPU s, median | spread | images/s | LUT evaluations/s |")
    print("|---|---|---|---|---|---|")
    for luts, fan_in in ((4000, 4), (4000, 6), (10_000, 6), (20_000, 6)):
        net = network(luts, fan_in, rng)
        seconds = []
        for _ in range(args.repeats):
            start = time.process_time()
            net.evaluate(images)
            seconds.append(time.process_time() - start)
        median = float(np.median(seconds))
        print(f"| {luts:,} | {fan_in} | {median:.2f} | {min(seconds):.2f}-{max(seconds):.2f} | "
              f"{args.images / median:,.0f} | {args.images * luts / median:.2e} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
