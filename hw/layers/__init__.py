"""Components, one module for each kind of node. Importing this registers them with ``lower``."""

from .convolution import ConvolutionLayer
from .folded import FoldedScores, FoldedXnor
from .goodness import GoodnessHead
from .group_sum import GroupSumHead
from .lower import fold, foldable, folded, lower, realise
from .lut import LutLayer
from .modulate import Encoder
from .scores import ScoresHead
from .sliding import FoldedConvolution
from .xnor import XnorLayer

__all__ = ["ConvolutionLayer", "Encoder", "FoldedConvolution", "FoldedScores", "FoldedXnor",
           "GoodnessHead", "GroupSumHead", "LutLayer", "ScoresHead", "XnorLayer", "fold",
           "foldable", "folded", "lower", "realise"]
