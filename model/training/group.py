"""The processes of one training, as torchrun starts them: how they meet, and how they end.

They meet where the environment says, in the way of ``torchrun``: ``RANK``, ``WORLD_SIZE``,
``MASTER_ADDR``, ``MASTER_PORT``, ``LOCAL_RANK``. Whatever ends one of them ends all, and one of
them says why, in one line.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import distributed

from bitwright.errors import UserError
from bitwright.model import processes
from bitwright.model.processes import LOST, ProcessError

__all__ = ["check_same", "from_first", "in_turn", "joined", "local"]

_NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def local() -> int:
    """Number of this process among those of its machine: that of its GPU, too."""
    return int(os.environ.get("LOCAL_RANK", "0")) if processes.count() > 1 else 0


@contextmanager
def joined() -> Iterator[None]:
    """Meet the other processes, if the environment names any, and part in the end.

    Only the first process logs more than errors. If something ends the work inside, the process
    that is first to know raises it, and the others exit in silence with status 1. Where the store
    of the group is lost with what ended it, the first of each machine raises it.

    Raises
    ------
    ProcessError
        If the others are not met, or one of them has ended.
    """
    if not set(_NAMES) <= set(os.environ) or os.environ["WORLD_SIZE"] == "1":
        yield
        return
    root = logging.getLogger()
    level, handler = root.level, signal.signal(signal.SIGTERM, _told_to_end)
    slate = None
    try:
        _meet()
        slate = _slate()
        if not processes.is_first():
            root.setLevel(logging.ERROR)
        yield
        distributed.destroy_process_group()
    except (UserError, OSError, KeyboardInterrupt):
        if slate is not None:  # told to end while it ends, it would be gone before it says why
            handler = signal.SIG_IGN
            signal.signal(signal.SIGTERM, handler)
        if not _is_first_to_know(slate):
            raise SystemExit(1) from None
        raise
    finally:
        if slate is not None:
            os.close(slate)
        root.setLevel(level)
        signal.signal(signal.SIGTERM, handler)


def _meet() -> None:
    gpus = torch.cuda.is_available() and distributed.is_nccl_available()
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
    except (RuntimeError, ValueError) as error:
        where = ":".join(os.environ[name] for name in _NAMES[2:])
        raise ProcessError(f"The {os.environ['WORLD_SIZE']} processes of the training do not meet "
                           f"at {where}: start them with torchrun") from error


def _told_to_end(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise ProcessError(LOST)


def _store() -> Any:
    return distributed.distributed_c10d._get_default_store()


def _slate() -> int:
    """A file that the processes of this machine have open: who ends it leaves a byte.

    It has no name any more, so that it is gone with them, and is there as long as one of them is:
    the store may be a part of the process that is lost.
    """
    key = f"bitwright/slate-{distributed.get_rank() - local()}"
    made = None if local() else tempfile.NamedTemporaryFile(prefix="bitwright-", delete=False)
    try:
        if made is not None:
            made.close()
            _store().set(key, made.name)
        # Made if it is not there: a container of its own is a machine of its own.
        slate = os.open(_store().get(key), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        _wait()
    except RuntimeError as error:
        raise ProcessError(LOST) from error
    finally:
        if made is not None:
            with suppress(PermissionError):  # Windows keeps names of files that are open
                Path(made.name).unlink()
    return slate


def _is_first_to_know(slate: int | None) -> bool:
    """Whether no other process has said yet what ended the training."""
    if slate is not None:
        os.write(slate, b"x")
        if os.lseek(slate, 0, os.SEEK_CUR) > 1:  # where the byte was put: behind those of others
            return False
    try:
        return int(_store().add("bitwright/ended", 1)) == 1
    except (RuntimeError, ValueError):
        return True  # the one that would know of other machines is gone


@contextmanager
def in_turn() -> Iterator[None]:
    """Let the first process of every machine do something before the others: a download, say."""
    if processes.count() == 1:
        yield
        return
    if local():
        _wait()
    yield
    if not local():
        _wait()


def _wait() -> None:
    processes.gathered(torch.zeros(1), processes.count())


def from_first(value: Any) -> Any:
    """Give all processes a value of the first one: bytes, numbers, text."""
    if processes.count() == 1:
        return value
    box = [value]
    try:
        distributed.broadcast_object_list(box, src=0)
    except RuntimeError as error:
        raise ProcessError(LOST) from error
    return box[0]


def check_same(state: Mapping[str, Any], chance: torch.Tensor, epoch: int) -> None:
    """Check that every process has the same network, to the bit, and will draw the same.

    Parameters
    ----------
    state : mapping
        Of the network.
    chance : Tensor
        State of a generator.
    epoch : int
        For the message.

    Raises
    ------
    ProcessError
        If one has not.
    """
    if processes.count() == 1:
        return
    digest = hashlib.sha256(chance.cpu().numpy().tobytes())
    for value in state.values():
        if isinstance(value, torch.Tensor):
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    mine = int.from_bytes(digest.digest()[:7], "big")
    found = processes.gathered(torch.tensor([mine]), processes.count()).tolist()
    others = [rank for rank, one in enumerate(found) if one != found[0]]
    if others:
        raise ProcessError(f"Process {others[0]} has another network than process 0 after epoch "
                           f"{epoch}: all machines must have the same processors or GPUs, and the "
                           "same versions of torch")
