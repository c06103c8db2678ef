"""docs/extending.md is right: what it adds works, and the tests of every kind find it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FOLDERS = ("bitwright", "boards", "data", "docs", "hw", "ir", "model", "native", "sim", "tests",
           "zoo")


def section(title):
    """Blocks of a section: language, file, lines."""
    text = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^```(python|diff) (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def apply(tree, blocks):
    """Write the new files, and add lines to those that are there: before the line shown, or in its
    place."""
    for language, name, text in blocks:
        path = tree / name
        if language == "python":
            assert not path.exists(), name
            path.write_text(text, encoding="utf-8")
            continue
        lines = text.splitlines()
        added = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
        (anchor,) = (line for line in lines if not line.startswith("+"))
        kept = f"{anchor[1:]}\n" if anchor.startswith(" ") else ""
        before = path.read_text(encoding="utf-8")
        assert before.count(f"\n{anchor[1:]}\n") == 1, (name, anchor)
        path.write_text(before.replace(f"\n{anchor[1:]}\n", f"\n{added}{kept}"), encoding="utf-8")


@pytest.fixture
def tree(tmp_path):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder,
                        ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def passes(tree, *arguments):
    """Whether tests pass in the tree, and how many."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n",
                           "0", *arguments], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return int(re.search(r"(\d+) passed", done.stdout)[1])


CASES = {
    "A kind of node": (3, ("tests/conformance", "tests/ir", "-k", "invert or docs or format"), 20),
    "A way to realise a node": (1, ("tests/conformance/test_hardware.py", "-k", "late"), 5),
    "A family of devices": (1, ("tests/hw/test_families.py", "-k", "trion"), 3),
    "A kind of preparation": (4, ("tests/conformance/test_preparations.py", "tests/ir",
                                  "tests/data/test_table.py", "-k",
                                  "magnitude or test_fields or settings_of_a_source"), 20),
    "A learning rule": (1, ("tests/model/test_learning.py", "-k", "manhattan"), 3),
}


@pytest.mark.slow
@pytest.mark.parametrize("title", CASES)
def test_what_the_page_adds_works(tree, title):
    files, arguments, at_least = CASES[title]
    blocks = section(title)
    code = {name for _, name, _ in blocks if name.endswith(".py") and "__init__" not in name}
    assert 1 <= len(code) <= files
    apply(tree, blocks)
    assert passes(tree, *arguments) >= at_least


def test_every_section_is_tried():
    assert set(re.findall(r"^## (.*)$", PAGE, re.MULTILINE)) == set(CASES)


def test_a_fault_in_what_the_page_adds_is_seen(tree):
    blocks = [(language, name, text.replace("~self.i.payload", "self.i.payload"))
              for language, name, text in section("A kind of node")]
    apply(tree, blocks)
    with pytest.raises(AssertionError, match="invert"):
        passes(tree, "tests/conformance/test_hardware.py", "-k", "invert")
