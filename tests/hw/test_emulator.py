"""The golden emulator answers as the design does, byte for byte, whatever it is sent."""

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.contents import Contents, ContentsError
from bitwright.hw.image import read_image
from bitwright.hw.layout import Layout
from bitwright.hw.link.emulator import EmulatedPort, Emulator
from bitwright.hw.link.host import Host
from bitwright.hw.link.pipeline import filler
from bitwright.hw.link.protocol import (
    Parser,
    Request,
    commit_payload,
    encode_request,
    load_payloads,
    short,
)
from bitwright.hw.link.simulated import CYCLES, Simulated
from bitwright.hw.plan import Plan
from tests.hw.test_link_load import NEW, OLD, PLAN
from tests.networks import features, network

FIXED = Plan()


def signed():
    """Features of two bytes, of which four bits are nothing; one score is negative."""
    thresholds = np.random.default_rng(0).integers(-2000, 2000, size=(1, 3, 2)).astype(np.int32)
    weights = np.random.default_rng(1).integers(2, size=(3, 6)).astype(bool)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 12, True), ("input",)),
        ir.Entry("head", ir.Scores(weights, 3, np.array([0, -900, 7], np.int32)), ("modulate",))))


def written():
    """Requests that write other contents, and then ask for them."""
    contents, layout = Contents(OLD, PLAN), Layout.of(OLD)
    image = contents.image(NEW)
    commit = commit_payload(image, short(contents.digest(NEW)))
    sample = layout.sample(features(OLD, 1, 0)[0].tolist())
    return [encode_request(kind, number, payload) for number, (kind, payload) in enumerate(
        [(Request.LOAD, payload) for payload in load_payloads(image)]
        + [(Request.INFER, sample), (Request.COMMIT, commit), (Request.INFER, sample),
           (Request.IDENTIFY, b"")])]


def requests(subject, plan, rng):
    """A stream of requests without end, of which some are wrong in what they ask for."""
    layout, contents = Layout.of(subject), Contents(subject, plan)
    image = contents.image(NEW) if contents.bytes else bytes(9)
    writes = [*load_payloads(image, 16),
              commit_payload(image, short(contents.digest(NEW)) if contents.bytes else bytes(8))]
    place = 0
    while True:
        kind = rng.choice([Request.INFER, Request.IDENTIFY, Request.LOAD, Request.COMMIT, 9],
                          p=[0.4, 0.1, 0.35, 0.1, 0.05] if contents.bytes else
                          [0.65, 0.15, 0.1, 0.05, 0.05])
        payload = rng.bytes(layout.sample_bytes if kind == Request.INFER else 0)
        if kind == Request.LOAD:  # all of it in turn; now and then from the beginning, or any part
            if rng.random() < 0.1:
                place = 0
            payload = writes[place]
            kind = Request.LOAD if place < len(writes) - 1 else Request.COMMIT
            place = (place + 1) % len(writes)
            if rng.random() < 0.1:
                payload, kind = writes[rng.integers(len(writes) - 1)], Request.LOAD
        elif kind == Request.COMMIT:
            payload = writes[-1] if rng.random() < 0.5 else rng.bytes(16)
        if rng.random() < 0.1:
            payload = (payload + rng.bytes(3))[: rng.integers(len(payload) + 4)]
        yield encode_request(int(kind), int(rng.integers(256)), payload)


def damaged(packet, rng):
    """The packet, or what noise made of it."""
    match rng.integers(14):
        case 0:
            place = rng.integers(8 * len(packet))
            return bytes(byte ^ (place // 8 == at) << place % 8 for at, byte in enumerate(packet))
        case 1:
            return packet[: rng.integers(len(packet))]
        case 2:
            return packet[rng.integers(len(packet)) :]
        case 3:
            return rng.bytes(rng.integers(1, 6)) + packet
    return packet


def speak(devices, data, rng):
    """Send the same to all, in parts, with a broken byte or a pause between some."""
    cut = int(rng.integers(len(data) + 1)) if rng.random() < 0.5 else len(data)
    found = [device.receive(data[:cut]) for device in devices]
    match rng.integers(12):
        case 0:
            found = [one + device.silence() for one, device in zip(found, devices, strict=True)]
        case 1:
            found = [one + device.damage() for one, device in zip(found, devices, strict=True)]
    found = [one + device.receive(data[cut:]) for one, device in zip(found, devices, strict=True)]
    if rng.random() < 0.4:
        found = [one + device.silence() for one, device in zip(found, devices, strict=True)]
    return found


@pytest.mark.parametrize(("subject", "plan", "count"), [
    (network(24), FIXED, 6), (signed(), FIXED, 6), (OLD, PLAN, 12),
], ids=["fixed", "signed", "writable"])
def test_reply_for_reply(subject, plan, count):
    rng = np.random.default_rng(1)
    devices = Emulator(subject, plan), Simulated(subject, plan, timeout=300)
    for data in written() if plan is PLAN else []:
        golden, design = (device.receive(data) for device in devices)
        assert golden == design
        assert len(Parser().feed(golden)) == 1
    stream = requests(subject, plan, rng)
    for _ in range(count):
        data = damaged(next(stream), rng)
        golden, design = speak(devices, data, rng)
        assert golden == design, data.hex()


def wide(size, classes):
    rng = np.random.default_rng(2)
    thresholds = rng.integers(0, 256, size=(1, size, 1)).astype(np.int32)
    weights = rng.integers(2, size=(classes, size)).astype(bool)
    biases = rng.integers(-2000, 2000, size=classes).astype(np.int32)
    return ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",)),
                       ir.Entry("head", ir.Scores(weights, 1, biases), ("modulate",))))


@pytest.mark.parametrize(("size", "classes"), [(3, 2), (2, 9)])
def test_a_device_keeps_pace_with_requests_without_a_pause(size, classes):
    """Many more than it can keep, one behind the other: none is refused, whichever way is longer.
    """
    subject = wide(size, classes)
    layout = Layout.of(subject)
    x = features(subject, 6, 0)
    pause = bytes(filler(layout, CYCLES))
    data = pause.join(encode_request(Request.INFER, index, layout.sample(row))
                      for index, row in enumerate(x.tolist()))
    golden, design = (device.receive(data) for device in (Emulator(subject), Simulated(subject)))
    assert golden == design
    assert len(Parser().feed(golden)) == len(x)


def test_less_of_a_pause_is_not_enough():
    subject = wide(2, 9)
    layout = Layout.of(subject)
    data = b"".join(encode_request(Request.INFER, index, layout.sample([1, 2]))
                    for index in range(5))
    replies = Parser().feed(Simulated(subject).receive(data))
    assert {reply.payload for reply in replies if reply.type == 0xFF} == {b"\6"}


def test_a_host_at_a_simulated_device():
    """What a busy device refused is sent again, and every answer is that of its sample."""
    subject = wide(2, 9)
    x = features(subject, 4, 0)
    golden = subject.evaluate(x)
    wanted = list(zip(golden.decision.tolist(), map(tuple, golden.scores.tolist()), strict=True))
    host = Host(EmulatedPort(Simulated(subject)), Layout.of(subject))
    assert dict(host.stream(x.tolist())) == dict(enumerate(wanted))
    assert host.repeated == 0


def test_an_image_is_read_back():
    for plan, subject in ((PLAN, NEW), (Plan(nodes={
            "xnor0": {"way": "folded", "cycles": 2, "writable": True}}), OLD)):
        contents = Contents(OLD, plan)
        found = read_image(contents, contents.image(subject))
        assert ir.digest(found) == ir.digest(ir.Network(subject.entries))


def test_an_image_of_no_network():
    contents = Contents(OLD, PLAN)
    image = contents.image(NEW)
    with pytest.raises(ContentsError, match=rf"^Image must have {len(image)} bytes, not 3$"):
        read_image(contents, b"abc")
    with pytest.raises(ContentsError, match=r"^Image must be 0 where a word is filled up, and its "
                                            r"weights 1$"):
        read_image(contents, image[:1] + bytes([image[1] ^ 0x80]) + image[2:])
