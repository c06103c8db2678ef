"""Modulation, as a component like every other node's: the encoder that keeps every bit."""

import numpy as np

from bitwright import ir
from bitwright.hw.rtl.encoder import Encoder
from bitwright.hw.rtl.realisation import lower

__all__ = ["Encoder"]


@lower.register
def _(node: ir.Modulate, plan, registered=True):
    return Encoder(node, np.ones(node.out_width, bool), plan)
