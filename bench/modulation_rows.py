"""Rows of the comparison of frames and depth: recipes, and what is set in them."""

from dataclasses import dataclass, field

from bitwright.errors import UsageError
from bitwright.model.recipe import recipe_names

__all__ = ["ROWS", "Row", "row"]


@dataclass(frozen=True)
class Row:
    """A network of the table.

    Parameters
    ----------
    name : str
        Of its run folders, too.
    title : str
    recipe : str
    settings : tuple of str
        ``KEY=VALUE`` each.
    frames, depth : int
        Of the input. 0 where it is no bits.
    weights : str
        ``bits``, or ``reals`` where the values between the layers are bits and the weights are not;
        empty where nothing is bits.
    main : bool
        Whether both seeds of it come before the first one of any other row.
    """

    name: str
    title: str
    recipe: str
    settings: tuple[str, ...] = ()
    frames: int = field(default=0, kw_only=True)
    depth: int = field(default=0, kw_only=True)
    weights: str = field(default="", kw_only=True)
    main: bool = field(default=False, kw_only=True)

    @property
    def bits(self):
        """Bits that are read of a colour of a pixel, all frames together."""
        return self.frames * self.depth


def _bits(frames, depth, *, main=False):
    return Row(f"frames{frames}-depth{depth}", f"frames {frames}, depth {depth}", "cifar10",
               (f"modulate.frames={frames}", f"modulate.depth={depth}"), frames=frames,
               depth=depth, weights="bits", main=main)


def _real_weights(frames, depth):
    return Row(f"weights-frames{frames}-depth{depth}",
               f"real weights, frames {frames}, depth {depth}", "cifar10-real-weights",
               (f"modulate.frames={frames}", f"modulate.depth={depth}"), frames=frames,
               depth=depth, weights="reals")


# The long ones first, so that none is left running alone at the end.
ROWS = (
    _bits(16, 1, main=True),
    Row("real", "all FP32", "cifar10-real", main=True),
    Row("real-input", "FP32 input, the rest bits", "cifar10-real-input", weights="bits", main=True),
    _bits(4, 4, main=True),
    _bits(8, 1, main=True),
    _bits(1, 1, main=True),
    _bits(4, 1, main=True),
    _bits(1, 4, main=True),
    _bits(2, 1, main=True),
    _bits(1, 2, main=True),
    _bits(1, 16, main=True),
    _bits(1, 8, main=True),
    Row("real-4bits", "all FP32, the input's upper 4 bits", "cifar10-real",
        ("modulate.top_bits=4",), main=True),
    Row("frames4-drawn", "frames 4, depth 1, one frame drawn a step", "cifar10",
        ("modulate.frames=4", "modulate.depth=1", "modulate.draw=true"), weights="bits", main=True),
    _real_weights(4, 4),
    Row("weights-real-input", "real weights, FP32 input", "cifar10-real-weights",
        ('modulate.levels="real"', 'layers.0.kind="binarised_convolution"'), weights="reals"),
    _real_weights(1, 1),
    _bits(2, 2),
    _bits(2, 8),
    _bits(8, 2),
    _real_weights(4, 1),
    _real_weights(1, 4),
    _real_weights(1, 16),
    _real_weights(16, 1),
)
"""In the order in which they are trained, and printed."""


def row(name):
    """The row of a name. A recipe's name is one with nothing set.

    Raises
    ------
    UsageError
        If there is none.
    """
    for one in ROWS:
        if one.name == name:
            return one
    if name in recipe_names():
        return Row(name, name, name)
    raise UsageError(f"--rows must name some of {', '.join(one.name for one in ROWS)}, or recipes, "
                     f"not {name!r}")
