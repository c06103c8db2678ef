"""Heads, which make scores. A new kind is one file, and one import line here."""

from bitwright.model.base import Head
from bitwright.model.heads.bma import BmaHead
from bitwright.model.heads.expectation import ExpectationHead
from bitwright.model.heads.goodness import GoodnessHead
from bitwright.model.heads.group_sum import GroupSumHead
from bitwright.model.heads.linear import LinearHead
from bitwright.model.heads.mean_square import MeanSquareHead
from bitwright.model.heads.readout import ReadoutHead
from bitwright.model.heads.scores import ScoresHead

__all__ = [
    "BmaHead",
    "ExpectationHead",
    "GoodnessHead",
    "GroupSumHead",
    "Head",
    "LinearHead",
    "MeanSquareHead",
    "ReadoutHead",
    "ScoresHead",
]
