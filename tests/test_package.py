"""The package as it is installed: one name, everything inside, and a checkout that goes first."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bitwright.cli import COMMANDS
from bitwright.extras import EXTRAS, PACKAGES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = PROJECT["tool"]["setuptools"]["package-dir"]


def run(*command, cwd, path=None):
    """What a Python command prints. ``path`` is where a wheel was installed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run([sys.executable, *command], cwd=cwd, env=environment, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing in it but the wheel, as pip installs it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for file in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                               check=True).stdout.split():
        if (ROOT / file).is_file() and not file.startswith(("docs/", "tests/")):
            (source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, source / file)
    pip = ("-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder),
        str(source), cwd=folder)
    (wheel,) = folder.glob("*.whl")
    run(*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel), cwd=folder)
    return folder / "site"


def test_every_folder_with_code_is_listed():
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    found = {"bitwright"}
    for name, folder in ROOMS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".v", ".c", ".json", ".safetensors", ".html"):
                inside = path.parent.relative_to(ROOT / folder).parts
                found.add(".".join([name, *inside]))
    assert listed == found


def test_nothing_but_one_name_is_installed(installed):
    names = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert names == {"bitwright", "bin"}


def test_every_file_of_the_checkout_is_in_the_wheel(installed):
    for name, folder in ROOMS.items():
        target = installed / name.replace(".", "/")
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".v", ".c", ".json", ".safetensors", ".html"):
                assert (target / path.relative_to(ROOT / folder)).is_file(), path


def test_an_installed_package_works_anywhere(installed, tmp_path):
    where = run("-c", "import bitwright.ir; print(bitwright.ir.__file__)", cwd=tmp_path,
                path=installed)
    assert Path(where.strip()) == installed / "bitwright" / "ir" / "__init__.py"
    listed = run("-c", "from bitwright.model.recipe import recipe_names; print(recipe_names())",
                 cwd=tmp_path, path=installed)
    assert "digits" in listed
    run("-m", "bitwright", "build", "zoo/iris", "--stop-after", "verilog", "--out", "built",
        cwd=tmp_path, path=installed)
    assert "module iris(" in (tmp_path / "built" / "ip" / "iris.v").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(installed, tmp_path, command):
    text = run("-m", "bitwright", command, "--help", cwd=tmp_path, path=installed)
    assert text.startswith(f"usage: bitwright {command} ")
    assert "python -m" not in text


def test_in_a_checkout_its_own_code_runs(installed, tmp_path):
    """Whatever is installed: an edit is seen at once, in every room."""
    for folder in {*ROOMS.values()}:
        shutil.copytree(ROOT / folder, tmp_path / folder,
                        ignore=shutil.ignore_patterns("__pycache__"))
    edited = tmp_path / "hw" / "build.py"
    edited.write_text(edited.read_text().replace("load the bitstream into the board",
                                                 "this text is edited"))
    assert "this text is edited" in run("-m", "hw.build", "--help", cwd=tmp_path, path=installed)
    (tmp_path / "ir" / "bits.py").write_text("raise SystemExit('this file is edited')\n")
    done = subprocess.run([sys.executable, "-m", "hw.build", "zoo/iris"], cwd=tmp_path, text=True,
                          env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True,
                          check=False)
    assert done.stderr.strip() == "this file is edited"


def test_runs_lie_in_the_working_folder(installed, tmp_path):
    before = {path for path in installed.rglob("*") if "__pycache__" not in path.parts}
    run("-m", "bitwright", "train", "iris", "--set", "epochs=1", cwd=tmp_path, path=installed)
    assert (tmp_path / "runs" / "iris" / "network.safetensors").is_file()
    assert {path for path in installed.rglob("*") if "__pycache__" not in path.parts} == before


def test_every_extra_that_is_named_brings_the_package():
    extras = PROJECT["project"]["optional-dependencies"]
    for module, extra in EXTRAS.items():
        if module == "find_libpython":  # comes with cocotb
            continue
        wanted = PACKAGES.get(module, module)
        assert any(re.split(r"[<>=\[]", line)[0] == wanted for line in extras[extra]), module


def test_unknown_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "bitwright", "biuld"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 2
    assert "bitwright: error: no command 'biuld'; did you mean 'build'?" in done.stderr
