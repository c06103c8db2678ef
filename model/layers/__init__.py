"""Trainable layers. A new kind is one file, and one import line here."""

from bitwright.model.layers.bernoulli import BernoulliLayer
from bitwright.model.layers.bernoulli_convolution import BernoulliConvolutionLayer
from bitwright.model.layers.bmab import BmabLayer
from bitwright.model.layers.convolution import ConvolutionLayer
from bitwright.model.layers.dense import DenseLayer
from bitwright.model.layers.local_dense import LocalDenseLayer
from bitwright.model.layers.lut import LutLayer
from bitwright.model.layers.unit_dense import UnitDenseLayer
from bitwright.model.layers.xnor import XnorLayer

__all__ = ["BernoulliConvolutionLayer", "BernoulliLayer", "BmabLayer", "ConvolutionLayer",
           "DenseLayer", "LocalDenseLayer", "LutLayer", "UnitDenseLayer", "XnorLayer"]
