"""A bench in plain Verilog that checks itself, its vectors, and a makefile that runs it."""

from __future__ import annotations

from collections.abc import Sequence

from bitwright import ir
from bitwright.hw.interface import Interface, Port
from bitwright.hw.ip.text import fill

__all__ = ["bench", "makefile", "results", "samples"]

_BENCH = """\
// Checks @name@: sends @vectors@ samples, with stalls on both sides, and compares every result.
//
// The samples and the results that the frozen network has for them are in @name@_samples.hex and
// @name@_results.hex, a beat a line. The last line that is printed begins with PASS or FAIL; a FAIL
// also ends the simulation with $stop, which `vvp -N` and Verilator turn into an exit status.
//
//   +seed=N     which stalls are drawn (1)
//   +stall=N    stalled cycles of 256, on each side, at most 240 (77)
//   +vectors=N  do no more than the first N (@vectors@)
`timescale 1ns / 1ps
`default_nettype none

module @name@_bench;
    localparam VECTORS = @vectors@;
    localparam BEATS = @beats@;          // of a sample
    localparam LINE = @line@;           // beats from one tlast to the next
    localparam PICTURE = @picture@;        // of a picture, which begins with tuser if there is one
    localparam WIDTH = @width@;          // of such a beat
    localparam RESULT_BEATS = @result_beats@;
    localparam RESULT_WIDTH = @result_width@;
    localparam LAST_BYTES = @last_bytes@;     // of the last beat of a result that belong to it
    localparam PATIENCE = @patience@;      // cycles without a transfer
    localparam AFTER = @after@;         // cycles in which nothing more may come

    reg [WIDTH-1:0] samples [0:VECTORS*BEATS-1];
    reg [RESULT_WIDTH-1:0] results [0:VECTORS*RESULT_BEATS-1];
    integer seed, stall, vectors;
    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("stall=%d", stall)) stall = 77;
        if (!$value$plusargs("vectors=%d", vectors)) vectors = VECTORS;
        $readmemh("@name@_samples.hex", samples);
        $readmemh("@name@_results.hex", results);
    end

    reg clk = 0;
    always #5 clk = ~clk;

    reg started = 0, running = 0, done = 0;
    integer cycles = 0, idle = 0;
    wire resetting = !running;

    // 32-bit xorshift: the same stalls in every simulator.
    reg [31:0] noise = 1;
    function [31:0] next_noise(input [31:0] value);
        reg [31:0] x;
        begin
            x = value ^ (value << 13);
            x = x ^ (x >> 17);
            next_noise = x ^ (x << 5);
        end
    endfunction

@written@\
    // Samples. A beat once offered stays until it is taken; without an offer the bus carries junk.
    reg s_valid = 0;
    integer sent = 0, position = 0;      // beats: of all, and of this sample
    wire s_ready;
    wire s_taken = s_valid && s_ready;
    wire [WIDTH-1:0] s_data = samples[sent] ^ {WIDTH{!s_valid}};
    wire s_last = s_valid ? position % LINE == LINE - 1 : noise[16];
    wire s_user = s_valid ? position % PICTURE == 0 : noise[17];

    // Results.
    reg m_ready = 0;
    integer received = 0, place = 0;     // beats: of all, and of this result
    wire m_valid, m_last, sample_error;
    wire [RESULT_WIDTH-1:0] m_data;
    wire [RESULT_WIDTH/8-1:0] m_keep@keep_default@;
    wire m_end = place == RESULT_BEATS - 1;
    wire [RESULT_WIDTH/8-1:0] wanted_keep =
        {RESULT_WIDTH/8{1'b1}} >> (m_end ? RESULT_WIDTH/8 - LAST_BYTES : 0);
    wire [RESULT_WIDTH-1:0] wanted =
        results[received] & ({RESULT_WIDTH{1'b1}} >> (m_end ? RESULT_WIDTH - 8*LAST_BYTES : 0));
    wire [RESULT_WIDTH-1:0] found =
        m_data & ({RESULT_WIDTH{1'b1}} >> (m_end ? RESULT_WIDTH - 8*LAST_BYTES : 0));
    reg was_waiting = 0, was_last = 0;
    reg [RESULT_WIDTH-1:0] was_data = 0;
    reg [RESULT_WIDTH/8-1:0] was_keep = 0;

    @name@ dut (
@links@
    );

    task fail(input [8*32-1:0] what);
        begin
            if (!done) begin
                $display("FAIL: %0s, at result beat %0d of %0d: %h, not %h (seed %0d, stall %0d)",
                         what, received, vectors * RESULT_BEATS, found, wanted, seed, stall);
                $stop;
            end
            done = 1;
        end
    endtask

    always @(posedge clk) if (!done) begin
        started <= 1;
        cycles <= cycles + 1;
        noise <= started ? next_noise(noise) : seed == 0 ? 32'd1 : seed;
        running <= cycles >= 8;

        if (s_taken) begin
            sent <= sent + 1;
            position <= position == BEATS - 1 ? 0 : position + 1;
        end
        if (!s_valid || s_ready)
            s_valid <= @running@ && noise[7:0] >= stall
                       && (s_taken ? sent + 1 : sent) < vectors * BEATS;
        m_ready <= running && noise[15:8] >= stall;

        was_waiting <= running && m_valid && !m_ready;
        was_data <= m_data;
        was_last <= m_last;
        was_keep <= m_keep;
        idle <= running && !s_taken && !(m_valid && m_ready) ? idle + 1 : 0;

        if (vectors < 1 || vectors > VECTORS) fail("no such number of vectors");
        if (stall < 0 || stall > 240) fail("no such number of stalls");
        if (running) begin
            if ((^{s_ready, m_valid, sample_error}) === 1'bx) fail("undefined control");
            if (sample_error) fail("sample refused");
            if (was_waiting && !m_valid) fail("valid fell");
            if (was_waiting && (m_data !== was_data || m_last !== was_last || m_keep !== was_keep))
                fail("result changed while it waited");
            if (m_valid && m_ready) begin
                if (received == vectors * RESULT_BEATS) fail("one result too many");
                if (found !== wanted) fail("wrong result");
                if (m_last !== m_end) fail("wrong tlast");
                if (m_keep !== wanted_keep) fail("wrong tkeep");
                received <= received + 1;
                place <= m_end ? 0 : place + 1;
            end
            if (received == vectors * RESULT_BEATS && idle == AFTER) begin
                $display("PASS: %0d samples, %0d cycles, seed %0d, stall %0d",
                         vectors, cycles, seed, stall);
                done = 1;
                $finish;
            end
            if (idle == PATIENCE) fail("stuck");
        end
    end
endmodule
"""

_WRITTEN = """\
    // Contents, which the block does not bring along: written before the first sample.
    localparam CONTENTS = @contents@;
    reg [7:0] contents [0:CONTENTS-1];
    integer written = 0;
    wire writing = running && written != CONTENTS;
    initial $readmemh("@name@_contents.hex", contents);
    always @(posedge clk) if (writing) written <= written + 1;

"""

_MAKEFILE = """\
# make icarus       the bench in Icarus Verilog
# make verilator    the same in Verilator
# make lint         Verilator's warnings, but those that @name@.vlt has a reason for
# make icarus ARGS='+seed=2 +stall=0'
ARGS :=
IVERILOG := iverilog
VVP := vvp
VERILATOR := verilator

.PHONY: icarus verilator lint clean

icarus: @name@_bench.vvp
\t@$(VVP) -N $< $(ARGS) > icarus.log; status=$$?; cat icarus.log; \\
\t    test $$status = 0 && grep -q '^PASS' icarus.log

@name@_bench.vvp: @name@.v @name@_bench.v
\t$(IVERILOG) -g2005 -s @name@_bench -o $@ $^

verilator: obj_dir/V@name@_bench
\t@./$< $(ARGS) > verilator.log; status=$$?; cat verilator.log; \\
\t    test $$status = 0 && grep -q '^PASS' verilator.log

obj_dir/V@name@_bench: @name@.v @name@_bench.v
\t$(VERILATOR) --binary --timing -CFLAGS -std=c++20 -Wno-fatal -Wno-lint -Wno-style \\
\t    --top-module @name@_bench $^

lint:
\t$(VERILATOR) --lint-only -Wall @name@.vlt @name@.v

clean:
\trm -rf @name@_bench.vvp obj_dir icarus.log verilator.log
"""


def bench(interface: Interface, vectors: int, contents: bytes = b"") -> str:
    """The module ``NAME_bench``.

    Parameters
    ----------
    interface : Interface
    vectors : int
        Samples in the file, at least 1.
    contents : bytes
        An image that is written first, for a block that does not bring its contents along.
    """
    assert vectors > 0, "a bench without vectors would find no fault"
    layout = interface.layout
    driven = {interface.naming.clock: "clk",
              interface.naming.reset: "!resetting" if interface.naming.active_low else "resetting",
              "s_axis_tdata": "s_data", "s_axis_tvalid": "s_valid", "s_axis_tready": "s_ready",
              "s_axis_tlast": "s_last", "s_axis_tuser": "s_user", "m_axis_tdata": "m_data",
              "m_axis_tvalid": "m_valid", "m_axis_tready": "m_ready", "m_axis_tlast": "m_last",
              "m_axis_tkeep": "m_keep", "sample_error": "sample_error"}
    written, running = "", "running"
    if contents:
        written = fill(_WRITTEN, name=interface.naming.module, contents=len(contents))
        running = "running && !writing"
        driven |= {"s_load_axis_tdata": "contents[written]", "s_load_axis_tvalid": "writing",
                   "s_load_axis_tlast": "written == CONTENTS - 1"}
    # Nothing else is written into a network that can be: it computes what it was built with.
    links = ",\n".join(
        f"        .{port.name}({driven.get(port.name, _unused(port))})"
        for port in interface.ports)
    return fill(
        _BENCH, name=interface.naming.module, vectors=vectors, beats=layout.beats,
        line=interface.last_beats, picture=interface.picture_beats,
        width=8 * layout.beat_bytes, result_beats=layout.result_beats,
        result_width=8 * layout.result_beat_bytes, last_bytes=layout.last_beat_bytes,
        patience=10_000 + 4 * (interface.latency + interface.interval) + len(contents),
        after=100 + 2 * (interface.latency + interface.interval), links=links,
        written=written, running=running,
        keep_default="" if layout.result_keep else " = wanted_keep")


def _unused(port: Port) -> str:
    return f"{port.width}'b0" if port.direction == "input" else ""


def makefile(interface: Interface) -> str:
    """How to run it without Python."""
    return fill(_MAKEFILE, name=interface.naming.module)


def samples(interface: Interface, features: Sequence[Sequence[int]]) -> str:
    """Beats of all samples, a line each, as $readmemh reads them.

    Raises
    ------
    ValueError
        If a sample is not one of the network.
    """
    digits = 2 * interface.layout.beat_bytes
    return "".join(f"{beat:0{digits}x}\n" for sample in features
                   for beat in interface.layout.pack_features(sample))


def results(interface: Interface, result: ir.Result | ir.Exits) -> str:
    """Beats of the results of those samples, a line each. Bytes behind the last are 0."""
    layout = interface.layout
    size = layout.result_beat_bytes
    lines = []
    for decision, scores in zip(result.decision.tolist(), result.scores.tolist(), strict=True):
        word = layout.pack_result(decision, scores).ljust(size * layout.result_beats, b"\0")
        lines += [word[start : start + size][::-1].hex() + "\n"
                  for start in range(0, len(word), size)]
    return "".join(lines)
