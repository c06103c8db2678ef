"""Requests sent ahead: whatever happens in between, an answer is that of its own sample."""

import collections
import re

import numpy as np
import pytest

from bitwright.hw.layout import Layout
from bitwright.hw.link import host as host_module
from bitwright.hw.link.emulator import EmulatedPort, Emulator
from bitwright.hw.link.host import DeviceError, Host, LinkError
from bitwright.hw.link.pipeline import filler, window
from bitwright.hw.link.protocol import (
    ErrorCode,
    Parser,
    Reply,
    ReplyType,
    Request,
    encode_reply,
    encode_request,
)
from tests.networks import features, network

SUBJECT = network(24)
LAYOUT = Layout.of(SUBJECT)
COUNT = 600
X = features(SUBJECT, COUNT, 3)
GOLDEN = SUBJECT.evaluate(X)
WANTED = list(zip(GOLDEN.decision.tolist(), map(tuple, GOLDEN.scores.tolist()), strict=True))
PACKET = len(encode_request(Request.INFER, 0, LAYOUT.sample(X[0].tolist())))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(host_module, "PATIENCE_S", 0.02)


def run(device, samples=X, width=None):
    """What became of each sample, the requests that were repeated, and the end if it broke off."""
    port = EmulatedPort(device)
    port.baudrate = 100_000_000  # so that nobody waits long
    host = Host(port, LAYOUT)
    found, end = {}, None
    try:
        for index, answer in host.stream(samples.tolist(), width):
            assert index not in found, "an answer of one sample came twice"
            found[index] = answer
    except LinkError as error:
        end = error
    return found, host, end


def right(found):
    """Check every answer that there is. Returns the errors, by their sample."""
    for index, answer in found.items():
        assert isinstance(answer, DeviceError) or answer == WANTED[index], index
    return {index: answer for index, answer in found.items() if isinstance(answer, DeviceError)}


class Noisy:
    """A device behind a line on which packets are harmed, a few of a hundred.

    ``harm(rng, packet)`` gives what arrives of a request; ``answers(rng, reply)`` what becomes of
    a reply.
    """

    def __init__(self, seed, harm=None, answers=None, rate=0.03):
        self._device = Emulator(SUBJECT)
        self._rng = np.random.default_rng(seed)
        self._harm, self._answers, self._rate = harm, answers, rate
        self.harmed = 0

    def receive(self, data):
        found = b""
        for packet in re.findall(rb"\xa5\x5a.{%d}" % (PACKET - 2), data, re.DOTALL):
            found += self._one(packet)
        return found

    def _one(self, packet):
        hit = self._rng.random() < self._rate
        self.harmed += hit
        if hit and self._harm is not None:
            return self._harm(self._rng, self._device, packet)
        replies = self._device.receive(packet)
        if hit and self._answers is not None:
            (reply,) = Parser().feed(replies)
            return self._answers(self._rng, reply)
        return replies

    def silence(self):
        return self._device.silence()


def flipped(rng, device, packet):
    place = int(rng.integers(8 * len(packet)))
    return device.receive(bytes(byte ^ (at == place // 8) << place % 8
                                for at, byte in enumerate(packet)))


def cut(rng, device, packet):
    return device.receive(packet[: rng.integers(1, len(packet))])


def broken(rng, device, packet):
    place = rng.integers(len(packet))
    return device.receive(packet[:place]) + device.damage() + device.receive(packet[place:])


def gone(rng, device, packet):
    return b""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("harm", [flipped, cut, broken, gone])
def test_damaged_requests(harm, seed):
    device = Noisy(seed, harm)
    found, host, end = run(device)
    errors = right(found)
    assert device.harmed > 5
    if end is None:
        assert len(found) == COUNT
        assert errors  # what was lost is said
    else:  # the last ones were lost without a word
        assert end.sample not in found
        assert str(end).startswith("no reply to INFER within ")
    assert host.repeated == 0


def coded(*codes):
    def answers(rng, reply):
        return encode_reply(Reply(ReplyType.ERROR, reply.sequence, bytes([rng.choice(codes)])))
    return answers


@pytest.mark.parametrize("seed", range(3))
def test_lost_and_empty_are_those_of_their_samples(seed):
    device = Noisy(seed, answers=coded(ErrorCode.LOST, ErrorCode.EMPTY))
    found, host, end = run(device)
    assert end is None
    assert len(right(found)) == device.harmed > 5
    assert len(found) == COUNT
    assert host.repeated == 0


@pytest.mark.parametrize("seed", range(3))
def test_what_is_busy_is_sent_again(seed):
    device = Noisy(seed, answers=coded(ErrorCode.BUSY))
    found, host, end = run(device, X[:200])
    assert end is None
    assert len(found) == 200
    errors = right(found)
    # Sent alone and busy yet: that is no matter of the pace, and is told.
    assert {answer.code for answer in errors.values()} <= {ErrorCode.BUSY}
    assert host.repeated + len(errors) == device.harmed
    assert host.repeated >= 2


def test_a_device_that_is_always_busy():
    found, host, end = run(Noisy(0, answers=coded(ErrorCode.BUSY), rate=1), X[:50])
    assert end is None
    assert {answer.code for answer in found.values()} == {ErrorCode.BUSY}
    assert len(found) == 50
    assert host.repeated < 500


def test_an_error_with_the_number_of_another_sample():
    """A damaged number makes the error that of a later request, whose result comes all the same."""
    class Device(Noisy):
        def _one(self, packet):
            if packet[3] == 5:
                return encode_reply(Reply(ReplyType.ERROR, 9, bytes([ErrorCode.CRC])))
            return super()._one(packet)

    found, _, end = run(Device(0, rate=0), X[:30])
    assert end is None
    assert {index: answer.name for index, answer in right(found).items()} == {4: "UNANSWERED"}


def test_an_error_of_nobody_after_which_all_is_silent():
    """The receiver threw the rest away: those are told, and the next are sent."""
    class Device(Noisy):
        heard, dead = 0, False

        def _one(self, packet):
            self.heard += 1
            self.dead |= self.heard == 150
            return b"" if self.dead else super()._one(packet)

        def silence(self):
            if not self.dead:
                return b""
            self.dead = False
            return encode_reply(Reply(ReplyType.ERROR, 20, bytes([ErrorCode.FRAMING])))

    found, _, end = run(Device(0, rate=0), X[:300])
    assert end is None
    lost = right(found)
    assert {answer.name for answer in lost.values()} == {"UNANSWERED"}
    assert sorted(lost) == list(range(149, 149 + len(lost)))
    assert 1 < len(lost) <= 128
    assert len(found) == 300


@pytest.mark.parametrize(("answers", "message"), [
    (lambda rng, reply: encode_reply(reply)[:-1] + b"\0", r"CRC of the reply must be .*"),
    (lambda rng, reply: encode_reply(Reply(reply.type, (reply.sequence + 200) % 256,
                                           reply.payload)),
     r"reply to request \d+, none of \d+ to \d+"),
    (lambda rng, reply: encode_reply(Reply(ReplyType.IDENTITY, reply.sequence, reply.payload)),
     r"IDENTITY in reply to INFER"),
    (lambda rng, reply: encode_reply(Reply(ReplyType.ERROR, reply.sequence, b"\x63")),
     r"unknown error code 63"),
], ids=["damaged", "number", "type", "code"])
def test_a_reply_out_of_step_ends_it(answers, message):
    found, _, end = run(Noisy(1, answers=answers))
    assert re.fullmatch(message, str(end))
    assert right(found) == {}
    assert end.sample == len(found)  # all before it are there


def test_a_pipeline_that_took_replies_as_they_come_would_be_seen(monkeypatch):
    """The planted fault: a reply is taken for that of the first request on its way."""
    from bitwright.hw.link.pipeline import Pipeline

    monkeypatch.setattr(Pipeline, "_before", lambda self, reply: iter(()))
    found, _, _ = run(Noisy(0, gone))
    with pytest.raises(AssertionError):
        right(found)


class Counting:
    """A device that answers when it is asked for, and counts what is on its way."""

    def __init__(self):
        self._device = Emulator(SUBJECT)
        self._owed = collections.deque()
        self.most = 0

    def receive(self, data):
        self._owed += Parser().feed(self._device.receive(data))
        self.most = max(self.most, len(self._owed))
        return b""

    def silence(self):
        return encode_reply(self._owed.popleft()) if self._owed else b""


@pytest.mark.parametrize("width", [1, 2, 7, None])
def test_as_many_are_on_their_way_as_may_be(width):
    device = Counting()
    found, _, end = run(device, X[:400], width)
    assert end is None
    assert right(found) == {}
    assert len(found) == 400
    assert device.most == (window(LAYOUT, 4) if width is None else width)


class Slow:
    """A device that takes as long for a sample as its line for ten requests.

    It refuses what comes while one sample is inside and one waits, and leaves without a reply what
    comes when four are owed.
    """

    def __init__(self):
        self._device = Emulator(SUBJECT)
        self._owed = collections.deque()  # replies, and whether each is a result
        self._arrived = 0

    def receive(self, data):
        found = b""
        for reply in Parser().feed(self._device.receive(data)):
            self._arrived += 1
            if self._arrived % 10 == 0:
                found += self._done()
            waiting = sum(result for _, result in self._owed)
            if len(self._owed) == 4:
                continue
            busy = Reply(ReplyType.ERROR, reply.sequence, bytes([ErrorCode.BUSY]))
            self._owed.append((encode_reply(busy), False) if waiting == 2 else
                              (encode_reply(reply), True))
        return found

    def _done(self):
        """The next result, and the refusals behind it."""
        found = self._owed.popleft()[0] if self._owed else b""
        while self._owed and not self._owed[0][1]:
            found += self._owed.popleft()[0]
        return found

    def silence(self):
        return self._done()


def test_a_device_slower_than_its_line():
    found, host, end = run(Slow())
    assert end is None
    assert right(found) == {}
    assert len(found) == COUNT
    assert 0 < host.repeated < 10


@pytest.mark.parametrize(("sizes", "cycles", "wanted"), [
    ((64, 21), 12, (0, 113)),   # digits
    ((4, 4), 12, (1, 128)),     # iris: both ways are equally long
    ((784, 11), 12, (8, 10)),   # mnist: the memory is emptied while the line waits
    ((784, 11), 4, (34, 9)),
    ((3, 600), 12, (628, 12)),
    ((60000, 9), 12, (995, 2)),
])
def test_the_pause_between_requests(sizes, cycles, wanted):
    layout = collections.namedtuple("L", ["sample_bytes", "result_bytes"])(*sizes)
    assert (filler(layout, cycles), window(layout, cycles)) == wanted
