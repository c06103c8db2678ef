"""The networks that are compared are the same."""

import types

import numpy as np
import pytest
import torch

from bench import side_by_side
from bitwright.errors import UserError


def test_gates_are_the_tables_of_the_same_network():
    gates = torch.arange(16)
    layer = types.SimpleNamespace(
        weights=torch.nn.functional.one_hot(gates, 16), in_dim=2, out_dim=16,
        indices=(torch.zeros(16, dtype=torch.int64), torch.ones(16, dtype=torch.int64)))
    last = types.SimpleNamespace(  # passes its inputs on: gate 3 is its first input
        weights=torch.nn.functional.one_hot(torch.full((20,), 3), 16), in_dim=16, out_dim=20,
        indices=(torch.arange(20) % 16, torch.arange(20) % 16))

    network = side_by_side.same_network([layer, last, None])
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    found = network.evaluate(bits, ["lut0"]).taps["lut0"][0]
    for place, (a, b) in enumerate(bits.tolist()):
        for gate in range(16):
            assert found[place, gate] == bool(gate >> (3 - 2 * a - b) & 1)


def test_a_package_that_is_not_there(tmp_path):
    with pytest.raises(UserError) as caught:
        side_by_side.module("torchlogix.layers", tmp_path)
    assert str(caught.value) == (
        f"torchlogix is not in {tmp_path}; get it by `pip install --no-deps --target {tmp_path} "
        "torchlogix`")
