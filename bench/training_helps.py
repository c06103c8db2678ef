"""What each setting that may help a training is worth by itself.

Every row is the recipe (`digits`, unless said) with one setting changed; `--set` changes all rows.
`flips` puts a layer of bit errors behind the modulation.
"""

import sys

from bench.trained_rows import compare

__all__ = ["ROWS", "main"]

ROWS = {
    "as it is": [],
    "no label smoothing": ["backprop.label_smoothing=0"],
    "label smoothing 0.2": ["backprop.label_smoothing=0.2"],
    "weight decay 0.01": ["backprop.weight_decay=0.01"],
    "weight decay 0.1": ["backprop.weight_decay=0.1"],
    "weight decay 1": ["backprop.weight_decay=1.0"],
    "average 0.9": ["backprop.average=0.9"],
    "average 0.99": ["backprop.average=0.99"],
    "average 0.999": ["backprop.average=0.999"],
    "shifts by one pixel": ["jitter=1"],
    "turned by 10 degrees, zoomed by a tenth": ["augment.rotate=10.0", "augment.zoom=0.1"],
    "bit flips, 1 %": ["flips=0.01"],
    "bit flips, 5 %": ["flips=0.05"],
    "cost 0.3": ["backprop.cost=0.3"],
    "cost 1": ["backprop.cost=1.0"],
    "cost 3": ["backprop.cost=3.0"],
    "cost 10": ["backprop.cost=10.0"],
    "temperature auto": ["head.temperature=auto"],
    "temperature 1": ["head.temperature=1.0"],
    "temperature 1.5": ["head.temperature=1.5"],
    "temperature 2": ["head.temperature=2.0"],
    "temperature 4.5": ["head.temperature=4.5"],
    "temperature 6": ["head.temperature=6.0"],
    "thresholds quantile": ["modulate.levels=quantile"],
    "thresholds global-quantile": ["modulate.levels=global-quantile"],
    "thresholds learned": ["modulate.levels=learned"],
    "thresholds global-learned": ["modulate.levels=global-learned"],
    "thresholds batch-norm": ["modulate.levels=batch-norm"],
    "thresholds of 3 top bits": ["modulate.top_bits=3"],
    "thresholds global-learned, of 3 top bits": ["modulate.levels=global-learned",
                                                 "modulate.top_bits=3"],
}


def main(argv=None):
    """Run the bench. Returns the exit status."""
    return compare(ROWS, argv, program="python -m bench.training_helps", description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
