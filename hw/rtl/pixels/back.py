"""All that lies behind a network that works pixel by pixel: scores of frames become results."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.checks import expect
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.parts.race import race
from bitwright.hw.rtl.pixels.front import SAMPLES, decided_layout, frame_layout
from bitwright.hw.rtl.result import result_layout, score_shape

__all__ = ["Back"]


class Back(wiring.Component):
    """Sum of the scores over the frames of a sample, and the class of the highest.

    The classes take part one after the other, a cycle each, which is little beside the cycles that
    a picture takes, and one comparison for all of them. With ``plan.early_exit`` they do so after
    every frame: the result leaves as soon as no frame that is still to come can change the
    decision, with the sum so far, and the frames that come nevertheless are not counted. See
    :class:`ir.Exit` for the rule.

    Parameters
    ----------
    network : ir.Network
        Whose scores add up.
    plan : Plan

    Members
    -------
    i : ``In(stream.Signature(ArrayLayout(score_shape(head.score_range), classes)))``
        Scores of a frame.
    frames : ``In(stream.Signature(frame_layout))``
        What frame it is.
    o : ``Out(stream.Signature(result_layout(network)))``
        Results of the samples that are not to be dropped.
    decided : ``Out(decided_layout)``
        Only with ``plan.early_exit``.

    Attributes
    ----------
    latency : int
        Cycles from the scores of the frame that decides to the result, when nothing stalls.
    interval : int
        Cycles from that frame to the next sample's, at least.
    frame_interval : int
        Cycles from a frame to the next of the same sample, at least.
    scores : stream
        That of ``i``, for a bench that looks inside.

    Raises
    ------
    PlanError
        If the scores of frames do not add up; with ``plan.early_exit``, if they decide nothing, or
        the head can be written, so that nobody knows how much a frame can still change.
    """

    def __init__(self, network, plan):
        expect("Network", network, ir.Network)
        expect("Plan", plan, Plan)
        self._margins = _margins(network, plan) if plan.early_exit else None
        if network.head.per_frame:
            raise PlanError(f"Head {network.entries[-1].name!r} takes every frame for a class, "
                            "which does not go with pictures pixel by pixel")
        self._layout = result_layout(network)
        self.latency = 1 + network.classes + plan.early_exit
        self.interval = self.latency + 1
        self.frame_interval = self.interval if plan.early_exit or network.frames == 1 else 1
        frame = data.ArrayLayout(score_shape(network.head.score_range), network.classes)
        super().__init__({
            "i": In(stream.Signature(frame)),
            "frames": In(stream.Signature(frame_layout)),
            "o": Out(stream.Signature(self._layout)),
            **({"decided": Out(decided_layout)} if plan.early_exit else {}),
        })

    @property
    def scores(self):
        return self.i

    def elaborate(self, platform):
        m = Module()
        exits, frame = self._margins is not None, self.frames.payload
        result = Signal(self._layout, reset_less=True)
        begin, last, done = Signal(init=1), Signal(), Signal()  # done: the sample has its result
        taken, racing = Signal(), Signal()
        m.d.comb += self.o.payload.eq(result)
        end, lead = self._race(m, racing, result)
        margin = self._margin(m, taken, begin, done) if exits else 0
        with m.If(taken):
            m.d.sync += [*(total.eq(Mux(begin, 0, total) + score) for total, score in zip(
                             result.scores, self.i.payload, strict=True)),
                         begin.eq(frame.last), last.eq(frame.last)]
            with m.If(frame.last):
                m.d.sync += done.eq(0)
        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += [self.i.ready.eq(self.frames.valid), self.frames.ready.eq(self.i.valid),
                             taken.eq(self.i.valid & self.frames.valid)]
                with m.If(taken & ~frame.drop & ~done & (frame.last | exits)):
                    m.next = "RACE"
            with m.State("RACE"):
                m.d.comb += racing.eq(1)
                with m.If(end):
                    m.next = "JUDGE" if exits else "OFFER"
            if exits:
                with m.State("JUDGE"):
                    m.next = "TAKE"
                    with m.If(lead >= margin):
                        m.d.sync += done.eq(~last)
                        m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "TAKE"
        return m

    def _race(self, m, racing, result):
        """Let the classes compete one by one. Returns whether the last one does, and the lead of
        the best when all have."""
        score = Signal(result.scores[0].shape())
        found = race(m, score, racing, len(result.scores))
        rival = Signal.like(score, reset_less=True)
        m.d.comb += [score.eq(Array(result.scores)[found.number]),
                     self.o.payload.decision.eq(found.decision)]
        with m.If(racing):
            # What the best must reach: the highest of the others, and one more for those before it.
            with m.If(found.number == 0):
                m.d.sync += rival.eq(-1 << len(rival) - 1)
            with m.Elif(found.ahead):
                m.d.sync += rival.eq(found.best + 1)
            with m.Elif(score > rival):
                m.d.sync += rival.eq(score)
        return found.final, found.best - rival

    def _margin(self, m, taken, begin, done):
        """Lead that decides after the frame that was taken; and tell which sample has its result.
        """
        frame, sample = Signal(range(len(self._margins))), Signal(SAMPLES)
        with m.If(taken):
            m.d.sync += [frame.eq(Mux(begin, 0, frame + 1)),
                         sample.eq(sample + self.frames.payload.last)]
        m.d.comb += [self.decided.valid.eq(done), self.decided.sample.eq(sample)]
        return Array(self._margins)[frame]


def _margins(network, plan):
    """Lead that decides after each frame."""
    head = network.entries[-1].name
    if head in plan.writable:
        raise PlanError(f"Plan key 'early_exit' must be false where {head!r} can be written")
    try:
        return ir.Exit.of(network, plan.exit_lead).margins
    except ValueError as error:
        raise PlanError(f"Plan key 'early_exit': {error}") from error
