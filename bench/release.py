"""Make a release of the commit that is checked out: sdist, wheel, notes, tag; docs/releasing.md.

Nothing is uploaded, and no network is touched.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

from bitwright.command import guarded
from bitwright.errors import UserError
from bitwright.files import write_atomic

__all__ = ["ReleaseError", "check", "main", "notes"]

ROOT = Path(__file__).parents[1]

VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)

INSIDE = ("bitwright/zoo/digits.safetensors", "bitwright/model/recipes/digits.toml")
"""Files of the wheel without which it is of little use."""


class ReleaseError(UserError):
    """Something is in the way of a release. One line, which says what."""


def notes(changelog: str, version: str) -> str:
    """The section of a version in the changelog, without its title.

    Raises
    ------
    ReleaseError
        If there is none with a date and something in it, or something is under Unreleased.
    """
    sections = dict(re.findall(r"^## (.+?)$\n(.*?)(?=^## |\Z)", changelog,
                               re.MULTILINE | re.DOTALL))
    unreleased = sections.get("[Unreleased]", "").strip()
    if unreleased:
        raise ReleaseError(f"CHANGELOG.md: something is under Unreleased; move it into a section "
                           f"'## [{version}] - DATE'")
    title = re.compile(rf"\[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}")
    found = next((text for name, text in sections.items() if title.fullmatch(name)), "").strip()
    if not found:
        raise ReleaseError(f"CHANGELOG.md: must have a section '## [{version}] - DATE' that says "
                           "something")
    return found + "\n"


def check(root: Path, version: str) -> str:
    """See that nothing is in the way of a release.

    Returns
    -------
    str
        Its notes.

    Raises
    ------
    ReleaseError
        If something is.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"VERSION must be three numbers, as in 0.2.0, not {version!r}")
    dirty = _git(root, "status", "--porcelain").splitlines()
    if dirty:
        raise ReleaseError(f"{dirty[0][3:]}: is changed and not committed; a release is made of a "
                           "commit")
    tags = [tag.removeprefix("v") for tag in _git(root, "tag", "--list", "v*").split()]
    last = max((tag for tag in tags if VERSION.fullmatch(tag)), key=_numbers, default="0.0.0")
    if _numbers(version) <= _numbers(last):
        raise ReleaseError(f"VERSION must be above {last}, the last one that has a tag, not "
                           f"{version}")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    written = project["project"]["version"]
    if written != version:
        raise ReleaseError(f"pyproject.toml: version must be {version!r}, not {written!r}")
    return notes((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def package(root: Path, out: Path) -> list[Path]:
    """Build sdist and wheel of the commit that is checked out, and check them.

    Raises
    ------
    ReleaseError
        If they cannot be built, or lack something.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True,
                                 stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        _run("build", "--no-isolation", "--outdir", str(out), folder)
    made = sorted(out.iterdir())
    _run("twine", "check", "--strict", *map(str, made))
    wheel = next(path for path in made if path.suffix == ".whl")
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    for name in INSIDE:
        if name not in names:
            raise ReleaseError(f"{wheel}: must have {name}, and has not")
    return made


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, encoding="utf-8",
                          check=False)
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], encoding="utf-8",
                          errors="replace", capture_output=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no word"]
        raise ReleaseError(f"{module}: {lines[-1]}")


def _release(root: Path, version: str, dry: bool) -> None:
    text = check(root, version)
    out = root / "build" / f"release-{version}"
    made = package(root, out)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    write_atomic(out / "SHA256SUMS", "".join(sums))
    write_atomic(out / "notes.md", text)
    for path in sorted(out.iterdir()):
        print(path.relative_to(root))
    if dry:
        print(f"a dry run: no tag v{version}")
        return
    _git(root, "tag", "--annotate", f"v{version}", "--cleanup=verbatim",
         "--message", f"bitwright {version}\n\n{text}")
    print(f"tag v{version}; docs/releasing.md says what is next")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.release", description=__doc__)
    parser.add_argument("version", metavar="VERSION", help="as in 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="do all but the tag")
    args = parser.parse_args(argv)
    return guarded(lambda: _release(ROOT, args.version, args.dry_run))


if __name__ == "__main__":
    sys.exit(main())
