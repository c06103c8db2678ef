"""Every network of the zoo is whole, and its own golden vectors hold."""

from pathlib import Path

import pytest

from bitwright import ir
from bitwright.data import load
from bitwright.hw.link.protocol import Identity
from bitwright.hw.plan import Plan

OLD = Path(__file__).parent / "ir" / "format1"
ZOO = Path(__file__).parents[1] / "zoo"
NETWORKS = sorted(ZOO.glob("*.safetensors"))


def test_there_are_networks():
    assert len(NETWORKS) >= 3


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_golden_vectors(path):
    network = ir.load(path)
    assert len(network.golden.features) >= 30
    assert (network.evaluate(network.golden.features).scores == network.golden.scores).all()


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_it_takes_raw_values_and_names_its_classes(path):
    """What is around the nodes is that of the data set, and in one place."""
    network = ir.load(path)
    known = ["setosa", "versicolor", "virginica"] if path.stem == "iris" else list("0123456789")
    assert list(network.names.classes) == known
    assert not {"classes", "feature_map"} & network.provenance.keys()
    if path.stem.startswith("mnist"):  # its files may not be here
        assert network.preparation == ir.Picture(28, 28, False, False, 255)
        return
    pytest.importorskip("sklearn")
    source = load(path.stem)
    assert (network.preparation, network.names) == (source.preparation, source.names)


def test_raw_irises_become_those_that_it_was_trained_on():
    pytest.importorskip("sklearn")
    network, source = ir.load(ZOO / "iris.safetensors"), load("iris")
    raw = source.x_test[:, None] / 10  # back to centimetres
    assert (network.preparation.apply(raw) == source.x_test).all()


def test_a_device_of_an_older_file_is_one_of_today():
    """What a board is, as it tells over the link, hangs on the nodes alone."""
    new, old = (ir.load(folder / "digits.safetensors") for folder in (ZOO, OLD))
    assert new.preparation is not None
    assert old.preparation is None
    assert ir.digest(new) != ir.digest(old)
    assert Identity.of(new, Plan()) == Identity.of(old, Plan())


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_figures_of_the_table_are_those_of_the_file(path):
    """zoo/README.md cannot drift from the networks."""
    provenance = ir.load(path).provenance
    row = next(line for line in (ZOO / "README.md").read_text().splitlines()
               if line.startswith(f"| {path.stem} |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == f"`{provenance['recipe']['name']}`"
    assert cells[2] == str(provenance["seed"])
    assert cells[3] == f"{100 * provenance['accuracy']['test_ir']:.2f}"
