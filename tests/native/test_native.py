"""Networks as C: the same scores as the evaluator, of every kind of node."""

import logging
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from bitwright import ir, native
from bitwright.command import guarded
from bitwright.ir import BitNode
from bitwright.native import export, library
from bitwright.native.functions import Steps
from bitwright.native.kinds import emit
from tests.networks import around, features, labelled, network, regression

ROOT = Path(__file__).parents[2]
COMPILER = next(filter(shutil.which, library.COMPILERS), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler is there")

FLAGS = {
    "native": ("-O0", "-march=native"),
    "vectors": ("-O0", "-DWORD_BYTES=64", "-Wno-psabi"),
    "plain": ("-O0", "-DPLAIN"),
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "_FOLDER", tmp_path / "native")
    monkeypatch.delenv("CC", raising=False)


@pytest.fixture
def quick(monkeypatch):
    """Compile without optimising: quick, and warnings are errors."""
    def choose(flags="native"):
        monkeypatch.setattr(library, "_FLAGS", ((*FLAGS[flags], "-Wall", "-Wextra", "-Werror"),))

    choose()
    return choose


def same(net, count=150, seed=0):
    """Whether the machine code has the scores of the evaluator, for batches of several sizes."""
    drawn = ir.draw(net, count, seed)
    compiled = native.Compiled(net)
    for size in (count, 1, 0):
        assert compiled.evaluate(drawn[:size]).scores.tolist() == net.evaluate(
            drawn[:size]).scores.tolist()


WRITTEN = sorted(kind for kind, node in ir.Node.kinds.items()
                 if kind == "modulate" or emit.dispatch(node) is not emit.dispatch(object))


def test_no_kind_is_forgotten():
    assert {"convolution", "goodness", "group_sum", "join", "lut", "modulate", "pool", "scores",
            "xnor"} <= set(WRITTEN)


@needs_compiler
@pytest.mark.parametrize("kind", WRITTEN)
def test_every_kind_has_the_scores_of_the_evaluator(kind, quick):
    same(around(ir.Node.kinds[kind].sample(np.random.default_rng(1)), 1), 300)


@needs_compiler
@pytest.mark.parametrize("flags", FLAGS)
def test_networks_have_the_scores_of_the_evaluator(flags, quick):
    quick(flags)
    for seed in range(3 if flags == "native" else 1):  # among them graphs, frames, and signs
        same(network(seed, frames=1 + seed, signed=bool(seed & 1)), 600)
    same(labelled(1, classes=3))


def wide(rng, *, bits=16, signed=True):
    """A network with features of 16 bits, neurons and groups of more than a word, tables of 8."""
    low = -(1 << bits - 1) if signed else 0
    thresholds = rng.integers(low, low + (1 << bits) + 1, size=(1, 30, 5)).astype(np.int32)
    thresholds[0, 0, :2] = low, low + (1 << bits)
    xnor = ir.Xnor(rng.integers(2, size=(190, 150)).astype(bool),
                   rng.integers(60, 90, size=(190, 1)).astype(np.int32))
    lut = ir.Lut(190, rng.integers(-1, 190, size=(6, 8)).astype(np.int32),
                 rng.integers(2, size=(6, 256)).astype(bool))
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(thresholds, bits, signed), ("input",)),
        ir.Entry("xnor", xnor, ("modulate",)), ir.Entry("lut", lut, ("xnor",)),
        ir.Entry("head", ir.GroupSum(196, 2), ("lut", "xnor"))))


@needs_compiler
def test_a_regression(quick):
    same(regression(1, frames=2))


@needs_compiler
@pytest.mark.parametrize(("bits", "signed"), [(16, True), (16, False), (8, True), (9, False)])
def test_wide_features_and_counts(bits, signed, quick):
    same(wide(np.random.default_rng(bits), bits=bits, signed=signed), 400)


@needs_compiler
def test_tables_beyond_the_most_steps_are_data(quick, monkeypatch):
    net = wide(np.random.default_rng(3))
    monkeypatch.setattr("bitwright.native.kinds.lut.MOST_STEPS", 300)
    text = native.source(net)
    assert "lut_0(" in text
    assert "look_up(w->value, " in text
    same(net)
    monkeypatch.setattr("bitwright.native.kinds.lut.MOST_STEPS", -1)
    assert "lut_0(" not in native.source(net)
    same(net)


@needs_compiler
@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "zoo").glob("*.safetensors"))
                                  ])
def test_the_zoo(name, monkeypatch, quick):
    net = ir.load(ROOT / "zoo" / f"{name}.safetensors")
    monkeypatch.setattr("bitwright.native.kinds.lut.MOST_STEPS", 1000)  # half code, half data
    same(net, 200)
    compiled = native.Compiled(net)
    assert compiled.evaluate(net.golden.features).scores.tolist() == net.golden.scores.tolist()


@needs_compiler
def test_bytes_are_read_as_they_are(quick):
    net = wide(np.random.default_rng(5), bits=8, signed=False)
    drawn = ir.draw(net, 300, 1)
    compiled, expected = native.Compiled(net), net.evaluate(drawn).scores.tolist()
    for kind in (np.uint8, np.int64, np.uint16):
        assert compiled.evaluate(drawn.astype(kind)).scores.tolist() == expected
    assert compiled.evaluate(np.asfortranarray(drawn)).scores.tolist() == expected


@needs_compiler
def test_features_are_checked(quick):
    net = network(0)
    low, high = net.modulate.domain
    with pytest.raises(ValueError, match=rf"^Features must be between {low} and {high}, not "
                                         rf"between {high + 1} and {high + 1}$"):
        native.Compiled(net).evaluate(np.full((1, net.features), high + 1))


@needs_compiler
def test_progress_and_threads(quick, monkeypatch):
    monkeypatch.setattr(library, "_CHUNK", 100)
    net = network(2)
    drawn, compiled, seen = features(net, 250, 0), native.Compiled(net), []
    expected = net.evaluate(drawn).scores.tolist()
    assert compiled.evaluate(drawn, seen.append).scores.tolist() == expected
    assert seen == [100, 100, 50]
    found = [None] * 4

    def run(place):
        found[place] = compiled.evaluate(drawn).scores.tolist()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@needs_compiler
def test_a_network_is_compiled_once_and_what_is_kept_is_one_file(quick, monkeypatch):
    compiler, calls, run = library._compiler(), [], library._run

    def counted(*command, text):
        calls.append(command)
        return run(*command, text=text)

    monkeypatch.setattr(library, "_run", counted)
    for _ in range(2):
        same(network(4), 10)
    assert [command[0] for command in calls] == [compiler] * 3
    assert [path.suffix for path in library._FOLDER.iterdir()] == [".so"]
    assert library._FOLDER.stat().st_mode & 0o077 == 0
    same(network(5), 10)
    assert len(list(library._FOLDER.iterdir())) == 2


@needs_compiler
def test_two_that_compile_at_once(quick):
    net, found = network(6), []
    drawn = features(net, 5, 0)

    def run():
        found.append(native.Compiled(net).evaluate(drawn).scores.tolist())

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [net.evaluate(drawn).scores.tolist()] * 3
    assert len(list(library._FOLDER.iterdir())) == 1


def refused(monkeypatch, message, net=None):
    """Machine code is refused with a message; the network is evaluated all the same."""
    net = net or network(0)
    with pytest.raises(native.NativeError) as caught:
        native.Compiled(net)
    assert str(caught.value) == message
    said = []
    monkeypatch.setattr(library.logger, "warning", lambda form, *values: said.append(form % values))
    assert native.evaluator(net) is net
    assert said == [f"{message}; NumPy evaluates the network"]


def test_no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "")
    refused(monkeypatch, "No C compiler is there, neither of cc, gcc, clang; install one, or name "
                         "it in CC")
    monkeypatch.setenv("CC", "nonesuch")
    refused(monkeypatch, "Compiler 'nonesuch', which CC names, is not there")


def fake(tmp_path, monkeypatch, script):
    """A compiler that knows every flag and does what the script says to compile."""
    path = tmp_path / "fakecc"
    path.write_text(f'#!/bin/sh\ncase "$*" in *-dM*) exit 0;; esac\n{script}\n')
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    return path


def test_a_compiler_that_fails(tmp_path, monkeypatch):
    path = fake(tmp_path, monkeypatch,
                'echo "warning: odd" >&2; echo "x.c:1: error: bad" >&2; exit 1')
    refused(monkeypatch, f"{path} fails: x.c:1: error: bad")
    assert list(library._FOLDER.iterdir()) == []
    path = fake(tmp_path, monkeypatch, "exit 3")
    refused(monkeypatch, f"{path} fails: status 3")
    path = fake(tmp_path, monkeypatch, "sleep 5")
    monkeypatch.setattr(library, "_MOST_SECONDS", 0.2)
    refused(monkeypatch, f"{path} takes more than 0.2 seconds")


def test_a_kind_without_c(monkeypatch):
    class Odd(BitNode):
        kind = "odd"
        in_width = out_width = 2
        fields = ()

        def evaluate_words(self, x):
            return x

        @classmethod
        def sample(cls, rng):
            return cls()

    thresholds = np.ones((1, 2, 1), np.int32)
    net = ir.Network((ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
                      ir.Entry("mine", Odd(), ("modulate",)),
                      ir.Entry("head", ir.GroupSum(2, 2), ("mine",))))
    monkeypatch.setattr(ir, "digest", lambda network: "0" * 64)
    refused(monkeypatch, "Node 'mine' is of kind 'odd', which is not written in C", net)


@needs_compiler
def test_a_file_that_is_no_library_or_another_network(quick, monkeypatch):
    one, other = network(7), network(8)
    native.Compiled(one)
    (first,) = library._FOLDER.iterdir()
    native.Compiled(other)
    (second,) = set(library._FOLDER.iterdir()) - {first}
    shutil.copy(first, first.with_suffix(".copy"))
    # A file that is loaded stays what it is in this process; another name is another file.
    monkeypatch.setattr(library, "_compiled", lambda text: first.with_suffix(".copy"))
    refused(monkeypatch, f"{first.with_suffix('.copy')}: is of another network, delete it", other)
    broken = second.with_suffix(".broken")
    broken.write_bytes(b"no library")
    monkeypatch.setattr(library, "_compiled", lambda text: broken)
    with pytest.raises(native.NativeError,
                       match=rf"^{broken}: cannot be loaded, delete it: .*$"):
        native.Compiled(other)


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "exit 0")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(library, "_FOLDER", tmp_path / "file" / "native")
    refused(monkeypatch, f"{tmp_path / 'file' / 'native'}: cannot be written: Not a directory")


@pytest.mark.parametrize("inputs", [0, 1, 2, 3, 5, 6, 7])
def test_steps_are_the_table(inputs):
    rng = np.random.default_rng(inputs)
    names = [f"x{slot}" for slot in range(inputs)]
    for share in (0, 0.1, 0.5, 0.9, 1):
        table = rng.random(1 << inputs) < share
        steps, found = Steps(table.astype(np.uint8).tobytes(), names), []
        for address in range(1 << inputs):
            values = {"ZERO": 0, "ONES": -1,
                      **{name: -(address >> slot & 1) for slot, name in enumerate(names)}}
            for name, expression in steps.lines:
                values[name] = eval(expression, {}, values)
            found.append(eval(steps.result, {}, values) == -1)
        assert found == table.tolist()


def test_steps_are_few():
    def count(function, inputs):
        table = bytes(int(function([address >> slot & 1 for slot in range(inputs)]))
                      for address in range(1 << inputs))
        return len(Steps(table, [f"x{slot}" for slot in range(inputs)]).lines)

    assert count(lambda x: x[3], 6) == 0
    assert count(all, 6) == 5
    assert count(any, 6) == 5
    assert count(lambda x: sum(x) % 2, 6) == 5
    assert count(lambda x: x[1] if x[4] else x[0], 5) == 1


@needs_compiler
def test_export(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    net = labelled(2, classes=3)
    ir.save(tmp_path / "net.safetensors", net)
    out = tmp_path / "out"
    assert export.main([str(tmp_path / "net.safetensors"), "--out", str(out), "--name", "mine",
                        "--vectors", "70"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["mine.c", "mine.h", "mine_test.c"]
    assert f"wrote {out / 'mine.c'}" in caplog.messages

    def tried():
        subprocess.run([COMPILER, "-std=c99", "-O0", "-Wall", "-Wextra", "-Werror", "-o",
                        str(tmp_path / "tried"), str(out / "mine.c"), str(out / "mine_test.c")],
                       check=True)
        done = subprocess.run([tmp_path / "tried"], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert tried() == (0, "70 vectors, 0 wrong\n")
    text = (out / "mine.c").read_text()
    (out / "mine.c").write_text(text.replace("digit[d] ^= bit;", "digit[d] |= bit;"))
    status, said = tried()
    assert (status, said != "70 vectors, 0 wrong\n") == (1, True)


def test_export_refuses_a_name(tmp_path, caplog):
    status = guarded(lambda: export.export(network(0), tmp_path, "1st") and None)
    assert (status, caplog.messages) == (
        2, ["Name must be letters, digits and underscores, a letter first, not '1st'"])


