import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwright import ir
from bitwright.ir.bits import pack_rows, unpack_rows


def test_convention():
    """Column 0 is the least significant bit."""
    vector = np.array([[True, False, False, True]])
    assert ir.pack(vector) == [0b1001]
    assert pack_rows(vector).tolist() == [[0b1001]]
    assert ir.slice_bits(np.array([[False], [True]])).tolist() == [[0b10]]


@given(st.integers(0, 200), st.integers(1, 70), st.integers(0, 2**32))
def test_round_trips(batch, width, seed):
    vectors = np.random.default_rng(seed).integers(2, size=(batch, width)).astype(bool)
    assert (ir.unpack(ir.pack(vectors), width) == vectors).all()
    assert (ir.unslice(ir.slice_bits(vectors), batch) == vectors).all()
    assert (unpack_rows(pack_rows(vectors), width) == vectors).all()


def test_padding_must_be_zero():
    with pytest.raises(ValueError, match=r"^Padding bits of packed rows of 3 bits must be 0$"):
        unpack_rows(np.array([[0b1000]], np.uint8), 3)


def test_packed_shape():
    with pytest.raises(ValueError, match=re.escape(
            "Packed rows of 9 bits must have 2 bytes, not shape (1, 1)") + "$"):
        unpack_rows(np.zeros((1, 1), np.uint8), 9)
