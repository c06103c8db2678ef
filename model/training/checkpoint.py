"""The checkpoint of a training: everything that the next epoch depends on, in one file."""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from bitwright.errors import UserError
from bitwright.files import write_atomic
from bitwright.model import processes

__all__ = ["Checkpoint", "CheckpointError"]

FORMAT = 2


class CheckpointError(UserError, ValueError):
    """A checkpoint cannot be used. The message names the file and what is wrong with it."""


@dataclass
class Checkpoint:
    """State after a whole number of epochs.

    Parameters
    ----------
    recipe : dict
        As plain values.
    data_digest : str
    threads : int
        Threads of torch. Sums over another number of threads round differently.
    device : str
        Where torch computed. A training may go on on another device.
    epoch : int
        Epochs done.
    network, rule : dict
        State of the network (wiring and thresholds included) and of the learning rule.
    generators : dict
        State of the generator that orders the data (``order``) and of the one for all else
        (``draws``), which lives on the device.
    best : dict
        ``epoch``, the task's metric by name and ``loss`` on the validation split, and ``network``,
        the state then.
    curve : list of dict
        One entry an epoch.
    finished : bool
        Whether no epoch is left to do.
    """

    recipe: dict[str, Any]
    data_digest: str
    threads: int
    device: str
    epoch: int
    network: dict[str, Any]
    rule: dict[str, Any]
    generators: dict[str, torch.Tensor]
    best: dict[str, Any]
    curve: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False

    def save(self, path: Path) -> None:
        """Write the checkpoint, atomically.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        buffer = io.BytesIO()
        content = {item.name: getattr(self, item.name) for item in fields(self)}
        torch.save({"format": FORMAT, **content}, buffer)
        write_atomic(path, buffer.getvalue())

    @property
    def kept_device(self) -> str:
        """Device to go on on: where several processes train, each has a GPU of its own."""
        return self.device.partition(":")[0] if processes.count() > 1 else self.device

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint, its tensors into main memory. No code of the file is run.

        Raises
        ------
        CheckpointError
            If the file is missing, damaged, or of another version.
        """
        return cls.of(cls.read(path), path)

    @staticmethod
    def read(path: Path) -> bytes:
        """Content of a file that may be a checkpoint.

        Raises
        ------
        CheckpointError
            If it is missing, or cannot be read.
        """
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise CheckpointError(f"{path}: no such file; there is nothing to resume") from error
        except OSError as error:
            raise CheckpointError(f"{path}: not a whole checkpoint; add --force to start "
                                  "again") from error

    @classmethod
    def of(cls, content: bytes, path: Path) -> Checkpoint:
        """Make a checkpoint of the content of a file, as :meth:`load` does.

        Raises
        ------
        CheckpointError
            If it is damaged, or of another version.
        """
        try:
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError,
                zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path}: not a whole checkpoint; add --force to start "
                                  "again") from error
        expected = {"format", *(item.name for item in fields(cls))}
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            version = found.get("format") if isinstance(found, dict) else None
            raise CheckpointError(f"{path}: format must be {FORMAT}, not {version!r}")
        if set(found) != expected:
            raise CheckpointError(f"{path}: fields must be {sorted(expected)}, "
                                  f"not {sorted(found)}")
        del found["format"]
        return cls(**found)
