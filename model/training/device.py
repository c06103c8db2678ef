"""Where torch computes: the one place where that is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bitwright.errors import UserError
from bitwright.model import processes
from bitwright.model.network import Network
from bitwright.model.training import group

__all__ = ["DeviceError", "choose", "in_main_memory"]


class DeviceError(UserError, ValueError):
    """There is no such device here."""


def choose(name: str) -> torch.device:
    """Device of a name.

    Parameters
    ----------
    name : str
        ``cpu``, ``cuda`` or ``cuda:N``. Where several processes train, ``cuda`` is a GPU for each.

    Raises
    ------
    DeviceError
        If it is another, or torch does not find it.
    """
    if processes.count() > 1 and name == "cuda":
        name = f"cuda:{group.local()}"
    elif processes.count() > 1 and name != "cpu":
        raise DeviceError(f"Device must be cpu or cuda where several processes train, not {name!r}")
    kind, colon, index = name.partition(":")
    if kind == "cpu" and not colon:
        return torch.device("cpu")
    if kind != "cuda" or (colon and not (index.isascii() and index.isdigit())):
        raise DeviceError(f"Device must be cpu, cuda or cuda:N, not {name!r}")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(index or 0)
    if number >= found:
        raise DeviceError(f"Device {name} is not there: torch {torch.__version__} finds {found} "
                          "CUDA devices")
    torch.backends.cudnn.benchmark = True  # batches of one shape: the fastest convolution is kept
    if processes.count() > 1:
        torch.cuda.set_device(number)  # where NCCL looks
    return torch.device("cuda", number)


@contextmanager
def in_main_memory(network: Network) -> Iterator[None]:
    """Bring a network to where NumPy can read it, and back."""
    device = network.device
    network.cpu()
    try:
        yield
    finally:
        network.to(device)
