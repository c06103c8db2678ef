"""A stage is done once, as a whole or not at all, whenever it is killed."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bitwright import files
from bitwright.hw.flow import cache

ROOT = Path(__file__).parents[2]
KEY = {"stage": "one", "input": 1}


def work(folder):
    (folder / "a").write_text("content of a")
    (folder / "b").write_text("content of b")
    return {"figure": 1.5}


def refuse(folder):
    raise AssertionError("the stage must not run")


def state(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def test_stage_is_done_once(tmp_path):
    assert cache.run_stage(tmp_path, "one", KEY, work) == ({"figure": 1.5}, False)
    assert (tmp_path / "a").read_text() == "content of a"
    assert cache.run_stage(tmp_path, "one", KEY, refuse) == ({"figure": 1.5}, True)


def test_another_key_runs_the_stage(tmp_path):
    cache.run_stage(tmp_path, "one", KEY, work)
    assert cache.run_stage(tmp_path, "one", {**KEY, "input": 2}, work)[1] is False
    assert cache.run_stage(tmp_path, "one", KEY, work)[1] is False


@pytest.mark.parametrize("damage", [
    lambda path: path.unlink(),
    lambda path: path.write_text("content of"),
    lambda path: path.write_text("content of c"),
], ids=["missing", "truncated", "altered"])
def test_damaged_file_runs_the_stage(tmp_path, damage):
    cache.run_stage(tmp_path, "one", KEY, work)
    before = state(tmp_path)
    damage(tmp_path / "b")
    assert cache.run_stage(tmp_path, "one", KEY, work)[1] is False
    assert state(tmp_path) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"key": 1}'])
def test_damaged_manifest_runs_the_stage(tmp_path, text):
    cache.run_stage(tmp_path, "one", KEY, work)
    (tmp_path / ".stages" / "one.json").write_text(text)
    assert cache.run_stage(tmp_path, "one", KEY, work)[1] is False


def test_failed_stage_leaves_nothing(tmp_path):
    def fail(folder):
        work(folder)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match=r"^no$"):
        cache.run_stage(tmp_path, "one", KEY, fail)
    assert list(tmp_path.iterdir()) == []


def test_discarded_stage_leaves_nothing(tmp_path):
    cache.run_stage(tmp_path, "one", KEY, work)
    cache.discard(tmp_path, "one")
    assert state(tmp_path) == {}
    cache.discard(tmp_path, "one")


def test_failed_stage_forgets_the_one_before(tmp_path):
    cache.run_stage(tmp_path, "one", KEY, work)

    def fail(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"^\[Errno 28\] No space left on device$"):
        cache.run_stage(tmp_path, "one", {**KEY, "input": 2}, fail)
    assert cache.run_stage(tmp_path, "one", KEY, work)[1] is False


KILLED_AT = """
import os, pathlib, signal, sys
sys.path.insert(0, {root!r})
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
def work(folder):
    (folder / "a").write_text("content of a, new")
    (folder / "b").write_text("content of b, new")
    return {{"figure": 2.5}}
folder = pathlib.Path({folder!r})
with cache.exclusive(folder):
    cache.run_stage(folder, "one", {{"stage": "one", "input": 2}}, work)
"""


def new_work(folder):
    (folder / "a").write_text("content of a, new")
    (folder / "b").write_text("content of b, new")
    return {"figure": 2.5}


def test_killed_at_every_step(tmp_path):
    """After SIGKILL before any file operation, the old result is never mixed with the new."""
    reference = tmp_path / "reference"
    reference.mkdir()
    cache.run_stage(reference, "one", {**KEY, "input": 2}, new_work)
    for moment in range(1, 100):
        folder = tmp_path / str(moment)
        folder.mkdir()
        cache.run_stage(folder, "one", KEY, work)
        script = KILLED_AT.format(root=str(ROOT), folder=str(folder), moment=moment)
        code = subprocess.run([sys.executable, "-c", script], check=False).returncode
        for name in ("a", "b"):  # no file is ever half of one
            if (folder / name).exists():
                assert (folder / name).read_text() in (f"content of {name}",
                                                       f"content of {name}, new")
        with cache.exclusive(folder):
            cache.run_stage(folder, "one", {**KEY, "input": 2}, new_work)
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


def test_sources_are_part_of_the_key():
    assert re.fullmatch(r"[0-9a-f]{64}", cache.sources_digest())
