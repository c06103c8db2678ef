"""A SoC of LiteX with a block in it, whose bus is driven byte by byte over its serial bridge.

A process of its own: `python -m tests.hw.ip.litex_soc FOLDER MODULE CLASS` writes the SoC around
the block of a folder, as Verilog, and the addresses of its registers.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

__all__ = ["HARNESS", "PLAIN", "read", "write"]

HARNESS = """
module harness;
    reg clk = 0;
    always #5 clk = ~clk;
    reg valid = 0;
    reg [7:0] data = 0;
    wire ready, out_valid;
    wire [7:0] out;
    integer script, replies, code, value, idle = 0, cycles = 0;
    soc dut (.sys_clk(clk), .serial_sink_valid(valid), .serial_sink_ready(ready),
             .serial_sink_data(data), .serial_source_valid(out_valid), .serial_source_ready(1'b1),
             .serial_source_data(out));
    initial begin
        script = $fopen("script.txt", "r");
        replies = $fopen("replies.txt", "w");
    end
    always @(posedge clk) begin
        if (!valid || ready) begin
            code = $fscanf(script, "%h", value);
            valid <= code == 1;
            data <= value;
        end
        if (out_valid === 1) $fwrite(replies, "%h\\n", out);
        idle <= valid || out_valid ? 0 : idle + 1;
        cycles <= cycles + 1;
        if (idle == 1000 || cycles == 100000) begin
            $fclose(replies);
            $finish;
        end
    end
endmodule
"""
"""Sends the bytes of script.txt, and writes those that come back to replies.txt."""

PLAIN = "read_verilog soc.v\nproc\npmuxtree\nopt_clean\nwrite_verilog -norename plain.v\n"
"""Script for Yosys that makes assignments of all combinational processes of LiteX. Icarus wakes
those for ever: each writes a default first, and so wakes the others even if nothing changes."""


def write(address: int, words: list[int]) -> bytes:
    """Command of the bridge that writes words of 32 bits from an address on."""
    return bytes([1, len(words)]) + (address // 4).to_bytes(4, "big") + b"".join(
        word.to_bytes(4, "big") for word in words)


def read(address: int, words: int) -> bytes:
    """Command of the bridge that reads them."""
    return bytes([2, words]) + (address // 4).to_bytes(4, "big")


def main() -> None:
    from litex.build.generic_platform import Pins, Subsignal
    from litex.build.io import CRG
    from litex.build.sim import SimPlatform
    from litex.soc.cores import uart
    from litex.soc.integration.soc_core import SoCMini

    folder, module, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    spec = importlib.util.spec_from_file_location("wrapper", folder / f"{module}_litex.py")
    wrapper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(wrapper)
    serial = [Subsignal(f"{side}_{signal}", Pins(width)) for side in ("source", "sink")
              for signal, width in (("valid", 1), ("ready", 1), ("data", 8))]
    platform = SimPlatform("SIM", [("sys_clk", 0, Pins(1)), ("serial", 0, *serial)])
    soc = SoCMini(platform, clk_freq=1_000_000)
    soc.crg = CRG(platform.request("sys_clk"))
    soc.phy = uart.RS232PHYModel(platform.request("serial"))  # bytes in place of bits
    soc.bridge = uart.UARTBone(soc.phy, 1_000_000, address_width=soc.bus.address_width)
    soc.bus.add_master("bridge", master=soc.bridge.wishbone)
    soc.network = getattr(wrapper, name)(platform)
    soc.network.add_csr()
    soc.finalize()
    platform.get_verilog(soc, name="soc").write("soc.v")
    registers = {csr.name: soc.csr_regions["network"].origin + 4 * sum(
        -(-other.size // 32) for other in soc.csr_regions["network"].obj[:index])
        for index, csr in enumerate(soc.csr_regions["network"].obj)}
    sources = [str(source) for source, *_ in platform.sources]
    Path("soc.json").write_text(json.dumps({"registers": registers, "sources": sources}))


if __name__ == "__main__":
    main()
