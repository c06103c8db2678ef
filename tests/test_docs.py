"""Documents: links lead somewhere, commands parse, every page is in the site; the tutorial."""

import argparse
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from bench.tutorial import Block, blocks, follow
from bitwright.cli import COMMANDS

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


COMMAND = re.compile(r"^(?:bitwright|(?:\.venv/bin/)?python3? -m) +[a-z]")
MODULES = re.compile(r"bench\.\w+|" + "|".join(
    re.escape(module) for module, _ in COMMANDS.values()))
PLACEHOLDER = re.compile(r"\[?[A-Z]+\]?|\.\.\.\]?|.*[|\]\[].*")
"""Of an argument: it stands for another, NAME, [NETWORK] or rtl|netlist."""
ADDED = {"python -m hw.build zoo/iris --target trion"}
"""Of what a page shows how to add; tests/test_extending.py runs them."""


def commands(text):
    """Command lines of ours on a page: behind a prompt, in an indented block, between backticks."""
    blocks = re.findall(r"^(?:\$ | {4})(.*(?:(?<=\\)\n.*)*)", text, re.MULTILINE)
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text,
                                            flags=re.MULTILINE | re.DOTALL))
    for line in [*blocks, *spans]:
        for part in line.replace("\\\n", " ").split("&&"):
            if COMMAND.match(part.strip()):
                yield " ".join(shlex.split(part, comments=True))


class ParsedError(Exception):
    """Arguments went through a parser: nothing else is to be done."""


def options(parser):
    """Of a parser, and of those of its commands."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options(inner)


def refused(command, monkeypatch, capsys):
    """What the parser of a command says against its arguments; nothing if it takes them."""
    words = command.split(" ")
    if words[0] == "bitwright":
        if words[1] not in COMMANDS:
            return f"no command {words[1]}"
        module, words = f"bitwright.{COMMANDS[words[1]][0]}", words[2:]
    else:
        module, words = words[2], words[3:]
        if not MODULES.fullmatch(module):
            return ""  # a program of others
        module = module if module.startswith("bench.") else f"bitwright.{module}"
    # A name without arguments may stand for the command, and a placeholder for any argument.
    form = not words or any(map(PLACEHOLDER.fullmatch, words))

    def only(take):
        def parse(parser, args=None, namespace=None):
            if not form:
                take(parser, args, namespace)
            for flag in (word.strip("[]").partition("=")[0] for word in words if form):
                if flag.startswith("-") and flag not in options(parser):
                    parser.error(f"no option {flag}")
            raise ParsedError
        return parse

    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [module, *words])
        for name in ("parse_args", "parse_intermixed_args"):
            patch.setattr(argparse.ArgumentParser, name, only(getattr(argparse.ArgumentParser,
                                                                      name)))
        try:
            importlib.import_module(module).main(*[words] if module.startswith("bitwright") else [])
        except ParsedError:
            return ""
        except (SystemExit, ImportError) as error:
            return f"{error}: {capsys.readouterr().err}"
    return "parses no arguments"


# What a decision ran stands as it was run.
@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "decisions"],
                         ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands(page, monkeypatch, capsys):
    text = page.read_text(encoding="utf-8")
    problems = {command: refused(command, monkeypatch, capsys)
                for command in set(commands(text)) - ADDED}
    assert {command: problem for command, problem in problems.items() if problem} == {}


@pytest.mark.parametrize(("text", "problem"), [
    ("$ bitwright sim zoo/iris --level rtl --vectors 20  # why\n", None),
    ("$ bitwright sim zoo/iris --vektors 20\n", "unrecognized arguments: --vektors 20"),
    ("    bitwright sim zoo/iris --level rlt\n", "argument --level: invalid choice: 'rlt'"),
    ("`python -m sim.run NAME\n--vektors N`", "no option --vektors"),
    ("`python -m bench.own_data accurracy`", "argument WHAT: invalid choice: 'accurracy'"),
    ("$ cd /tmp && bitwright simulate iris\n", "no command simulate"),
    ("$ bitwright sim zoo/iris \\\n    --vektors 20\n", "unrecognized arguments: --vektors 20"),
    ("`python -m bench.gone`", "No module named 'bench.gone'"),
])
def test_a_planted_fault_of_a_command_is_seen(text, problem, monkeypatch, capsys):
    command, = commands(text)
    found = refused(command, monkeypatch, capsys)
    assert found == "" if problem is None else problem in found


def placeholders(text):
    """What was to be filled in, and was not: two at signs in a row, as in a mark for a figure."""
    return [line for line in text.splitlines() if "@@" in line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_nothing_is_left_to_fill_in(page):
    assert placeholders(page.read_text(encoding="utf-8")) == []


def test_a_planted_placeholder_is_seen():
    assert placeholders("| LUTs | @@sensor@@ |\nme@example.org\n") == ["| LUTs | @@sensor@@ |"]


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
