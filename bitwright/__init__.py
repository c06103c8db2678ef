"""From data to a verified FPGA bitstream: networks whose every inner value is one bit.

The rooms of the package (:mod:`bitwright.ir`, :mod:`bitwright.data`, :mod:`bitwright.model`,
:mod:`bitwright.hw`, :mod:`bitwright.sim`, :mod:`bitwright.boards`) lie beside this file where it
is installed, and one level up in a checkout. See docs/decisions/0006-package.md.
"""

from pathlib import Path

_HERE = Path(__file__).parent
if not (_HERE / "ir").is_dir():  # a checkout
    __path__.append(str(_HERE.parent))
