"""What the tools need to know about a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bitwright.errors import UsageError
from bitwright.hw.families import Family, Part, nearest
from bitwright.hw.families.family import Io

__all__ = ["Board", "BoardError", "Lines", "Site", "Source", "VendorBoard"]


class BoardError(UsageError):
    """There is no such board, or it lacks something. One line, which says what to do."""


@dataclass(frozen=True)
class Lines:
    """Pins of a serial line, where a platform has no resource for it.

    Parameters
    ----------
    rx, tx : str
        Pins, as seen from the device: of the package, or ``CONNECTOR_NUMBER:PIN``.
    attributes : tuple of (str, str or int)
        Their attributes, such as the voltage.
    """

    rx: str
    tx: str
    attributes: tuple[tuple[str, str | int], ...] = ()


class Source(Protocol):
    """Where a platform comes from: a frozen dataclass of all that it depends on."""

    @property
    def chosen(self) -> Mapping[str, str]:
        """Pins that a user chose, by what they are for; none where a class is made by others."""

    def platform(self, toolchain: str | None) -> Any:
        """New instance of it, for one build."""


@dataclass(frozen=True)
class Site:
    """Where a design lies: clock and pins, of a device of any maker.

    Parameters
    ----------
    name : str
        What ``--board`` is given.
    title : str
        The board and its part, for people.
    clock_hz : int
        The oscillator.
    baud : int
        Default rate of the serial link for a design that runs at that clock.
    uart : (str, int) or Lines or None
        Platform resource of the serial port, or its pins. None: the board has none.
    source : Source
        Of the platform.
    """

    name: str
    title: str
    clock_hz: int
    baud: int
    uart: tuple[str, int] | Lines | None
    source: Source

    def platform(self, toolchain: str | None = None) -> Any:
        """New instance of the Amaranth platform, for one build.

        Parameters
        ----------
        toolchain : str, optional
            Amaranth's name of the tools that it writes files for. Left out: its own choice.
        """
        platform = self.source.platform(toolchain)
        if isinstance(self.uart, Lines):
            self._check(self.uart, platform)
            platform.add_resources([_resource(self.uart)])
            self._share(self.source.platform(toolchain))
        return platform

    def _share(self, platform: Any) -> None:
        """Refuse lines on a pin of the clock or the reset, which take what is requested."""
        from amaranth.build.res import ResourceError

        assert isinstance(self.uart, Lines)
        platform.add_resources([_resource(self.uart)])
        try:
            for name in (platform.default_clk, platform.default_rst):
                if (name, 0) in platform.resources:
                    platform.request(name, dir="-")
            platform.request(*_NAME, dir="-")
        except ResourceError as error:
            raise BoardError(f"{self.name}: a pin of the serial line is taken: {error}") from error

    def _check(self, lines: Lines, platform: Any) -> None:
        """Refuse a pin of a connector that the platform has not."""
        known = {pin for connector in platform.connectors.values() for pin, _ in connector}
        for pin in (lines.rx, lines.tx):
            if ":" in pin and pin not in known:
                hint = nearest(pin, known) if known else "the platform has no connectors"
                raise BoardError(f"{self.name}: no pin {pin!r}; {hint}")

    @property
    def chosen(self) -> Mapping[str, str]:
        """Pins that the user chose, by what they are for: those may be wrong."""
        lines = self.uart if isinstance(self.uart, Lines) else None
        return {**self.source.chosen,
                **({} if lines is None else {"uart.rx": lines.rx, "uart.tx": lines.tx})}

    @property
    def uart_resource(self) -> tuple[str, int]:
        """Name and number of the serial port, to ask the platform for.

        Raises
        ------
        BoardError
            If the board has none. One line, which says how to name its pins.
        """
        if self.uart is None:
            raise BoardError(f"{self.name}: it has no serial port; name the pins that yours is on, "
                             "as seen from the device, with --uart rx=PIN,tx=PIN, or under [uart] "
                             "in a file of your own board (docs/boards.md)")
        return _NAME if isinstance(self.uart, Lines) else self.uart

    @property
    def flash_resource(self) -> tuple[str, int]:
        """Name and number of the flash that configures the device, to ask the platform for.

        Raises
        ------
        BoardError
            If its platform has none.
        """
        if _FLASH not in self.platform().resources:
            raise BoardError(f"{self.name}: its platform has no flash (a resource spi_flash), "
                             "which --contents flash needs; leave that out, and write the contents "
                             "over the link")
        return _FLASH


@dataclass(frozen=True)
class Board(Site):
    """A board whose part the open tools place and route.

    Parameters
    ----------
    family : Family
        Whose tools place and route.
    part : Part
        With its capacity.
    program : tuple of str or None
        Command that loads a bitstream, ``{bitstream}`` standing for its file. None: none is known.
    estimate : bool
        Whether it is a part alone, for which there is no bitstream: nobody has chosen its pins.
    """

    family: Family
    part: Part
    program: tuple[str, ...] | None
    estimate: bool = False

    @property
    def io(self) -> Io:
        """How a pin says its voltage."""
        return self.family.io


@dataclass(frozen=True)
class VendorBoard(Site):
    """A board of which only its maker's tools make a bitstream: a project for them is written.

    Parameters
    ----------
    device : str
        As the platform says it.
    maker, tool : str
        Of the device, and the program that makes bitstreams for it.
    io : Io
        How a pin says its voltage.
    """

    device: str
    maker: str
    tool: str
    io: Io


_NAME = ("serial", 0)
"""Resource of pins that a platform has none for. No platform of amaranth-boards has one of that
name."""


_FLASH = ("spi_flash_1x", 0)
"""Resource of a flash with a wire each way."""


def _resource(lines: Lines) -> Any:
    from amaranth.build import Attrs, Pins, Resource, Subsignal

    return Resource(*_NAME, Subsignal("rx", Pins(lines.rx, dir="i", assert_width=1)),
                    Subsignal("tx", Pins(lines.tx, dir="o", assert_width=1)),
                    Attrs(**dict(lines.attributes)))
