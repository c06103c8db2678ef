"""First stage: the network as Verilog, to be taken into any design."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bitwright import ir
from bitwright.hw.contents import as_built
from bitwright.hw.flow.parts import IP
from bitwright.hw.flow.toolchain import Tool
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.plan import FOLDED, Plan
from bitwright.hw.report.figures import network_size
from bitwright.hw.report.results import Cycles, Generated
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.layers import foldable

__all__ = ["Generate"]


@dataclass(frozen=True)
class Generate:
    """Write ``top.v``, the network behind its ports, and ``plan.toml``.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    simplify : bool
        Whether it is simplified first.
    yosys : Tool
    amaranth : str
        Its version.
    """

    name: ClassVar[str] = "verilog"
    Result: ClassVar[type[Generated]] = Generated

    network: ir.Network
    plan: Plan
    simplify: bool
    yosys: Tool
    amaranth: str

    def run(self, folder: Path, logs: Path) -> Generated:
        """See :class:`hw.flow.cache.Stage`."""
        network = as_built(self.network, self.plan, simplify=self.simplify)
        component = AxiIp(network, self.plan)
        text = to_verilog(component, IP, yosys=self.yosys, log=logs / "verilog.log")
        (folder / f"{IP}.v").write_text(text, encoding="utf-8")
        (folder / "plan.toml").write_text(self.plan.to_toml(), encoding="utf-8")
        ip = component.ip
        return Generated(
            before=network_size(self.network), after=network_size(network),
            cycles=Cycles(encoder=ip.encoder.latency, core=ip.core.latency, head=ip.head.latency,
                          ip=ip.latency, core_interval=network.frames * ip.frame_interval,
                          ip_interval=ip.interval),
            foldable=any(foldable(entry.node)
                         and self.plan.way(entry.name) != FOLDED
                         for entry in self.network.entries))
