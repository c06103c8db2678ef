"""Images side by side: wires."""

from amaranth.hdl import Cat

from bitwright import ir
from bitwright.hw.plan import UNROLLED
from bitwright.hw.rtl.layers.combinational import Combinational
from bitwright.hw.rtl.realisation import realises

__all__ = ["JoinLayer"]


@realises(ir.Join, UNROLLED)
class JoinLayer(Combinational):
    """The bits of several images, one after the other, in the order of the image of all."""

    @classmethod
    def luts(cls, node, plan):
        return 0

    @classmethod
    def levels(cls, node, settings, plan):
        return 0

    def _outputs(self, bits):
        return Cat(bits[index] for index in self._node.index.tolist())
