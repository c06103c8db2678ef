"""All files of the folder, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitwright import ir
from bitwright.hw.contents import Contents
from bitwright.hw.interface import Interface
from bitwright.hw.ip import (
    bench,
    constraints,
    fusesoc,
    header,
    instance,
    ip_xact,
    litex,
    readme,
    vivado,
)
from bitwright.hw.plan import Plan

__all__ = ["kit"]


def kit(interface: Interface, network: ir.Network,
        samples: Sequence[Sequence[int]], plan: Plan) -> dict[str, str]:
    """Texts of all files but the block's own.

    Parameters
    ----------
    interface : Interface
    network : ir.Network
        Says which results are right.
    samples : sequence of sequence of int
        Features of each sample of the bench; at least one sample.
    plan : Plan
        Of the block.

    Returns
    -------
    dict of str to str
        Text of each file by its name.
    """
    name, timing = interface.naming.module, constraints.constraints(interface)
    result = plan.evaluate(network, np.array(samples, np.int32))
    contents: bytes = Contents(network, plan).image(network) if plan.empty else b""
    written = {f"{name}_contents.hex": "".join(f"{byte:02x}\n" for byte in contents)}
    return {
        **(written if contents else {}),
        "README.md": readme.readme(interface, len(samples), bool(contents)),
        f"{name}_instance.v": instance.verilog(interface),
        f"{name}_instance.vhd": instance.vhdl(interface),
        f"{name}.h": header.header(interface),
        f"{name}_bench.v": bench.bench(interface, len(samples), contents),
        f"{name}_samples.hex": bench.samples(interface, samples),
        f"{name}_results.hex": bench.results(interface, result),
        "Makefile": bench.makefile(interface),
        f"{name}_ooc.xdc": timing,
        f"{name}.sdc": timing,
        "package_ip.tcl": vivado.package_ip(interface),
        "component.xml": ip_xact.component(interface),
        f"{name}.core": fusesoc.core(interface, bool(contents)),
        f"{name}_litex.py": litex.wrapper(interface),
    }
