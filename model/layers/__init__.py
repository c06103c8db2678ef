"""Trainable layers. A new kind is one file, and one import line here."""

from .base import BitLayer, Context, Head, Layer, RealHead, RealLayer
from .bernoulli import BernoulliLayer
from .bernoulli_convolution import BernoulliConvolutionLayer
from .bma import BmaHead
from .bmab import BmabLayer
from .convolution import ConvolutionLayer
from .dense import DenseLayer
from .expectation import ExpectationHead
from .goodness import GoodnessHead, MeanSquareHead
from .group_sum import GroupSumHead
from .linear import LinearHead
from .local_dense import LocalDenseLayer
from .lut import LutLayer
from .modulate import Modulator
from .norm_modulate import NormModulator
from .readout import ReadoutHead
from .scaler import Scaler
from .scores import ScoresHead
from .unit_dense import UnitDenseLayer
from .wiring import Geometry
from .xnor import XnorLayer

__all__ = [
    "BernoulliConvolutionLayer",
    "BernoulliLayer",
    "BitLayer",
    "BmaHead",
    "BmabLayer",
    "Context",
    "ConvolutionLayer",
    "DenseLayer",
    "ExpectationHead",
    "Geometry",
    "GoodnessHead",
    "GroupSumHead",
    "Head",
    "Layer",
    "LinearHead",
    "LocalDenseLayer",
    "LutLayer",
    "MeanSquareHead",
    "Modulator",
    "NormModulator",
    "ReadoutHead",
    "RealHead",
    "RealLayer",
    "Scaler",
    "ScoresHead",
    "UnitDenseLayer",
    "XnorLayer",
]
