"""Documents: links lead somewhere, every page is in the site, the tutorial does what it says."""

import re
from pathlib import Path

import pytest

from bench.tutorial import Block, blocks, follow

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md",
                ROOT / "zoo" / "README.md"])

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def prose(text):
    return CODE.sub("", text)


def anchors(text):
    """Names of the headings of a page, as GitHub and the site make them."""
    found = set()
    for title in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text,
                                                 flags=re.MULTILINE | re.DOTALL), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").strip().lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(name if name not in found else f"{name}-1")
    return found


def broken(page, text):
    """Links of a page that lead nowhere."""
    for target in LINK.findall(prose(text)):
        if re.match(r"\w+:", target):
            continue  # another site; no test asks the network
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if name and not path.exists():
            yield f"{target}: no such file"
        elif anchor and path.suffix == ".md" and anchor not in anchors(
                text if path == page else path.read_text(encoding="utf-8")):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links(page):
    assert list(broken(page, page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(("link", "problem"), [
    ("[a](gone.md)", ["gone.md: no such file"]), ("[a](#gone)", ["#gone: no such heading"]),
    ("[a](format.md#gone)", ["format.md#gone: no such heading"]),
    ("[a](#two-words)", []), ("[a](https://example.org/gone)", []), ("`[a](gone.md)`", []),
])
def test_a_planted_broken_link_is_seen(link, problem):
    assert list(broken(ROOT / "docs" / "page.md", f"# Two `words`\n\n{link}\n")) == problem


def test_every_page_is_in_the_site():
    listed = set()
    for index in (ROOT / "docs" / "index.md", ROOT / "docs" / "api" / "index.md",
                  ROOT / "docs" / "decisions" / "index.md"):
        listed.add(index)
        text = index.read_text(encoding="utf-8")
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            for entry in tree.split("\n"):
                if entry and not entry.startswith(":"):
                    listed |= set(index.parent.glob(f"{entry}.md"))
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} == listed


@pytest.mark.xdist_group("tutorial")
def test_the_tutorial(tmp_path):
    """All of it but what takes minutes: bench.slow does the whole."""
    quick = [block for block in blocks() if block.note != "slow"]
    done = list(follow(quick, tmp_path))
    assert [problem for problem in done if problem[1]] == []
    assert len(done) == 7


def test_a_planted_fault_of_the_tutorial_is_seen(tmp_path):
    wrong = Block("", "console", "$ bitwright boards --jsn\n$ python -c 'print(12)'\nthirteen\n"
                                 "$ python -c 'print(12)'\n13\n")
    status, printed, right = follow([wrong], tmp_path)
    assert status[1].startswith("exit status 2: ")
    assert printed[1] == "does not print 'thirteen' but '12\\n'"
    assert right[1] == ""
