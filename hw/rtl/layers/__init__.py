"""Components of nodes. Every module in here registers its own with ``realises``."""

import importlib
import pkgutil

from bitwright.hw.rtl.realisation import (
    Choice,
    asked,
    choose,
    foldable,
    folded,
    formed,
    streamed,
    ways,
)

__all__ = ["Choice", "asked", "choose", "foldable", "folded", "formed", "streamed", "ways"]

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
