"""Modulation, as a component like every other node's: the encoder that keeps every bit."""

import numpy as np

import ir
from hw.encoder import Encoder

from .lower import lower

__all__ = ["Encoder"]


@lower.register
def _(node: ir.Modulate, plan, registered=True):
    return Encoder(node, np.ones(node.out_width, bool), plan)
