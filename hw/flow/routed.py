"""The netlist after placing and routing, as Verilog."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bitwright.hw.families.routed import Routed
from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain

__all__ = ["verilog"]

_SCRIPT = "read_json routed.json; write_verilog -noattr routed.v"


def verilog(text: str, module: str, routed: Routed) -> str:
    """Turn what nextpnr wrote into Verilog, without changing anything of it.

    Parameters
    ----------
    text : str
        Of the file.
    module : str
        Name for its module.
    routed : Routed
        Of the family.

    Raises
    ------
    RoutedError
        If the text is no such file.
    ToolError
        If Yosys is missing or fails.
    """
    complete = routed.complete(text, module)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "routed.json").write_text(complete, encoding="utf-8")
        toolchain.run(toolchain.find(YOSYS), ["-q", "-p", _SCRIPT], folder=folder, log=None)
        return (folder / "routed.v").read_text(encoding="utf-8")
