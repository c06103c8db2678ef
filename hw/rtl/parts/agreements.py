"""Dense layers worked off a piece at a time: the weights lie in a memory, the logic is one word's.

An unrolled layer has logic for every weight. Here each cycle reads one word of the memory, counts
its agreements with the inputs that it belongs to, and adds them up; one neuron gets its count, or a
few at the same time, and then the next. The inputs lie in a ring that turns by a word each cycle,
so that no multiplexer chooses between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright import ir
from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.rtl.parts.gather import Accumulator
from bitwright.hw.rtl.parts.popcount import popcount
from bitwright.hw.rtl.parts.stages import Rehearsal, Stages

__all__ = ["Agreements", "Folding", "group_constants"]


@dataclass(frozen=True)
class Folding:
    """How the weights of a layer are cut into words.

    Parameters
    ----------
    neurons : int
        Neurons of a group, worked on at the same time.
    bits : int
        Weights of each of them in a word.
    words : int
        Words of a group.
    groups : int
    """

    neurons: int
    bits: int
    words: int
    groups: int

    @classmethod
    def within(cls, neurons: int, in_width: int, cycles: int) -> Folding:
        """The one with the shortest words that takes no more than that many cycles.

        Several neurons share a word only where there are more neurons than cycles.
        """
        if neurons > cycles:
            at_once = -(-neurons // cycles)
            return cls(at_once, in_width, 1, -(-neurons // at_once))
        bits = -(-in_width // min(in_width, cycles // neurons))
        return cls(1, bits, -(-in_width // bits), neurons)

    @property
    def cycles(self) -> int:
        """Words of all groups, one read in each cycle."""
        return self.words * self.groups

    @property
    def word_bits(self) -> int:
        """Weights in a word."""
        return self.neurons * self.bits


class Agreements(wiring.Component):
    """Agreement counts of a vector with rows of weights, group by group.

    Parameters
    ----------
    weights : array of bool, shape (neurons, in_width)
    cycles : int
        That it may take for a vector.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(unsigned(count_width), folding.neurons)))``
        Counts of the first group, then those of the next, ``folding.groups`` of them a vector.
        What lies past the last neuron is 0.

    Attributes
    ----------
    folding : Folding
    latency : int
        Cycles from a vector to the counts of its last group.
    interval : int
        Cycles from a vector to the next.

    Raises
    ------
    WidthError
        If a word is wider than Amaranth's signals can be.
    """

    def __init__(self, weights, cycles, plan):
        self._weights = weights
        self._plan = plan
        neurons, in_width = weights.shape
        self.folding = folding = Folding.within(neurons, in_width, cycles)
        if folding.word_bits > WIDEST:
            raise WidthError(f"Weights of a word must have at most {WIDEST:,} bits, not "
                             f"{folding.word_bits:,} ({in_width:,} inputs, {neurons:,} neurons in "
                             f"{cycles:,} cycles)")
        self._parts = data.ArrayLayout(unsigned(folding.bits.bit_length()), folding.neurons)
        counts = data.ArrayLayout(unsigned(in_width.bit_length()), folding.neurons)
        super().__init__({
            "i": In(stream.Signature(in_width)),
            "o": Out(stream.Signature(counts)),
        })
        words = stream.Signature(folding.word_bits).create()
        stages = self._count(Rehearsal(), words, stream.Signature(self._parts).create())
        self.interval = folding.cycles
        self.latency = folding.cycles + stages.latency + (folding.words > 1)

    def elaborate(self, platform):
        m = Module()
        folding = self.folding
        words = stream.Signature(folding.word_bits).create(path=("words",))
        parts = stream.Signature(self._parts).create(path=("parts",))
        self._read(m, words)
        self._count(m, words, parts)
        if folding.words == 1:
            connect(m, parts, flipped(self.o))
        else:
            m.submodules.total = total = Accumulator(folding.words, self._parts,
                                                     self.o.payload.shape())
            connect(m, parts, total.i)
            connect(m, total.o, flipped(self.o))
        return m

    def _read(self, m, words):
        """Go through the memory for each vector: agreements word by word."""
        folding = self.folding
        m.submodules.weights = rom = memory.Memory(shape=folding.word_bits, depth=folding.cycles,
                                                   init=self._contents())
        port = rom.read_port()
        ring = Signal(folding.bits * folding.words, reset_less=True)
        address = Signal(range(folding.cycles))
        next_address = Signal.like(address)
        final, step = address == folding.cycles - 1, Signal()
        inputs = Cat(bit.replicate(folding.neurons) for bit in ring[: folding.bits])
        m.d.comb += [
            # The word of the present address, since the memory answers a cycle later.
            port.addr.eq(next_address),
            next_address.eq(Mux(step, Mux(final, 0, address + 1), address)),
            words.payload.eq(~(inputs ^ port.data)),
            step.eq(words.valid & words.ready),
            self.i.ready.eq(~words.valid | (step & final)),
        ]
        m.d.sync += address.eq(next_address)
        with m.If(step):
            m.d.sync += ring.eq(Cat(ring[folding.bits :], ring[: folding.bits]))
            with m.If(final):
                m.d.sync += words.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [ring.eq(self.i.payload), words.valid.eq(1)]

    def _contents(self):
        """Words of the memory; a weight lies beside those of the same input in its group."""
        folding = self.folding
        # What fills up differs from the ring's zeros.
        weights = np.ones((folding.groups * folding.neurons, folding.words * folding.bits), bool)
        neurons, in_width = self._weights.shape
        weights[:neurons, :in_width] = self._weights
        cut = weights.reshape(folding.groups, folding.neurons, folding.words, folding.bits)
        return ir.pack(cut.transpose(0, 2, 3, 1).reshape(folding.cycles, folding.word_bits))

    def _count(self, m, words, parts):
        """Count the agreements of each word."""
        neurons = self.folding.neurons
        stages = Stages(m, words, self._plan.levels_per_register)
        slices = [words.payload[start : start + neurons]
                  for start in range(0, self.folding.word_bits, neurons)]
        count = stages.flush(popcount(stages, slices, self._plan.lut_size))
        stages.drive(parts, Cat(slice_[neuron] for neuron in range(neurons) for slice_ in count))
        return stages


def group_constants(m, folding, values, shape, taken):
    """Numbers that belong to the neurons of the group that is offered.

    Parameters
    ----------
    m : Module
    folding : Folding
    values : array of integers, shape (neurons, columns)
    shape : Shape
        Of one of them.
    taken : Value
        Whether that group is handed on in this cycle.

    Returns
    -------
    list of lists of Value, ``folding.neurons`` times ``columns``
    """
    columns = values.shape[1]
    rows = np.zeros((folding.groups * folding.neurons, columns), np.int64)
    rows[: len(values)] = values
    mask = (1 << shape.width) - 1
    words = [sum((value & mask) << place * shape.width for place, value in enumerate(word))
             for word in rows.reshape(folding.groups, -1).tolist()]
    m.submodules.constants = rom = memory.Memory(shape=folding.neurons * columns * shape.width,
                                                 depth=folding.groups, init=words)
    port = rom.read_port()
    group = Signal(range(folding.groups))
    next_group = Signal.like(group)
    m.d.comb += [
        port.addr.eq(next_group),
        next_group.eq(Mux(taken, Mux(group == folding.groups - 1, 0, group + 1), group)),
    ]
    m.d.sync += group.eq(next_group)
    found = [port.data.word_select(place, shape.width)
             for place in range(folding.neurons * columns)]
    found = [value.as_signed() if shape.signed else value for value in found]
    return [found[start : start + columns] for start in range(0, len(found), columns)]
