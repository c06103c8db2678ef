"""Paths for programs that take no others: no space, nothing but ASCII."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from bitwright.sim.simulator import SimulatorError

__all__ = ["PlainFolder"]

_PLAIN = re.compile(r"[\w./+:\\-]+", re.ASCII)


class PlainFolder:
    """A folder to work in whose path make takes, and links from there to what has another path.

    It is the folder itself, or else a temporary one that begins with its files; what was made there
    is moved into the folder in the end, also if the work failed.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    SimulatorError
        If the path of the temporary folder is not plain either.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.path = self._folder

    def __enter__(self) -> PlainFolder:
        if not _plain(self._folder):
            if not _plain(Path(tempfile.gettempdir())):
                raise SimulatorError(
                    f"verilator: make works neither in {self._folder} nor in "
                    f"{tempfile.gettempdir()}; name a folder without spaces, of ASCII letters, in "
                    "the environment variable TMPDIR")
            self.path = Path(tempfile.mkdtemp(prefix="bitwright-"))
            shutil.copytree(self._folder, self.path, dirs_exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        links = self.path / ".links"
        shutil.rmtree(links, ignore_errors=True)
        if self.path != self._folder:
            shutil.copytree(self.path, self._folder, dirs_exist_ok=True)
            shutil.rmtree(self.path, ignore_errors=True)

    def near(self, path: Path | str) -> str:
        """A plain path of a file or folder."""
        path = Path(path)
        if _plain(path):
            return str(path)
        links = self.path / ".links"
        links.mkdir(exist_ok=True)
        link = next((one for one in links.iterdir() if one.readlink() == path), None)
        if link is None:
            suffix = path.suffix if _plain(path.suffix) else ""
            link = links / f"{len(list(links.iterdir()))}{suffix}"
            link.symlink_to(path)
        return str(link)


def _plain(path: Path | str) -> bool:
    return _PLAIN.fullmatch(str(path)) is not None
