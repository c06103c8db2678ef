"""A layer of look-up tables, unrolled."""

from amaranth.hdl import Cat, Const

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.layers.combinational import Combinational
from bitwright.hw.rtl.realisation import logic, realises

__all__ = ["LutLayer"]


@realises(ir.Lut, UNROLLED)
class LutLayer(Combinational):
    """Layer of truth tables: constants indexed by the bits that they read."""

    @classmethod
    def luts(cls, node, plan):
        return node.out_width * logic(node.fan_in, plan.lut_size)

    @classmethod
    def levels(cls, node, settings, plan):
        return plan.levels(node.fan_in)

    def _outputs(self, bits):
        node = self._node
        bits = [*bits, Const(0, 1)]  # so that source -1 reads the constant
        size = 1 << node.fan_in
        contents = [Const(word, size) for word in ir.pack(node.tables)]
        return Cat(content.bit_select(Cat(bits[source] for source in row), 1)
                   for content, row in zip(contents, node.sources.tolist(), strict=True))
