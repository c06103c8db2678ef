// Drives an AXI4-Stream design packet by packet and watches both of its sides every cycle.
//
// The beats, the stalls and the protocol checks of one packet run here, at the speed of the
// simulator; a cocotb bench (sim/stream.py) hands over whole packets, starts resets and takes the
// results. Python works once a packet instead of once a cycle, which is some ten times faster.
//
// The design has the ports of hw.rtl.axi.AxiIp; macros name its module (MODULE, or else top), say whether it
// has the clock and the reset of AXI (ARESETN), takes video (VIDEO) and tells which bytes of results count (KEEP). Of what
// Python writes, a `_new` or `_go` takes effect when it changes; of what it reads, a count tells that
// something is new.
`default_nettype none
`timescale 1ns / 1ns
`ifndef MODULE
`define MODULE top
`endif

module harness #(
    parameter IN_WIDTH = 8,   // bits of s_axis_tdata
    parameter OUT_WIDTH = 8,  // bits of m_axis_tdata
    parameter BEATS = 1,      // beats of a well-formed packet
    parameter LINE = 1,       // of video: beats from one tlast to the next
    parameter PICTURE = 1,    // and from one tuser to the next
    parameter OUT_BEATS = 1,  // beats of a result
    parameter OUT_LAST = OUT_WIDTH / 8,  // bytes that count in the last of them
    parameter IMAGE = 0,      // bytes of contents that the design does not bring along
    parameter TAPS = 1,       // nodes that a tapped design shows
    parameter TAP_WIDTH = 1   // bits of all their outputs
);
    // Set by Python.
    reg [BEATS*IN_WIDTH-1:0] slot /*verilator public_flat_rw*/ = 0;  // the packet to send next
    reg [31:0] slot_beats /*verilator public_flat_rw*/ = 0;  // beats to send of it, tlast on the last
    reg slot_new /*verilator public_flat_rw*/ = 0;
    reg [15:0] stall_in /*verilator public_flat_rw*/ = 0;    // of 65536: no new beat in a cycle
    reg [15:0] stall_out /*verilator public_flat_rw*/ = 0;   // of 65536: not ready in a cycle
    reg [31:0] seed /*verilator public_flat_rw*/ = 1;
    reg [31:0] idle_limit /*verilator public_flat_rw*/ = 1;  // cycles without a transfer
    reg [31:0] reset_after /*verilator public_flat_rw*/ = 0; // cycles until a reset
    reg reset_go /*verilator public_flat_rw*/ = 0;
    reg start /*verilator public_flat_rw*/ = 0;

    // Read by Python.
    reg [31:0] taken /*verilator public_flat_rw*/ = 0;       // slots taken over
    reg [31:0] resets /*verilator public_flat_rw*/ = 0;      // resets finished
    reg stuck /*verilator public_flat_rw*/ = 0;
    reg [63:0] cycles /*verilator public_flat_rw*/ = 0;
    reg [31:0] sample_errors /*verilator public_flat_rw*/ = 0;
    // A whole result, in one register, so that the count never changes without the word: count, tlast
    // of its last beat, word.
    reg [OUT_BEATS*OUT_WIDTH+32:0] result /*verilator public_flat_rw*/ = 0;
    // Sticky: 0 valid fell, 1 payload changed, 2 last changed, 3 control undefined,
    // 4 valid or sample_error in the first cycle after a reset, 5 a last beat too early,
    // 6 keep is not what it must be.
    reg [6:0] violations /*verilator public_flat_rw*/ = 0;

    reg clk = 0;
    always #1 clk = ~clk;

    reg rst = 1;
    wire s_ready, m_valid, m_last, sample_error;
    wire [OUT_WIDTH-1:0] m_data;
    wire [OUT_WIDTH/8-1:0] full_keep = {OUT_WIDTH/8{1'b1}};
    wire [OUT_WIDTH/8-1:0] last_keep = full_keep >> OUT_WIDTH/8 - OUT_LAST;
`ifdef KEEP
    wire [OUT_WIDTH/8-1:0] m_keep;
`else
    wire [OUT_WIDTH/8-1:0] m_keep = full_keep;
`endif

    // 32-bit xorshift: the same stalls in every simulator.
    reg [31:0] noise = 1;
    function automatic [31:0] next_noise(input [31:0] value);
        reg [31:0] x;
        begin
            x = value ^ (value << 13);
            x = x ^ (x >> 17);
            next_noise = x ^ (x << 5);
        end
    endfunction

    // Source. A beat once offered stays until it is taken; without an offer the bus carries junk.
    reg [BEATS*IN_WIDTH-1:0] packet = 0;
    reg [31:0] place = 0, left = 0;  // of the beat that is next or on the bus
    reg offered = 0, slot_seen = 0;
    reg [31:0] left_now, place_now;
    reg load;
    reg [31:0] index;
    wire fire_in = offered && s_ready;
    wire [IN_WIDTH-1:0] beat = packet[place*IN_WIDTH +: IN_WIDTH];
    wire [IN_WIDTH-1:0] s_data = offered ? beat : ~beat;
`ifdef VIDEO
    wire s_last = offered ? place % LINE == LINE - 1 : noise[7];
    wire s_user = offered ? place % PICTURE == 0 : noise[8];
`else
    wire s_last = offered ? left == 1 : noise[7];
`endif

    // Contents, written once, before anything is sent. They survive resets.
    reg [7:0] image [0:IMAGE];
    reg [8*1024-1:0] image_path;
    initial if ($value$plusargs("image=%s", image_path)) $readmemh(image_path, image);
    reg [31:0] image_at = 0;
    wire [7:0] image_byte = image[image_at];
    wire loading = start && !rst && image_at != IMAGE;
    always @(posedge clk) if (loading) image_at <= image_at + 1;

    // Sink.
    reg m_ready = 0;
    wire fire_out = m_valid && m_ready && !rst;
    reg [OUT_BEATS*OUT_WIDTH-1:0] gathered = 0;  // beats of a result, so far
    reg [31:0] out_place = 0;                    // of the beat that is next
    wire out_last = out_place == OUT_BEATS - 1;
    reg [OUT_BEATS*OUT_WIDTH-1:0] word;

`ifdef TAPS
    // One line a cycle in which a node hands on: resets so far, which nodes, all outputs.
    wire [TAPS-1:0] tap_fire;
    wire [TAP_WIDTH-1:0] tap_payload;
    reg [8*1024-1:0] tap_path;
    integer tap_file = 0;
    initial if ($value$plusargs("taps=%s", tap_path)) tap_file = $fopen(tap_path, "w");
    always @(posedge clk)
        if (tap_file != 0 && !rst && tap_fire != 0)
            $fwrite(tap_file, "%0d %h %h\n", resets, tap_fire, tap_payload);
`endif

    `MODULE dut (
`ifdef ARESETN
        .aclk(clk), .aresetn(!rst),
`else
        .clk(clk), .rst(rst),
`endif
        .s_axis_tdata(s_data), .s_axis_tvalid(offered), .s_axis_tready(s_ready),
        .s_axis_tlast(s_last),
`ifdef VIDEO
        .s_axis_tuser(s_user),
`endif
        .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready),
        .m_axis_tlast(m_last),
`ifdef KEEP
        .m_axis_tkeep(m_keep),
`endif
`ifdef TAPS
        .tap_fire(tap_fire), .tap_payload(tap_payload),
`endif
`ifdef LOAD  // of a design whose contents can be written
        .s_load_axis_tdata(image_byte), .s_load_axis_tvalid(loading),
        .s_load_axis_tlast(image_at == IMAGE - 1), .s_load_axis_tready(),
`endif
        .sample_error(sample_error)
    );

    reg [31:0] idle = 0, countdown = 0, width = 0;
    reg counting = 0, reset_seen = 0, started = 0, fresh = 0;
    reg was_waiting = 0, was_last = 0;
    reg [OUT_WIDTH-1:0] was_data = 0;

    always @(posedge clk) begin
        noise <= start && !started ? seed : next_noise(noise);
        started <= start;
        if (start) cycles <= cycles + 1;

        // Reset: on request, after a number of cycles, for one to four cycles.
        if (!start) begin
            rst <= 1;
        end else if (rst) begin
            width <= width - 1;
            if (width == 0) begin
                rst <= 0;
                resets <= resets + 1;
            end
        end else if (counting) begin
            countdown <= countdown - 1;
            if (countdown == 0) begin
                rst <= 1;
                counting <= 0;
                width <= {30'b0, noise[9:8]};
            end
        end else if (reset_go != reset_seen) begin
            reset_seen <= reset_go;
            counting <= 1;
            countdown <= reset_after;
        end

        // Source.
        if (rst) begin
            offered <= 0;
            left <= 0;
            slot_seen <= slot_new;
        end else begin
            left_now = fire_in ? left - 1 : left;
            place_now = !fire_in ? place : place == BEATS - 1 ? 0 : place + 1;
            load = left_now == 0 && slot_new != slot_seen && image_at == IMAGE;
            if (load) begin
                packet <= slot;
                slot_seen <= slot_new;
                taken <= taken + 1;
                left_now = slot_beats;
                place_now = 0;
            end
            left <= left_now;
            place <= place_now;
            offered <= (offered && !fire_in) || (left_now != 0 && noise[15:0] >= stall_in);
        end

        // Sink.
        m_ready <= !rst && noise[31:16] >= stall_out;
        if (fire_out) begin
            word = gathered;
            word[out_place*OUT_WIDTH +: OUT_WIDTH] = m_data;
            gathered <= word;
            out_place <= out_last ? 0 : out_place + 1;
            if (out_last)
                result <= {result[OUT_BEATS*OUT_WIDTH+1 +: 32] + 32'd1, m_last, word};
        end
        if (rst) out_place <= 0;
        if (sample_error && !rst) sample_errors <= sample_errors + 1;

        // Protocol.
        fresh <= rst;
        was_waiting <= m_valid && !m_ready && !rst;
        was_data <= m_data;
        was_last <= m_last;
        if (!rst) begin
            if (was_waiting && !m_valid) violations[0] <= 1;
            if (was_waiting && m_data !== was_data) violations[1] <= 1;
            if (was_waiting && m_last !== was_last) violations[2] <= 1;
`ifndef VERILATOR  // it has no undefined values; there, registers start at random
            if ((^{s_ready, m_valid, sample_error}) === 1'bx) violations[3] <= 1;
`endif
            if (fresh && (m_valid || sample_error)) violations[4] <= 1;
            if (fire_out && m_last && !out_last) violations[5] <= 1;
            if (m_valid && m_keep !== (out_last ? last_keep : full_keep)) violations[6] <= 1;
        end
        if (rst || fire_in || fire_out || loading) idle <= 0;
        else idle <= idle + 1;
        if (idle == idle_limit) stuck <= !stuck;
    end

`ifdef WAVES
    reg [8*1024-1:0] waves;
    initial if ($value$plusargs("waves=%s", waves)) begin
        $dumpfile(waves);
        $dumpvars(0, harness);
    end
`endif
endmodule
