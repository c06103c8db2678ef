// Block RAM of the ECP5: 18 Kbit, two ports. Yosys ships it without a behaviour.
//
// After how Yosys maps memories onto it (lattice/brams_map_16kd.v), and how nextpnr and Trellis
// configure it; the vendor's own guide (FPGA-TN-02204) was not at hand. What may be undefined in the
// device is not modelled as such: of two ports that write one bit at once the one at hand last wins,
// and a port that reads what the other writes at that moment sees the old bit. A global reset (GSR)
// is not modelled. Every input must be connected. A parameter that has no effect here is not declared, so that a netlist with it is
// refused by the simulator.
//
// The memory is 2048 bytes of nine bits. An address counts bits; a port ignores those of its lowest
// bits that count within its width, and a port of 18 or 36 bits takes them as enables of its bytes.
// Ports of 1, 2 and 4 bits cannot reach the ninth bit of a byte. A port A of 36 bits only writes,
// its upper half through DIB; port B then only reads, a whole word with its lower half on DOA.
`default_nettype none

module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
          DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7,
          ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
           DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,

    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
          DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7,
          ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
           DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;          // 1, 2, 4, 9, 18 or 36
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";      // or OUTREG: a register more
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";  // or WRITETHROUGH, READBEFOREWRITE
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";  // or ASYNC
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";            // or INV, as each of these
    parameter CEAMUX = "CEA", CEBMUX = "CEB", OCEAMUX = "OCEA", OCEBMUX = "OCEB";
    parameter WEAMUX = "WEA", WEBMUX = "WEB", RSTAMUX = "RSTA", RSTBMUX = "RSTB";
    parameter GSR = "ENABLED", INIT_DATA = "STATIC";
    // Sixteen words of 18 bits each, the first lowest, in steps of 20 bits.
    parameter INITVAL_00 = 320'h0, INITVAL_01 = 320'h0, INITVAL_02 = 320'h0, INITVAL_03 = 320'h0;
    parameter INITVAL_04 = 320'h0, INITVAL_05 = 320'h0, INITVAL_06 = 320'h0, INITVAL_07 = 320'h0;
    parameter INITVAL_08 = 320'h0, INITVAL_09 = 320'h0, INITVAL_0A = 320'h0, INITVAL_0B = 320'h0;
    parameter INITVAL_0C = 320'h0, INITVAL_0D = 320'h0, INITVAL_0E = 320'h0, INITVAL_0F = 320'h0;
    parameter INITVAL_10 = 320'h0, INITVAL_11 = 320'h0, INITVAL_12 = 320'h0, INITVAL_13 = 320'h0;
    parameter INITVAL_14 = 320'h0, INITVAL_15 = 320'h0, INITVAL_16 = 320'h0, INITVAL_17 = 320'h0;
    parameter INITVAL_18 = 320'h0, INITVAL_19 = 320'h0, INITVAL_1A = 320'h0, INITVAL_1B = 320'h0;
    parameter INITVAL_1C = 320'h0, INITVAL_1D = 320'h0, INITVAL_1E = 320'h0, INITVAL_1F = 320'h0;
    parameter INITVAL_20 = 320'h0, INITVAL_21 = 320'h0, INITVAL_22 = 320'h0, INITVAL_23 = 320'h0;
    parameter INITVAL_24 = 320'h0, INITVAL_25 = 320'h0, INITVAL_26 = 320'h0, INITVAL_27 = 320'h0;
    parameter INITVAL_28 = 320'h0, INITVAL_29 = 320'h0, INITVAL_2A = 320'h0, INITVAL_2B = 320'h0;
    parameter INITVAL_2C = 320'h0, INITVAL_2D = 320'h0, INITVAL_2E = 320'h0, INITVAL_2F = 320'h0;
    parameter INITVAL_30 = 320'h0, INITVAL_31 = 320'h0, INITVAL_32 = 320'h0, INITVAL_33 = 320'h0;
    parameter INITVAL_34 = 320'h0, INITVAL_35 = 320'h0, INITVAL_36 = 320'h0, INITVAL_37 = 320'h0;
    parameter INITVAL_38 = 320'h0, INITVAL_39 = 320'h0, INITVAL_3A = 320'h0, INITVAL_3B = 320'h0;
    parameter INITVAL_3C = 320'h0, INITVAL_3D = 320'h0, INITVAL_3E = 320'h0, INITVAL_3F = 320'h0;

    localparam PSEUDO = DATA_WIDTH_A == 36;  // one port writes, the other reads

    reg [8:0] memory [0:2047];

    task load(input integer row, input [319:0] value);
        integer word;
        for (word = 0; word < 16; word = word + 1) begin
            memory[32 * row + 2 * word] = value[20 * word +: 9];
            memory[32 * row + 2 * word + 1] = value[20 * word + 9 +: 9];
        end
    endtask

    initial begin
        load(0, INITVAL_00); load(1, INITVAL_01); load(2, INITVAL_02);
        load(3, INITVAL_03); load(4, INITVAL_04); load(5, INITVAL_05);
        load(6, INITVAL_06); load(7, INITVAL_07); load(8, INITVAL_08);
        load(9, INITVAL_09); load(10, INITVAL_0A); load(11, INITVAL_0B);
        load(12, INITVAL_0C); load(13, INITVAL_0D); load(14, INITVAL_0E);
        load(15, INITVAL_0F); load(16, INITVAL_10); load(17, INITVAL_11);
        load(18, INITVAL_12); load(19, INITVAL_13); load(20, INITVAL_14);
        load(21, INITVAL_15); load(22, INITVAL_16); load(23, INITVAL_17);
        load(24, INITVAL_18); load(25, INITVAL_19); load(26, INITVAL_1A);
        load(27, INITVAL_1B); load(28, INITVAL_1C); load(29, INITVAL_1D);
        load(30, INITVAL_1E); load(31, INITVAL_1F); load(32, INITVAL_20);
        load(33, INITVAL_21); load(34, INITVAL_22); load(35, INITVAL_23);
        load(36, INITVAL_24); load(37, INITVAL_25); load(38, INITVAL_26);
        load(39, INITVAL_27); load(40, INITVAL_28); load(41, INITVAL_29);
        load(42, INITVAL_2A); load(43, INITVAL_2B); load(44, INITVAL_2C);
        load(45, INITVAL_2D); load(46, INITVAL_2E); load(47, INITVAL_2F);
        load(48, INITVAL_30); load(49, INITVAL_31); load(50, INITVAL_32);
        load(51, INITVAL_33); load(52, INITVAL_34); load(53, INITVAL_35);
        load(54, INITVAL_36); load(55, INITVAL_37); load(56, INITVAL_38);
        load(57, INITVAL_39); load(58, INITVAL_3A); load(59, INITVAL_3B);
        load(60, INITVAL_3C); load(61, INITVAL_3D); load(62, INITVAL_3E);
        load(63, INITVAL_3F);
    end

    wire [17:0] di_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
                        DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [17:0] di_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
                        DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
    wire [13:0] ad_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7,
                        ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] ad_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7,
                        ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [35:0] do_a, do_b;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
            DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} =
        PSEUDO ? do_b[17:0] : do_a[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
            DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} =
        PSEUDO && DATA_WIDTH_B == 36 ? do_b[35:18] : do_b[17:0];

    wire clk_a = CLKAMUX == "INV" ? ~CLKA : CLKA, clk_b = CLKBMUX == "INV" ? ~CLKB : CLKB;
    wire rst_a = RSTAMUX == "INV" ? ~RSTA : RSTA, rst_b = RSTBMUX == "INV" ? ~RSTB : RSTB;
    wire oce_a = OCEAMUX == "INV" ? ~OCEA : OCEA, oce_b = OCEBMUX == "INV" ? ~OCEB : OCEB;
    wire on_a = (CEAMUX == "INV" ? ~CEA : CEA)
                & CSA2 == CSDECODE_A[16] & CSA1 == CSDECODE_A[8] & CSA0 == CSDECODE_A[0];
    wire on_b = (CEBMUX == "INV" ? ~CEB : CEB)
                & CSB2 == CSDECODE_B[16] & CSB1 == CSDECODE_B[8] & CSB0 == CSDECODE_B[0];
    // A synchronous reset keeps a port from writing.
    wire write_a = on_a & (PSEUDO | (WEAMUX == "INV" ? ~WEA : WEA))
                   & ~(RESETMODE == "SYNC" & rst_a);
    wire write_b = on_b & ~PSEUDO & (WEBMUX == "INV" ? ~WEB : WEB)
                   & ~(RESETMODE == "SYNC" & rst_b);

    // Of each port: its first byte, the bit in that, and its contents before and after a write.
    wire [10:0] byte_a, byte_b;
    wire [2:0] bit_a, bit_b;
    wire [35:0] old_a, old_b, new_a, new_b;
    wire [3:0] bytes_a, bytes_b;  // to write
    wire [8:0] in_a = di_a[8:0], in_b = di_b[8:0];

    dp16kd_place #(DATA_WIDTH_A) place_a(ad_a, write_a, byte_a, bit_a, bytes_a);
    dp16kd_place #(DATA_WIDTH_B) place_b(ad_b, write_b, byte_b, bit_b, bytes_b);

    wire [35:0] di_wide = {di_b, di_a};
    assign old_a = {memory[byte_a + 11'd3], memory[byte_a + 11'd2], memory[byte_a + 11'd1],
                    memory[byte_a]};
    assign old_b = {memory[byte_b + 11'd3], memory[byte_b + 11'd2], memory[byte_b + 11'd1],
                    memory[byte_b]};
    dp16kd_merge #(DATA_WIDTH_A) merge_a(old_a, PSEUDO ? di_wide : {18'b0, di_a}, bit_a, bytes_a,
                                         new_a);
    dp16kd_merge #(DATA_WIDTH_B) merge_b(old_b, {18'b0, di_b}, bit_b, bytes_b, new_b);

    generate
        if (DATA_WIDTH_A < 9) begin : narrow_a
            always @(posedge clk_a)
                if (bytes_a[0]) memory[byte_a][bit_a +: DATA_WIDTH_A] <= in_a[DATA_WIDTH_A-1:0];
        end else begin : wide_a
            always @(posedge clk_a) begin
                if (bytes_a[0]) memory[byte_a] <= new_a[8:0];
                if (bytes_a[1]) memory[byte_a + 11'd1] <= new_a[17:9];
                if (bytes_a[2]) memory[byte_a + 11'd2] <= new_a[26:18];
                if (bytes_a[3]) memory[byte_a + 11'd3] <= new_a[35:27];
            end
        end
        if (DATA_WIDTH_B < 9) begin : narrow_b
            always @(posedge clk_b)
                if (bytes_b[0]) memory[byte_b][bit_b +: DATA_WIDTH_B] <= in_b[DATA_WIDTH_B-1:0];
        end else begin : wide_b
            always @(posedge clk_b) begin
                if (bytes_b[0]) memory[byte_b] <= new_b[8:0];
                if (bytes_b[1]) memory[byte_b + 11'd1] <= new_b[17:9];
            end
        end
    endgenerate

    dp16kd_output #(DATA_WIDTH_A, REGMODE_A, WRITEMODE_A, RESETMODE, ASYNC_RESET_RELEASE)
        output_a(clk_a, rst_a, on_a & ~PSEUDO, oce_a, write_a, old_a, new_a, bit_a, do_a);
    dp16kd_output #(DATA_WIDTH_B, REGMODE_B, WRITEMODE_B, RESETMODE, ASYNC_RESET_RELEASE)
        output_b(clk_b, rst_b, on_b, oce_b, write_b, old_b, new_b, bit_b, do_b);
endmodule

// Where a port's address points, and which bytes it writes.
module dp16kd_place #(parameter WIDTH = 18) (
    input [13:0] address, input write, output [10:0] first, output [2:0] place, output [3:0] bytes
);
    assign first = WIDTH == 36 ? {address[13:5], 2'b0} :
                   WIDTH == 18 ? {address[13:4], 1'b0} : address[13:3];
    assign place = WIDTH == 4 ? {address[2], 2'b0} : WIDTH == 2 ? {address[2:1], 1'b0} :
                   WIDTH == 1 ? address[2:0] : 3'b0;
    assign bytes = WIDTH == 36 ? {4{write}} & address[3:0] :
                   WIDTH == 18 ? {2'b0, {2{write}} & address[1:0]} : {3'b0, write};

    generate
        if (WIDTH != 1 && WIDTH != 2 && WIDTH != 4 && WIDTH != 9 && WIDTH != 18 && WIDTH != 36)
            DP16KD_has_no_port_of_this_width error();
    endgenerate
endmodule

// What lies at a port's place after a write of those bytes.
module dp16kd_merge #(parameter WIDTH = 18) (
    input [35:0] old, input [35:0] data, input [2:0] place, input [3:0] bytes,
    output [35:0] fresh
);
    wire [35:0] all = {36{1'b1}};
    wire [35:0] mask = WIDTH < 9 ? {35'b0, bytes[0]} * ((36'd1 << WIDTH) - 36'd1) << place :
                       {{9{bytes[3]}}, {9{bytes[2]}}, {9{bytes[1]}}, {9{bytes[0]}}};
    assign fresh = (old & (all ^ mask)) | (data << place & mask);
endmodule

// The latch behind a port, and the register behind that.
module dp16kd_output #(
    parameter WIDTH = 18, parameter REGMODE = "NOREG", parameter WRITEMODE = "NORMAL",
    parameter RESETMODE = "SYNC", parameter RELEASE = "SYNC"
) (
    input clk, input rst, input on, input oce, input write,
    input [35:0] old, input [35:0] fresh, input [2:0] place, output [35:0] value
);
    wire [35:0] mask = {36{1'b1}} >> (36 - WIDTH);
    wire [35:0] next = (WRITEMODE == "WRITETHROUGH" ? fresh : old) >> place & mask;
    wire load = on & ~(write & WRITEMODE == "NORMAL");

    reg [35:0] latch = 36'b0, register = 36'b0;
    assign value = REGMODE == "OUTREG" ? register : latch;

    generate
        if (RESETMODE == "ASYNC") begin : asynchronous
            // Once it is released, the reset may last until the clock has seen it.
            reg held = 1'b0;
            always @(posedge clk or posedge rst) held <= rst;
            wire clear = rst | (RELEASE == "SYNC" & held);
            always @(posedge clk or posedge clear)
                if (clear) begin
                    latch <= 36'b0;
                    register <= 36'b0;
                end else begin
                    if (load) latch <= next;
                    if (oce) register <= latch;
                end
        end else begin : synchronous
            always @(posedge clk) begin
                if (rst) latch <= 36'b0;
                else if (load) latch <= next;
                if (rst) register <= 36'b0;
                else if (oce) register <= latch;
            end
        end
    endgenerate
endmodule

`default_nettype wire
