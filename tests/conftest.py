"""Settings shared by every test."""

from hypothesis import settings

# The same examples in every run: a failure in continuous integration fails on a desk too.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
