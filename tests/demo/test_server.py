"""The page over HTTP: it is told what the golden evaluator says, and nobody else is told."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest

from bitwright import ir
from bitwright.demo import samples, server, view
from bitwright.demo.backends import Evaluator
from bitwright.demo.serve import main
from bitwright.errors import UserError
from tests import networks
from tests.demo.served import ask, digits, flowers, get, png, request, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pictures():
    with serving(digits()) as running:
        yield running


@pytest.fixture(scope="module")
def table():
    with serving(flowers()) as running:
        yield running


def unpacked(plane, text):
    """Bits of a node, as far as the page shows them, from what it is sent."""
    packed = np.frombuffer(base64.b64decode(text), np.uint8)
    placed = np.unpackbits(packed, bitorder="little", count=len(plane.order)).astype(bool)
    bits = np.zeros(plane.width, bool)
    bits[plane.order[plane.order >= 0]] = placed[plane.order >= 0]
    assert not placed[plane.order < 0].any()
    return bits


def agrees(found, network, features):
    """Whether an answer is the golden evaluator's, to the bit."""
    taps = [entry.name for entry in network.entries]
    result = network.evaluate(features, taps)
    assert found["features"] == features[0].tolist()
    assert found["golden"]["scores"] == found["answer"]["scores"] == result.scores[0].tolist()
    assert found["golden"]["decision"] == found["answer"]["decision"] == result.decision[0]
    assert found["answer"]["equal"] is True
    for plane, text in zip(view.Viewed.of(network, "").planes, found["bits"], strict=True):
        assert (unpacked(plane, text) == result.taps[plane.name][found["frame"], 0]).all()


def test_scores_of_100_pictures(pictures):
    network = digits()
    rng = np.random.default_rng(1)
    golden = network.golden.features
    for index in range(50):
        agrees(ask(pictures, example=index), network, golden[index : index + 1])
    for _ in range(50):
        pixels = rng.integers(256, size=(8, 8)).astype(np.uint8)
        found = ask(pictures, png(pixels), name="drawing.png")
        agrees(found, network, network.preparation.apply(pixels[None]))


def test_scores_of_100_rows(table):
    network = flowers()
    rng = np.random.default_rng(2)
    for _ in range(100):
        values = np.round(rng.uniform(0, 9, 4), 2)
        found = ask(table, ",".join(map(str, values)).encode(), typed=1)
        agrees(found, network, network.preparation.apply(values.reshape(1, 1, 4)))
        assert [float(text) for text in found["raw"]] == values.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_every_frame_of_other_networks(seed):
    network = networks.network(seed, frames=3)
    features = networks.features(network, 1, seed)
    body = ",".join(map(str, features[0])).encode()
    with serving(network) as running:
        for frame in range(3):
            found = ask(running, body, typed=1, frame=frame)
            assert found["frame"] == frame
            agrees(found, network, features)


def test_a_frame_a_class():
    network = networks.labelled(3, classes=4)
    features = networks.features(network, 1, 3)
    with serving(network) as running:
        agrees(ask(running, ",".join(map(str, features[0])).encode(), typed=1, frame=2), network,
               features)


def test_a_number_in_its_unit():
    network = networks.network(5)
    answer = ir.Answer(np.float32(np.arange(network.classes)), np.full(network.classes, 0.5,
                                                                       np.float32))
    network = ir.Network(network.entries, answer=answer,
                         names=ir.Names(answers=tuple(f"{n} mm" for n in range(network.classes))))
    features = networks.features(network, 1, 5)
    with serving(network) as running:
        found = ask(running, ",".join(map(str, features[0])).encode(), typed=1)
        agrees(found, network, features)
        assert get(running, "/api/network")["classes"][0] == "0 mm"
    expected = answer.apply(np.array([found["golden"]["scores"]]))[0]
    assert np.float32(found["golden"]["values"]).tolist() == expected.tolist()


def test_rows_of_a_window():
    rng = np.random.default_rng(6)
    thresholds = rng.integers(1, 256, size=(2, 6, 3)).astype(np.int32)
    numbers = ir.Affine(3, 8, False, True, np.zeros(2, np.float32), np.ones(2, np.float32),
                        np.array([7, 9], np.float32))
    network = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 8), ("input",)),
                          ir.Entry("head", ir.GroupSum(18, 2), ("modulate",))),
                         preparation=numbers, names=ir.Names(columns=("a", "b")))
    with serving(network) as running:
        agrees(ask(running, b"1,2\n3,\n5,6\n", typed=1), network, np.array([[1, 2, 3, 9, 5, 6]]))
        assert get(running, "/api/network")["columns"][:3] == ["a, row 1", "b, row 1", "a, row 2"]
        assert ask(running, b"1,2\n3,4\n", status=400, typed=1)["error"].startswith(
            "what was typed: no recording has the 3 rows of a window")


def test_rows_of_a_file(table):
    text = ("petal width (cm),petal length (cm),kind,sepal width (cm),sepal length (cm)\n"
            "0.2,1.4,setosa,3.5,5.1\n1.4,4.7,versicolor,3.2,7.0\n")
    found = ask(table, text.encode(), name="my flowers.csv", row=1)
    assert (found["row"], found["count"], found["place"]) == (1, 2, "line 3")
    assert found["raw"] == ["7", "3.2", "4.7", "1.4"]
    agrees(found, flowers(), np.array([[70, 32, 47, 14]]))


def test_examples_have_numbers_that_give_the_same_integers(table):
    network = flowers()
    for example in get(table, "/api/network")["examples"]:
        found = ask(table, example=example["index"])
        again = ask(table, ",".join(found["raw"]).encode(), typed=1)
        assert again["features"] == network.golden.features[example["index"]].tolist()


def test_numbers_of_a_rank():
    edges = np.array([[1.5, 2.5, 2.5, 9], [-3, -2, 0, 1e6]], np.float32)
    numbers = ir.Quantile(1, False, edges, np.zeros(0, np.float32))
    for q in ([0, 4], [1, 0], [3, 2], [4, 3]):
        raw = samples._raw(numbers, np.array([q]))
        assert numbers.apply(raw[None]).tolist() == [q]
    assert samples._raw(numbers, np.array([[2, 0]])) is None  # no number has this rank


@pytest.mark.parametrize("kind", [ir.Affine, ir.Quantile])
@pytest.mark.parametrize("seed", range(5))
def test_numbers_of_few_digits(kind, seed):
    numbers = kind.sample(np.random.default_rng(seed))
    wanted = numbers.apply(np.random.default_rng(seed).normal(size=(1, *numbers.shape)))
    raw = samples._raw(numbers, wanted)
    assert (numbers.apply(raw[None]) == wanted).all()


@pytest.mark.parametrize("seed", range(30))
def test_every_bit_has_one_place(seed):
    network = networks.network(seed)
    for plane in view.Viewed.of(network, "").planes:
        assert len(plane.order) == plane.planes * plane.rows * plane.columns
        assert sorted(plane.order[plane.order >= 0]) == list(range(plane.width))
        assert len(plane.labels) in (0, plane.rows)


def test_a_picture_lies_as_it_is():
    """Plane d of the modulation is threshold d, pixel by pixel, each colour by itself."""
    modulate = ir.Modulate(np.arange(1, 25, dtype=np.int32).reshape(1, 12, 2), 5)
    network = ir.Network((ir.Entry("modulate", modulate, ("input",)),
                          ir.Entry("head", ir.GroupSum(24, 2), ("modulate",))),
                         preparation=ir.Picture(2, 2, True, False, 31))
    (plane,) = view.Viewed.of(network, "").planes
    assert (plane.planes, plane.rows, plane.columns) == (6, 2, 2)
    assert plane.order[:8].tolist() == [0, 6, 12, 18, 1, 7, 13, 19]  # red, both thresholds


@pytest.mark.parametrize("node", [
    ir.Pool(ir.Window(2, 4, 3, (1, 2), (1, 1), (0, 0, 0, 1)), "or"), ir.Join(2, 4, (1, 2))])
def test_what_makes_pictures_is_shown_as_pictures(node):
    plane = view.layer(networks.around(node), ir.Entry("node", node, ("wide",)))
    assert (plane.planes, plane.rows, plane.columns) == (3, 2, 4)
    assert plane.order[:8].tolist() == list(range(0, 24, 3))  # the first channel


def test_paper_of_dark_and_of_light_pictures():
    network = digits()
    dark = view.describe(view.Viewed.of(network, ""))["paper"]
    assert dark["dark"]
    assert (dark["top"], dark["bottom"]) == (0, 1)
    assert 0 < dark["left"] < 0.3 < 0.7 < dark["right"] < 1
    features = 16 - network.golden.features
    golden = ir.Golden(features, network.evaluate(features).scores)
    light = ir.Network(network.entries, golden=golden, preparation=network.preparation)
    assert view.describe(view.Viewed.of(light, ""))["paper"] == {**dark, "dark": False}


def test_what_the_page_knows(pictures):
    found = get(pictures, "/api/network")
    assert found["backends"] == [{"name": "evaluator", "title": "golden evaluator"}]
    assert found["picture"] == {"height": 8, "width": 8, "colour": False}
    assert found["digest"] == ir.digest(digits())
    assert [layer["name"] for layer in found["layers"]] == ["modulate", "lut0", "lut1"]
    assert sorted({example["name"] for example in found["examples"][:10]}) == list("0123456789")


class Wrong(Evaluator):
    """A device whose last score is one too high."""

    name, title = "board", "board on /dev/null"

    def infer(self, features):
        decision, scores = super().infer(features)
        return decision, (*scores[:-1], scores[-1] + 1)


class Silent(Evaluator):
    name, title = "board", "board on /dev/null"

    def infer(self, features):
        raise UserError("no reply to INFER within 1.0 s")


def test_a_difference_is_seen():
    network = digits()
    with serving(network, {"board": Wrong(network)}) as running:
        found = ask(running, example=0)
    assert found["answer"]["equal"] is False
    assert found["answer"]["scores"][-1] == found["golden"]["scores"][-1] + 1


def test_silence_is_said():
    network = digits()
    with serving(network, {"board": Silent(network)}) as running:
        found = ask(running, example=0)
    assert found["answer"]["error"] == "no reply to INFER within 1.0 s"
    assert found["answer"]["equal"] is False
    assert "scores" not in found["answer"]


COLUMNS = ("a line must have 4 columns, the numbers of a row in their order, or one more for the "
           "label, not 2")


@pytest.mark.parametrize(("query", "body", "message"), [
    ({"example": 36}, b"", "golden vector must be one of 36, not 36"),
    ({"name": "a.png"}, b"GIF89", ("a.png: the network takes numbers; must be a file of .csv, "
                                   ".tsv, .txt, .data, .dat, .npy, .npz")),
    ({"typed": 1}, b"1,2,3,1e39\n", ("what was typed: line 1, column 4 must be a number that "
                                     "binary32 holds, not '1e39'")),
    ({"typed": 1}, b"1,2,,4\n", "what was typed: line 1, column 3 is empty"),
    ({"typed": 1}, b"\n", "what was typed: holds no sample"),
    ({"example": "x"}, b"", "example must be a number from 0, not 'x'"),
    ({"example": 0, "frame": 1}, b"", "frame must be one of 1, not 1"),
    ({"example": 0, "source": "x"}, b"", "source must be one of evaluator, not 'x'"),
    ({}, b"", ": the name must end in what the file is, such as .png or .csv"),
    ({"name": "/etc/passwd"}, b"",
     "/etc/passwd: the name must end in what the file is, such as .png or .csv"),
    ({"name": "a.p/n"}, b"", "a.p/n: the name must end in what the file is, such as .png or .csv"),
    ({"typed": 1}, b"1.5,2\n", f"what was typed: {COLUMNS}"),
    ({"name": "../../x.csv"}, b"1.5,2\n", f"../../x.csv: {COLUMNS}"),
    ({"name": "two.csv", "row": 2}, b"1.5,2,3,4\n5,6,7,8\n",
     "two.csv: must have a sample 3, not 2 samples"),
])
def test_refusals(table, query, body, message):
    assert ask(table, body, status=400, **query) == {"error": message}


def test_no_path_of_a_sender_is_opened(table, tmp_path, monkeypatch):
    (tmp_path / "there.csv").write_text("1,2,3,4\n")
    monkeypatch.chdir(tmp_path)
    for name in ("there.csv", str(tmp_path / "there.csv")):
        found = ask(table, b"1.5,2\n", status=400, name=name)
        assert found == {"error": f"{name}: {COLUMNS}"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8017", "localhost.evil.example", "",
                                  "[::1"])
def test_another_host_is_refused(pictures, host):
    status, _, content = request(pictures, "GET", "/api/network", headers={"Host": host})
    assert (status, json.loads(content)) == (403, {"error": f"this server is not {host!r}"})


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.1", "[::1]:80", "192.168.1.7:8017"])
def test_no_name_of_a_stranger_can_be_these(pictures, host):
    assert request(pictures, "GET", "/", headers={"Host": host})[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_another_page_is_refused(pictures, origin):
    status, _, content = request(pictures, "POST", "/api/infer?example=0", b"",
                                 {"Origin": origin})
    assert status == 403
    assert json.loads(content) == {"error": f"no request from {origin!r} is answered"}


def test_its_own_page_is_answered(pictures):
    own = f"127.0.0.1:{pictures.server_port}"
    assert request(pictures, "POST", "/api/infer?example=0", b"", {"Origin": f"http://{own}"}
                   )[0] == 200


def test_sizes(pictures, monkeypatch):
    monkeypatch.setattr(server, "MAX_BYTES", 1 << 20)
    status, _, content = request(pictures, "POST", "/api/infer?name=a.png",
                                 headers={"Content-Length": str((1 << 20) + 1)})
    assert status == 413
    assert json.loads(content) == {"error": "a file may have 1 MiB, not 1,048,577 bytes"}
    for length in ("", "-1", "x", "9" * 10):
        status, _, content = request(pictures, "POST", "/api/infer",
                                     headers={"Content-Length": length})
        assert (status, json.loads(content)) == (
            411, {"error": "the request must say how long it is"})


def test_other_addresses(pictures):
    for method, path in (("GET", "/../../etc/passwd"), ("GET", "/page.html"), ("POST", "/")):
        status, _, content = request(pictures, method, path)
        assert (status, json.loads(content)) == (404, {"error": f"there is no {path!r}"})
    assert request(pictures, "PUT", "/")[0] == 501


def test_the_page_needs_nothing_else(pictures):
    """One file that loads nothing, and a policy by which nothing could be loaded."""
    status, headers, content = request(pictures, "GET", "/")
    page = content.decode()
    assert status == 200
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert not re.search(r"(src|srcset|@import|url\()\s*=?\s*[\"'(]", page)
    assert re.fullmatch(
        r"default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; "
        r"img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        r"frame-ancestors 'none'", headers["Content-Security-Policy"])
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_that_goes_leaves_no_trace(pictures, caplog):
    with socket.create_connection(("127.0.0.1", pictures.server_port)) as line:
        line.sendall(b"POST /api/infer?example=0 HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Length: 100\r\n\r\nhalf")
    assert ask(pictures, example=0)["place"] == "golden vector 0"
    assert caplog.text == ""


@pytest.mark.parametrize("where", ["8017", ":8017", "localhost:", "localhost:x", "localhost:65536"])
def test_where_to_listen(where, caplog):
    assert main(["zoo/iris", "--listen", where]) == 2
    assert caplog.messages == [
        f"--listen must be HOST:PORT, such as 127.0.0.1:8017, not {where!r}"]


def test_a_port_that_is_taken(caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["zoo/iris", "--listen", where]) == 2
    assert caplog.messages == [
        f"--listen {where}: Address already in use; name another port, or 0 for any"]


def test_a_rate_without_a_port(caplog):
    assert main(["zoo/iris", "--emulate", "--baud", "9600"]) == 2
    assert caplog.messages == ["--baud is the rate of a serial port, and --port names none"]


def test_a_host_that_is_none(caplog):
    assert main(["zoo/iris", "--listen", "no.such.host.invalid:0"]) == 2
    assert re.fullmatch(r"--listen no\.such\.host\.invalid:0: [\w ]+", caplog.messages[0])


def test_a_port_without_a_board(tmp_path, caplog):
    assert main(["zoo/iris", "--port", str(tmp_path / "ttyX"), "--listen", "127.0.0.1:0"]) == 1
    assert caplog.messages[0].startswith(f"{tmp_path / 'ttyX'}: no such port; found: ")


@pytest.mark.skipif(os.name != "posix", reason="another way to interrupt")
def test_the_command(tmp_path):
    # A shell that runs the tests in the background lets what it starts ignore Ctrl-C.
    with subprocess.Popen([sys.executable, "-m", "bitwright", "demo", "zoo/iris", "--listen",
                           "127.0.0.1:0", "--emulate"], cwd=ROOT, stdout=subprocess.PIPE,
                          text=True, stderr=subprocess.PIPE,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
                          ) as process:
        line = process.stdout.readline()
        with urlopen(Request(f"{line.split()[1]}api/infer?example=7", b"")) as answer:
            found = json.loads(answer.read())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert re.fullmatch(r"\S*zoo/iris\.safetensors: http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)\n",
                        line)
    assert (process.returncode, errors) == (0, "")
    assert (found["answer"]["source"], found["answer"]["equal"]) == ("device", True)
    assert found["answer"]["scores"] == flowers().golden.scores[7].tolist()
