"""The host client against a device model behind a pseudo-terminal, and every error of its user."""

import dataclasses
import json
import logging
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bitwright import ir
from bitwright.answers import infer, predict
from bitwright.hw.layout import Layout
from bitwright.hw.link import host, protocol
from bitwright.hw.link.emulator import Emulator
from bitwright.hw.link.protocol import ErrorCode, Identity, ReplyType, Request
from bitwright.hw.link.terminal import Terminal
from bitwright.hw.plan import Plan
from tests.networks import features, network

ROOT = Path(__file__).parents[2]
FIXED = Plan()  # nothing can be written


def frozen(seed=24):
    subject = network(seed)
    x = features(subject, 7, 1)
    golden = ir.Golden(x, subject.evaluate(x).scores)
    return ir.Network(subject.entries, {}, golden)


class Device:
    """A board at the other end of a pseudo-terminal.

    ``answer(index, reply)`` may change the bytes of reply ``index``; 0 is the identity.
    """

    def __init__(self, subject, answer=lambda index, reply: protocol.encode_reply(reply),
                 plan=FIXED):
        self._emulator, self._answer = Emulator(subject, plan), answer
        self._terminal = Terminal(self, timeout_s=0.5)  # a host that must wait is not silent
        self.port = self._terminal.path
        self.requests = []  # as bytes, each with what came before it
        self._replies = 0

    def receive(self, data):
        found = b""
        for byte in data:  # one by one, so that a slow answer holds up what comes after it
            self.requests[-1:] = [b"".join(self.requests[-1:]) + bytes([byte])]
            found += self._changed(self._emulator.receive(bytes([byte])))
        return found

    def silence(self):
        return self._changed(self._emulator.silence())

    def _changed(self, data):
        found = b""
        for reply in protocol.Parser().feed(data):
            self.requests.append(b"")
            found += self._answer(self._replies, reply)
            self._replies += 1
        return found

    @property
    def sent(self):
        """Requests that were answered, without what was between them."""
        return [packet[packet.index(protocol.SYNC_REQUEST) :] for packet in self.requests if packet]

    def settle(self):
        """Wait until nothing more comes of what was sent: a second without a reply."""
        before = None
        while before != (before := self._replies):
            time.sleep(1)

    @property
    def complete(self):
        return self._emulator.identity.complete

    def __enter__(self):
        self._terminal.__enter__()
        return self

    def __exit__(self, *error):
        self._terminal.__exit__(*error)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A machine may have much else to do."""
    monkeypatch.setattr(host, "PATIENCE_S", 20)


@pytest.fixture(scope="module")
def subject():
    return frozen()


@pytest.fixture
def path(subject, tmp_path):
    ir.save(tmp_path / "network.safetensors", subject)
    return tmp_path / "network.safetensors"


def told(subject, plan=FIXED):
    """What a device tells of structure and contents, in hexadecimal."""
    identity = Identity.of(subject, plan)
    return identity.structure.hex(), identity.contents.hex()


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
    structure, contents = told(subject)
    assert caplog.messages == [(f"{path}: the device has this network, structure {structure}, "
                               f"contents {contents}")]
    assert re.fullmatch(rf"7 golden vectors on {device.port}: 0 mismatches, 0 errors, "
                        r"[\d,]+\.\d inferences/s\n", capsys.readouterr().out)
    # Every request has a number of its own.
    assert [frame[3] for frame in device.sent] == list(range(1, 9))


def test_counts_for_a_machine(subject, path, capsys):
    with Device(subject) as device:
        assert infer.main([str(path), "--port", device.port, "--golden", "--vectors", "3",
                           "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    seconds, rate = found.pop("seconds"), found.pop("inferences_per_second")
    assert rate == 3 / seconds
    structure, contents = told(subject)
    assert found == {"network": str(path), "structure": structure, "contents": contents,
                     "port": device.port, "baud": 1_000_000, "source": "golden vectors",
                     "vectors": 3, "mismatches": 0, "errors": {}, "repeated": 0}


def test_samples_of_a_file(subject, path, tmp_path, capsys, caplog):
    caplog.set_level(logging.INFO)
    x = features(subject, 300, 2)  # more than there are sequence numbers
    file = tmp_path / "x.csv"
    np.savetxt(file, x, fmt="%d", delimiter=",")
    with Device(subject) as device:
        assert infer.main([str(path), str(file), "--port", device.port]) == 0
        layout = Layout.of(subject)
        assert [frame[6:-2] for frame in device.sent[1:]] == list(map(layout.sample, x.tolist()))
        assert caplog.messages[1].startswith(f"300 samples of {file} on {device.port}: 0 mis")
        table = capsys.readouterr().out
        # The golden evaluator says the same, in the same form.
        assert predict.main([str(path), str(file)]) == 0
        assert capsys.readouterr().out == table
        assert len(table.splitlines()) == 301
        for form in ("--json", "--csv"):
            assert infer.main([str(path), "--features", str(file), form, "--port",
                               device.port]) == 0
            found = capsys.readouterr().out
            assert predict.main([str(path), str(file), form]) == 0
            assert capsys.readouterr().out == found


def test_another_network_is_refused(subject, path, caplog):
    other = frozen(23)
    with Device(other) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    (message,) = errors(caplog)
    assert message == (f"{device.port}: the device has the structure {told(other)[0]}, not "
                       f"{told(subject)[0]} of {path}; program it with the bitstream of this file")
    assert len(device.sent) == 1


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


def test_a_busy_device_is_asked_again(subject, path, capsys):
    answer = changed(2, type=ReplyType.ERROR, payload=bytes([ErrorCode.BUSY]))
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["vectors"], found["mismatches"], found["errors"]) == (7, 0, {})
    assert found["repeated"] == 1
    assert len(device.sent) == 9


@pytest.mark.parametrize("code", [code for code in ErrorCode if code != ErrorCode.BUSY])
def test_error_codes_are_told_by_name(subject, path, caplog, capsys, code):
    answer = changed(2, type=ReplyType.ERROR, payload=bytes([code]))
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    hint = {ErrorCode.EMPTY: ": its contents are not complete; write them, again if need be, with "
                             "--load",
            ErrorCode.TYPE: ": it cannot do that; its contents are fixed"}.get(code, "")
    assert errors(caplog) == [
        f"vector 1: the device answered {code.name} (error {code.value}){hint}"]
    assert len(device.sent) == 8  # the next samples are sent, and this one is not sent again
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
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("answer", "message"), [
    (changed(2, sequence=77), "vector 1: reply to request 77, none of 3 to 5"),
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
     "vector 1: no reply to INFER within 0.4 s"),
    (lambda index, reply: protocol.encode_reply(reply)[: 99 if index < 7 else 7],
     "vector 6: reply broke off after 7 bytes"),
], ids=["dead", "silent", "cut"])
def test_silence(subject, path, caplog, monkeypatch, answer, message):
    monkeypatch.setattr(host, "PATIENCE_S", 0.2)
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    assert errors(caplog) == [f"{device.port}: {message}"]


def test_an_error_of_nobody_is_that_of_the_sample_without_an_answer(subject, path, caplog, capsys):
    answer = changed(2, type=ReplyType.ERROR, sequence=99, payload=b"\1")
    with Device(subject, answer) as device:
        assert infer.main([str(path), "--port", device.port]) == 1
    assert errors(caplog) == ["vector 1: the device did not answer, but answered the next"]
    assert capsys.readouterr().out.startswith(
        f"7 golden vectors on {device.port}: 0 mismatches, 1 UNANSWERED errors, ")


def test_no_such_port(path, caplog):
    assert infer.main([str(path), "--port", "/dev/ttyNone"]) == 1
    (message,) = errors(caplog)
    assert re.fullmatch(r"/dev/ttyNone: no such port; found: \S.*", message)


def test_a_busy_port(subject, path, caplog):
    import serial

    with Device(subject) as device, serial.Serial(device.port, exclusive=True):
        assert infer.main([str(path), "--port", device.port]) == 1
    assert errors(caplog) == [f"{device.port}: another program has this port open"]


def test_without_pyserial(path, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    assert infer.main([str(path), "--port", "/dev/ttyUSB1"]) == 1
    (message,) = errors(caplog)
    assert message == "pyserial is not installed; install it with `pip install 'bitwright[host]'`"


def test_a_file_that_cannot_be_sent(path, tmp_path, caplog):
    file = tmp_path / "x.csv"
    file.write_text("")
    assert infer.main([str(path), str(file), "--port", "/dev/null"]) == 1
    assert errors(caplog) == [f"{file}: holds no sample"]


def test_a_port_that_is_none(path, tmp_path, caplog):
    (tmp_path / "file").touch()
    for name in ("/dev/null", f"{tmp_path}/file"):
        assert infer.main([str(path), "--port", name]) == 1
    assert errors(caplog) == ["/dev/null: no serial port", f"{tmp_path}/file: no serial port"]


def test_one_is_no_plural(subject, path, tmp_path, capsys, caplog):
    caplog.set_level(logging.INFO)
    assert infer.main([str(path), "--vectors", "1", "--emulate"]) == 0
    assert capsys.readouterr().out.startswith("1 golden vector on golden emulator: 0 mismatches")
    assert infer.main([str(path), "--random", "--vectors", "1", "--emulate"]) == 0
    assert capsys.readouterr().out.startswith("1 vector at random (seed 1) on golden emulator: ")
    np.savetxt(tmp_path / "samples.csv", subject.golden.features[:1], fmt="%d", delimiter=",")
    assert infer.main([str(path), f"{tmp_path}/samples.csv", "--emulate"]) == 0
    assert caplog.messages[-1].startswith(f"1 sample of {tmp_path}/samples.csv on golden emulator")


def test_more_vectors_than_there_are(path, caplog):
    assert infer.main([str(path), "--port", "/dev/null", "--vectors", "8"]) == 1
    assert errors(caplog) == ["golden vectors: there are 7, not 8"]


def test_no_golden_vectors(subject, tmp_path, caplog):
    ir.save(tmp_path / "bare.safetensors", ir.Network(subject.entries))
    assert infer.main([str(tmp_path / "bare.safetensors"), "--port", "/dev/null"]) == 1
    (message,) = errors(caplog)
    assert message == (f"{tmp_path}/bare.safetensors: the network stores no golden vectors; name "
                       "a FILE, or draw some with --random")


def test_wrong_golden_scores(subject, tmp_path, caplog):
    golden = ir.Golden(subject.golden.features, subject.golden.scores + 1)
    ir.save(tmp_path / "bad.safetensors", ir.Network(subject.entries, {}, golden))
    assert infer.main([str(tmp_path / "bad.safetensors"), "--port", "/dev/null"]) == 1
    (message,) = errors(caplog)
    assert message == (f"{tmp_path}/bad.safetensors: the network's golden scores are not those of "
                       "the golden evaluator")


WRITABLE = {"way": "folded", "cycles": 64, "writable": True}
PLAN = Plan(nodes={"xnor0": WRITABLE, "head": WRITABLE})


def writable(seed, *, largest=7):
    """Networks of one structure, of more contents than two packets hold."""
    rng = np.random.default_rng(seed)
    thresholds = np.arange(1, 65, dtype=np.int32).reshape(1, 4, 16)
    biases = np.array([-8, largest, int(rng.integers(-8, 8))], np.int32)
    network = ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, 7), ("input",)),
        ir.Entry("xnor0", ir.Xnor(rng.integers(2, size=(150, 64)).astype(bool),
                                  rng.integers(20, 44, size=(150, 1)).astype(np.int32)),
                 ("modulate",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(3, 150)).astype(bool), 1, biases),
                 ("xnor0",))))
    x = features(network, 5, seed)
    return ir.Network(network.entries, {}, ir.Golden(x, network.evaluate(x).scores))


OLD, NEW = writable(0), writable(1)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two networks, ``old`` and ``new``, and the build folder of the first."""
    monkeypatch.chdir(tmp_path)
    for name, one in (("old", OLD), ("new", NEW)):
        ir.save(tmp_path / f"{name}.safetensors", one)
    folder = tmp_path / "build" / "old-icebreaker"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(PLAN.to_toml())
    return folder


LOAD = ["old.safetensors", "--load", "new.safetensors", "--port"]


def test_contents_of_another_network(files, capsys, caplog):
    caplog.set_level(logging.INFO)
    with Device(OLD, plan=PLAN) as device:
        assert infer.main([*LOAD, device.port]) == 0
        assert device._emulator.identity.contents.hex() == told(NEW, PLAN)[1]
        structure, contents = told(NEW, PLAN)
        assert structure == told(OLD, PLAN)[0]
        assert caplog.messages == [(f"new.safetensors: the device has this network, structure "
                                   f"{structure}, contents {contents}")]
        assert capsys.readouterr().out.startswith(f"5 golden vectors on {device.port}: 0 mis")
        # Structure and contents are told apart.
        assert infer.main(["old.safetensors", "--port", device.port]) == 1
        assert errors(caplog) == [
            (f"{device.port}: the device has the contents {contents}, not {told(OLD, PLAN)[1]} of "
            "old.safetensors; write them with --load old.safetensors")]
        plan = str(files / "plan.toml")
        assert infer.main(["new.safetensors", "--plan", plan, "--port", device.port]) == 0
        assert infer.main(["new.safetensors", "--build", str(files), "--port", device.port]) == 0
    sent = [packet[2] for packet in device.sent]
    assert sent.count(Request.LOAD) == 3
    assert sent.count(Request.COMMIT) == 1


def test_a_killed_load_leaves_no_answers_and_the_same_command_mends_it(files, caplog):
    def slow(index, reply):
        time.sleep(0.3 if reply.type == ReplyType.LOADED else 0)
        return protocol.encode_reply(reply)

    with Device(OLD, slow, plan=PLAN) as device:
        loading = subprocess.Popen(
            [sys.executable, "-c", (f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
             "from bitwright.answers import infer; infer.main(sys.argv[1:])"), *LOAD, device.port])
        while device.complete:
            assert loading.poll() is None
            time.sleep(0.01)
        loading.kill()
        loading.wait()
        device.settle()
        assert not device.complete
        assert infer.main(["old.safetensors", "--port", device.port]) == 1
        assert errors(caplog) == [
            (f"{device.port}: the device's contents are not complete; write them with --load "
             "old.safetensors")]
        assert infer.main([*LOAD, device.port]) == 0


def test_an_interrupted_load(files, caplog, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(host.Host, "_written", interrupt)
    with Device(OLD, plan=PLAN) as device:
        assert infer.main([*LOAD, device.port]) == 1
    assert errors(caplog) == [
        "interrupted; until the same command has ended, the device may have no answers"]


@pytest.mark.parametrize(("answer", "message"), [
    (changed(2, type=ReplyType.ERROR, payload=b"\x09"), "the device answered OFFSET (error 9)"),
    (changed(2, payload=b"\1\0\0\0"), "the device has written 1 bytes, not 1016"),
    (changed(2, payload=b"\1"), "the device has written 1 bytes, not 1016"),
    (changed(2, type=ReplyType.COMMITTED), "COMMITTED in reply to LOAD"),
    (changed(4, type=ReplyType.ERROR, payload=b"\x0a"), "the device answered CHECK (error 10)"),
    (changed(1, type=ReplyType.ERROR, payload=b"\3"),
     "the device answered TYPE (error 3): it cannot do that; its contents are fixed"),
    (changed(5, payload=Identity.of(OLD, PLAN).to_bytes()),
     (f"the device has the contents {told(OLD, PLAN)[1]}, not {told(NEW, PLAN)[1]} of "
     "new.safetensors; write them with --load new.safetensors")),
])
def test_a_load_that_the_device_does_not_follow(files, caplog, answer, message):
    with Device(OLD, answer, plan=PLAN) as device:
        assert infer.main([*LOAD, device.port]) == 1
    assert errors(caplog) == [f"{device.port}: {message}"]


@pytest.mark.parametrize(("plan", "built", "message"), [
    (None, PLAN, ("the device's contents can be written, and by the plan of old.safetensors they "
     "cannot; name the folder of its build with --build, or its plan with --plan")),
    (PLAN, Plan(), ("the device's contents cannot be written, and by the plan of old.safetensors "
     "they can; name the folder of its build with --build, or its plan with --plan")),
    (Plan(nodes={"head": WRITABLE}), PLAN,
     (f"the device has the structure {told(OLD, PLAN)[0]}, not "
     f"{told(OLD, Plan(nodes={'head': WRITABLE}))[0]} of old.safetensors; program it with the "
     "bitstream of this file")),
])
def test_a_plan_that_is_not_the_devices(files, caplog, plan, built, message):
    if plan is None:
        (files / "plan.toml").unlink()
    else:
        (files / "plan.toml").write_text(plan.to_toml())
    with Device(OLD, plan=built) as device:
        assert infer.main(["old.safetensors", "--port", device.port]) == 1
    assert errors(caplog) == [f"{device.port}: {message}"]
    assert len(device.sent) == 1  # nothing is written


def test_files_that_cannot_be_loaded(files, caplog, tmp_path):
    ir.save(tmp_path / "wide.safetensors", writable(1, largest=8))
    load = ["old.safetensors", "--port", "/dev/null", "--load"]
    assert infer.main([*load, "wide.safetensors"]) == 1
    (files / "plan.toml").write_text("")
    assert infer.main([*load, "new.safetensors"]) == 1
    (files / "plan.toml").unlink()
    assert infer.main([*load, "old.safetensors"]) == 1
    assert infer.main([*load, "old.safetensors", "--build", "build/x"]) == 1
    assert infer.main([*load, "none.safetensors"]) == 1
    (files / "plan.toml").write_text("lanes = 0")
    assert infer.main([*load, "new.safetensors"]) == 1
    wide, fixed, nothing, nowhere, missing, zero = errors(caplog)
    assert wide == ("wide.safetensors: Biases of node 'head' must be between -8 and 7, the 4 bits "
                    "of the structure, not between -8 and 8")
    assert fixed == ("new.safetensors: Node 'xnor0' must be as in the structure, for it is not "
                     "writable")
    assert nothing == ("by the plan nothing can be written; name the folder of the build with "
                       "--build, or its plan with --plan")
    assert nowhere == "build/x/plan.toml: No such file or directory"
    assert missing.startswith("none.safetensors: no such file, run folder or zoo network; ")
    assert zero == "build/old-icebreaker/plan.toml: Plan key 'lanes' must be at least 1, not 0"


def test_an_unknown_board(path, caplog):
    assert infer.main([str(path), "--port", "/dev/null", "--board", "icebraker"]) == 2
    assert errors(caplog) == [("icebraker: no such board; did you mean 'icebreaker' or "
                              "'icebreaker-bitsy'?")]


def test_usage(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        infer.main([])
    assert capsys.readouterr().err.endswith("one of the arguments --port --emulate is required\n")
