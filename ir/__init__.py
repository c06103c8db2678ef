"""The frozen network: exact integer semantics, shared by training and hardware.

Depends on NumPy and safetensors only; neither torch nor Amaranth is imported from here.
"""

from .artifact import FORMAT, ArtifactError, digest, load, save
from .bits import Bits, Words, pack, slice_bits, unpack, unslice
from .convolution import Convolution
from .files import write_atomic
from .goodness import Goodness
from .group_sum import GroupSum
from .lut import Lut
from .modulate import Modulate
from .network import Entry, Golden, Network, Result
from .node import BitNode, HeadNode, Node
from .scores import Scores
from .simplify import simplify
from .window import Window
from .xnor import Xnor

__all__ = [
    "FORMAT",
    "ArtifactError",
    "BitNode",
    "Bits",
    "Convolution",
    "Entry",
    "Golden",
    "Goodness",
    "GroupSum",
    "HeadNode",
    "Lut",
    "Modulate",
    "Network",
    "Node",
    "Result",
    "Scores",
    "Window",
    "Words",
    "Xnor",
    "digest",
    "load",
    "pack",
    "save",
    "simplify",
    "slice_bits",
    "unpack",
    "unslice",
    "write_atomic",
]
