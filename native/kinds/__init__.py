"""How each kind of node is written in C: a file a kind, which registers what it does here."""

from __future__ import annotations

import importlib
import pkgutil

from bitwright.native.emission import emit

__all__ = ["emit"]

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
