"""The head of LUT networks, class after class: one counter, and one comparison, for all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap, zip_longest

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.plan import SERIAL
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.parts.popcount import Count, popcount
from bitwright.hw.rtl.parts.race import race
from bitwright.hw.rtl.parts.stages import Depth, Stages
from bitwright.hw.rtl.realisation import Estimate, Realisation, Resources, realises
from bitwright.hw.rtl.result import decision_shape, score_shape

__all__ = ["SerialGroupSumHead"]

_ADDER_LEVELS = 2
"""LUT levels of a short carry chain: the sum of a class, the comparison with the best."""

_BEHIND = 3
"""Cycles from a count to the scores: the sum of the class, its place among them, the output."""


@dataclass(frozen=True)
class _Settings:
    """What a plan may say: ``[nodes.NAME]`` with ``way = "serial"``."""

    bits: int = 10
    """Bits that are counted at a time, of one class."""

    kept: bool = False
    """Whether the head keeps a vector in registers while it counts, so that the next may come."""

    gated: bool = True
    """Whether a word has an enable and a reset of its own. Left out, a LUT chooses between two."""

    def __post_init__(self) -> None:
        if self.bits < 1:
            raise ValueError(f"bits must be at least 1, not {self.bits}")


@dataclass(frozen=True)
class _Cut:
    """How the bits of the classes are cut into words.

    Parameters
    ----------
    classes, size : int
        Classes, and bits of each.
    bits : int
        Of a word. The last one of a class may have fewer.
    """

    classes: int
    size: int
    bits: int

    @classmethod
    def of(cls, node, settings):
        size = node.in_width // node.out_width
        words = -(-size // min(settings.bits, size))
        return cls(node.out_width, size, -(-size // words))  # evenly

    @property
    def words(self):
        """Of a class."""
        return -(-self.size // self.bits)

    @property
    def steps(self):
        """Words of a vector."""
        return self.classes * self.words

    def word(self, step):
        """Bits of a word, of a vector."""
        number, place = divmod(step, self.words)
        start = number * self.size + place * self.bits
        return slice(start, min(start + self.bits, (number + 1) * self.size))

    @property
    def neighbours(self):
        """The words, those of the same place in all classes beside each other.

        Each class is spread over the whole field that nodes lie on. So these come from one part of
        it, and wires are short where they meet.
        """
        return [number * self.words + place
                for place in range(self.words) for number in range(self.classes)]

    @property
    def lengths(self):
        """Bits of each of them."""
        words = map(self.word, self.neighbours)
        return [word.stop - word.start for word in words]


@realises(ir.GroupSum, SERIAL)
class SerialGroupSumHead(wiring.Component, Realisation):
    """Popcounts of equal, contiguous groups of bits, a word at a time, and the greatest of them.

    Each word has registers of its own, which are all 0 but in the cycle behind the one that takes
    the word in. So an OR of all words is the word whose turn it is: no multiplexer chooses, and the
    registers lie where those of the nodes in front would have been. Without ``gated`` two words
    have registers between them, behind a LUT a bit that lets in the one whose turn it is: half the
    registers and no enable, but a third of a LUT more a bit. Whose turn it is, tells a 1 that
    wanders through a row of registers. Behind the OR are a popcount of a word, a sum that
    begins anew with each class, the scores so far as a shift register, and the best of them.

    Where the site lets a vector stay, it is read where it lies, and taken with its last word. Else,
    or with ``kept``, it is taken into registers at once.

    The next vector is begun when the scores of the one before leave. The first one after a reset
    waits as long as a vector takes.

    Parameters
    ----------
    node : ir.GroupSum
    settings : Settings
    plan : Plan
    site : Site

    Members
    -------
    i : ``In(stream.Signature(node.in_width))``
        Input vectors.
    o : ``Out(stream.Signature(ArrayLayout(score_shape(node.score_range), node.out_width)))``
        Scores, in input order.
    decision : ``Out(decision_shape(node.out_width))``
        Beside the scores: the place of the greatest one, the lowest on a tie.
    """

    Settings = _Settings
    settles = True

    @classmethod
    def levels(cls, node, settings, plan):
        return 0 if settings.gated else 1  # in front of the registers of the words

    @classmethod
    def estimate(cls, node, settings, plan, site):
        cut, width = _Cut.of(node, settings), score_shape(node.score_range).width - 1
        stays = site.stays and not settings.kept
        depth = Depth(plan.levels_per_register)
        luts = _measure_any(depth, cut, settings.gated, plan.lut_size)
        count = Count.through(depth, cut.bits, plan.lut_size)
        depth.flush(count.width)
        counters = cut.classes.bit_length() + cut.words.bit_length()
        luts += count.luts + 3 * width + 3 * counters
        of_words = node.in_width if settings.gated else node.in_width // 2
        luts += 0 if settings.gated else of_words
        flip_flops = (of_words + (0 if stays else node.in_width) + cut.steps + depth.flip_flops
                      + (cut.classes + 2) * width + 2 * counters)
        behind = depth.latency + _BEHIND
        whole = Beat.whole(node.out_width * (width + 1))
        interval = cut.steps + behind - 1
        return Estimate(Resources(luts, flip_flops), behind if stays else interval + 1, interval,
                        whole, waits=cut.steps - 1 if stays else None, decides=True)

    @classmethod
    def joined(cls, node, plan, name):
        """LUTs that join the words of a node of that name, which are among those of an estimate."""
        settings = plan.settings(name, cls.Settings)
        return _measure_any(Depth(plan.levels_per_register), _Cut.of(node, settings),
                            settings.gated, plan.lut_size)

    def __init__(self, node, settings, plan, site):
        self._cut, self._plan = _Cut.of(node, settings), plan
        self._stays, self._gated = site.stays and not settings.kept, settings.gated
        self._scores = data.ArrayLayout(score_shape(node.score_range), node.out_width)
        super().__init__({
            "i": In(stream.Signature(node.in_width)),
            "o": Out(stream.Signature(self._scores)),
            "decision": Out(decision_shape(node.out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        busy, start, clean, end = Signal(), Signal(), Signal(), Signal()
        source = self.i if self._stays else self._keep(m, clean)
        leave = self.o.valid & self.o.ready
        # A reset leaves a word in its registers, since one for each would cost a LUT for each. So
        # the first round after a reset is of no vector: behind it all are clean.
        m.d.comb += start.eq((source.valid | ~clean) & (~busy | leave))
        with m.If(leave):
            m.d.sync += self.o.valid.eq(0)
        with m.If(start):
            m.d.sync += busy.eq(1)
        with m.Elif(leave | (end & ~clean)):
            m.d.sync += busy.eq(0)
        with m.If(end):
            m.d.sync += [self.o.valid.eq(clean), clean.eq(1)]
        count = self._count(m, source, start, clean)
        m.d.comb += end.eq(self._rank(m, *self._sum(m, count)))
        return m

    def _keep(self, m, clean):
        """Take a vector into registers, which free themselves with its last word."""
        kept = stream.Signature(self._cut.classes * self._cut.size).create(path=("kept",))
        vector = Signal(len(kept.payload), reset_less=True)
        m.d.comb += [kept.payload.eq(vector), self.i.ready.eq((~kept.valid & clean) | kept.ready)]
        with m.If(self.i.ready):
            m.d.sync += [kept.valid.eq(self.i.valid), vector.eq(self.i.payload)]
        return kept

    def _count(self, m, source, start, clean):
        """Go through the words. Returns a stream of their counts, which is always taken."""
        cut = self._cut
        turns = Signal(cut.steps)
        turn = Cat(start, turns)  # of each word, and of none behind the last
        m.d.sync += turns.eq(turn)
        m.d.comb += source.ready.eq(turn[cut.steps - 1] & clean)
        words = stream.Signature(1).create(path=("words",))
        with m.If(start):
            m.d.sync += words.valid.eq(1)
        with m.Elif(turn[cut.steps]):
            m.d.sync += words.valid.eq(0)
        let_in = self._let_in if self._gated else self._let_in_two
        return self._behind(m, words, let_in(m, turn, [
            (step, source.payload[cut.word(step)]) for step in cut.neighbours]))

    def _let_in(self, m, turn, bits):
        """Registers of the words, by their enables and resets."""
        taken = []
        for step, own in bits:
            word = Signal(len(own), name=f"word{step}", reset_less=True)
            # Cleared in the cycle behind, rather than in every other: no inverter is needed.
            with m.If(turn[step + 1]):
                m.d.sync += word.eq(0)
            with m.Elif(turn[step]):
                m.d.sync += word.eq(own)
            taken.append(word)
        return taken

    def _let_in_two(self, m, turn, bits):
        """Registers of two words each, by LUTs."""
        taken = []
        for start in range(0, len(bits), 2):
            two = [own & turn[step].replicate(len(own)) for step, own in bits[start : start + 2]]
            word = Signal(max(map(len, two)), name=f"words{start}", reset_less=True)
            m.d.sync += word.eq(two[0] | two[-1])
            taken.append(word)
        return taken

    def _behind(self, m, words, taken):
        stages = Stages(m, words, self._plan.levels_per_register)
        lut_size = self._plan.lut_size
        bits = [[word[place] for word in taken if place < len(word)]
                for place in range(self._cut.bits)]
        for wanted in _levels(len(taken), lut_size):
            flat = iter(stages.before([bit for own in bits for bit in own]))
            bits = [_narrowed(stages, [next(flat) for _ in own], wanted, lut_size) for own in bits]
        count = Cat(stages.flush(popcount(stages, [own[0] for own in bits], lut_size)))
        counts = stream.Signature(len(count)).create(path=("counts",))
        stages.drive(counts, count)
        m.d.comb += counts.ready.eq(1)
        return counts

    def _sum(self, m, counts):
        """Add up the words of a class. Returns its score, and whether there is one."""
        words, width = self._cut.words, self._cut.size.bit_length()
        score, done = Signal(width, reset_less=True), Signal()
        place = Signal(range(words))
        final = place == words - 1
        m.d.sync += done.eq(counts.valid & final)
        with m.If(counts.valid):
            m.d.sync += [score.eq(Mux(place == 0, 0, score) + counts.payload),
                         place.eq(Mux(final, 0, place + 1))]
        return score, done

    def _rank(self, m, score, done):
        """Put the score of a class beside those before, and see whether it is the greatest.

        Returns whether it is that of the last class.
        """
        classes = self._cut.classes
        scores = Signal(classes * len(score), reset_less=True)
        found = race(m, score, done, classes)
        with m.If(done):
            m.d.sync += scores.eq(Cat(scores, score)[len(score) :])
        m.d.comb += self.decision.eq(found.decision)
        m.d.comb += [target.eq(scores.word_select(place, len(score)))
                     for place, target in enumerate(self.o.payload)]
        return done & found.final


def _levels(inputs, lut_size):
    """Inputs that each level of an OR leaves, with the fewest levels and LUTs that there can be."""
    left = [1]
    while left[0] * lut_size < inputs:
        left.insert(0, left[0] * lut_size)
    return left if inputs > 1 else []


def _narrowed(stages, bits, wanted, lut_size):
    """OR together as many as have to be, so that no more are left than are wanted."""
    bits = list(bits)
    while len(bits) > wanted:
        size = min(lut_size, len(bits) - wanted + 1)
        bits.append(stages.wire(Cat(bits[:size]).any()))
        del bits[:size]
    return bits


def _measure_any(depth, cut, gated, lut_size):
    """Pass the levels of the OR. Returns its LUTs."""
    lengths = cut.lengths
    if not gated:
        lengths = list(starmap(max, zip_longest(lengths[::2], lengths[1::2], fillvalue=0)))
    heights = [sum(place < length for length in lengths) for place in range(cut.bits)]
    luts = 0
    for wanted in _levels(len(lengths), lut_size):
        depth.before(sum(heights))
        luts += sum(-(-max(0, height - wanted) // (lut_size - 1)) for height in heights)
        heights = [min(height, wanted) for height in heights]
    return luts
