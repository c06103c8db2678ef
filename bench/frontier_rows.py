"""Rows of the frontier of networks of look-up tables: recipes, budgets, forms; published points."""

from typing import NamedTuple

__all__ = ["PUBLISHED", "ROWS", "Point", "Row"]

SERIAL = ("--target", "xilinx", "--serial-head", "10")
PARALLEL = ("--target", "xilinx", "--parallel")


class Row(NamedTuple):
    """A network of the table."""

    recipe: str
    """Name of the recipe, and of the row."""
    data: str
    form: str
    build: tuple[str, ...]
    """Arguments of ``hw.build``."""
    budget: int
    """LUTs of six inputs that it may take, or logic cells of the board."""
    beat: float
    """Accuracy that was there before, in percent."""


ROWS = (
    Row("mnist-parallel-1600", "MNIST", "one sample a cycle", PARALLEL, 1600, 97.5),
    Row("mnist-parallel-4000", "MNIST", "one sample a cycle", PARALLEL, 4000, 98.3),
    Row("mnist-parallel-6300", "MNIST", "one sample a cycle", PARALLEL, 6300, 98.5),
    Row("mnist-serial-1000", "MNIST", "serial", SERIAL, 1000, 97.5),
    Row("mnist-serial-1755", "MNIST", "serial", SERIAL, 1755, 98.07),
    Row("mnist-serial-3387", "MNIST", "serial", SERIAL, 3387, 98.47),
    Row("fashion-mnist-serial-1900", "Fashion-MNIST", "serial", SERIAL, 1900, 88.02),
)
"""In the order in which they are trained."""


class Point(NamedTuple):
    """A published network, its encoder and head counted."""

    luts: int
    accuracy: float
    source: str


DWN = "DWN, dwn-fpga-study"
BINARYBRAIN = "BinaryBrain, CNN, 15 frames, and 13 block RAMs"

PUBLISHED = (Point(1597, 96.77, DWN), Point(2246, 97.70, DWN), Point(3490, 98.02, DWN),
             Point(3883, 98.13, DWN), Point(6294, 98.29, DWN), Point(5444, 98.6, BINARYBRAIN))
"""MNIST, six-input LUTs of a Xilinx device as Vivado counts them."""
