"""What holds for the bits of a network whatever goes in, proven by a SAT solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.ir.lut import UNCONNECTED

__all__ = ["Prover"]

SOLVER = "cadical153"

Clauses = list[list[int]]


class Prover:
    """Proofs about the bits of a network, in any one frame of any sample.

    Comparisons of one feature are not free: where one threshold is no higher than another in every
    frame, the bit of the higher one implies that of the lower. Bits of other nodes than tables may
    be anything, and so may tables further back than the depth: less is proven then, nothing wrong.

    Parameters
    ----------
    network : ir.Network
        Simplified.
    depth : int
        Layers of tables that are looked back through, from the bits that are asked about.
    """

    def __init__(self, network: ir.Network, depth: int) -> None:
        self._network = network
        self._depth = depth
        self._first: dict[str, int] = {}
        self._inputs: dict[str, list[ir.Bit]] = {}
        self._known: dict[ir.Bit, Clauses] = {}
        variable = 1
        for entry in network.entries:
            self._first[entry.name] = variable
            variable += entry.node.out_width
            self._inputs[entry.name] = [] if isinstance(entry.node, ir.Modulate) else [
                (source, index) for source in entry.inputs
                for index in range(network.entry(source).node.out_width)]

    def unreachable(self, bit: ir.Bit, addresses: Iterable[int]) -> list[int]:
        """Those of some addresses at which a table is never read."""
        inputs = self._read(bit)
        never = []
        with self._solver([source for source in inputs if source is not None]) as possible:
            for address in addresses:
                literals = []
                for slot, source in enumerate(inputs):
                    value = bool(address >> slot & 1)
                    if source is not None:
                        literals.append(self._literal(source, value))
                    elif value:
                        break
                else:
                    if possible(literals):
                        continue
                never.append(address)
        return never

    def holds(self, bit: ir.Bit, claim: ir.Signal) -> bool:
        """Whether a bit always is what is claimed."""
        if claim.bit is None:
            with self._solver([bit]) as possible:
                return not possible([self._literal(bit, not claim.inverted)])
        with self._solver([bit, claim.bit]) as possible:
            return not any(possible([self._literal(bit, value),
                                     self._literal(claim.bit, value == claim.inverted)])
                           for value in (False, True))

    @contextmanager
    def _solver(self, bits: Sequence[ir.Bit]) -> Iterator[Callable[[Sequence[int]], bool]]:
        """Whether literals can hold together, those of some bits."""
        from pysat.solvers import Solver

        with Solver(name=SOLVER, bootstrap_with=self._cone(bits)) as solver:
            yield lambda literals: bool(solver.solve(assumptions=literals))

    def _literal(self, bit: ir.Bit, value: bool) -> int:
        variable = self._first[bit[0]] + bit[1]
        return variable if value else -variable

    def _read(self, bit: ir.Bit) -> list[ir.Bit | None]:
        """What each slot of a table reads."""
        name, index = bit
        node = self._network.entry(name).node
        assert isinstance(node, ir.Lut)
        return [None if source == UNCONNECTED else self._inputs[name][source]
                for source in node.sources[index]]

    def _cone(self, bits: Sequence[ir.Bit]) -> Clauses:
        """What is known of bits, and of those that they come from."""
        clauses: Clauses = []
        compared: dict[int, list[int]] = {}
        seen, layer = set(bits), list(dict.fromkeys(bits))
        for back in range(self._depth + 1):
            behind: list[ir.Bit] = []
            for name, index in layer:
                node = self._network.entry(name).node
                if isinstance(node, ir.Modulate):
                    feature, d = divmod(index, node.depth)
                    compared.setdefault(feature, []).append(d)
                elif isinstance(node, ir.Lut) and back < self._depth:
                    clauses += self._tabulated((name, index))
                    behind += [source for source in self._read((name, index))
                               if source is not None]
            layer = [bit for bit in dict.fromkeys(behind) if bit not in seen]
            seen.update(layer)
        for feature, depths in compared.items():
            clauses += self._ordered(feature, depths)
        return clauses

    def _tabulated(self, bit: ir.Bit) -> Clauses:
        """At each address a table is what it holds."""
        if bit not in self._known:
            name, index = bit
            node = self._network.entry(name).node
            assert isinstance(node, ir.Lut)
            used = [(slot, source) for slot, source in enumerate(self._read(bit))
                    if source is not None]
            clauses = []
            for number in range(1 << len(used)):
                values = [bool(number >> place & 1) for place in range(len(used))]
                address = sum(value << slot for (slot, _), value in zip(used, values, strict=True))
                clauses.append([*(self._literal(source, not value)
                                  for (_, source), value in zip(used, values, strict=True)),
                                self._literal(bit, bool(node.tables[index, address]))])
            self._known[bit] = clauses
        return self._known[bit]

    def _ordered(self, feature: int, depths: Sequence[int]) -> Clauses:
        """What comparisons of one feature say of each other."""
        modulate, name = self._network.modulate, self._network.entries[0].name
        low, high = modulate.domain
        thresholds: NDArray[np.int32] = modulate.thresholds[:, feature]
        clauses = []
        for d in depths:
            own = self._literal((name, feature * modulate.depth + d), True)
            if (thresholds[:, d] <= low).all():
                clauses.append([own])
            elif (thresholds[:, d] > high).all():
                clauses.append([-own])
            clauses += [[-own, self._literal((name, feature * modulate.depth + other), True)]
                        for other in depths
                        if other != d and (thresholds[:, other] <= thresholds[:, d]).all()]
        return clauses

