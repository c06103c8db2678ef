"""Components, one module for each kind of node. Importing this registers them with ``lower``."""

from bitwright.hw.rtl.layers.convolution import ConvolutionLayer
from bitwright.hw.rtl.layers.folded import FoldedScores, FoldedXnor
from bitwright.hw.rtl.layers.goodness import GoodnessHead
from bitwright.hw.rtl.layers.group_sum import GroupSumHead
from bitwright.hw.rtl.layers.lut import LutLayer
from bitwright.hw.rtl.layers.modulate import Encoder
from bitwright.hw.rtl.layers.scores import ScoresHead
from bitwright.hw.rtl.layers.sliding import FoldedConvolution
from bitwright.hw.rtl.layers.xnor import XnorLayer
from bitwright.hw.rtl.realisation import fold, foldable, folded, lower, realise

__all__ = ["ConvolutionLayer", "Encoder", "FoldedConvolution", "FoldedScores", "FoldedXnor",
           "GoodnessHead", "GroupSumHead", "LutLayer", "ScoresHead", "XnorLayer", "fold",
           "foldable", "folded", "lower", "realise"]
