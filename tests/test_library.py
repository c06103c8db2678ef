"""The chain as functions: the notebook runs, and `import bitwright` costs nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bitwright
from bitwright import library
from bitwright.errors import UserError
from bitwright.extras import MissingError

ROOT = Path(__file__).parents[1]
NOTEBOOK = json.loads((ROOT / "docs" / "library.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_runs(tmp_path, monkeypatch):
    """All but the cells that take minutes: bench.slow runs those."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in CODE:
        if "slow" not in cell["metadata"].get("tags", ()):
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    network, data = names["network"], names["data"]
    assert bitwright.evaluate(network, data)["accuracy"] > 0.8
    assert network.names.classes == ("idle", "running", "worn")
    assert len(names["answers"].classes) == 400
    assert "module network(" in names["text"]
    assert names["report"]["latency"]["ip"]["cycles"] > 0
    loaded = bitwright.load("pump.safetensors")
    assert (loaded.evaluate(data.x_test).scores == network.evaluate(data.x_test).scores).all()


def test_the_notebook_keeps_no_outputs():
    assert [cell["id"] for cell in CODE if cell["outputs"] or cell["execution_count"]] == []


def test_every_function_is_a_name_of_the_package():
    assert bitwright.__all__ == library.__all__
    assert all(getattr(bitwright, name) is getattr(library, name) for name in library.__all__)
    assert set(library.__all__) <= set(dir(bitwright))
    with pytest.raises(AttributeError, match=r"^module 'bitwright' has no attribute 'trian'$"):
        bitwright.trian  # noqa: B018


def test_import_loads_nothing():
    code = ("import sys, bitwright; "
            "print('numpy' in sys.modules, 'bitwright.library' in sys.modules)")
    out = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, encoding="utf-8")
    assert out == "False False\n"


@pytest.mark.parametrize(("module", "call"), [
    ("torch", lambda: bitwright.train("iris")),
    ("amaranth", lambda: bitwright.verilog(bitwright.load("zoo/iris"))),
    ("amaranth", lambda: bitwright.simulate(bitwright.load("zoo/iris"))),
    ("cocotb", lambda: bitwright.simulate(bitwright.load("zoo/iris"))),
    ("matplotlib", lambda: bitwright.build(bitwright.load("zoo/iris"))),
])
def test_a_missing_package_is_named(module, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingError, match=rf"^{module} is not installed; install it with "
                                           r"`pip install 'bitwright\[\w+\]'`$"):
        call()
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_is_none():
    with pytest.raises(UserError, match=r"^unknown key 'epoch'; did you mean 'epochs'\?$"):
        bitwright.train("iris", settings={"epoch": 3})


def test_a_data_set_of_another_kind():
    network = bitwright.load("zoo/iris")
    data = bitwright.load_data("digits")
    with pytest.raises(ValueError, match=r"^the network has 3 classes, data set 'digits' has 10$"):
        bitwright.evaluate(network, data)


def test_a_data_set_that_is_prepared_otherwise(tmp_path):
    network = bitwright.load("zoo/iris")
    other = tmp_path / "iris.csv"
    other.write_text("a,b,c,d,y\n" + "".join(f"{n},{n % 7},{n % 5},{n % 3},{'xyz'[n % 3]}\n"
                                             for n in range(60)), encoding="utf-8")
    with pytest.raises(ValueError, match=r"^data set '.*iris\.csv' makes integers of its values "
                       "otherwise than the network does, as it has changed or is another one; "
                       "`predict` reads any file as the network does, or train again$"):
        bitwright.evaluate(network, bitwright.load_data(other))
