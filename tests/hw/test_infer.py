"""The host client against a device model behind a pseudo-terminal, and every error of its user."""

import dataclasses
import json
import logging
import os
import re
import subprocess
import sys
import threading
import tty
from pathlib import Path

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw import infer
from bitwright.hw.layout import Layout
from bitwright.hw.link import host, protocol
from bitwright.hw.link.protocol import ErrorCode, Identity, Reply, ReplyType, Request
from bitwright.hw.plan import Plan
from tests.networks import features, network

ROOT = Path(__file__).parents[2]


def frozen(seed=24):
    subject = network(seed)
    x = features(subject, 7, 1)
    golden = ir.Golden(x, subject.evaluate(x).scores)
    return ir.Network(subject.entries, {}, golden)


class Device(threading.Thread):
    """A board at the other end of a pseudo-terminal: protocol.py and the golden evaluator.

    ``answer(index, reply)`` may change the bytes of reply ``index``; 0 is the identity.
    """

    def __init__(self, subject, answer=lambda index, reply: protocol.encode_reply(reply)):
        super().__init__(daemon=True)
        self._subject, self._layout, self._answer = subject, Layout.of(subject), answer
        self._end, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.requests = []

    def run(self):
        while frame := self._request():
            self.requests.append(frame)
            os.write(self._end, self._answer(len(self.requests) - 1, self._reply(frame)))

    def _request(self):
        frame = self._read(6)
        if frame:
            frame += self._read(int.from_bytes(frame[4:6], "little") + 2)
        return frame

    def _read(self, count):
        received = b""
        while len(received) < count:
            part = os.read(self._end, count - len(received))
            if part == b"\0" and not received:
                return b""  # the test is over
            received += part
        return received

    def _reply(self, frame):
        kind, sequence, payload = frame[2], frame[3], frame[6:-2]
        assert frame == protocol.encode_request(kind, sequence, payload)
        layout = self._layout
        if kind == Request.IDENTIFY:
            identity = Identity.of(self._subject, Plan())
            return Reply(ReplyType.IDENTITY, sequence, identity.to_bytes())
        result = self._subject.evaluate(np.array([[*payload]]))  # features of one byte
        return Reply(ReplyType.RESULT, sequence,
                     layout.pack_result(int(result.decision[0]), result.scores[0]))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        os.write(self._slave, b"\0")
        self.join()
        os.close(self._end)
        os.close(self._slave)


@pytest.fixture(scope="module")
def subject():
    return frozen()


@pytest.fixture
def path(subject, tmp_path):
    ir.save(tmp_path / "network.safetensors", subject)
    return tmp_path / "network.safetensors"


def errors(caplog):
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


def changed(index, **changes):
    """An answer that changes one reply, its CRC being right."""
    def answer(at, reply):
        if at == index:
            reply = dataclasses.replace(reply, **changes)
        return protocol.encode_reply(reply)
    return answer


def test_golden_vectors(subject, path, capsys, caplog):
    caplog.set_level(logging.INFO)
    with Device(subject) as device:
        assert infer.main([str(path), "--port", device.port]) == 0
    build = ir.digest(subject)[:16]
    assert caplog.messages == [f"{path}: the device has this network, {build}"]
    assert re.fullmatch(rf"7 golden vectors on {device.port}: 0 mismatches, 0 errors, "
                        r"[\d,]+\.\d inferences/s\n", capsys.readouterr().out)
    # Every request has a number of its own.
    assert [frame[3] for frame in device.requests] == list(range(1, 9))


def test_counts_for_a_machine(subject, path, capsys):
    with Device(subject) as device:
        assert infer.main([str(path), "--port", device.port, "--golden", "--vectors", "3",
                           "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    seconds, rate = found.pop("seconds"), found.pop("inferences_per_second")
    assert rate == 3 / seconds
    assert found == {"network": str(path), "build": ir.digest(subject)[:16], "port": device.port,
                     "baud": 1_000_000, "source": "golden vectors", "vectors": 3, "mismatches": 0,
                     "errors": {}}


@pytest.mark.parametrize("suffix", ["npy", "csv"])
def test_samples_of_a_file(subject, path, tmp_path, capsys, suffix):
    x = features(subject, 300, 2)  # more than there are sequence numbers
    file = tmp_path / f"x.{suffix}"
    if suffix == "npy":
        np.save(file, x)
    else:
        np.savetxt(file, x, fmt="%d", delimiter=",")
    with Device(subject) as device:
        assert infer.main([str(path), "--port", device.port, "--features", str(file)]) == 0
    layout = Layout.of(subject)
    assert [frame[6:-2] for frame in device.requests[1:]] == list(map(layout.sample, x.tolist()))
    assert capsys.readouterr().out.startswith(f"300 vectors of {file} on ")


def test_another_network_is_refused(subject, path, caplog):
    other = frozen(23)
    with Device(other) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    (message,) = errors(caplog)
    assert message == (f"{device.port}: the device has network {ir.digest(other)[:16]}, not "
                       f"{ir.digest(subject)[:16]} of {path}; program it with the bitstream of "
                       "this file")
    assert len(device.requests) == 1


def test_a_simplified_network_is_another_one(subject, path, caplog):
    with Device(ir.simplify(subject)) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    assert len(errors(caplog)) == 1


def test_a_wrong_class_is_a_mismatch(subject, path, caplog, capsys):
    layout = Layout.of(subject)
    result = subject.evaluate(subject.golden.features)
    right, scores = int(result.decision[3]), tuple(result.scores[3].tolist())
    wrong = (right + 1) % subject.classes
    answer = changed(4, payload=layout.pack_result(wrong, scores))
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    (message,) = errors(caplog)
    assert message == (f"vector 3: the device says class {wrong} with scores {scores}, the golden "
                       f"model class {right} with scores {scores}")
    assert capsys.readouterr().out.startswith(
        f"7 golden vectors on {device.port}: 1 mismatches, 0 errors, ")


@pytest.mark.parametrize("code", list(ErrorCode))
def test_error_codes_are_told_by_name(subject, path, caplog, capsys, code):
    answer = changed(2, type=ReplyType.ERROR, payload=bytes([code]))
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    hint = {ErrorCode.EMPTY: ": its contents were being written and are not complete; write them "
                             "again with --load",
            ErrorCode.TYPE: ": it cannot do that; its contents are fixed"}.get(code, "")
    assert errors(caplog) == [
        f"vector 1: the device answered {code.name} (error {code.value}){hint}"]
    assert len(device.requests) == 8  # the next samples are sent, and this one is not sent again
    assert capsys.readouterr().out.startswith(
        f"7 golden vectors on {device.port}: 0 mismatches, 1 {code.name} errors, ")


def damaged(index, reply):
    frame = bytearray(protocol.encode_reply(reply))
    if index == 3:
        frame[-3] ^= 0x10
    return bytes(frame)


def test_a_damaged_reply_ends_the_run(subject, path, caplog, capsys):
    with Device(subject, damaged) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    (message,) = errors(caplog)
    assert re.fullmatch(rf"{device.port}: vector 2: CRC of the reply must be [0-9a-f]{{4}}, not "
                        r"[0-9a-f]{4}", message)
    assert len(device.requests) == 4
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("answer", "message"), [
    (changed(2, sequence=77), "vector 1: reply to request 77, not 3"),
    (changed(2, type=ReplyType.IDENTITY), "vector 1: IDENTITY in reply to INFER"),
    (changed(2, payload=b"\0"), "vector 1: A result must have {size} bytes, not 1"),
    (changed(2, type=ReplyType.ERROR, payload=b"\x63"), "vector 1: unknown error code 63"),
    (changed(0, payload=b"\2"), "An identity must have 28 bytes, not 1"),
    (changed(0, payload=b"\1" + bytes(14)),
     "the device speaks version 1 of the protocol, this program version 2"),
    (changed(0, type=ReplyType.ERROR, payload=b"\4"), "the device answered FRAMING (error 4)"),
    (lambda index, reply: b"\xfe" * 6,
     "reply must begin with 5aa5, not fefe; is this the right baud rate?"),
], ids=["sequence", "type", "length", "code", "identity", "version", "refused", "noise"])
def test_replies_that_do_not_fit(subject, path, caplog, answer, message):
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    size = Layout.of(subject).result_bytes
    assert errors(caplog) == [f"{device.port}: {message.format(size=size)}"]


SILENT = ("; is the board programmed, is its rate 1000000 baud, are rx and tx crossed, and is this "
          "the adapter's channel for the serial line (often the last of its ports)?")


@pytest.mark.parametrize(("answer", "message"), [
    (lambda index, reply: b"",
     "no reply to IDENTIFY within 0.2 s" + SILENT),
    (lambda index, reply: protocol.encode_reply(reply)[: 99 if index < 2 else 0],
     "vector 1: no reply to INFER within 0.2 s"),
    (lambda index, reply: protocol.encode_reply(reply)[: 99 if index < 2 else 7],
     "vector 1: reply broke off after 7 bytes"),
    # An error that carries a number which was not sent is to be ignored.
    (changed(2, type=ReplyType.ERROR, sequence=9, payload=b"\1"),
     "vector 1: no reply to INFER within 0.2 s"),
], ids=["dead", "silent", "cut", "nobody's"])
def test_silence(subject, path, caplog, monkeypatch, answer, message):
    monkeypatch.setattr(host, "PATIENCE_S", 0.2)
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    assert errors(caplog) == [f"{device.port}: {message}"]


def test_no_such_port(path, caplog):
    assert infer.main([str(path), "--port", "/dev/ttyNone"]) == 1
    (message,) = errors(caplog)
    assert re.fullmatch(r"/dev/ttyNone: no such port; found: \S.*", message)


def test_a_file_is_no_port(path, caplog):
    assert infer.main([str(path), "--port", str(path)]) == 1
    (message,) = errors(caplog)
    assert message.startswith(f"{path}: Could not configure port: ")


def test_a_busy_port(subject, path, caplog):
    import serial

    with Device(subject) as device, serial.Serial(device.port, exclusive=True):
        assert infer.main([str(path), "--port", device.port]) == 1
    assert errors(caplog) == [f"{device.port}: another program has this port open"]


def test_without_pyserial(path, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    assert infer.main([str(path), "--port", "/dev/ttyUSB1"]) == 1
    (message,) = errors(caplog)
    assert message == "pyserial is not installed; install it with `pip install -e '.[host]'`"


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.csv", "", "holds no sample"),
    ("x.csv", "1,2,x\n", "invalid literal for int() with base 10: 'x'"),
    ("x.csv", "1,2,3,4\n", "Features must have shape (batch, 3), not (1, 4)"),
    ("x.txt", "1,2,3\n", "must be a .npy or .csv file"),
])
def test_samples_that_cannot_be_sent(path, tmp_path, caplog, name, content, message):
    file = tmp_path / name
    file.write_text(content)
    assert infer.main([str(path), "--port", "/dev/null", "--features", str(file)]) == 1
    assert errors(caplog) == [f"{file}: {message}"]


def test_a_file_of_samples_that_is_not_there(path, tmp_path, caplog):
    file = tmp_path / "none.npy"
    assert infer.main([str(path), "--port", "/dev/null", "--features", str(file)]) == 1
    assert errors(caplog) == [f"{file}: No such file or directory"]


def test_more_vectors_than_there_are(path, caplog):
    assert infer.main([str(path), "--port", "/dev/null", "--vectors", "8"]) == 1
    assert errors(caplog) == ["there are 7 golden vectors, not 8"]


def test_no_golden_vectors(subject, tmp_path, caplog):
    ir.save(tmp_path / "bare.safetensors", ir.Network(subject.entries))
    assert infer.main([str(tmp_path / "bare.safetensors"), "--port", "/dev/null"]) == 1
    assert errors(caplog) == ["the network stores no golden vectors; give some with --features"]


def test_wrong_golden_scores(subject, tmp_path, caplog):
    golden = ir.Golden(subject.golden.features, subject.golden.scores + 1)
    ir.save(tmp_path / "bad.safetensors", ir.Network(subject.entries, {}, golden))
    assert infer.main([str(tmp_path / "bad.safetensors"), "--port", "/dev/null"]) == 1
    assert errors(caplog) == ["the network's golden scores are not those of the golden evaluator"]


def test_usage(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        infer.main([])
    assert capsys.readouterr().err.endswith("the following arguments are required: --port\n")


def test_a_host_needs_no_hardware_description():
    code = ("import sys, hw.infer, hw.link.host\n"
            "assert not {'amaranth', 'torch'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
