"""Folders of blocks to try."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitwright import ir
from bitwright.hw.flow.lint import waivers
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.interface import Interface
from bitwright.hw.ip.kit import kit
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from tests.hw.pixels.pictures import sure
from tests.hw.tiny import tiny
from tests.networks import network

__all__ = ["CASES", "Block", "described", "written"]


def neurons() -> ir.Network:
    """Weights to keep in memory."""
    rng = np.random.default_rng(3)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(rng.integers(1, 4, (1, 9, 1)).astype(np.int32), 2),
                 ("input",)),
        ir.Entry("xnor0", ir.Xnor(rng.integers(2, size=(8, 9)).astype(bool),
                                  rng.integers(3, 7, (8, 1)).astype(np.int32)), ("modulate",)),
        ir.Entry("head", ir.GroupSum(8, 2), ("xnor0",))))


CASES = {
    "one_beat": (network(7), Plan(lanes=4), "rst"),
    "beats": (network(7, frames=2, signed=True), Plan(lanes=2, result_beat_bytes=3), "aresetn"),
    "loaded": (neurons(), Plan(nodes={"xnor0": {"way": "folded", "cycles": 12, "writable": True}}),
               "rst"),
    "written": (tiny(), Plan(nodes={"lut0": {"way": "folded", "cycles": 16, "writable": True,
                                             "large": True}}), "rst"),
    "video": (sure(), Plan(lanes=4, input="video", early_exit=True,
                           nodes={"conv": {"way": "streamed"}}), "aresetn"),
}
"""Network, plan and reset of each block, which has the name of its case. The second one has spare
lanes, several beats a result, and a last one of which not all bytes count; of the third one
contents can be written, of the fourth one they must be; the last one takes video, and answers as
soon as it can."""


@dataclass(frozen=True)
class Block:
    """A block, and the folder that it was written to.

    Parameters
    ----------
    network : ir.Network
    interface : Interface
    component : AxiIp
    files : dict of str to str
        Texts of the kit.
    """

    network: ir.Network
    interface: Interface
    component: AxiIp
    files: dict[str, str]

    @property
    def name(self) -> str:
        return self.interface.naming.module


def described(case: str) -> Block:
    """A block without its Verilog, which takes a second."""
    subject, plan, reset = CASES[case]
    component = AxiIp(subject, plan)
    interface = component.interface(Naming(case, reset))
    return Block(subject, interface, component,
                 kit(interface, subject, ir.draw(subject, 12, 1).tolist(), plan))


def written(case: str, folder: Path) -> Block:
    """A block with all of its files in a folder."""
    block = described(case)
    text = to_verilog(block.component, block.interface.naming, interface=block.interface)
    more = {block.interface.file: text, f"{block.name}.vlt": waivers(block.interface)}
    for name, content in {**block.files, **more}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return block
