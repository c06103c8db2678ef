"""Which temperature of a group-sum head is best, by the width of the layer in front of it.

Every row is the recipe (`digits`, unless said) with a last layer of another width, at a multiple of
the temperature that the law of the width says (`temperature = "auto"`).
"""

import sys

from bench.trained_rows import compare
from bitwright.model.heads.group_sum import temperature_of

__all__ = ["ROWS", "main"]

CLASSES = 10
WIDTHS = (100, 300, 900)
FACTORS = (0.7, 1.0, 1.5, 2.0, 3.0, 4.0)

ROWS = {f"{width} nodes, {factor:g} of the law": [
    f"last.width={width}", f"head.temperature={factor * temperature_of(width // CLASSES):.4f}"]
    for width in WIDTHS for factor in FACTORS}


def main(argv=None):
    """Run the bench. Returns the exit status."""
    return compare(ROWS, argv, program="python -m bench.temperature", description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
