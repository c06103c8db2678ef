"""Dense layers worked off a piece at a time: the weights lie in a memory, the logic is one word's.

An unrolled layer has logic for every weight. Here each cycle reads one word of the memory, counts
its agreements with the inputs that it belongs to, and adds them up; one neuron gets its count, or a
few at the same time, and then the next. The inputs lie in a ring that turns by a word each cycle,
so that no multiplexer chooses between them.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.rtl.parts.gather import Accumulator
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.stages import Depth, Stages
from bitwright.hw.rtl.parts.store import Store
from bitwright.hw.rtl.realisation import Resources

__all__ = ["Agreements", "GroupConstants"]


class Agreements(wiring.Component):
    """Agreement counts of a vector with rows of weights, group by group.

    Parameters
    ----------
    in_width : int
    folding : Folding
    table : Table
        The weights, as :meth:`Folding.weights` cuts them.
    plan : Plan
    writable : bool

    Members
    -------
    i : ``In(stream.Signature(in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(unsigned(count_width), folding.neurons)))``
        Counts of the first group, then those of the next, ``folding.groups`` of them a vector.
        What lies past the last neuron is anything.

    Attributes
    ----------
    store : Store
        Of the weights.

    Raises
    ------
    WidthError
        If a word is wider than Amaranth's signals can be.
    """

    def __init__(self, in_width, folding, table, plan, writable=False):
        if folding.word_bits > WIDEST:
            raise WidthError(f"Weights of a word must have at most {WIDEST:,} bits, not "
                             f"{folding.word_bits:,} ({in_width:,} inputs, {folding.neurons:,} "
                             "neurons at a time)")
        self._folding = folding
        self._plan = plan
        self.store = Store(table, writable)
        self._parts = data.ArrayLayout(unsigned(folding.bits.bit_length()), folding.neurons)
        counts = data.ArrayLayout(unsigned(in_width.bit_length()), folding.neurons)
        super().__init__({
            "i": In(stream.Signature(in_width)),
            "o": Out(stream.Signature(counts)),
        })

    @staticmethod
    def measure(in_width, folding, plan):
        """Resources; and cycles from a vector to the counts of its last group."""
        depth, neurons = Depth(plan.levels_per_register), folding.neurons
        count = Count.through(depth, folding.bits, plan.lut_size, counters=neurons)
        depth.flush(neurons * count.width)
        ring, address = folding.words * folding.bits, 2 * folding.cycles.bit_length()
        luts = neurons * (folding.bits + count.luts) + ring + address
        flip_flops = depth.flip_flops + ring + address // 2
        if folding.words > 1:
            total = neurons * in_width.bit_length() + folding.words.bit_length()
            luts, flip_flops = luts + 2 * total, flip_flops + total
        return (Resources(luts, flip_flops, folding.word_bits * folding.cycles),
                folding.cycles + depth.latency + (folding.words > 1))

    def elaborate(self, platform):
        m = Module()
        folding = self._folding
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
        folding = self._folding
        m.submodules.weights = store = self.store
        ring = Signal(folding.bits * folding.words, reset_less=True)
        address = Signal(range(folding.cycles))
        next_address = Signal.like(address)
        final, step = address == folding.cycles - 1, Signal()
        inputs = Cat(bit.replicate(folding.neurons) for bit in ring[: folding.bits])
        m.d.comb += [
            # The word of the present address, since the memory answers a cycle later.
            store.address.eq(next_address),
            next_address.eq(Mux(step, Mux(final, 0, address + 1), address)),
            words.payload.eq(~(inputs ^ store.word)),
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

    def _count(self, m, words, parts):
        """Count the agreements of each word."""
        neurons = self._folding.neurons
        stages = Stages(m, words, self._plan.levels_per_register)
        slices = [words.payload[start : start + neurons]
                  for start in range(0, self._folding.word_bits, neurons)]
        count = stages.flush(popcount(stages, slices, self._plan.lut_size))
        stages.drive(parts, Cat(slice_[neuron] for neuron in range(neurons) for slice_ in count))


class GroupConstants(wiring.Component):
    """Numbers that belong to the neurons of the group that is offered.

    Parameters
    ----------
    folding : Folding
    table : Table
        The numbers, as :meth:`Folding.constants` packs them.
    shape : Shape
        Of one of them.
    writable : bool

    Members
    -------
    taken : ``In(1)``
        Whether that group is handed on in this cycle.
    o : ``Out(ArrayLayout(ArrayLayout(shape, columns), folding.neurons))``

    Attributes
    ----------
    store : Store
    """

    def __init__(self, folding, table, shape, writable=False):
        self._groups = folding.groups
        self.store = Store(table, writable)
        columns = table.width // shape.width // folding.neurons
        super().__init__({
            "taken": In(1),
            "o": Out(data.ArrayLayout(data.ArrayLayout(shape, columns), folding.neurons)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = self.store
        group = Signal(range(self._groups))
        next_group = Signal.like(group)
        m.d.comb += [
            store.address.eq(next_group),
            next_group.eq(Mux(self.taken, Mux(group == self._groups - 1, 0, group + 1), group)),
            self.o.as_value().eq(store.word),
        ]
        m.d.sync += group.eq(next_group)
        return m
