"""The frozen network: exact integer semantics, shared by training and hardware.

Depends on NumPy and safetensors only; neither torch nor Amaranth is imported from here.
"""

from bitwright.ir.affine import Affine
from bitwright.ir.answer import Answer
from bitwright.ir.artifact import FORMAT, ArtifactError, load, save, to_bytes
from bitwright.ir.bits import Bits, Words, pack, slice_bits, unpack, unslice
from bitwright.ir.convolution import Convolution
from bitwright.ir.drawn import draw
from bitwright.ir.exit import Exit, Exits
from bitwright.ir.goodness import Goodness
from bitwright.ir.group_sum import GroupSum
from bitwright.ir.identity import digest, record_digest
from bitwright.ir.join import Join
from bitwright.ir.lut import Lut
from bitwright.ir.modulate import Modulate
from bitwright.ir.names import Names
from bitwright.ir.network import Entry, Golden, Network, Result
from bitwright.ir.node import BitNode, HeadNode, Node
from bitwright.ir.noise import Noise
from bitwright.ir.numbers import Numbers
from bitwright.ir.picture import Picture
from bitwright.ir.pool import Pool
from bitwright.ir.preparation import Preparation
from bitwright.ir.quantile import Quantile
from bitwright.ir.scores import Scores
from bitwright.ir.simplify import Bit, Signal, simplify
from bitwright.ir.window import Window
from bitwright.ir.xnor import Xnor

__all__ = [
    "FORMAT",
    "Affine",
    "Answer",
    "ArtifactError",
    "Bit",
    "BitNode",
    "Bits",
    "Convolution",
    "Entry",
    "Exit",
    "Exits",
    "Golden",
    "Goodness",
    "GroupSum",
    "HeadNode",
    "Join",
    "Lut",
    "Modulate",
    "Names",
    "Network",
    "Node",
    "Noise",
    "Numbers",
    "Picture",
    "Pool",
    "Preparation",
    "Quantile",
    "Result",
    "Scores",
    "Signal",
    "Window",
    "Words",
    "Xnor",
    "digest",
    "draw",
    "load",
    "pack",
    "record_digest",
    "save",
    "simplify",
    "slice_bits",
    "to_bytes",
    "unpack",
    "unslice",
]
