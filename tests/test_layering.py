"""`ir` imports no framework; `model` and `hw` never import each other."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"torch", "amaranth", "cocotb", "sklearn", "matplotlib"}
ALLOWED = {
    "ir": {"ir"},
    "boards": {"boards", "amaranth", "amaranth_boards", "hw"},
    "model": {"model", "ir", "torch", "sklearn"},
    "hw": {"hw", "ir", "boards", "amaranth", "amaranth_boards", "matplotlib"},
    "sim": {"sim", "ir", "hw", "boards", "model", "cocotb", "cocotb_tools"},
}
RULED = {"ir", "model", "hw", "sim", "boards", "torch", "amaranth", "amaranth_boards", "cocotb",
         "cocotb_tools", "sklearn", "matplotlib"}


def imported(path):
    """Dotted names that a file imports, wherever in the file."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*base, *([node.module] if node.module else [])])


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_imports_stay_in_their_layer(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        roots = {name.split(".")[0] for name in imported(path)}
        assert roots & RULED <= ALLOWED[folder], path


@pytest.mark.parametrize("path", sorted((ROOT / "sim").rglob("*.py")), ids=lambda path: path.name)
def test_simulation_sees_only_the_data_of_the_model(path):
    names = {name for name in imported(path) if name.split(".")[0] == "model"}
    assert all(name.startswith("model.data") for name in names)


@pytest.mark.parametrize("path", sorted((ROOT / "model" / "data").rglob("*.py")),
                         ids=lambda path: path.name)
def test_data_sets_need_no_torch(path):
    assert "torch" not in {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize(("module", "needs"), [
    ("ir", "numpy"), ("boards", "numpy"), ("hw.ip", "amaranth"), ("model.data", "numpy"),
    ("model.evaluate", "numpy"),
])
def test_loaded_modules(module, needs):
    """What really is loaded, through whatever chain of imports."""
    if importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True,
                                         cwd=ROOT).split())
    own = {"amaranth"} if module == "hw.ip" else set()
    assert (FRAMEWORKS - own).isdisjoint(loaded)


def test_the_check_can_fail(tmp_path, monkeypatch):
    """A planted import is seen, relative or absolute, at the top or inside a function."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "ir").mkdir()
    path = tmp_path / "ir" / "bad.py"
    for text in ("import torch\n", "def f():\n    from torch import nn\n", "import torch.nn\n"):
        path.write_text(text)
        assert "torch" in {name.split(".")[0] for name in imported(path)}
