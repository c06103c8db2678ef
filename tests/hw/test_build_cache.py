"""A stage is done once, as a whole or not at all, whenever it is killed."""

import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import pytest

from bitwright import boards, files
from bitwright.hw.families import FAMILIES, Resources
from bitwright.hw.families.pll import Clock, Pll
from bitwright.hw.flow import cache
from bitwright.hw.flow.generate import Generate
from bitwright.hw.flow.pack import Pack
from bitwright.hw.flow.place import Place
from bitwright.hw.flow.record import from_json, identity, to_json
from bitwright.hw.flow.synth import Synthesise
from bitwright.hw.flow.toolchain import Tool
from bitwright.hw.flow.wrap import Wrap
from bitwright.hw.flow.write import Write
from bitwright.hw.interface import Interface
from bitwright.hw.layout import Layout
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.report.results import (
    Cycles,
    Generated,
    Packed,
    Placed,
    Size,
    Synthesised,
    Usage,
    Wrapped,
    Written,
)
from tests.networks import network

ROOT = Path(__file__).parents[2]
PLL = Pll("PLL", 12_000_000, 2, 1, {}, "i", "o", "lock")


@dataclass(frozen=True)
class Found:
    figure: float


@dataclass(frozen=True)
class One:
    """A stage that writes two files."""

    name: ClassVar[str] = "one"
    Result: ClassVar[type[Found]] = Found

    input: int = 1
    refuses: ClassVar[bool] = False
    fails: ClassVar[bool] = False

    def run(self, folder, logs):
        assert not self.refuses, "the stage must not run"
        (folder / "a").write_text(f"content of a, {self.input}")
        (folder / "b").write_text(f"content of b, {self.input}")
        if self.fails:
            raise OSError(28, "No space left on device")
        return Found(self.input + 0.5)


class Refusing(One):
    refuses = True


class Failing(One):
    fails = True


def state(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def test_stage_is_done_once(tmp_path):
    assert cache.run_stage(tmp_path, One()) == (Found(1.5), False)
    assert (tmp_path / "a").read_text() == "content of a, 1"
    assert cache.run_stage(tmp_path, Refusing()) == (Found(1.5), True)


def test_another_key_runs_the_stage(tmp_path):
    cache.run_stage(tmp_path, One())
    assert cache.run_stage(tmp_path, One(2)) == (Found(2.5), False)
    assert cache.run_stage(tmp_path, One())[1] is False


def test_later_stages_go_with_what_they_were_made_of(tmp_path):
    cache.run_stage(tmp_path, One())

    @dataclass(frozen=True)
    class Before(One):
        name: ClassVar[str] = "before"

        def run(self, folder, logs):
            assert not (tmp_path / "a").exists()
            return Found(0.0)

    cache.run_stage(tmp_path, Before(), later=("one",))
    assert {path.name for path in tmp_path.iterdir()} == {".stages"}


@pytest.mark.parametrize("damage", [
    lambda path: path.unlink(),
    lambda path: path.write_text("content of"),
    lambda path: path.write_text("content of c, 1"),
], ids=["missing", "truncated", "altered"])
def test_damaged_file_runs_the_stage(tmp_path, damage):
    cache.run_stage(tmp_path, One())
    before = state(tmp_path)
    damage(tmp_path / "b")
    assert cache.run_stage(tmp_path, One())[1] is False
    assert state(tmp_path) == before


def test_damaged_result_runs_the_stage(tmp_path):
    cache.run_stage(tmp_path, One())
    manifest = tmp_path / ".stages" / "one.json"
    manifest.write_text(manifest.read_text().replace("1.5", '"1.5"'))
    assert cache.run_stage(tmp_path, One())[1] is False


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"key": 1}'])
def test_damaged_manifest_runs_the_stage(tmp_path, text):
    cache.run_stage(tmp_path, One())
    (tmp_path / ".stages" / "one.json").write_text(text)
    assert cache.run_stage(tmp_path, One())[1] is False


def failed(folder):
    message = f"[Errno 28] No space left on device: {str(folder)!r}"
    return pytest.raises(OSError, match=f"^{re.escape(message)}$")


def test_failed_stage_leaves_nothing(tmp_path):
    with failed(tmp_path):
        cache.run_stage(tmp_path, Failing())
    assert list(tmp_path.iterdir()) == []


def test_discarded_stage_leaves_nothing(tmp_path):
    cache.run_stage(tmp_path, One())
    cache.discard(tmp_path, "one")
    assert state(tmp_path) == {}
    cache.discard(tmp_path, "one")


def test_failed_stage_forgets_the_one_before(tmp_path):
    cache.run_stage(tmp_path, One())
    with failed(tmp_path):
        cache.run_stage(tmp_path, Failing(2))
    assert cache.run_stage(tmp_path, One())[1] is False


KILLED_AT = """
import os, pathlib, signal, sys
sys.path.insert(0, {root!r})
from bitwright.hw.families.pll import Clock, Pll
from bitwright.hw.flow import cache
count = 0
def armed(function):
    def call(*arguments, **keywords):
        global count
        count += 1
        if count == {moment}:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return call
for name in ("replace", "unlink", "mkdir", "write_text", "chmod", "rename"):
    setattr(pathlib.Path, name, armed(getattr(pathlib.Path, name)))
os.fsync = armed(os.fsync)
from tests.hw.test_build_cache import One
folder = pathlib.Path({folder!r})
with cache.exclusive(folder):
    cache.run_stage(folder, One(2))
"""


def test_killed_at_every_step(tmp_path):
    """After SIGKILL before any file operation, the old result is never mixed with the new."""
    reference = tmp_path / "reference"
    reference.mkdir()
    cache.run_stage(reference, One(2))
    for moment in range(1, 100):
        folder = tmp_path / str(moment)
        folder.mkdir()
        cache.run_stage(folder, One())
        script = KILLED_AT.format(root=str(ROOT), folder=str(folder), moment=moment)
        code = subprocess.run([sys.executable, "-c", script], check=False).returncode
        for name in ("a", "b"):  # no file is ever half of one
            if (folder / name).exists():
                assert (folder / name).read_text() in (f"content of {name}, 1",
                                                       f"content of {name}, 2")
        with cache.exclusive(folder):
            cache.run_stage(folder, One(2))
        found = state(folder)
        del found[".lock"]
        assert found == state(reference)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    else:
        raise AssertionError("the script was never let through")
    assert moment > 6  # it did die at several places


def test_second_build_in_a_folder_is_refused(tmp_path):
    message = (f"{tmp_path}: another process is at work here; wait for it, or choose another "
               "folder with --out")
    with cache.exclusive(tmp_path), \
            pytest.raises(files.BusyError, match=f"^{re.escape(message)}$"), \
            cache.exclusive(tmp_path):
        pass
    with cache.exclusive(tmp_path):
        pass


def test_a_lock_may_outlast_its_owner_for_a_moment(tmp_path):
    """As where a process that is just being started has inherited it."""
    script = ("import fcntl, sys, time; file = open(sys.argv[1], 'w'); "
              "fcntl.flock(file, fcntl.LOCK_EX); print(flush=True); time.sleep(0.1)")
    with subprocess.Popen([sys.executable, "-c", script, tmp_path / ".lock"],
                          stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with cache.exclusive(tmp_path):
            pass


def test_what_a_killed_build_left_is_cleared(tmp_path):
    (tmp_path / ".part-x").mkdir()
    (tmp_path / ".part-x" / "top.v").write_text("half")
    with cache.exclusive(tmp_path):
        assert not (tmp_path / ".part-x").exists()


@pytest.mark.parametrize("file", ["hw/link/uart.py", "ir/lut.py", "boards/reader.py",
                                  "bitwright/files.py", "hw/families/models/dp16kd.v"])
def test_sources_are_part_of_every_key(tmp_path, monkeypatch, file):
    """Whichever source changes, nothing that was built before is taken for what it would give."""
    for name in cache.ROOMS:
        shutil.copytree(ROOT / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "hw" / "flow" / "cache.py"))
    monkeypatch.setattr(cache, "sources_digest", cache.sources_digest.__wrapped__)
    before = cache.key(One())
    with (tmp_path / file).open("a") as text:
        text.write("\n")
    assert cache.key(One()) != before


def test_every_input_of_a_stage_is_in_its_key(tmp_path):
    """Each field of each stage, so that one which is added later is tried too."""
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    board, tool = boards.get("icebreaker"), Tool("yosys", ("/bin/yosys",), "0.7", yowasp=False)
    values = {
        "network": (network(1), network(2)), "plan": (Plan(), Plan(lanes=2)),
        "simplify": (True, False), "naming": (Naming("a"), Naming("a", "aresetn")),
        "yosys": (tool, replace(tool, version="0.8")),
        "amaranth": ("1", "2"), "amaranth_boards": ("1", "2"), "baud": (9600, 115200),
        "flash": (False, True),
        "text": (tmp_path / "one", tmp_path / "two"), "board": (board, replace(board, baud=7)),
        "sources": ((tmp_path / "one",), (tmp_path / "two",)), "top": ("a", "b"),
        "family": (FAMILIES["ice40"], FAMILIES["ecp5"]), "parts": ({"a": "b"}, {"a": "c"}),
        "netlist": (tmp_path / "one", tmp_path / "two"),
        "constraints": (tmp_path / "one", tmp_path / "two"),
        "clock": (Clock(12_000_000), Clock(12_000_000, PLL)),
        "seed": (1, 2),
        "nextpnr": (tool, replace(tool, command=("/bin/yosys", "--opt"))),
        "configuration": (tmp_path / "one", tmp_path / "two"),
        "packer": (tool, replace(tool, content="0")), "options": (("-a",), ("-b",)),
        "report": ({"a": 1}, {"a": 2})}
    for stage in (Generate, Wrap, Synthesise, Place, Pack, Write):
        first = stage(**{field.name: values[field.name][0] for field in fields(stage)})
        assert cache.key(first) == cache.key(replace(first))
        for field in fields(stage):
            changed = replace(first, **{field.name: values[field.name][1]})
            assert cache.key(changed) != cache.key(first), f"{stage.__name__}.{field.name}"


@pytest.mark.parametrize("field", [field.name for field in fields(Tool)])
def test_all_of_a_tool_is_in_the_key(field):
    tool = Tool("yosys", ("/bin/yosys",), "0.7", yowasp=False)
    changed = {"command": ("/bin/yosys", "--opt"), "yowasp": True}.get(field, "other")
    assert identity(replace(tool, **{field: changed})) != identity(tool)


def test_where_a_file_lies_is_not_in_the_key(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text("1")
    assert identity(tmp_path / "one") == identity(tmp_path / "two")


def test_what_has_no_identity_is_refused():
    with pytest.raises(TypeError, match=r"^Value must have an identity, not be b'x'$"):
        identity(b"x")


@pytest.mark.parametrize("result", [
    Generated(Size(1, 2, 3, 4, 5), Size(0, 0, 0, 0, 0), Cycles(1, 2, 3, 4, 5, 6), True,
              Interface(Naming("a"), Layout(1, 2, 3, True, 4, 1, 5), 6, 7, 8)),
    Wrapped(3, 4),
    Synthesised("a", {"a": 1}, {"core": Resources(1, 2, 3, 4, 5)}, Resources(), 5, "b", "c"),
    Placed(12.5e6, {"LC": Usage(1, 2)}, 1, "router1", ("core", "other")), Packed(5), Written()])
def test_results_come_back_from_json(result):
    assert from_json(type(result), json.loads(json.dumps(to_json(result)))) == result


@pytest.mark.parametrize("value", [{}, [], {"size": "5"}, {"size": None}, {"size": True}])
def test_other_values_are_no_result(value):
    with pytest.raises((TypeError, KeyError)):
        from_json(Packed, value)
