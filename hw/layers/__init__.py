"""Components, one module for each kind of node. Importing this registers them with ``lower``."""

from .convolution import ConvolutionLayer
from .goodness import GoodnessHead
from .group_sum import GroupSumHead
from .lower import lower
from .lut import LutLayer
from .modulate import Encoder
from .scores import ScoresHead
from .xnor import XnorLayer

__all__ = ["ConvolutionLayer", "Encoder", "GoodnessHead", "GroupSumHead", "LutLayer",
           "ScoresHead", "XnorLayer", "lower"]
