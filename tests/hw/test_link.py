"""The serial link: right answers, and an error code instead of a wrong one."""

import re

import numpy as np
import pytest
from amaranth.hdl import Module

from bitwright import ir
from bitwright.hw.layout import Layout
from bitwright.hw.link.link import Link
from bitwright.hw.link.protocol import (
    ErrorCode,
    Identity,
    Parser,
    Reply,
    ReplyType,
    Request,
    encode_reply,
    encode_request,
)
from bitwright.hw.link.serial_top import SerialTop, identity
from bitwright.hw.link.uart import UartReceiver, UartTransmitter
from bitwright.hw.plan import Plan
from tests.hw.streams import simulate, source
from tests.networks import features, network

CYCLES = 4  # of a bit
TIMEOUT = 100
CLOCK_HZ = 1e6


def build(subject, lanes=1):
    return SerialTop(subject, Plan(lanes=lanes), CLOCK_HZ, CLOCK_HZ / CYCLES,
                     timeout_s=TIMEOUT / CLOCK_HZ)


def levels(frame):
    """Levels of the line, one a bit."""
    return [level for byte in frame for level in (0, *(byte >> i & 1 for i in range(8)), 1)]


def converse(top, script, cycles=400_000, background=()):
    """Run ``script(send, silence)``, and return ``(frame or None, replies)`` of each call of it.

    Each exchange ends when a reply is over, or when nothing came for long. ``background`` runs
    beside it.
    """
    received = []

    async def listen(ctx):
        while True:
            await ctx.negedge(top.tx)
            await ctx.tick().repeat(CYCLES // 2)
            byte = 0
            for index in range(9):
                await ctx.tick().repeat(CYCLES)
                byte |= ctx.get(top.tx) << index
            assert byte >> 8, "the reply had no stop bit"
            received.append(byte & 0xFF)

    async def talk(ctx):
        async def drive(line):
            for level in line:
                ctx.set(top.rx, level)
                await ctx.tick().repeat(CYCLES)
            ctx.set(top.rx, 1)

        async def answer(patience=2 * TIMEOUT):
            count, waited = len(received), 0
            while waited < patience:
                await ctx.tick().repeat(CYCLES * 10)
                waited = 0 if len(received) > count else waited + CYCLES * 10
                count = len(received)
            replies = Parser().feed(bytes(received))
            assert sum(len(encode_reply(reply)) for reply in replies) == len(received)
            received.clear()
            return replies

        await script(drive, answer)

    simulate(top, talk, background=[listen, *background], cycles=cycles)


@pytest.fixture(scope="module")
def subject():
    chosen = network(24)
    assert chosen.features == 3  # a short frame
    return chosen


def results(top, subject, x):
    answer = subject.evaluate(x)
    return [top.layout.pack_result(int(decision), scores)
            for decision, scores in zip(answer.decision, answer.scores, strict=True)]


def test_results_and_identity(subject):
    top = build(subject, lanes=2)
    x = features(subject, 4, 0)
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
            bytes.fromhex(ir.digest(subject))[:8], form.features, form.bits, form.signed,
            subject.classes, top.layout.score_bytes)

    converse(top, script)


def test_a_simplified_network_tells_the_digest_of_the_frozen_one(subject):
    simplified = ir.simplify(subject)
    assert ir.digest(simplified) != ir.digest(subject)
    top = SerialTop(simplified, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES,
                    timeout_s=TIMEOUT / CLOCK_HZ, frozen=subject)

    async def script(drive, answer):
        await drive(levels(encode_request(Request.IDENTIFY, 1)))
        (reply,) = await answer()
        assert Identity.from_bytes(reply.payload).build == bytes.fromhex(ir.digest(subject))[:8]

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


def test_no_flipped_bit_gives_a_result(subject):
    """Every bit of the frame once; start and stop bits too."""
    top = build(subject)
    row = features(subject, 1, 0).tolist()[0]
    frame = levels(encode_request(Request.INFER, 5, top.layout.sample(row)))
    (wanted,) = results(top, subject, np.array([row]))
    codes = {}

    async def script(drive, answer):
        for place in range(len(frame)):
            line = frame.copy()
            line[place] ^= 1
            await drive(line)
            replies = await answer()
            assert all(reply.type == ReplyType.ERROR for reply in replies), place
            codes[place] = [ErrorCode(reply.payload[0]) for reply in replies]
        # After all that, the next request is answered.
        await drive(frame)
        assert await answer() == [Reply(ReplyType.RESULT, 5, wanted)]

    converse(top, script)
    in_bytes = [codes[10 * byte + 1 + bit] for byte in range(2, len(frame) // 10)
                for bit in range(8)]
    assert all(len(found) == 1 for found in in_bytes)  # answered once, whatever was hit
    payload = [codes[10 * byte + 1 + bit] for byte in range(6, len(frame) // 10)
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


class Slow:
    """A network that takes samples and gives results only when it is let."""

    def __init__(self, subject):
        self._subject = subject
        self.layout = Layout.of(subject)
        self.link = Link(self.layout, identity(subject, self.layout), CYCLES, TIMEOUT)
        self.taking = self.giving = False
        self.taken = []  # samples, as bytes

    async def take(self, ctx):
        sample = b""
        while True:
            ctx.set(self.link.beats.ready, self.taking)
            _, _, taken, beat = await ctx.tick().sample(
                self.link.beats.valid & self.link.beats.ready, self.link.beats.payload)
            if taken:
                sample += beat.data.to_bytes(self.layout.beat_bytes, "little")
                if beat.last:
                    self.taken.append(sample)
                    sample = b""

    async def give(self, ctx):
        given = 0
        while True:
            while not (self.giving and given < len(self.taken)):
                await ctx.tick()
            row = np.array([[*self.taken[given]]])  # features of one byte
            (payload,) = results(self, self._subject, row)
            ctx.set(self.link.results.payload, int.from_bytes(payload, "little"))
            ctx.set(self.link.results.valid, 1)
            await ctx.tick().until(self.link.results.ready)
            ctx.set(self.link.results.valid, 0)
            given += 1

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
    samples = [slow.layout.sample(row) for row in x.tolist()]

    async def script(drive, answer):
        slow.taking = True
        await drive(infer(slow, x[:6]))  # the network takes all, and no result comes
        assert await answer() == []
        assert slow.taken == samples[:4]  # else their results would answer other requests
        slow.giving = True
        assert await answer() == [Reply(ReplyType.RESULT, index, wanted[index])
                                  for index in range(4)]
        await drive(levels(encode_request(Request.INFER, 6, samples[6])))
        assert await answer() == [Reply(ReplyType.RESULT, 6, wanted[6])]

    slow.converse(script)


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
    garbage = bytes([0x00, 0xFF, 0xA5, 0x00, 0x5A, 0xA5, 0xA5])  # the last begins the frame twice

    async def script(drive, answer):
        await drive(levels(garbage + encode_request(Request.INFER, 3, payload)))
        assert await answer() == [Reply(ReplyType.RESULT, 3, wanted)]

    converse(top, script)


def test_uart_loop_back():
    """Bytes with a transmitter and a receiver of slightly different speed."""
    receiver, transmitter = UartReceiver(20), UartTransmitter(21)
    m = Module()
    m.submodules.receiver, m.submodules.transmitter = receiver, transmitter
    m.d.comb += receiver.rx.eq(transmitter.tx)
    sent = np.random.default_rng(0).integers(256, size=20).tolist()
    received = []

    async def listen(ctx):
        while len(received) < len(sent):
            _, _, valid, byte, error = await ctx.tick().sample(
                receiver.o.valid, receiver.o.payload, receiver.error)
            assert not error
            if valid:
                received.append(byte)

    simulate(m, source(transmitter.i, sent), listen)
    assert received == sent


def test_a_glitch_is_no_byte_and_a_break_one_error():
    receiver = UartReceiver(16)
    events = []

    async def drive(ctx):
        for level, cycles in ((1, 20), (0, 3), (1, 300), (0, 500), (1, 50)):
            ctx.set(receiver.rx, level)
            await ctx.tick().repeat(cycles)

    async def listen(ctx):
        while True:
            _, _, valid, error = await ctx.tick().sample(receiver.o.valid, receiver.error)
            events.extend(["byte"] * valid + ["error"] * error)

    simulate(receiver, drive, background=[listen])
    assert events == ["error"]


@pytest.mark.parametrize(("clock_hz", "baud"), [(12e6, 5e6), (12e6, 2.2e6)])
def test_baud_rates_that_the_clock_cannot_make(subject, clock_hz, baud):
    with pytest.raises(ValueError, match=rf"^Baud rate must be a fraction of the clock of "
                                         rf"1\.2e\+07 Hz, at most a quarter and within 2 %, "
                                         rf"not {baud:g}$".replace("e+0", r"e\+0")):
        SerialTop(subject, Plan(), clock_hz, baud)


def test_a_timeout_below_two_bytes_is_refused(subject):
    with pytest.raises(ValueError, match=r"^Timeout must be at least two bytes, 8e-05 s, not "
                                         r"1e-05 s$"):
        SerialTop(subject, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES, timeout_s=1e-5)
