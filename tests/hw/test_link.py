"""The serial link: right answers, and an error code instead of a wrong one."""

import hashlib
import re

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from bitwright import ir
from bitwright.hw.contents import Contents
from bitwright.hw.flow import synth
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.layout import Layout
from bitwright.hw.link.link import Link
from bitwright.hw.link.protocol import (
    ErrorCode,
    Identity,
    Reply,
    ReplyType,
    Request,
    encode_request,
)
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan
from tests.hw.line import CYCLES, TIMEOUT, converse, levels
from tests.networks import features, network

CLOCK_HZ = 1e6


def build(subject, cycles=CYCLES, **keys):
    return SerialTop(subject, Plan(**keys), CLOCK_HZ, CLOCK_HZ / cycles,
                     timeout_s=25 * cycles / CLOCK_HZ)


@pytest.fixture(scope="module")
def subject():
    chosen = network(24)
    assert chosen.features == 3  # a short packet
    return chosen


def results(top, subject, x):
    answer = subject.evaluate(x)
    return [top.layout.pack_result(int(decision), scores)
            for decision, scores in zip(answer.decision, answer.scores, strict=True)]


@pytest.mark.parametrize("skew", [-0.02, 0.0, 0.02])
@pytest.mark.parametrize("cycles", [4, 5, 6, 7, 12])
def test_every_length_of_a_bit_back_to_back(subject, cycles, skew):
    top = build(subject, cycles=cycles)
    x = features(subject, 4, 0)
    wanted = results(top, subject, x)

    async def script(drive, answer):
        await drive(infer(top, x))
        assert await answer(patience=50 * cycles) == [
            Reply(ReplyType.RESULT, index, payload) for index, payload in enumerate(wanted)]

    converse(top, script, bit=cycles * (1 + skew))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_results_that_come_in_beats(subject, size):
    """Of one byte; of two, the last of which counts by a byte; and wider than a result."""
    top = SerialTop(subject, Plan(result_beat_bytes=size), CLOCK_HZ, CLOCK_HZ / CYCLES,
                    timeout_s=25 * CYCLES / CLOCK_HZ)
    assert top.layout.result_bytes == 3
    x = features(subject, 3, 0)
    wanted = results(top, subject, x)

    async def script(drive, answer):
        await drive(infer(top, x))
        assert await answer() == [Reply(ReplyType.RESULT, index, payload)
                                  for index, payload in enumerate(wanted)]
        await drive(levels(encode_request(Request.IDENTIFY, 77)))
        assert [reply.type for reply in await answer()] == [ReplyType.IDENTITY]
        await drive(infer(top, x[:1]))
        assert [reply.payload for reply in await answer()] == wanted[:1]

    converse(top, script, cycles=20_000)


@pytest.mark.parametrize("request_in", ["block", "large"])
def test_results_and_identity(subject, request_in):
    top = build(subject, lanes=2, request=request_in)
    x = features(subject, 8, 0)  # of four, each has its result whatever two of its features are
    wanted = results(top, subject, x)
    form = subject.modulate

    async def script(drive, answer):
        for index, row in enumerate(x.tolist()):
            await drive(levels(encode_request(Request.INFER, index, top.layout.sample(row))))
            assert await answer() == [Reply(ReplyType.RESULT, index, wanted[index])]
        await drive(levels(encode_request(Request.IDENTIFY, 77)))
        (reply,) = await answer()
        assert (reply.type, reply.sequence) == (ReplyType.IDENTITY, 77)
        assert Identity.from_bytes(reply.payload) == Identity(
            bytes.fromhex(Contents(subject, Plan()).structure)[:8],
            hashlib.sha256(b"").digest()[:8], True, 0, form.features, form.bits, form.signed,
            subject.classes, top.layout.score_bytes)

    converse(top, script)


def test_a_request_in_a_large_memory(subject):
    """It is never filled with contents, and has one address: no other will do."""
    texts = [to_verilog(build(subject, request=request)) for request in ("block", "large")]
    assert ['ram_style = "huge"' in text for text in texts] == [False, True]


@pytest.mark.slow
def test_a_request_in_a_large_memory_of_a_device(tmp_path):
    """3,072 bytes of a picture are a large memory of a UP5K, or six small ones."""
    subject = ir.Network((
        ir.Entry("modulate", ir.Modulate(np.full((1, 3072, 1), 100, np.int32), 8), ("input",)),
        ir.Entry("lut", ir.Lut(3072, np.arange(8, dtype=np.int32).reshape(2, 4),
                               np.eye(2, 16, dtype=bool)), ("modulate",)),
        ir.Entry("head", ir.GroupSum(2, 2), ("lut",))))
    found = {}
    for request in ("block", "large"):
        folder = tmp_path / request
        folder.mkdir()
        synth.netlist(to_verilog(build(subject, request=request)), "top", "ice40", folder)
        netlist = (folder / "netlist.v").read_text(encoding="utf-8")
        found[request] = [netlist.count(f"  {cell} ") for cell in ("SB_RAM40_4K", "SB_SPRAM256KA")]
    small, _ = found["block"]
    assert found == {"block": [small, 0], "large": [small - 6, 1]}


def test_a_simplified_network_tells_the_digest_of_the_frozen_one(subject):
    simplified = ir.simplify(subject)
    assert ir.digest(simplified) != ir.digest(subject)
    top = SerialTop(simplified, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES,
                    timeout_s=TIMEOUT / CLOCK_HZ, frozen=subject)

    async def script(drive, answer):
        await drive(levels(encode_request(Request.IDENTIFY, 1)))
        (reply,) = await answer()
        assert Identity.from_bytes(reply.payload).structure == (
            bytes.fromhex(Contents(subject, Plan()).structure)[:8])

    converse(top, script)


def test_a_frozen_network_of_another_form_is_refused(subject):
    other = network(3)
    forms = [re.escape(str(Layout.of(one))) for one in (subject, other)]
    with pytest.raises(ValueError, match=rf"^Frozen network must have the form {forms[0]}, not "
                                         rf"{forms[1]}$"):
        SerialTop(subject, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES, frozen=other)


def test_wide_signed_features_and_frames():
    rng = np.random.default_rng(0)
    thresholds = rng.integers(-2000, 2000, size=(2, 3, 2)).astype(np.int32)
    subject = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 12, True), ("input",)),
                          ir.Entry("head", ir.GroupSum(6, 3), ("modulate",))))
    top = build(subject, lanes=2)
    x = features(subject, 6, 0)
    wanted = results(top, subject, x)

    async def script(drive, answer):
        for index, row in enumerate(x.tolist()):
            await drive(levels(encode_request(Request.INFER, index, top.layout.sample(row))))
            assert await answer() == [Reply(ReplyType.RESULT, index, wanted[index])]

    converse(top, script)


def test_requests_back_to_back(subject):
    top = build(subject)
    x = features(subject, 3, 0)
    wanted = results(top, subject, x)

    async def script(drive, answer):
        line = []
        for index, row in enumerate(x.tolist()):
            line += levels(encode_request(Request.INFER, index, top.layout.sample(row)))
        await drive(line)
        assert await answer() == [Reply(ReplyType.RESULT, index, payload)
                                  for index, payload in enumerate(wanted)]

    converse(top, script)


@pytest.mark.slow
def test_no_flipped_bit_gives_a_result(subject):
    """Every bit of the packet once; start and stop bits too."""
    top = build(subject)
    row = features(subject, 1, 0).tolist()[0]
    whole = levels(encode_request(Request.INFER, 5, top.layout.sample(row)))
    (wanted,) = results(top, subject, np.array([row]))
    codes = {}

    async def script(drive, answer):
        for place in range(len(whole)):
            line = whole.copy()
            line[place] ^= 1
            await drive(line)
            replies = await answer()
            assert all(reply.type == ReplyType.ERROR for reply in replies), place
            codes[place] = [ErrorCode(reply.payload[0]) for reply in replies]
        # After all that, the next request is answered.
        await drive(whole)
        assert await answer() == [Reply(ReplyType.RESULT, 5, wanted)]

    converse(top, script)
    in_bytes = [codes[10 * byte + 1 + bit] for byte in range(2, len(whole) // 10)
                for bit in range(8)]
    assert all(len(found) == 1 for found in in_bytes)  # answered once, whatever was hit
    payload = [codes[10 * byte + 1 + bit] for byte in range(6, len(whole) // 10)
               for bit in range(8)]
    assert set(map(tuple, payload)) == {(ErrorCode.CRC,)}


@pytest.mark.parametrize(("damage", "code"), [
    ("truncated", ErrorCode.TIMEOUT),
    ("too long", ErrorCode.LENGTH),
    ("too short", ErrorCode.LENGTH),
    ("no such type", ErrorCode.TYPE),
    ("wrong CRC", ErrorCode.CRC),
    ("break", ErrorCode.FRAMING),
    ("identify with a payload", ErrorCode.LENGTH),
    ("longer than it says", ErrorCode.TIMEOUT),
])
def test_damage_is_named_and_the_next_request_is_answered(subject, damage, code):
    top = build(subject)
    x = features(subject, 2, 0)
    payload = top.layout.sample(x[0].tolist())
    (wanted,) = results(top, subject, x[:1])
    right = encode_request(Request.INFER, 9, payload)
    line = {
        "truncated": lambda: levels(right[:-3]),
        "too long": lambda: levels(encode_request(Request.INFER, 9, payload + b"abc")),
        "too short": lambda: levels(encode_request(Request.INFER, 9, payload[:-1])),
        "no such type": lambda: levels(encode_request(0x7F, 9, payload)),
        "wrong CRC": lambda: levels(right[:-1] + bytes([right[-1] ^ 1])),
        "break": lambda: levels(right[:-2]) + [0] * 40,
        "identify with a payload": lambda: levels(encode_request(Request.IDENTIFY, 9, b"x")),
        "longer than it says": lambda: levels(
            encode_request(Request.INFER, 9, payload + bytes(1000))[: len(right)]),
    }[damage]()

    async def script(drive, answer):
        for _ in range(2):
            await drive(line)
            assert await answer() == [Reply(ReplyType.ERROR, 9, bytes([code]))]
            await drive(levels(right))
            assert await answer() == [Reply(ReplyType.RESULT, 9, wanted)]

    converse(top, script)


def test_silence_begins_after_the_last_damaged_byte(subject):
    """Bytes without a stop bit are no silence: nothing is answered while they come."""
    top = build(subject)
    broken = [0, *[1, 0] * 4, 0, 1, 1]  # a byte, its missing stop bit, and the line idle again

    async def script(drive, answer):
        await drive(levels(encode_request(Request.INFER, 9, bytes(3))[:-1]))
        await drive(broken * (4 * TIMEOUT // (CYCLES * len(broken))))
        early = await answer(patience=0)
        assert early == []
        assert await answer() == [Reply(ReplyType.ERROR, 9, bytes([ErrorCode.FRAMING]))]

    converse(top, script)


def test_an_error_has_no_number_of_a_packet_before(subject):
    top = build(subject)

    async def script(drive, answer):
        await drive(levels(encode_request(Request.IDENTIFY, 9)))
        assert [reply.sequence for reply in await answer()] == [9]
        await drive(levels(encode_request(Request.IDENTIFY, 8)[:3]))  # no number came
        assert await answer() == [Reply(ReplyType.ERROR, 0, bytes([ErrorCode.TIMEOUT]))]

    converse(top, script)


def test_damage_between_the_synchronisation_bytes(subject):
    top = build(subject)
    first, rest = levels(b"\xa5"), levels(encode_request(Request.IDENTIFY, 9)[1:])
    broken = [0, *[1, 0] * 4, 0, 1, 1]

    async def script(drive, answer):
        await drive(first + broken + rest)
        assert await answer() == []
        await drive(first + rest)
        assert [reply.sequence for reply in await answer()] == [9]

    converse(top, script)


class Slow:
    """A network that takes samples and gives results only when it is let.

    It swallows the results whose places are in ``swallowed``, and counts its restarts.
    """

    def __init__(self, subject, patience=100_000):
        self._subject = subject
        self.layout = Layout.of(subject)
        self.link = Link(self.layout, Identity.of(subject, Plan()), cycles=CYCLES, timeout=TIMEOUT,
                         patience=patience)
        self.taking = self.giving = self.dropping = False
        self.taken = []  # samples, as bytes
        self.swallowed = set()
        self.restarts = 0
        self._given = 0

    async def take(self, ctx):
        sample, link = b"", self.link
        while True:
            ctx.set(link.beats.ready, self.taking)
            ctx.set(link.sample_error, self.dropping)
            self.dropping = False
            _, _, taken, beat, restart = await ctx.tick().sample(
                link.beats.valid & link.beats.ready, link.beats.payload, link.restart)
            if restart:  # what is inside is lost
                sample, self._given = b"", len(self.taken)
                self.restarts += 1
            elif taken:
                sample += beat.data.to_bytes(self.layout.beat_bytes, "little")
                if beat.last:
                    self.taken.append(sample)
                    sample = b""

    async def give(self, ctx):
        while True:
            while not (self.giving and self._given < len(self.taken)):
                await ctx.tick()
            if self._given not in self.swallowed:
                await self._offer(ctx, self.taken[self._given])
            self._given += 1

    async def _offer(self, ctx, sample):
        row = np.array([[*sample]])  # features of one byte
        (payload,) = results(self, self._subject, row)
        ctx.set(self.link.results.payload.data, int.from_bytes(payload, "little"))
        ctx.set(self.link.results.payload.last, 1)
        ctx.set(self.link.results.valid, 1)
        await ctx.tick().until(self.link.results.ready)
        ctx.set(self.link.results.valid, 0)

    def converse(self, script):
        converse(self.link, script, background=[self.take, self.give])


def infer(top, rows):
    """Line of one request for each row, back to back, numbered from 0."""
    return [level for index, row in enumerate(rows.tolist())
            for level in levels(encode_request(Request.INFER, index, top.layout.sample(row)))]


def test_a_payload_that_meets_an_occupied_memory_is_busy(subject):
    slow = Slow(subject)
    x = features(subject, 3, 0)
    wanted = results(slow, subject, x)
    busy = bytes([ErrorCode.BUSY])
    samples = [slow.layout.sample(row) for row in x.tolist()]

    async def script(drive, answer):
        slow.giving = True
        await drive(infer(slow, x))  # the network takes nothing, so the first stays in the memory
        await drive(levels(encode_request(Request.IDENTIFY, 9)))  # has no payload to be in the way
        assert await answer() == []
        slow.taking = True
        *replies, told = await answer()
        assert replies == [Reply(ReplyType.RESULT, 0, wanted[0]),
                           Reply(ReplyType.ERROR, 1, busy), Reply(ReplyType.ERROR, 2, busy)]
        assert (told.type, told.sequence) == (ReplyType.IDENTITY, 9)
        assert slow.taken == samples[:1]
        # Understood at once, and the sample is whole.
        await drive(levels(encode_request(Request.INFER, 3, samples[1])))
        assert await answer() == [Reply(ReplyType.RESULT, 3, wanted[1])]

    slow.converse(script)


def test_requests_beyond_four_replies_owed_are_not_answered(subject):
    slow = Slow(subject)
    x = features(subject, 7, 0)
    wanted = results(slow, subject, x)
    busy = bytes([ErrorCode.BUSY])
    samples = [slow.layout.sample(row) for row in x.tolist()]

    async def script(drive, answer):
        slow.taking = True
        await drive(infer(slow, x[:6]))  # one is in the network, one in the memory
        assert await answer() == []
        assert slow.taken == samples[:1]  # so that its result can be no other's
        slow.giving = True
        assert await answer() == [
            Reply(ReplyType.RESULT, 0, wanted[0]), Reply(ReplyType.RESULT, 1, wanted[1]),
            Reply(ReplyType.ERROR, 2, busy), Reply(ReplyType.ERROR, 3, busy)]
        await drive(levels(encode_request(Request.INFER, 6, samples[6])))
        assert await answer() == [Reply(ReplyType.RESULT, 6, wanted[6])]

    slow.converse(script)


def test_a_payload_of_which_the_beginning_was_missed_is_busy(subject):
    """The memory is free again before the payload ends: what is in it is of two samples."""
    slow = Slow(subject)
    x = features(subject, 3, 0)
    wanted = results(slow, subject, x)
    first, second, third = (infer(slow, x[index : index + 1]) for index in range(3))

    async def script(drive, answer):
        slow.giving = True
        await drive(first)
        await drive(second[:70])  # six bytes and the first of the payload
        slow.taking = True
        await drive(second[70:])
        assert await answer() == [Reply(ReplyType.RESULT, 0, wanted[0]),
                                  Reply(ReplyType.ERROR, 0, bytes([ErrorCode.BUSY]))]
        await drive(third)
        assert await answer() == [Reply(ReplyType.RESULT, 0, wanted[2])]

    slow.converse(script)


PATIENCE = 500
LOST = bytes([ErrorCode.LOST])


def test_a_swallowed_result_is_lost_and_the_next_is_right(subject):
    slow = Slow(subject, PATIENCE)
    x = features(subject, 4, 0)
    wanted = results(slow, subject, x)
    slow.swallowed = {1}
    slow.taking = slow.giving = True

    async def script(drive, answer):
        for index, reply in enumerate([Reply(ReplyType.RESULT, 0, wanted[0]),
                                       Reply(ReplyType.ERROR, 1, LOST),
                                       Reply(ReplyType.RESULT, 2, wanted[2]),
                                       Reply(ReplyType.RESULT, 3, wanted[3])]):
            await drive(levels(encode_request(Request.INFER, index,
                                              slow.layout.sample(x[index].tolist()))))
            assert await answer(patience=4 * PATIENCE) == [reply]

    slow.converse(script)
    assert slow.restarts == 1


@pytest.mark.parametrize("swallowed", [{0}, {1}, {0, 1}])
def test_requests_in_a_row_of_which_results_are_lost(subject, swallowed):
    """Each gets an answer of its own, and never that of another."""
    slow = Slow(subject, PATIENCE)
    x = features(subject, 6, 0)
    wanted = results(slow, subject, x)
    slow.taking = slow.giving = True
    slow.swallowed = swallowed

    async def script(drive, answer):
        await drive(infer(slow, x[:2]))
        await drive(levels(encode_request(Request.IDENTIFY, 9)))
        *found, told = await answer(patience=4 * PATIENCE)
        assert found == [Reply(ReplyType.ERROR, index, LOST) if index in swallowed
                         else Reply(ReplyType.RESULT, index, wanted[index]) for index in range(2)]
        assert (told.type, told.sequence) == (ReplyType.IDENTITY, 9)
        await drive(infer(slow, x[3:]))
        assert await answer() == [Reply(ReplyType.RESULT, index, wanted[3 + index])
                                  for index in range(3)]

    slow.converse(script)
    assert slow.restarts == len(swallowed)


def test_a_sample_that_the_network_stops_taking_is_lost(subject):
    """Restarted in the middle of a sample, the network gets the next one from its first beat."""
    slow = Slow(subject, PATIENCE)
    x = features(subject, 2, 0)
    wanted = results(slow, subject, x)
    slow.giving = True

    async def script(drive, answer):
        await drive(infer(slow, x[:1]))  # stays in the memory
        assert await answer(patience=4 * PATIENCE) == [Reply(ReplyType.ERROR, 0, LOST)]
        slow.taking = True
        await drive(infer(slow, x[1:]))
        assert await answer() == [Reply(ReplyType.RESULT, 0, wanted[1])]

    slow.converse(script)
    assert slow.taken == [slow.layout.sample(x[1].tolist())]


def test_a_sample_that_the_network_drops_is_lost_at_once(subject):
    slow = Slow(subject)
    x = features(subject, 2, 0)
    wanted = results(slow, subject, x)
    slow.taking = True

    async def script(drive, answer):
        await drive(infer(slow, x[:1]))
        slow.dropping = True
        assert await answer() == [Reply(ReplyType.ERROR, 0, LOST)]
        slow.giving = True
        await drive(infer(slow, x[1:]))
        assert await answer() == [Reply(ReplyType.RESULT, 0, wanted[1])]

    slow.converse(script)


class Late(wiring.Component):
    """A network whose first result is held back for some cycles, come what may meanwhile."""

    def __init__(self, axi, cycles):
        self._axi, self._cycles = axi, cycles
        super().__init__(axi.signature)

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = self._axi
        left = Signal(range(self._cycles + 1), init=self._cycles, reset_less=True)
        held, late = left != 0, left != self._cycles
        with m.If(held & (late | inner.m_axis_tvalid)):
            m.d.sync += left.eq(left - 1)
        for name, member in self.signature.members.items():
            outside, inside = getattr(self, name), getattr(inner, name)
            if name not in ("m_axis_tvalid", "m_axis_tready"):
                m.d.comb += (outside.eq(inside) if member.flow is Out else inside.eq(outside))
        m.d.comb += [self.m_axis_tvalid.eq(inner.m_axis_tvalid & ~held),
                     inner.m_axis_tready.eq(self.m_axis_tready & ~held)]
        return m


def test_a_late_result_is_not_taken_for_the_next_one(subject):
    top = SerialTop(subject, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES, timeout_s=TIMEOUT / CLOCK_HZ,
                    instance=lambda axi, restart: ResetInserter(restart)(Late(axi, 3000)))
    x = features(subject, 8, 0)
    wanted = results(top, subject, x)
    place = next(index for index in range(8) if wanted[index] != wanted[0])

    async def script(drive, answer):
        await drive(infer(top, x[:1]))
        assert await answer(patience=2000) == [Reply(ReplyType.ERROR, 0, LOST)]
        await answer(patience=1000)  # about when the first result would come
        await drive(infer(top, x[place : place + 1]))
        assert await answer() == [Reply(ReplyType.RESULT, 0, wanted[place])]

    converse(top, script)


def test_replies_slower_than_requests():
    """Requests without a pause: results, busy and silence, but never another's result."""
    thresholds = np.array([[[3], [9]]], np.int32)
    biases = np.arange(12, dtype=np.int32) * 1000
    weights = np.random.default_rng(0).integers(2, size=(12, 2)).astype(bool)
    subject = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
                          ir.Entry("head", ir.Scores(weights, 3, biases), ("modulate",))))
    top = build(subject)
    assert top.layout.result_bytes > 2 * top.layout.sample_bytes + 8
    x = features(subject, 40, 0)
    wanted = results(top, subject, x)
    found = []

    async def script(drive, answer):
        await drive(infer(top, x))
        found.extend(await answer())

    converse(top, script)
    sequences = [reply.sequence for reply in found]
    assert sequences == sorted(set(sequences))
    assert len(found) < len(x)
    right = [reply for reply in found if reply.type == ReplyType.RESULT]
    assert right == [Reply(ReplyType.RESULT, reply.sequence, wanted[reply.sequence])
                     for reply in right]
    assert len(right) > 5
    assert [reply.payload for reply in found if reply not in right] == (
        [bytes([ErrorCode.BUSY])] * (len(found) - len(right)))


def test_garbage_before_a_request(subject):
    top = build(subject)
    x = features(subject, 1, 0)
    payload = top.layout.sample(x[0].tolist())
    (wanted,) = results(top, subject, x)
    garbage = bytes([0x00, 0xFF, 0xA5, 0x00, 0x5A, 0xA5, 0xA5])  # the last begins the packet twice

    async def script(drive, answer):
        await drive(levels(garbage + encode_request(Request.INFER, 3, payload)))
        assert await answer() == [Reply(ReplyType.RESULT, 3, wanted)]

    converse(top, script)


def test_a_timeout_below_two_bytes_is_refused(subject):
    with pytest.raises(ValueError, match=r"^Timeout must be at least two bytes, 8e-05 s, not "
                                         r"1e-05 s$"):
        SerialTop(subject, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES, timeout_s=1e-5)
