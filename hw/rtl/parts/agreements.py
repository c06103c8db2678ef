"""Dense layers worked off a piece at a time: the weights lie in a memory, the logic is one word's.

An unrolled layer has logic for every weight. Here each cycle reads one word of the memory, counts
its agreements with the inputs that it belongs to, and adds them up; one neuron gets its count, or a
few at the same time, and then the next.

Inputs that come whole lie in a ring that turns by a word each cycle, so that no multiplexer chooses
between them. Those that come a few bits at a time are put into a second memory, word by word, which
is read beside the weights: while one vector is worked on the next one gathers in its other half.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from bitwright.hw.alike import UNKNOWN, varying
from bitwright.hw.checks import expect
from bitwright.hw.folding import Folding
from bitwright.hw.limits import WIDEST, WidthError
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.gather import Accumulator
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.stages import Depth, Stages
from bitwright.hw.rtl.parts.store import Store, read_later
from bitwright.hw.rtl.realisation import Memory, Resources

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
    beat : Beat, optional
        How the inputs come, a whole vector at once if left out. See
        :meth:`Folding.gathers`.
    large : bool
        As of :class:`Store`.

    Members
    -------
    i : ``In(stream.Signature(beat.bits))``
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

    def __init__(self, in_width, folding, table, plan, writable=False, beat=None, large=False):
        expect("Folding", folding, Folding)
        expect("Plan", plan, Plan)
        if folding.word_bits > WIDEST:
            raise WidthError(f"Weights of a word must have at most {WIDEST:,} bits, not "
                             f"{folding.word_bits:,} ({in_width:,} inputs, {folding.neurons:,} "
                             "neurons at a time)")
        self._folding = folding
        self._plan = plan
        self._beat = Beat.whole(in_width) if beat is None else beat
        self.store = Store(table, writable, large)
        self._parts = data.ArrayLayout(unsigned(folding.bits.bit_length()), folding.neurons)
        counts = data.ArrayLayout(unsigned(in_width.bit_length()), folding.neurons)
        super().__init__({
            "i": In(stream.Signature(self._beat.bits)),
            "o": Out(stream.Signature(counts)),
        })

    @staticmethod
    def measure(in_width, folding, plan, writable, beat=None, large=False):
        """Resources; and cycles from the last beat of a vector to the counts of its last group."""
        depth, neurons = Depth(plan.levels_per_register), folding.neurons
        count = Count.through(depth, folding.bits, plan.lut_size, counters=neurons)
        depth.flush(neurons * count.width)
        bits, address = folding.words * folding.bits, folding.cycles.bit_length()
        weights = Store.measure(folding.word_bits, folding.cycles, writable, large)
        # Weights of few words are often alike, or constant: an input has no more exclusive-nors
        # than it has different ones. Of three, one goes into the LUTs of a full adder.
        words = UNKNOWN if writable else folding.cycles
        nors = folding.bits * varying(neurons, words)
        nors *= 2 / 3 if plan.lut_size < 6 else 1
        luts = round(nors) + count.shared(neurons, words) + 2 * address
        flip_flops = depth.flip_flops + address
        if beat is None:
            # What is a single word does not turn.
            luts, flip_flops = luts + (bits if folding.words > 1 else 0), flip_flops + bits
        else:
            counters = 2 * (2 * folding.words).bit_length() + 5
            luts += 3 * counters + (folding.bits if in_width % folding.bits else 0)
            flip_flops += folding.bits - beat.bits + counters
            weights += Resources(memories=(_inputs(folding, plan),))
        if folding.words > 1:
            total = neurons * in_width.bit_length() + folding.words.bit_length()
            luts, flip_flops = luts + 2 * total, flip_flops + total
        return (Resources(luts, flip_flops) + weights,
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
        address = Signal(range(folding.cycles))
        next_address = Signal.like(address)
        final, step, start = Signal(), Signal(), Signal()
        inputs = self._turn if self._beat.beats == 1 else self._gather
        seen = inputs(m, step, step & final, ~words.valid | (step & final), start)
        m.d.comb += [
            # The word of the present address, since the memory answers a cycle later.
            store.address.eq(next_address),
            next_address.eq(Mux(step, Mux(final, 0, address + 1), address)),
            words.payload.eq(~(Cat(bit.replicate(folding.neurons) for bit in seen) ^ store.word)),
            final.eq(address == folding.cycles - 1),
            step.eq(words.valid & words.ready),
        ]
        m.d.sync += address.eq(next_address)
        with m.If(step & final):
            m.d.sync += words.valid.eq(0)
        with m.If(start):
            m.d.sync += words.valid.eq(1)

    def _turn(self, m, step, done, free, start):
        """Hold whole vectors in a ring. Returns the inputs of the present word.

        Parameters
        ----------
        m : Module
        step : Value
            That word is taken.
        done : Value
            It is the last of a vector.
        free : Value
            A vector can begin in the next cycle.
        start : Signal
            To drive: one does.
        """
        bits = self._folding.bits
        ring = Signal(bits * self._folding.words, reset_less=True)
        m.d.comb += [self.i.ready.eq(free), start.eq(self.i.valid & free)]
        with m.If(step):
            m.d.sync += ring.eq(Cat(ring[bits:], ring[:bits]))
        with m.If(start):
            m.d.sync += ring.eq(self.i.payload)
        return ring[:bits]

    def _gather(self, m, step, done, free, start):
        """Put beats into a memory of two vectors. As :meth:`_turn`."""
        words, bits = self._folding.words, self._folding.bits
        found = _inputs(self._folding, self._plan)
        m.submodules.inputs = store = memory.Memory(
            shape=found.width, depth=found.depth, init=[],
            attrs={"no_rw_check": 1, "ram_style": found.style})
        put, whole = self._put(m, store.write_port(), words, bits)
        # Vectors that are in the memory whole, the one that is worked on included.
        held, busy = Signal(range(3)), ~free | done
        m.d.comb += [self.i.ready.eq(held != 2), put.eq(self.i.valid & self.i.ready),
                     start.eq(free & (whole | (held > busy)))]
        m.d.sync += held.eq(held + whole - done)
        half, at = Signal(), Signal(range(2 * words))
        next_at = Signal.like(at)
        m.d.comb += next_at.eq(at)
        with m.If(step):
            m.d.comb += next_at.eq(at + 1)
            with m.If(at == Mux(half, 2 * words - 1, words - 1)):
                m.d.comb += next_at.eq(Mux(half ^ done, words, 0))
        m.d.sync += [at.eq(next_at), half.eq(half ^ done)]
        # The last word of a vector is written in the cycle in which its first one is read, at the
        # earliest, and they are never the same.
        return read_later(m, store, next_at, "input")

    def _put(self, m, port, words, bits):
        """Make words of beats. Returns two signals: to drive, a beat is there; it ends a vector."""
        beat, size = self._beat, bits // self._beat.bits
        short = beat.beats - (words - 1) * size  # beats of the last word
        put, whole, end, last = Signal(), Signal(), Signal(), Signal()
        place, number, address = (Signal(range(limit)) for limit in (size, words, 2 * words))
        before = Signal(bits - beat.bits, reset_less=True)
        word = Cat(before, self.i.payload)
        tail = word[(size - short) * beat.bits :][: beat.width - (words - 1) * bits]
        m.d.comb += [
            last.eq(number == words - 1),
            end.eq(put & (place == Mux(last, short - 1, size - 1))),
            whole.eq(end & last),
            port.addr.eq(address),
            port.data.eq(Mux(last, tail, word)),
            port.en.eq(end),
        ]
        with m.If(put):
            m.d.sync += [before.eq(word[beat.bits :]), place.eq(place + 1)]
        with m.If(end):
            m.d.sync += [place.eq(0), number.eq(Mux(last, 0, number + 1)),
                         address.eq(Mux(address == 2 * words - 1, 0, address + 1))]
        return put, whole

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


def _inputs(folding, plan):
    """Memory of two vectors that come in beats."""
    # Devices of six-input LUTs have memories in LUTs of 32 words, which it would not fill a
    # hundredth of a block RAM with.
    style = "distributed" if plan.lut_size == 6 and 2 * folding.words <= 32 else "block"
    return Memory(folding.bits, 2 * folding.words, True, style=style)
