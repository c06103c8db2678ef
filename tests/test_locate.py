import logging
import os
import re

import pytest

from bitwright.locate import LocateError, locate


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty working folder, and a zoo of one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bitwright.locate.ZOO", tmp_path / "zoo")
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "digits.safetensors").touch()
    return tmp_path


def test_newest_run(here):
    for age, name in enumerate(["old", "new", "older"]):
        path = here / "runs" / name / "network.safetensors"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, ns=(age if name == "new" else 0, 10 if name == "new" else age))
    assert locate(None).parent.name == "new"


def test_no_run_yet():
    with pytest.raises(LocateError, match=re.escape(
            "no network yet: run `bitwright train` first, or name one of the zoo, "
            "such as zoo/digits") + "$"):
        locate(None)


def test_file_folder_and_zoo(here):
    path = here / "some" / "network.safetensors"
    path.parent.mkdir()
    path.touch()
    assert locate("some").resolve() == path
    assert locate("some/network.safetensors").resolve() == path
    for name in ("digits", "zoo/digits", "zoo/digits.safetensors"):
        assert locate(name).resolve() == here / "zoo" / "digits.safetensors"


def test_a_run_goes_before_the_zoo_and_that_is_said(here, caplog):
    caplog.set_level(logging.INFO)
    run = here / "runs" / "digits" / "network.safetensors"
    run.parent.mkdir(parents=True)
    assert locate("digits") == here / "zoo" / "digits.safetensors"  # the run has just begun
    assert caplog.messages == []
    run.touch()
    assert locate("digits").resolve() == run
    zoo = here / "zoo" / "digits.safetensors"
    assert caplog.messages == [
        f"digits: took runs/digits/network.safetensors; also of that name: {zoo}"]
    caplog.clear()
    assert locate("zoo/digits") == zoo
    assert locate("runs/digits").resolve() == run
    assert caplog.messages == []  # nobody else is meant by these


def test_a_folder_of_the_name_that_is_no_run(here):
    (here / "digits").mkdir()  # of pictures, say
    assert locate("digits") == here / "zoo" / "digits.safetensors"


def test_a_file_of_another_kind(here):
    (here / "x.csv").write_text("a,b\n{1,2}\n")
    with pytest.raises(LocateError, match=re.escape(
            "x.csv: a file of another kind; the first argument is a frozen network: a file, a run "
            "folder, or the name of a run or of one of the zoo (default: the newest run)") + "$"):
        locate("x.csv")
    (here / "renamed.bin").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    assert locate("renamed.bin").name == "renamed.bin"
    (here / "cut.safetensors").touch()  # its reader says how it is damaged
    assert locate("cut.safetensors").name == "cut.safetensors"


def test_unfinished_run(here):
    (here / "runs" / "digits").mkdir(parents=True)
    with pytest.raises(LocateError, match=re.escape(
            "runs/digits: the folder holds no network.safetensors; a run that was stopped goes on "
            "with `bitwright train --resume --out runs/digits`") + "$"):
        locate("runs/digits")


@pytest.mark.parametrize(("name", "hint"), [("digit", "did you mean 'digits'?"),
                                            ("zzz", "the zoo has digits")])
def test_unknown(name, hint):
    with pytest.raises(LocateError, match=re.escape(
            f"{name}: no such file, run folder or zoo network; {hint}") + "$"):
        locate(name)
