"""Every network of the zoo is whole, and its own golden vectors hold."""

from pathlib import Path

import pytest

from bitwright import ir

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
def test_figures_of_the_table_are_those_of_the_file(path):
    """zoo/README.md cannot drift from the networks."""
    provenance = ir.load(path).provenance
    row = next(line for line in (ZOO / "README.md").read_text().splitlines()
               if line.startswith(f"| {path.stem} |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == f"`{provenance['recipe']['name']}`"
    assert cells[2] == str(provenance["seed"])
    assert cells[3] == f"{100 * provenance['accuracy']['test_ir']:.2f}"
