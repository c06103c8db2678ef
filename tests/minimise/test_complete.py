"""Completion of tables, against every subset of inputs."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitwright.minimise.complete import complete


def table(function, inputs):
    return [function >> address & 1 for address in range(1 << inputs)]


def function(values):
    return sum(value << address for address, value in enumerate(values))


def needed(values):
    """Inputs that a table does not ignore."""
    inputs = len(values).bit_length() - 1
    return [i for i in range(inputs)
            if any(values[a] != values[a ^ 1 << i] for a in range(len(values)))]


def suffices(fixed, kept):
    """Whether the fixed places are a function of some inputs."""
    seen = {}
    return all(seen.setdefault(tuple(address >> i & 1 for i in kept), value) == value
               for address, value in fixed.items())


def fewest(fixed, inputs):
    return next(count for count in range(inputs + 1)
                if any(suffices(fixed, kept) for kept in combinations(range(inputs), count)))


@given(st.integers(1, 5), st.data())
@settings(max_examples=60)
def test_agrees_where_fixed_and_needs_the_fewest_inputs(inputs, data):
    size = (1 << (1 << inputs)) - 1
    care = data.draw(st.integers(0, size)) & data.draw(st.integers(0, size))
    values = data.draw(st.integers(0, size))
    found = table(complete(values & care, ~values & care, inputs, [1] * inputs), inputs)
    fixed = {a: values >> a & 1 for a in range(1 << inputs) if care >> a & 1}
    assert all(found[address] == value for address, value in fixed.items())
    assert len(needed(found)) == fewest(fixed, inputs)


@given(st.integers(1, 6), st.data())
@settings(max_examples=40)
def test_what_is_all_fixed_stays(inputs, data):
    size = (1 << (1 << inputs)) - 1
    values = data.draw(st.integers(0, size))
    assert complete(values, ~values & size, inputs, [1] * inputs) == values


@pytest.mark.parametrize(("worth", "kept"), [([3, 1], [0]), ([1, 3], [1])])
def test_of_equal_inputs_the_worthier_stays(worth, kept):
    """Only addresses 0 and 3 are fixed: either input will do."""
    assert needed(table(complete(0b1000, 0b0001, 2, worth), 2)) == kept


@pytest.mark.parametrize("gate", [
    lambda a, rest: a & rest, lambda a, rest: a | rest, lambda a, rest: (1 - a) & rest,
    lambda a, rest: (1 - a) | rest, lambda a, rest: a ^ rest])
def test_falls_into_a_gate_and_a_smaller_table(gate):
    """A gate of input 2 and a table of the others, one place of which is free: 1 where that table
    is 1 and the others free make it another gate, which a mere copy of 0s would break."""
    rest = [0, 1, 1, 0, 1, 0, 1, 1]
    values = [gate(a >> 2 & 1, rest[a & 3 | a >> 1 & 4]) for a in range(16)]
    free = 5
    on = function(value if a != free else 0 for a, value in enumerate(values))
    off = function(1 - value if a != free else 0 for a, value in enumerate(values))
    found = table(complete(on, off, 4, [1] * 4), 4)
    halves = [[found[a] for a in range(16) if a >> i & 1 == v] for i in range(4) for v in (0, 1)]
    assert any(len(set(half)) == 1 for half in halves) or any(
        halves[2 * i] == [1 - v for v in halves[2 * i + 1]] for i in range(4))
