"""Trainable layers. A new kind is one file, and one import line here."""

from bitwright.model.base import Layer
from bitwright.model.layers.convolution import (
    BernoulliConvolutionLayer,
    BmabConvolutionLayer,
    XnorConvolutionLayer,
)
from bitwright.model.layers.dense import BernoulliLayer, BmabLayer, XnorLayer
from bitwright.model.layers.join import JoinLayer
from bitwright.model.layers.local_dense import LocalDenseLayer
from bitwright.model.layers.lut import LutLayer
from bitwright.model.layers.lut_convolution import LutConvolutionLayer
from bitwright.model.layers.merge import LearnedMergeLayer, MergeLayer
from bitwright.model.layers.noise import BitErrorLayer, DropoutLayer
from bitwright.model.layers.pool import PoolLayer
from bitwright.model.layers.real_convolution import (
    BinarisedConvolutionLayer,
    RealConvolutionLayer,
    RealWeightConvolutionLayer,
)
from bitwright.model.layers.real_dense import RealDenseLayer
from bitwright.model.layers.real_pool import RealPoolLayer
from bitwright.model.layers.xnor_net import XnorNetConvolutionLayer

__all__ = [
    "BernoulliConvolutionLayer",
    "BernoulliLayer",
    "BinarisedConvolutionLayer",
    "BitErrorLayer",
    "BmabConvolutionLayer",
    "BmabLayer",
    "DropoutLayer",
    "JoinLayer",
    "Layer",
    "LearnedMergeLayer",
    "LocalDenseLayer",
    "LutConvolutionLayer",
    "LutLayer",
    "MergeLayer",
    "PoolLayer",
    "RealConvolutionLayer",
    "RealDenseLayer",
    "RealPoolLayer",
    "RealWeightConvolutionLayer",
    "XnorConvolutionLayer",
    "XnorLayer",
    "XnorNetConvolutionLayer",
]
