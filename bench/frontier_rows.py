"""Rows of the frontier of networks of look-up tables: recipes, budgets, forms; published points."""

from typing import NamedTuple

__all__ = ["PUBLISHED", "ROWS", "Point", "Row"]

SERIAL = ("--target", "xilinx", "--serial-head", "10")
PARALLEL = ("--target", "xilinx", "--parallel")


class Row(NamedTuple):
    """A network of the table, in the form in which it is built."""

    name: str
    recipe: str
    data: str
    form: str
    build: tuple[str, ...]
    """Arguments of ``hw.build``. What names no board ends with the netlist."""
    unit: str
    """What is counted: LUT6 or LUT4 after synthesis, logic cells (LC) as placed."""
    budget: int
    """How many of them it may take."""
    beat: float
    """Accuracy that was there before, in percent."""
    proofs: tuple[tuple[str, int], ...] = (("rtl", 10_000),)
    """Levels at which it is simulated, and samples of the test part, the first ones."""

    @property
    def asked(self):
        """The arguments, but for a clock, which an estimate does not ask for."""
        if "--freq" not in self.build:
            return self.build
        at = self.build.index("--freq")
        return self.build[:at] + self.build[at + 2 :]

    @property
    def placed(self):
        """Whether it is built for a board."""
        return "--board" in self.build


NETLIST = (("rtl", 10_000), ("netlist", 200))


def lut6(recipe, data, form, build, budget, beat, **proofs):
    """A row in LUTs of six inputs, which has the name of its recipe."""
    return Row(recipe, recipe, data, form, build, "LUT6", budget, beat, **proofs)


ROWS = (
    lut6("mnist-parallel-1600", "MNIST", "one sample a cycle", PARALLEL, 1600, 97.5),
    lut6("mnist-parallel-4000", "MNIST", "one sample a cycle", PARALLEL, 4000, 98.3),
    lut6("mnist-parallel-6300", "MNIST", "one sample a cycle", PARALLEL, 6300, 98.5),
    lut6("mnist-serial-1000", "MNIST", "serial", SERIAL, 1000, 97.5),
    lut6("mnist-serial-1755", "MNIST", "serial", SERIAL, 1755, 98.07),
    lut6("mnist-serial-3387", "MNIST", "serial", SERIAL, 3387, 98.47),
    lut6("mnist-lutconv", "MNIST", "serial, streamed", (*SERIAL, "--streamed"), 3387, 98.47),
    Row("mnist-icebreaker", "mnist-icebreaker-wide", "MNIST", "iCEBreaker, unrolled",
        ("--board", "icebreaker", "--serial-head", "28", "--freq", "24"), "LC", 5280, 97.7,
        NETLIST),
    Row("mnist-icebreaker-folded", "mnist-serial-3387", "MNIST", "iCEBreaker, folded",
        ("--board", "icebreaker", "--fold", "14880", "--large", "--freq", "24"), "LC", 2000, 98.0,
        NETLIST),
    Row("mnist-ulx3s-unrolled", "mnist-serial-1755", "MNIST", "ULX3S-25F, unrolled",
        ("--board", "ulx3s-25f", "--serial-head", "10", "--freq", "25"), "LUT4", 24_288, 98.6),
    Row("mnist-ulx3s-streamed", "mnist-ulx3s-streamed", "MNIST", "ULX3S-25F, streamed",
        ("--board", "ulx3s-25f", "--streamed", "--fold", "1568", "--freq", "25"), "LUT4", 24_288,
        98.6),
    Row("mnist-ulx3s-lutconv", "mnist-lutconv", "MNIST", "ULX3S-25F, streamed",
        ("--board", "ulx3s-25f", "--streamed", "--serial-head", "10", "--freq", "25"), "LUT4",
        24_288, 98.6),
    lut6("fashion-mnist-serial-1900", "Fashion-MNIST", "serial", SERIAL, 1900, 88.02),
    lut6("fashion-mnist-serial-8000", "Fashion-MNIST", "serial", SERIAL, 8000, 89.1),
    lut6("cifar10-serial-16700", "CIFAR-10 (JPEG)", "serial", SERIAL, 16_700, 57.4,
         proofs=(("rtl", 1_000),)),
    lut6("mnist-dwn-300", "MNIST", "DWN rebuilt, one sample a cycle", PARALLEL, 1597, 96.77),
)
"""In the order in which they are trained."""


class Point(NamedTuple):
    """A published network."""

    luts: int
    accuracy: float
    source: str
    whole: bool = True
    """Whether the LUTs are those of encoder and head, too."""


STUDY = "DWN, dwn-fpga-study"
DWN = "DWN, its authors"
TREELUT = "TreeLUT, of quantised inputs"
BINARYBRAIN = "BinaryBrain, LUTs, 15 frames, of binary inputs"
BINARYBRAIN_CNN = "BinaryBrain, CNN, 15 frames, and 13 block RAMs"

PUBLISHED = (
    Point(845, 92.98, STUDY), Point(1597, 96.77, STUDY), Point(2246, 97.70, STUDY),
    Point(3118, 97.91, STUDY), Point(3464, 97.76, STUDY), Point(3490, 98.02, STUDY),
    Point(3883, 98.13, STUDY), Point(5195, 98.23, STUDY), Point(5670, 98.19, STUDY),
    Point(6294, 98.29, STUDY),
    Point(1460, 91.3, BINARYBRAIN), Point(5444, 98.6, BINARYBRAIN_CNN),
    Point(692, 97.1, DWN, whole=False), Point(1413, 97.9, DWN, whole=False),
    Point(2055, 97.8, DWN, whole=False), Point(4082, 98.3, DWN, whole=False),
    Point(3499, 96.0, TREELUT, whole=False), Point(4478, 97.0, TREELUT, whole=False),
)
"""MNIST, six-input LUTs of a Xilinx device as Vivado counts them. Of STUDY 98.02, 98.19 and 98.29
are means of four seeds, the others one; TreeLUT's accuracies are whole percents."""
