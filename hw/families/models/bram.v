// A block RAM of two ports, which those of several families are made of: see gowin_bram.v and
// nexus_bram.v, which say after what each was written.
//
// The memory is 2048 bytes of BYTE bits. An address counts bits of a memory with bytes of eight; a
// port ignores those of its lowest bits that count within its width. Ports of 1, 2 and 4 bits
// cannot reach a ninth bit of a byte. What may be undefined in a device is not modelled as such: of
// two ports that write one bit at once the one at hand last wins, and a port that reads what the
// other writes at that moment sees the old bit.
`default_nettype none

module bram #(
    parameter BYTE = 9,
    parameter [2048*BYTE-1:0] CONTENTS = 0,      // the first byte lowest
    parameter WIDTH_A = BYTE, WIDTH_B = BYTE,    // 1, 2, 4 or BYTE, 2 * BYTE, 4 * BYTE
    parameter MODE_A = 0, MODE_B = 0,            // shown of a write: 0 nothing, 1 new, 2 old
    parameter REGISTER_A = 0, REGISTER_B = 0,    // whether there is an output register
    parameter ASYNCHRONOUS_A = 0, ASYNCHRONOUS_B = 0,  // whether resets are
    parameter GATED = 0                          // whether those with the clock need the enable
) (
    input clk_a, input enable_a, input write_a, input reset_a, input advance_a,
    input [13:0] address_a, input [3:0] bytes_a, input [4*BYTE-1:0] data_a,
    output [4*BYTE-1:0] value_a,
    input clk_b, input enable_b, input write_b, input reset_b, input advance_b,
    input [13:0] address_b, input [3:0] bytes_b, input [4*BYTE-1:0] data_b,
    output [4*BYTE-1:0] value_b
);
    reg [BYTE-1:0] memory [0:2047];
    integer place;
    initial for (place = 0; place < 2048; place = place + 1)
        memory[place] = CONTENTS[BYTE*place +: BYTE];

    // Of each port: its first byte, the bit in that, and its contents before and after a write.
    wire [10:0] byte_a, byte_b;
    wire [2:0] bit_a, bit_b;
    wire [3:0] change_a, change_b;
    wire [4*BYTE-1:0] new_a, new_b;
    wire [4*BYTE-1:0] old_a = {memory[byte_a + 11'd3], memory[byte_a + 11'd2],
                               memory[byte_a + 11'd1], memory[byte_a]};
    wire [4*BYTE-1:0] old_b = {memory[byte_b + 11'd3], memory[byte_b + 11'd2],
                               memory[byte_b + 11'd1], memory[byte_b]};

    bram_place #(BYTE, WIDTH_A) place_a(address_a, enable_a & write_a, bytes_a, old_a, data_a,
                                        byte_a, bit_a, change_a, new_a);
    bram_place #(BYTE, WIDTH_B) place_b(address_b, enable_b & write_b, bytes_b, old_b, data_b,
                                        byte_b, bit_b, change_b, new_b);

    generate
        if (WIDTH_A < BYTE) begin : narrow_a
            always @(posedge clk_a)
                if (change_a[0]) memory[byte_a][bit_a +: WIDTH_A] <= data_a[WIDTH_A-1:0];
        end else begin : wide_a
            always @(posedge clk_a) begin
                if (change_a[0]) memory[byte_a] <= new_a[BYTE-1:0];
                if (change_a[1]) memory[byte_a + 11'd1] <= new_a[BYTE +: BYTE];
                if (change_a[2]) memory[byte_a + 11'd2] <= new_a[2*BYTE +: BYTE];
                if (change_a[3]) memory[byte_a + 11'd3] <= new_a[3*BYTE +: BYTE];
            end
        end
        if (WIDTH_B < BYTE) begin : narrow_b
            always @(posedge clk_b)
                if (change_b[0]) memory[byte_b][bit_b +: WIDTH_B] <= data_b[WIDTH_B-1:0];
        end else begin : wide_b
            always @(posedge clk_b) begin
                if (change_b[0]) memory[byte_b] <= new_b[BYTE-1:0];
                if (change_b[1]) memory[byte_b + 11'd1] <= new_b[BYTE +: BYTE];
                if (change_b[2]) memory[byte_b + 11'd2] <= new_b[2*BYTE +: BYTE];
                if (change_b[3]) memory[byte_b + 11'd3] <= new_b[3*BYTE +: BYTE];
            end
        end
    endgenerate

    bram_output #(BYTE, WIDTH_A, MODE_A, REGISTER_A, ASYNCHRONOUS_A, GATED) output_a(
        clk_a, reset_a, enable_a, advance_a, write_a, old_a, new_a, bit_a, value_a);
    bram_output #(BYTE, WIDTH_B, MODE_B, REGISTER_B, ASYNCHRONOUS_B, GATED) output_b(
        clk_b, reset_b, enable_b, advance_b, write_b, old_b, new_b, bit_b, value_b);
endmodule

// Where a port's address points, which bytes a write changes, and what lies there afterwards.
module bram_place #(parameter BYTE = 9, parameter WIDTH = 9) (
    input [13:0] address, input write, input [3:0] bytes, input [4*BYTE-1:0] old,
    input [4*BYTE-1:0] data, output [10:0] first, output [2:0] place, output [3:0] change,
    output [4*BYTE-1:0] fresh
);
    assign first = WIDTH == 4 * BYTE ? {address[13:5], 2'b0} :
                   WIDTH == 2 * BYTE ? {address[13:4], 1'b0} : address[13:3];
    assign place = WIDTH == 4 ? {address[2], 2'b0} : WIDTH == 2 ? {address[2:1], 1'b0} :
                   WIDTH == 1 ? address[2:0] : 3'b0;
    assign change = {4{write}} & (WIDTH == 4 * BYTE ? bytes :
                                  WIDTH == 2 * BYTE ? {2'b0, bytes[1:0]} : 4'b0001);

    wire [4*BYTE-1:0] ones = {4*BYTE{1'b1}};
    wire [4*BYTE-1:0] mask = WIDTH < BYTE ? (change[0] ? ones >> (4*BYTE - WIDTH) << place : 0) :
                             {{BYTE{change[3]}}, {BYTE{change[2]}}, {BYTE{change[1]}},
                              {BYTE{change[0]}}};
    assign fresh = (old & ~mask) | (data << place & mask);

    generate
        if (WIDTH != 1 && WIDTH != 2 && WIDTH != 4 && WIDTH != BYTE && WIDTH != 2 * BYTE
            && WIDTH != 4 * BYTE)
            block_RAM_has_no_port_of_this_width error();
    endgenerate
endmodule

// The latch behind a port, and the register behind that.
module bram_output #(
    parameter BYTE = 9, parameter WIDTH = 9, parameter MODE = 0, parameter REGISTER = 0,
    parameter ASYNCHRONOUS = 0, parameter GATED = 0
) (
    input clk, input reset, input enable, input advance, input write, input [4*BYTE-1:0] old,
    input [4*BYTE-1:0] fresh, input [2:0] place, output [4*BYTE-1:0] value
);
    wire [4*BYTE-1:0] mask = {4*BYTE{1'b1}} >> (4*BYTE - WIDTH);
    wire [4*BYTE-1:0] next = (MODE == 1 ? fresh : old) >> place & mask;
    wire load = enable & ~(write & MODE == 0);

    reg [4*BYTE-1:0] latch = 0, register = 0;
    assign value = REGISTER ? register : latch;

    generate
        if (ASYNCHRONOUS) begin : asynchronous
            always @(posedge clk or posedge reset)
                if (reset) begin
                    latch <= 0;
                    register <= 0;
                end else begin
                    if (load) latch <= next;
                    if (advance) register <= latch;
                end
        end else begin : synchronous
            wire clear = reset & (enable | ~GATED);
            always @(posedge clk) begin
                if (clear) latch <= 0;
                else if (load) latch <= next;
                if (clear) register <= 0;
                else if (advance) register <= latch;
            end
        end
    endgenerate
endmodule

`default_nettype wire
