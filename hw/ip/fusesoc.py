"""The core file of FuseSoC, in its language CAPI2."""

from __future__ import annotations

from bitwright.hw.interface import Interface
from bitwright.hw.ip.library import DESCRIPTION, LIBRARY, VENDOR, VERSION
from bitwright.hw.ip.text import fill

__all__ = ["core"]

_TEXT = """\
CAPI=2:
# fusesoc --cores-root . run --target=lint @vendor@:@library@:@name@
# fusesoc --cores-root . run --target=sim @vendor@:@library@:@name@
# fusesoc --cores-root . run --target=sim_verilator @vendor@:@library@:@name@
name: "@vendor@:@library@:@name@:@version@"
description: @description@

filesets:
  rtl:
    files:
      - @name@.v
    file_type: verilogSource-2001
  waivers:
    files:
      - @name@.vlt
    file_type: vlt
  bench:
    files:
      - @name@_bench.v: {file_type: verilogSource-2001}
      - @name@_samples.hex: {file_type: user, copyto: @name@_samples.hex}
      - @name@_results.hex: {file_type: user, copyto: @name@_results.hex}
@contents@
parameters:
  seed:
    {datatype: int, paramtype: plusarg, default: 1, description: which stalls are drawn}
  stall:
    {datatype: int, paramtype: plusarg, default: 77, description: stalled cycles of 256}

targets:
  default: &default
    filesets: [rtl]
    toplevel: @name@

  lint:
    <<: *default
    description: Verilator's warnings, but those that @name@.vlt has a reason for
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
    filesets: [waivers, rtl]

  sim: &sim
    description: Self-checking bench in Icarus Verilog
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2005]
      vvp_options: [-N]  # a FAIL is an error
    filesets: [rtl, bench]
    toplevel: @name@_bench
    parameters: [seed, stall]

  sim_verilator:
    <<: *sim
    description: Self-checking bench in Verilator
    flow_options:
      tool: verilator
      mode: binary
      verilator_options: [--timing, -CFLAGS -std=c++20, -Wno-fatal]
"""


_CONTENTS = """\
      - @name@_contents.hex: {file_type: user, copyto: @name@_contents.hex}
"""


def core(interface: Interface, contents: bool = False) -> str:
    """The file ``NAME.core``.

    Parameters
    ----------
    interface : Interface
    contents : bool
        Whether the bench writes contents first.
    """
    name = interface.naming.module
    return fill(_TEXT, name=name, vendor=VENDOR, library=LIBRARY, version=VERSION,
                description=DESCRIPTION, contents=fill(_CONTENTS, name=name) if contents else "")
