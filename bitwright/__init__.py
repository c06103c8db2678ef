"""From data to a verified FPGA bitstream: networks whose every inner value is one bit.

The rooms of the package (:mod:`bitwright.ir`, :mod:`bitwright.data`, :mod:`bitwright.model`,
:mod:`bitwright.hw`, :mod:`bitwright.sim`, :mod:`bitwright.boards`) lie beside this file where it
is installed, and one level up in a checkout. See docs/decisions/0006-package.md.

The functions of :mod:`bitwright.library` are names of this module, too. Nothing is imported before
it is asked for.
"""

import importlib
from pathlib import Path
from typing import Any

_FUNCTIONS = ("build", "estimate", "evaluate", "load", "load_data", "measure", "predict", "save",
              "simulate", "train", "verilog")
__all__ = list(_FUNCTIONS)

_HERE = Path(__file__).parent
if not (_HERE / "ir").is_dir():  # a checkout
    __path__.append(str(_HERE.parent))


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module("bitwright.library"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FUNCTIONS])
