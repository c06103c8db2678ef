"""A fault to plant."""

from typing import NamedTuple

__all__ = ["Fault"]


class Fault(NamedTuple):
    """One line of the source, what it is made into, and the tests that must fail with it."""

    file: str
    old: str
    new: str
    tests: str
