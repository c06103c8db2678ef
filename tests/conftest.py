"""Settings and fixtures shared by every test."""

import os
import signal

import pytest
from hypothesis import settings

# Kernels for a GPU run in Triton's interpreter, which must be known before anything imports it.
os.environ.setdefault("TRITON_INTERPRET", "1")  # 0 where there is a GPU to compile for

# The same examples in every run: a failure in continuous integration fails on a desk too.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture
def interruptible():
    """Take interrupts, children too, even where a shell started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
