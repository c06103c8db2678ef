"""Contents written over the link: whole and checked, or no answers."""

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bitwright import ir
from bitwright.hw.contents import Contents, as_built
from bitwright.hw.link.protocol import (
    LOAD_BYTES,
    ErrorCode,
    Identity,
    Reply,
    ReplyType,
    Request,
    commit_payload,
    encode_request,
    load_payloads,
    short,
)
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan
from tests.hw.line import CYCLES, TIMEOUT, converse, levels
from tests.networks import features

CLOCK_HZ = 1e6
WRITABLE = {"way": "folded", "cycles": 8, "writable": True}
PLAN = Plan(nodes={"xnor0": WRITABLE, "head": WRITABLE})


def subject(seed, neurons=6):
    """A network whose first node is the same for every seed, with other contents after it."""
    rng = np.random.default_rng(seed)
    biases = rng.integers(-8, 8, size=3).astype(np.int32)
    biases[:2] = -8, 7
    thresholds = np.arange(1, 13, dtype=np.int32).reshape(1, 6, 2)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
        ir.Entry("xnor0", ir.Xnor(rng.integers(2, size=(neurons, 12)).astype(bool),
                                  rng.integers(3, 10, size=(neurons, 1)).astype(np.int32)),
                 ("modulate",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(3, neurons)).astype(bool), 2, biases),
                 ("xnor0",))))


OLD, NEW = subject(0), subject(1)
CONTENTS = Contents(OLD, PLAN)
IMAGE, DIGEST = CONTENTS.image(NEW), short(CONTENTS.digest(NEW))


class Resettable(wiring.Component):
    """The top with a reset of its own."""

    def __init__(self, top):
        self.top = top
        self.reset, self.asked = Signal(), False
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.top = ResetInserter(self.reset)(self.top)
        m.d.comb += [self.top.rx.eq(self.rx), self.tx.eq(self.top.tx)]
        return m

    async def obey(self, ctx):
        """Reset it for a cycle whenever it is asked for."""
        while True:
            await ctx.tick()
            ctx.set(self.reset, self.asked)
            self.asked = False


class Talk:
    """Requests to a device and their only replies."""

    def __init__(self, drive, answer, device):
        self._drive, self._answer, self._device = drive, answer, device
        self._layout = device.top.layout
        self._sequence = 0

    async def ask(self, request, payload=b""):
        """Type and payload of the reply."""
        self._sequence += 1
        await self._drive(levels(encode_request(request, self._sequence, payload)))
        # A byte of a payload is handed on in two cycles.
        (reply,) = await self._answer(TIMEOUT + 50 + self._device.top.latency + 2 * len(payload))
        assert reply.sequence == self._sequence
        return reply.type, reply.payload

    async def cut(self, request, payload, count):
        """The first bytes of a request, and no more."""
        await self._drive(levels(encode_request(request, 99, payload)[:count]))
        assert await self._answer() == [Reply(ReplyType.ERROR, 99, bytes([ErrorCode.TIMEOUT]))]

    async def reset(self):
        self._device.asked = True
        await self._drive([1] * 4)

    async def load(self, offset, part):
        return await self.ask(Request.LOAD, offset.to_bytes(4, "little") + part)

    async def identity(self):
        return Identity.from_bytes((await self.ask(Request.IDENTIFY))[1])

    async def answers_as(self, network):
        """Whether the device gives the results of a network; None while it is EMPTY."""
        x = features(network, 2, 0)
        if await self.ask(Request.INFER, self._layout.sample(x[0].tolist())) == error(
                ErrorCode.EMPTY):
            return None
        found = [await self.ask(Request.INFER, self._layout.sample(row)) for row in x.tolist()]
        answer = network.evaluate(x)
        return found == [(ReplyType.RESULT, self._layout.pack_result(int(decision), scores))
                         for decision, scores in zip(answer.decision, answer.scores, strict=True)]


def error(code):
    return ReplyType.ERROR, bytes([code])


def loaded(count):
    return ReplyType.LOADED, count.to_bytes(4, "little")


def committed(count):
    return ReplyType.COMMITTED, count.to_bytes(4, "little")


def talk(script, plan=PLAN, network=OLD):
    top = SerialTop(as_built(network, plan), plan, CLOCK_HZ, CLOCK_HZ / CYCLES,
                    timeout_s=TIMEOUT / CLOCK_HZ, frozen=network)
    device = Resettable(top)

    async def run(drive, answer):
        await script(Talk(drive, answer, device))

    converse(device, run, cycles=1_000_000, background=[device.obey])


def test_the_networks_differ():
    x = features(OLD, 2, 0)
    assert (OLD.evaluate(x).scores != NEW.evaluate(x).scores).any(axis=1).all()
    assert 20 < len(IMAGE) < LOAD_BYTES


@pytest.mark.parametrize("size", [pytest.param(LOAD_BYTES, marks=pytest.mark.slow), 11])
def test_a_loaded_device_is_the_other_network(size):
    async def script(talk):
        assert await talk.answers_as(OLD)
        assert await talk.identity() == Identity.of(OLD, PLAN)
        for start in range(0, len(IMAGE), size):
            part = IMAGE[start : start + size]
            assert await talk.load(start, part) == loaded(start + len(part))
            assert await talk.answers_as(NEW) is None
            assert not (await talk.identity()).complete
        assert await talk.ask(Request.COMMIT, commit_payload(IMAGE, DIGEST)) == committed(
            len(IMAGE))
        assert await talk.answers_as(NEW)
        assert await talk.identity() == Identity.of(NEW, PLAN)
        # And back.
        old, digest = CONTENTS.image(OLD), short(CONTENTS.digest(OLD))
        (payload,) = load_payloads(old)
        await talk.ask(Request.LOAD, payload)
        await talk.ask(Request.COMMIT, commit_payload(old, digest))
        assert await talk.answers_as(OLD)
        assert await talk.identity() == Identity.of(OLD, PLAN)

    talk(script)


def test_a_load_that_is_broken_off_leaves_no_answers_and_can_be_mended():
    async def script(talk):
        # In the middle of the first packet nothing has been written yet.
        await talk.cut(Request.LOAD, load_payloads(IMAGE)[0], 20)
        assert await talk.answers_as(OLD)
        assert await talk.load(0, IMAGE[:9]) == loaded(9)
        await talk.cut(Request.LOAD, (9).to_bytes(4, "little") + IMAGE[9:], 20)
        assert await talk.answers_as(OLD) is None
        # It may go on where it was, or begin anew.
        assert await talk.load(9, IMAGE[9:12]) == loaded(12)
        assert await talk.load(0, IMAGE) == loaded(len(IMAGE))
        await talk.cut(Request.COMMIT, commit_payload(IMAGE, DIGEST), 20)
        assert await talk.answers_as(NEW) is None
        assert await talk.ask(Request.COMMIT, commit_payload(IMAGE, DIGEST)) == committed(
            len(IMAGE))
        assert await talk.answers_as(NEW)

    talk(script)


@pytest.mark.parametrize("count", [13, len(IMAGE)])
def test_a_reset_in_the_middle_of_a_load_leaves_no_answers(count):
    async def script(talk):
        assert await talk.load(0, IMAGE[:count]) == loaded(count)
        await talk.reset()
        assert await talk.answers_as(OLD) is None
        assert not (await talk.identity()).complete
        # What was written before the reset counts for nothing.
        assert await talk.load(count, IMAGE[count:] or b"x") == error(ErrorCode.OFFSET)
        assert await talk.ask(Request.COMMIT, commit_payload(IMAGE, DIGEST)) == error(
            ErrorCode.CHECK)
        assert await talk.answers_as(OLD) is None
        assert await talk.load(0, IMAGE) == loaded(len(IMAGE))
        assert await talk.ask(Request.COMMIT, commit_payload(IMAGE, DIGEST)) == committed(
            len(IMAGE))
        await talk.reset()
        assert await talk.answers_as(NEW)  # the stores keep what they have
        assert await talk.identity() == Identity.of(NEW, PLAN)

    talk(script)


def damaged(image, place):
    return bytes(byte ^ (place == index) for index, byte in enumerate(image))


@pytest.mark.parametrize(("written", "payload"), [
    (IMAGE[:-1], commit_payload(IMAGE, DIGEST)),
    (IMAGE[:-1], commit_payload(IMAGE[:-1], DIGEST)),
    (damaged(IMAGE, 0), commit_payload(IMAGE, DIGEST)),
    (damaged(IMAGE, len(IMAGE) - 1), commit_payload(IMAGE, DIGEST)),
    (IMAGE, commit_payload(damaged(IMAGE, 3), DIGEST)),
    (IMAGE, b"\1" + commit_payload(IMAGE, DIGEST)[1:]),
    (IMAGE, commit_payload(IMAGE, DIGEST)[:3] + b"\1" + commit_payload(IMAGE, DIGEST)[4:]),
], ids=["short", "short and said so", "first byte", "last byte", "CRC", "length",
        "highest byte of the length"])
def test_contents_that_do_not_check_give_no_answers(written, payload):
    async def script(talk):
        assert await talk.load(0, written) == loaded(len(written))
        assert await talk.ask(Request.COMMIT, payload) == error(ErrorCode.CHECK)
        assert await talk.answers_as(NEW) is None

    talk(script)


@pytest.mark.slow
def test_bytes_that_have_no_place():
    async def script(talk):
        assert await talk.load(1, IMAGE) == error(ErrorCode.OFFSET)
        assert await talk.ask(Request.COMMIT, commit_payload(IMAGE, DIGEST)) == error(
            ErrorCode.CHECK)
        assert await talk.answers_as(OLD)  # nothing was written
        assert await talk.identity() == Identity.of(OLD, PLAN)
        assert await talk.load(0, IMAGE + b"x") == error(ErrorCode.OFFSET)
        assert await talk.answers_as(OLD) is None
        assert await talk.load(0, IMAGE[:10]) == loaded(10)
        for offset in (11, 10 + (1 << 24)):
            assert await talk.load(offset, IMAGE[10:]) == error(ErrorCode.OFFSET)
        assert await talk.load(10, IMAGE[10:]) == loaded(len(IMAGE))
        assert await talk.load(len(IMAGE), b"x") == error(ErrorCode.OFFSET)
        assert await talk.ask(Request.COMMIT, commit_payload(IMAGE, DIGEST)) == committed(
            len(IMAGE))
        assert await talk.answers_as(NEW)
        # Once more, all is as it should be: the same commit again, and one that is wrong.
        wrong = commit_payload(damaged(IMAGE, 5), bytes(8))
        assert await talk.ask(Request.COMMIT, wrong) == error(ErrorCode.CHECK)
        assert await talk.answers_as(NEW)
        assert await talk.identity() == Identity.of(NEW, PLAN)

    talk(script)


@pytest.mark.parametrize(("request_", "payload"), [
    (Request.LOAD, b""), (Request.LOAD, bytes(4)), (Request.LOAD, bytes(4 + LOAD_BYTES + 1)),
    (Request.COMMIT, bytes(15)), (Request.COMMIT, bytes(17)),
])
def test_payloads_of_another_length(request_, payload):
    async def script(talk):
        assert await talk.ask(request_, payload) == error(ErrorCode.LENGTH)
        assert await talk.answers_as(OLD)

    talk(script)


@pytest.mark.parametrize("request_", [Request.LOAD, Request.COMMIT])
def test_a_device_of_fixed_contents_knows_no_such_request(request_):
    async def script(talk):
        assert await talk.ask(request_, bytes(16)) == error(ErrorCode.TYPE)
        assert await talk.answers_as(OLD)

    talk(script, Plan())


@pytest.mark.slow
def test_contents_of_several_packets():
    table = {**WRITABLE, "cycles": 400}
    plan = Plan(nodes={"xnor0": table, "head": table})
    old, new = subject(2, neurons=150), subject(3, neurons=150)
    contents = Contents(old, plan)
    image, digest = contents.image(new), short(contents.digest(new))
    assert LOAD_BYTES < len(image) < 2 * LOAD_BYTES

    async def script(talk):
        for payload in load_payloads(image):
            count = int.from_bytes(payload[:4], "little") + len(payload) - 4
            assert await talk.ask(Request.LOAD, payload) == loaded(count)
        assert await talk.ask(Request.COMMIT, commit_payload(image, digest)) == committed(
            len(image))
        assert await talk.answers_as(new)

    talk(script, plan, old)
