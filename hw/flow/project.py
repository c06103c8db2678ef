"""The same design as a project for the programs of a device's maker."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bitwright import ir
from bitwright.boards import Board, BoardError, Site, VendorBoard
from bitwright.files import write_atomic
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.environment import not_elaborated, without_overrides
from bitwright.hw.flow.generate import Generate
from bitwright.hw.flow.parts import BOARD
from bitwright.hw.flow.wrap import BoardTop, delivered, told
from bitwright.hw.interface import FOLDER
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan

__all__ = ["Project", "lut_size"]

logger = logging.getLogger(__name__)

_TOOLS = {"ice40": ("LSE-iCECube2", "iCEcube2"), "ecp5": ("Diamond", "Diamond"),
          "nexus": ("Radiant", "Radiant"), "gowin": ("Gowin", "Gowin EDA")}
"""By family: what Amaranth calls the maker's program, and what its maker does."""

_OTHER = {"Gowin EDA": "Gowin", "Radiant": "Radiant"}
"""What Amaranth calls a program that it does not take by itself."""

_VARIABLES = {"LSE-iCECube2": "AMARANTH_ENV_ICECUBE2"}

_SIX = ("Vivado", "ISE", "Quartus")
"""Programs for devices with LUTs of six inputs."""

README = """\
# {title} on {board}

{network}, as it was frozen, behind a serial line of {baud:,} baud, at {mhz:g} MHz: a project for
{tool}, made by bitwright with Amaranth's build plans. One command makes the bitstream, in this
folder, where {tool} is installed:

    sh {script}.sh

(on Windows `{script}.bat`). {variable}
`{ip}.v` is the network, `{top}.v` the board's design around it; clock and pins are in the
constraint file beside them. Then, with the board's serial port at PORT:

    bitwright infer NETWORK --port PORT --build .

Nothing here was run by {tool}: timing is what it reports.
"""


def lut_size(site: Site) -> int:
    """Inputs of a LUT of a board's device, as a plan has them."""
    return 6 if isinstance(site, VendorBoard) and site.tool in _SIX else 4


@dataclass(frozen=True)
class Project:
    """A network on a board, for its maker's programs.

    Parameters
    ----------
    title : str
        Of the network.
    network : ir.Network
        As it was frozen.
    plan : Plan
    simplify : bool
        Whether it is simplified first.
    site : Board or VendorBoard
    baud : int
        Rate of the serial line.
    naming : Naming
        Of the network's block.
    """

    title: str
    network: ir.Network
    plan: Plan
    simplify: bool
    site: Board | VendorBoard
    baud: int
    naming: Naming

    def write(self, folder: Path) -> str:
        """Write it, and return the command that runs it.

        Raises
        ------
        BoardError
            If the board has no clock or serial port, or its maker no programs of his own.
        ToolError
            If there is no Yosys, which writes the Verilog.
        OSError
            If a file cannot be written.
        """
        site = self.site
        if not site.clock_hz:
            raise BoardError(f"{site.name}: its platform has no clock of a known frequency; name "
                             "one in a Platform class of your own (docs/boards.md)")
        toolchain_name, tool = self._tool()
        yosys = toolchain.find(YOSYS)
        files = self._block(yosys)
        with not_elaborated():
            made, script, about = self._plan(files[self._text], toolchain_name, yosys)
        for name, content in {**files, **made}.items():
            write_atomic(folder / name, content)
        write_atomic(folder / "board.json", json.dumps(about, indent=2) + "\n")
        variable = _VARIABLES.get(toolchain_name or "",
                                  f"AMARANTH_ENV_{(toolchain_name or tool).upper()}")
        write_atomic(folder / "README.md", README.format(
            title=self.title, board=site.name, network=self.title, baud=self.baud,
            mhz=site.clock_hz / 1e6, tool=tool, script=script, ip=self.naming.module, top=BOARD,
            variable=f"If it needs an environment, name the script that sets it in {variable}."))
        return f"sh {script}.sh"

    def _tool(self) -> tuple[str | None, str]:
        """What Amaranth and what people call the program."""
        if isinstance(self.site, VendorBoard):
            return _OTHER.get(self.site.tool), self.site.tool
        family = self.site.family
        if family.name not in _TOOLS:
            raise BoardError(f"{self.site.name}: {family.title} has no other programs than those "
                             "that a build runs; leave --project out")
        return _TOOLS[family.name]

    @property
    def _text(self) -> str:
        """Name of the block's file."""
        return f"{self.naming.module}.v"

    def _block(self, yosys: toolchain.Tool) -> dict[str, str]:
        """The network's Verilog and the plan, by names of files."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            Generate(self.network, self.plan, self.simplify, self.naming, yosys,
                     importlib.metadata.version("amaranth")).run(folder, folder)
            return {path.name: path.read_text(encoding="utf-8")
                    for path in (folder / FOLDER / self._text, folder / "plan.toml")}

    def _plan(self, text: str, toolchain_name: str | None, yosys: toolchain.Tool
              ) -> tuple[dict[str, str | bytes], str, dict[str, object]]:
        """Files of Amaranth's build plan, the name of its script, and what a host must know."""
        serial = delivered(self.network, self.plan, simplify=self.simplify,
                           clock_hz=self.site.clock_hz, baud=self.baud, naming=self.naming)
        try:
            platform = self.site.platform(toolchain_name)
        except ValueError as error:  # a part whose name it does not know
            raise BoardError(f"{self.site.name}: Amaranth cannot build for it: {error}") from error
        platform.add_file(self._text, text)
        with without_overrides(), _as_yosys(yosys):
            plan = platform.prepare(BoardTop(serial, self.site), BOARD, emit_src=False)
        return dict(plan.files), plan.script, {
            "format": 1, "board": self.site.name, "clock_hz": self.site.clock_hz,
            "baud": self.baud,
            **told(self.network, self.plan, self.simplify, serial.identity),
            "block": {self._text: hashlib.sha256(text.encode()).hexdigest()}}


@contextlib.contextmanager
def _as_yosys(tool: toolchain.Tool) -> Iterator[None]:
    """Have Amaranth, which looks for Yosys by itself, find ours."""
    before = os.environ.get(YOSYS.variable)
    os.environ[YOSYS.variable] = tool.command[0]
    try:
        yield
    finally:
        if before is None:
            del os.environ[YOSYS.variable]
        else:
            os.environ[YOSYS.variable] = before
