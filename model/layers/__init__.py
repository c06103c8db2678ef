"""Trainable layers. A new kind is one file, and one import line here."""

from .base import BitLayer, Context, Head, Layer
from .group_sum import GroupSumHead
from .lut import LutLayer
from .modulate import Modulator
from .scores import ScoresHead
from .wiring import Geometry
from .xnor import XnorLayer

__all__ = [
    "BitLayer",
    "Context",
    "Geometry",
    "GroupSumHead",
    "Head",
    "Layer",
    "LutLayer",
    "Modulator",
    "ScoresHead",
    "XnorLayer",
]
