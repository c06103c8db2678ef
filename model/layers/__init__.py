"""Trainable layers. A new kind is one file, and one import line here."""

from .base import BitLayer, Context, Head, Layer
from .group_sum import GroupSumHead
from .lut import LutLayer
from .modulate import Modulator
from .wiring import Geometry

__all__ = [
    "BitLayer",
    "Context",
    "Geometry",
    "GroupSumHead",
    "Head",
    "Layer",
    "LutLayer",
    "Modulator",
]
