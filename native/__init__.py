"""Frozen networks as machine code: one C file, made of the network and compiled where a compiler
is."""

from bitwright.native.emission import NativeError
from bitwright.native.library import Compiled, evaluator
from bitwright.native.source import header, source

__all__ = ["Compiled", "NativeError", "evaluator", "header", "source"]
