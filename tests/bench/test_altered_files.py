"""A short run of bench.altered_files, and that its verdict can be bad."""

import numpy as np
import pytest

from bench.altered_files import altered, main, verdict
from bitwright import ir


def test_altered_files(capsys):
    assert main(["--files", "150", "--seed", "1000000"]) == 0
    assert "| 150 |" in capsys.readouterr().out


@pytest.fixture
def fails(tmp_path):
    """Seeds whose verdict fails."""
    def seeds(count):
        path = tmp_path / "network.safetensors"
        for seed in range(count):
            text, tensors, whole = altered(path, np.random.default_rng(seed))
            try:
                verdict(path, text, tensors, whole=whole)
            except Exception:
                yield seed
    return seeds


@pytest.mark.parametrize(("place", "value"), [
    ("bitwright.ir.fields._typed", lambda name, tensors, dtype: tensors.pop(name)),
    ("bitwright.ir.artifact._check_keys", lambda *values: None),
])
def test_a_check_that_is_left_out_is_seen(fails, monkeypatch, place, value):
    monkeypatch.setattr(place, value)
    assert any(True for _ in fails(400))


def test_a_reader_that_refuses_everything_is_seen(fails, monkeypatch):
    def refuse(path):
        raise ir.ArtifactError(f"{path}: no")

    monkeypatch.setattr(ir, "load", refuse)
    assert any(True for _ in fails(50))
