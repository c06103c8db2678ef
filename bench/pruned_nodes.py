"""Whether nodes can be spared: accuracy of one layer of tables without its least useful ones.

What a node is worth is how much the mean cross-entropy on the training part rises where a
constant, its mean, stands for it. Constants then stand for those that are worth least, all at once
and rounded so that the sum of a class keeps its mean, and the accuracy on the validation split is
printed. If it falls at once, a training that prunes nodes and grows others has nothing to take.
"""

import argparse
import sys

import numpy as np

from bitwright import data, ir
from bitwright.command import add_data_dir, guarded
from bitwright.locate import locate
from bitwright.minimise.validation import Validation
from bitwright.model.heads.group_sum import temperature_of

__all__ = ["main"]

SHARES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
SAMPLES = 10_000
"""Of the training part, to judge nodes by."""


def main(argv=None):
    """Run the bench. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.pruned_nodes", description=__doc__)
    parser.add_argument("networks", metavar="NETWORK", nargs="+",
                        help="frozen networks: an encoder, a layer of tables, a sum of groups")
    add_data_dir(parser)
    args = parser.parse_args(argv)
    return guarded(lambda: _table(args))


def _table(args):
    print(f"| network | {' | '.join(f'{share:.1%} pruned' for share in SHARES)} |\n"
          f"|{'---|' * (1 + len(SHARES))}")
    for name in args.networks:
        network = ir.load(locate(name))
        recipe = network.provenance["recipe"]
        dataset = data.load(recipe["data"], args.data_dir)
        split = Validation(dataset, network.provenance)
        learnt, held_back = dataset.parted(split.share, split.seed)
        bits = _outputs(network, split.learnt[:SAMPLES])
        worth = _worth(bits, dataset.labels[learnt[:SAMPLES]], network.classes)
        seen, labels = _outputs(network, split.features), dataset.labels[held_back]
        found, order = [], np.argsort(worth)
        for share in SHARES:
            kept = np.ones(len(worth), bool)
            kept[order[:round(share * len(worth))]] = False
            scores = _scores(seen & kept, network.classes) + np.rint(
                _scores(np.where(kept, 0, bits.mean(0))[np.newaxis], network.classes))
            found.append(f"{(scores.argmax(1) == labels).mean():.2%}")
        print(f"| {name} | {' | '.join(found)} |", flush=True)


def _outputs(network, features):
    """Bits of the layer, shape (samples, nodes)."""
    _, layer, _ = (entry.name for entry in network.entries)
    return network.evaluate(features, [layer]).taps[layer][0]


def _scores(bits, classes):
    return bits.reshape(len(bits), classes, -1).sum(2)


def _worth(bits, labels, classes):
    """Rise of the mean cross-entropy where its mean stands for a node."""
    step = 1 / temperature_of(bits.shape[1] // classes)
    logits = _scores(bits, classes) * step
    total = np.exp(logits).sum(1)
    samples = np.arange(len(labels))
    before = (np.log(total) - logits[samples, labels]).mean()
    worth = []
    for node, said in enumerate(bits.T):
        own = node // (bits.shape[1] // classes)
        change = (said.mean() - said) * step
        risen = total + np.exp(logits[:, own]) * np.expm1(change)
        after = np.log(risen) - logits[samples, labels] - change * (labels == own)
        worth.append(after.mean() - before)
    return np.array(worth)


if __name__ == "__main__":
    sys.exit(main())
