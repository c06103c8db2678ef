"""One thread: the networks are small, and test processes share the cores."""

import contextlib

with contextlib.suppress(ImportError):
    import torch

    torch.set_num_threads(1)
