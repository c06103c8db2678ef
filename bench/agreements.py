"""Three exact ways to count agreements in NumPy, on one core, for layers of several sizes.

* products: signs of float32 through the BLAS that NumPy has, from bit-sliced words, which is what
  the evaluator does;
* packed: 64 inputs of a sample in a word, exclusive-nor, and NumPy's count of the bits of a word;
* sliced: 64 samples in a word, exclusive-nor, and carry-save adders, 64 counters at once.

All three must give the same counts. Set OPENBLAS_NUM_THREADS=1 for one core.
"""

import argparse
import sys
import time

import numpy as np

from bitwright import ir
from bitwright.ir.signs import products

__all__ = ["main", "packed", "sliced"]

LAYERS = ((32, 27), (32, 288), (64, 576), (256, 1152), (512, 256))
"""Neurons and inputs."""


def by_products(weights, bits, words):
    return (products(weights, words).T + weights.shape[1]) / 2


def packed(weights, bits, words):
    """Of samples packed here, whose time does not count: they would lie like that."""
    own, vectors = _packed(weights), _packed(bits)
    start = time.process_time()
    differing = np.zeros((len(bits), len(weights)), np.int64)
    for place in range(own.shape[1]):
        differing += np.bitwise_count(vectors[:, place, None] ^ own[:, place])
    return weights.shape[1] - differing, time.process_time() - start


def _packed(rows):
    fill = -rows.shape[1] % 64
    return np.packbits(np.pad(rows, ((0, 0), (0, fill))), axis=1).view(np.uint64)


def sliced(weights, bits, words):
    """A few neurons at a time, whose slices stay in a core's cache."""
    few = max(1, 2**15 // words.size)
    return np.hstack([_sliced(weights[start : start + few], words)
                      for start in range(0, len(weights), few)])


def _sliced(weights, words):
    """Columns of slices of one weight: three of a column are a slice of it and one of the next."""
    flips = np.where(weights.T, np.uint64(0), np.uint64(2**64 - 1))
    columns = [[words[:, None] ^ flips[:, :, None]]]
    counts = np.zeros((words.shape[1] * 64, len(weights)), np.int64)
    for weight in range(weights.shape[1].bit_length()):
        slices = np.concatenate(columns[weight])
        columns.append([])
        while len(slices) > 1:
            if len(slices) == 2:
                slices = np.concatenate([slices, np.zeros_like(slices[:1])])
            thirds = len(slices) // 3
            a, b, c = (slices[place * thirds : (place + 1) * thirds] for place in range(3))
            either = a ^ b
            columns[-1].append((a & b) | (c & either))
            slices = np.concatenate([either ^ c, slices[3 * thirds :]])
        counts += ir.unslice(slices[0], len(counts)).astype(np.int64) << weight
        if not columns[-1]:
            break
    return counts


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.agreements", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", metavar="N", type=int, default=1024,
                        help="in a batch (default: %(default)s)")
    parser.add_argument("--repeats", metavar="N", type=int, default=5,
                        help="of which the best counts (default: %(default)s)")
    args = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    print("| neurons | inputs | products, 10^9 a second | packed | sliced |")
    print("|---|---|---|---|---|")
    for neurons, width in LAYERS:
        weights, bits = (rng.integers(2, size=(rows, width)).astype(bool)
                         for rows in (neurons, args.samples))
        words = ir.slice_bits(bits)
        rates, found = [], []
        for way in (by_products, packed, sliced):
            seconds = []
            for _ in range(args.repeats):
                start = time.process_time()
                counts = way(weights, bits, words)
                seconds.append(time.process_time() - start)
                if isinstance(counts, tuple):
                    counts, seconds[-1] = counts
            found.append(counts[: args.samples])
            rates.append(neurons * width * args.samples / min(seconds) / 1e9)
        assert all((other == found[0]).all() for other in found)
        print(f"| {neurons} | {width} | {' | '.join(f'{rate:.1f}' for rate in rates)} |",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
