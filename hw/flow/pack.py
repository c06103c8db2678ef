"""Last stage: the bitstream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright.hw.families import Family
from bitwright.hw.flow import toolchain
from bitwright.hw.report.results import Packed

__all__ = ["Pack"]


@dataclass(frozen=True)
class Pack:
    """Pack the configuration of a placed design into the file that programs the device.

    Parameters
    ----------
    configuration : Path
        As text.
    family : Family
    packer : Tool
    options : tuple of str
        For it, of the part and of the board.
    """

    name: ClassVar[str] = "pack"
    Result: ClassVar[type[Packed]] = Packed

    configuration: Path
    family: Family
    packer: toolchain.Tool
    options: tuple[str, ...] = ()

    def run(self, folder: Path, logs: Path) -> Packed:
        """See :class:`hw.flow.cache.Stage`."""
        place = self.family.place
        assert place is not None
        copy = folder / self.configuration.name  # the tools must be given relative paths
        copy.write_bytes(self.configuration.read_bytes())
        arguments = [*self.options, *(
            argument.format(configuration=copy.name, bitstream=place.bitstream)
            for argument in place.pack)]
        toolchain.run(self.packer, arguments, folder=folder, log=logs / f"{self.packer.name}.log")
        copy.unlink()
        return Packed((folder / place.bitstream).stat().st_size)
