"""How large a network is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bitwright import ir
from bitwright.ir.lut import UNCONNECTED
from bitwright.minimise.thresholds import compared

__all__ = ["Size"]


@dataclass(frozen=True)
class Size:
    """What a network consists of, without what its convolutions and neurons hold.

    Parameters
    ----------
    input_bits : int
        Comparisons that some node reads.
    compared_bits : int
        Bits of features that those look at, in all frames.
    tables : int
        Look-up tables.
    table_inputs : int
        Inputs of those.
    table_bits : int
        Contents of those: of n inputs 2^n each.
    """

    input_bits: int
    compared_bits: int
    tables: int
    table_inputs: int
    table_bits: int

    @classmethod
    def of(cls, network: ir.Network) -> Size:
        """Of a network as it is built, which is to say simplified."""
        fans = [int((sources != UNCONNECTED).sum()) for entry in network.entries
                if isinstance(entry.node, ir.Lut) for sources in entry.node.sources]
        read = network.read_mask(network.entries[0].name)
        needed = compared(network.modulate).reshape(network.frames, -1)
        return cls(int(read.sum()), int(needed[:, read].sum()), len(fans), sum(fans),
                   sum(1 << fan for fan in fans))

    def plain(self) -> dict[str, int]:
        """By name."""
        return asdict(self)
