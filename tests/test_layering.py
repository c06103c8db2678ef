"""Rooms import only what lies below them, and nothing imports in a circle."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"torch", "amaranth", "cocotb", "sklearn", "matplotlib"}

ROOMS = {
    "bitwright": set(),
    "ir": {"bitwright"},
    "data": {"bitwright", "ir"},
    "hw": {"bitwright", "ir"},  # the contracts: plan, layout, limits
    "hw.rtl": {"bitwright", "ir", "hw"},
    "hw.link": {"bitwright", "ir", "hw", "hw.rtl"},
    "hw.families": {"bitwright"},
    "boards": {"bitwright", "hw", "hw.families"},
    "hw.ip": {"bitwright", "ir", "hw"},
    "hw.report": {"bitwright", "ir", "hw", "hw.families", "boards"},
    "hw.flow": {"bitwright", "ir", "hw", "hw.rtl", "hw.link", "hw.ip", "hw.families",
                "hw.report", "boards"},
    "sim": {"bitwright", "ir", "data", "boards", "hw", "hw.rtl", "hw.link", "hw.families",
            "hw.flow"},
    "native": {"bitwright", "ir"},
    "model": {"bitwright", "ir", "data"},
    "minimise": {"bitwright", "ir", "data"},
    "answers": {"bitwright", "ir", "data", "boards", "hw", "hw.link"},
    "demo": {"bitwright", "ir", "data", "hw", "hw.link", "answers"},
}
"""What the modules of a room may import, beside its own. The longest name that fits is the room."""

COMMANDS = {"answers.emulate", "answers.infer", "answers.predict", "bitwright.cli",
            "bitwright.library", "boards.list", "data.show", "demo.serve", "hw.build",
            "minimise.run", "model.catalogue", "model.evaluate", "model.sweep", "model.train",
            "native.export", "sim.run"}
"""Modules that start something, or are the same as functions. They may import all that the rooms
of their side may, and nothing but the command line and other commands imports them."""

SIDES = {"bitwright": set(ROOMS), "boards": set(ROOMS) - {"model", "sim", "data"},
         "data": {"bitwright", "ir", "data"},
         "hw": set(ROOMS) - {"model", "sim", "data"},
         "model": {"bitwright", "ir", "data", "model", "native"},
         "native": {"bitwright", "ir", "native"},
         "sim": set(ROOMS) - {"model"}, "answers": set(ROOMS) - {"model", "sim"},
         "demo": set(ROOMS) - {"model", "sim"},
         "minimise": set(ROOMS) - {"sim", "answers", "demo"}}

FOREIGN = {
    "bitwright": {"ray"}, "ir": set(), "data": {"sklearn", "PIL"},
    "hw": set(), "hw.rtl": {"amaranth"}, "hw.link": {"amaranth", "serial"}, "hw.ip": set(),
    "hw.families": set(), "boards": {"amaranth", "amaranth_boards"}, "hw.report": {"matplotlib"},
    "hw.flow": {"amaranth", "amaranth_boards"}, "sim": {"cocotb", "cocotb_tools"},
    "model": {"torch", "numba", "optuna", "matplotlib"}, "native": set(),
    "answers": {"serial"}, "demo": set(),
    "minimise": {"pysat", "scipy"},
}
"""Packages of others that only some rooms may use."""

RULED = set().union(*FOREIGN.values()) | FRAMEWORKS


def modules():
    """Every module of the package: dotted name without the namespace, and file."""
    folders = sorted({room.split(".")[0] for room in ROOMS})
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def names(path):
    """Dotted names that a file imports, wherever in the file: modules, or things inside them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(path, known):
    """Modules of the package that a file imports."""
    for name in names(path):
        parts = name.split(".")
        if parts[0] != "bitwright":
            continue
        for size in range(len(parts), 0, -1):
            found = ".".join(parts[1:size]) or "bitwright"
            inside = f"bitwright.{found}"  # a module of the folder of that name
            if found in known or inside in known:
                yield found if found in known else inside
                break


def room(module):
    return max((name for name in ROOMS if module == name or module.startswith(f"{name}.")),
               key=len)


def violations():
    known = dict(modules())
    for module, path in known.items():
        here = room(module)
        allowed = SIDES[module.split(".")[0]] if module in COMMANDS else {here, *ROOMS[here]}
        for other in imported(path, known):
            if room(other) not in allowed:
                yield f"{module} imports {other}"
            if other in COMMANDS and module not in COMMANDS and module != "bitwright.__main__":
                yield f"{module} imports the command {other}"
        foreign = {name.split(".")[0] for name in names(path)} & RULED
        if module not in COMMANDS and not foreign <= FOREIGN[here]:
            yield f"{module} imports {foreign - FOREIGN[here]}"


def circles():
    """Groups of modules that import each other, however far around."""
    known = dict(modules())
    graph = {module: {other for other in imported(path, known) if other != module}
             for module, path in known.items()}
    order, low, stack, found = {}, {}, [], []

    def visit(module):  # Tarjan's strongly connected components
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in graph[module]:
            if other not in order:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], order[other])
        if low[module] == order[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in graph:
        if module not in order:
            visit(module)
    return found


def test_rooms_import_only_what_lies_below():
    assert list(violations()) == []


def test_nothing_imports_in_a_circle():
    assert circles() == []


@pytest.mark.parametrize(("module", "needs"), [
    ("ir", "numpy"), ("boards", "numpy"), ("hw.rtl.ip", "amaranth"), ("data", "numpy"),
    ("model.evaluate", "numpy"), ("hw.build", "numpy"), ("sim.run", "numpy"),
    ("answers.infer", "numpy"), ("answers.emulate", "numpy"), ("answers.predict", "numpy"),
    ("model.train", "numpy"), ("demo.serve", "numpy"), ("data.show", "numpy"),
    ("model.catalogue", "numpy"), ("minimise.run", "numpy"), ("model.sweep", "numpy"),
    ("native.export", "numpy"),
])
def test_loaded_modules(module, needs):
    """What really is loaded, through whatever chain of imports."""
    if importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    code = (f"import bitwright.{module}, sys; "
            "print(*{name.split('.')[0] for name in sys.modules})")
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True,
                                         cwd=ROOT).split())
    own = {"amaranth"} if module == "hw.rtl.ip" else set()
    assert (FRAMEWORKS - own).isdisjoint(loaded)


@pytest.mark.parametrize(("file", "text", "message"), [
    ("ir/bad.py", "import torch\n", "ir.bad imports {'torch'}"),
    ("ir/bad.py", "def f():\n    from torch import nn\n", "ir.bad imports {'torch'}"),
    ("hw/rtl/bad.py", "from bitwright.boards import BOARDS\n", "hw.rtl.bad imports boards"),
    ("hw/rtl/bad.py", "from bitwright import boards\n", "hw.rtl.bad imports boards"),
    ("sim/bad.py", "from bitwright.model.base import Layer\n", "sim.bad imports model.base"),
    ("hw/flow/bad.py", "from bitwright.hw import build\n",
     "hw.flow.bad imports the command hw.build"),
])
def test_a_planted_import_is_seen(tmp_path, monkeypatch, file, text, message):
    for module, path in list(modules()):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
        del module
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / file).write_text(text)
    assert message in list(violations())


def test_a_planted_circle_is_seen(tmp_path, monkeypatch):
    (tmp_path / "ir").mkdir()
    (tmp_path / "ir" / "a.py").write_text("from bitwright.ir.b import B\n")
    (tmp_path / "ir" / "b.py").write_text("def f():\n    from bitwright.ir import a\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert circles() == [["ir.a", "ir.b"]]
