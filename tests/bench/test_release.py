"""What is in the way of a release is said before anything is made."""

import re
import subprocess

import pytest

from bench import release
from bench.release import ReleaseError, check, notes

CHANGELOG = """# Changelog

Words before.

## [Unreleased]

## [0.2.0] - 2026-11-30

### Added

- A thing.

## [0.1.0] - 2026-11-20

- The first.
"""


def git(folder, *arguments):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder,
                   check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "a")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "a@b")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (tmp_path / ".gitignore").write_text("build\n", encoding="utf-8")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    git(tmp_path, "tag", "v0.1.0")
    return tmp_path


def refused(message, work):
    with pytest.raises(ReleaseError, match=f"^{re.escape(message)}$"):
        work()


def test_notes():
    assert notes(CHANGELOG, "0.2.0") == "### Added\n\n- A thing.\n"
    assert notes(CHANGELOG, "0.1.0") == "- The first.\n"
    wanted = "CHANGELOG.md: must have a section '## [0.3.0] - DATE' that says something"
    refused(wanted, lambda: notes(CHANGELOG, "0.3.0"))
    refused(wanted, lambda: notes(CHANGELOG + "\n## [0.3.0] - 2026-12-01\n\n", "0.3.0"))
    refused(wanted, lambda: notes(CHANGELOG + "\n## [0.3.0]\n\n- A thing\n", "0.3.0"))
    more = CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n")
    refused("CHANGELOG.md: something is under Unreleased; move it into a section "
            "'## [0.2.0] - DATE'", lambda: notes(more, "0.2.0"))


def test_what_is_in_the_way(checkout):
    assert check(checkout, "0.2.0") == "### Added\n\n- A thing.\n"
    refused("VERSION must be three numbers, as in 0.2.0, not 'v0.2.0'",
            lambda: check(checkout, "v0.2.0"))
    refused("VERSION must be above 0.1.0, the last one that has a tag, not 0.1.0",
            lambda: check(checkout, "0.1.0"))
    refused("pyproject.toml: version must be '0.10.0', not '0.2.0'",
            lambda: check(checkout, "0.10.0"))
    (checkout / "new.txt").write_text("", encoding="utf-8")
    refused("new.txt: is changed and not committed; a release is made of a commit",
            lambda: check(checkout, "0.2.0"))


@pytest.mark.parametrize("arguments", [["--dry-run"], []])
def test_a_release(checkout, monkeypatch, capsys, arguments):
    """Everything but the build itself, which takes a minute: the dry run of docs/releasing.md."""
    def package(root, out):
        out.mkdir(parents=True)
        (out / "b-0.2.0.whl").write_bytes(b"wheel")
        return [out / "b-0.2.0.whl"]

    monkeypatch.setattr(release, "ROOT", checkout)
    monkeypatch.setattr(release, "package", package)
    assert release.main(["0.2.0", *arguments]) == 0
    folder = checkout / "build" / "release-0.2.0"
    assert (folder / "notes.md").read_text(encoding="utf-8") == "### Added\n\n- A thing.\n"
    assert (folder / "SHA256SUMS").read_text(encoding="utf-8").endswith("  b-0.2.0.whl\n")
    tags = subprocess.check_output(["git", "tag", "-n9"], cwd=checkout, encoding="utf-8")
    assert ("### Added" in tags and "v0.2.0" in tags) is not bool(arguments)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "a dry run: no tag v0.2.0" if arguments else
        "tag v0.2.0; docs/releasing.md says what is next")
