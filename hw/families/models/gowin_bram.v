// Block RAMs of Gowin: 16 Kbit in bytes of eight bits, or 18 Kbit in bytes of nine. Yosys ships
// them without a behaviour.
//
// After Gowin's guide to its block RAM (UG285: modes of reading and writing, byte enables, resets)
// and how Yosys maps memories onto them (gowin/brams_map.v). An address counts bits, and a port of
// 16 bits and more takes its lowest bits as enables of its bytes. See bram.v for what is not
// modelled. Every input must be connected.
`default_nettype none

// Contents: 64 rows, the first lowest, without gaps.
`define GOWIN_ROWS \
    parameter [BITS-1:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0; \
    parameter [BITS-1:0] INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0; \
    parameter [BITS-1:0] INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0; \
    parameter [BITS-1:0] INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0; \
    parameter [BITS-1:0] INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0; \
    parameter [BITS-1:0] INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0; \
    parameter [BITS-1:0] INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0; \
    parameter [BITS-1:0] INIT_RAM_1C = 0, INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0; \
    parameter [BITS-1:0] INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0; \
    parameter [BITS-1:0] INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0; \
    parameter [BITS-1:0] INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0; \
    parameter [BITS-1:0] INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0; \
    parameter [BITS-1:0] INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0; \
    parameter [BITS-1:0] INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, INIT_RAM_37 = 0; \
    parameter [BITS-1:0] INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0; \
    parameter [BITS-1:0] INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

`define GOWIN_CONTENTS { \
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, \
        INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, \
        INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, \
        INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, \
        INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, \
        INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, \
        INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16, \
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, \
        INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, \
        INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, \
        INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00}

module SP (
    output [31:0] DO, input [31:0] DI, input [2:0] BLKSEL, input [13:0] AD, input WRE, input CLK,
    input CE, input OCE, input RESET
);
    localparam BITS = 256;
    parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 32, BLK_SEL = 0, RESET_MODE = "SYNC";
    `GOWIN_ROWS
    gowin_single #(8, `GOWIN_CONTENTS, BIT_WIDTH, READ_MODE, WRITE_MODE, BLK_SEL, RESET_MODE)
        one(DO, DI, BLKSEL, AD, WRE, CLK, CE, OCE, RESET);
endmodule

module SPX9 (
    output [35:0] DO, input [35:0] DI, input [2:0] BLKSEL, input [13:0] AD, input WRE, input CLK,
    input CE, input OCE, input RESET
);
    localparam BITS = 288;
    parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 36, BLK_SEL = 0, RESET_MODE = "SYNC";
    `GOWIN_ROWS
    gowin_single #(9, `GOWIN_CONTENTS, BIT_WIDTH, READ_MODE, WRITE_MODE, BLK_SEL, RESET_MODE)
        one(DO, DI, BLKSEL, AD, WRE, CLK, CE, OCE, RESET);
endmodule

module SDPB (
    output [31:0] DO, input [31:0] DI, input [2:0] BLKSELA, BLKSELB, input [13:0] ADA, ADB,
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB
);
    localparam BITS = 256;
    parameter READ_MODE = 0, BIT_WIDTH_0 = 32, BIT_WIDTH_1 = 32, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    `GOWIN_ROWS
    gowin_semi_dual #(8, `GOWIN_CONTENTS, BIT_WIDTH_0, BIT_WIDTH_1, READ_MODE, BLK_SEL_0, BLK_SEL_1,
                      RESET_MODE)
        one(DO, DI, BLKSELA, BLKSELB, ADA, ADB, CLKA, CEA, CLKB, CEB, OCE, RESETB);
endmodule

module SDPX9B (
    output [35:0] DO, input [35:0] DI, input [2:0] BLKSELA, BLKSELB, input [13:0] ADA, ADB,
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB
);
    localparam BITS = 288;
    parameter READ_MODE = 0, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    `GOWIN_ROWS
    gowin_semi_dual #(9, `GOWIN_CONTENTS, BIT_WIDTH_0, BIT_WIDTH_1, READ_MODE, BLK_SEL_0, BLK_SEL_1,
                      RESET_MODE)
        one(DO, DI, BLKSELA, BLKSELB, ADA, ADB, CLKA, CEA, CLKB, CEB, OCE, RESETB);
endmodule

module DPB (
    output [15:0] DOA, DOB, input [15:0] DIA, DIB, input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB, input CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB
);
    localparam BITS = 256;
    parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0;
    parameter BIT_WIDTH_0 = 16, BIT_WIDTH_1 = 16, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    `GOWIN_ROWS
    gowin_dual #(8, `GOWIN_CONTENTS, BIT_WIDTH_0, BIT_WIDTH_1, READ_MODE0, READ_MODE1, WRITE_MODE0,
                 WRITE_MODE1, BLK_SEL_0, BLK_SEL_1, RESET_MODE)
        one(DOA, DOB, DIA, DIB, BLKSELA, BLKSELB, ADA, ADB, CLKA, CEA, CLKB, CEB, OCEA, OCEB,
            RESETA, RESETB, WREA, WREB);
endmodule

module DPX9B (
    output [17:0] DOA, DOB, input [17:0] DIA, DIB, input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB, input CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB
);
    localparam BITS = 288;
    parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0;
    parameter BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18, BLK_SEL_0 = 0, BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    `GOWIN_ROWS
    gowin_dual #(9, `GOWIN_CONTENTS, BIT_WIDTH_0, BIT_WIDTH_1, READ_MODE0, READ_MODE1, WRITE_MODE0,
                 WRITE_MODE1, BLK_SEL_0, BLK_SEL_1, RESET_MODE)
        one(DOA, DOB, DIA, DIB, BLKSELA, BLKSELB, ADA, ADB, CLKA, CEA, CLKB, CEB, OCEA, OCEB,
            RESETA, RESETB, WREA, WREB);
endmodule

// One port.
module gowin_single #(
    parameter BYTE = 8, parameter [2048*BYTE-1:0] CONTENTS = 0, parameter WIDTH = 8,
    parameter READ_MODE = 0, parameter WRITE_MODE = 0, parameter [2:0] BLK_SEL = 0,
    parameter RESET_MODE = "SYNC"
) (
    output [4*BYTE-1:0] value, input [4*BYTE-1:0] data, input [2:0] select, input [13:0] address,
    input write, input clk, input enable, input advance, input reset
);
    bram #(.BYTE(BYTE), .CONTENTS(CONTENTS), .WIDTH_A(WIDTH), .MODE_A(WRITE_MODE),
           .REGISTER_A(READ_MODE), .ASYNCHRONOUS_A(RESET_MODE == "ASYNC"))
        memory(.clk_a(clk), .enable_a(enable & select == BLK_SEL), .write_a(write), .reset_a(reset),
               .advance_a(advance), .address_a(address), .bytes_a(address[3:0]), .data_a(data),
               .value_a(value), .clk_b(1'b0), .enable_b(1'b0), .write_b(1'b0), .reset_b(1'b0),
               .advance_b(1'b0), .address_b(14'b0), .bytes_b(4'b0), .data_b({4*BYTE{1'b0}}),
               .value_b());
endmodule

// A port that writes, and one that reads.
module gowin_semi_dual #(
    parameter BYTE = 8, parameter [2048*BYTE-1:0] CONTENTS = 0, parameter WIDTH_A = 8,
    parameter WIDTH_B = 8, parameter READ_MODE = 0, parameter [2:0] SELECT_A = 0,
    parameter [2:0] SELECT_B = 0, parameter RESET_MODE = "SYNC"
) (
    output [4*BYTE-1:0] value, input [4*BYTE-1:0] data, input [2:0] select_a, select_b,
    input [13:0] address_a, address_b, input clk_a, enable_a, clk_b, enable_b, advance, reset
);
    bram #(.BYTE(BYTE), .CONTENTS(CONTENTS), .WIDTH_A(WIDTH_A), .WIDTH_B(WIDTH_B),
           .REGISTER_B(READ_MODE), .ASYNCHRONOUS_B(RESET_MODE == "ASYNC"))
        memory(.clk_a(clk_a), .enable_a(enable_a & select_a == SELECT_A), .write_a(1'b1),
               .reset_a(1'b0), .advance_a(1'b0), .address_a(address_a), .bytes_a(address_a[3:0]),
               .data_a(data), .value_a(),
               .clk_b(clk_b), .enable_b(enable_b & select_b == SELECT_B), .write_b(1'b0),
               .reset_b(reset), .advance_b(advance), .address_b(address_b), .bytes_b(4'b0),
               .data_b({4*BYTE{1'b0}}), .value_b(value));
endmodule

// Two ports that read and write.
module gowin_dual #(
    parameter BYTE = 8, parameter [2048*BYTE-1:0] CONTENTS = 0, parameter WIDTH_A = 8,
    parameter WIDTH_B = 8, parameter READ_A = 0, parameter READ_B = 0, parameter WRITE_A = 0,
    parameter WRITE_B = 0, parameter [2:0] SELECT_A = 0, parameter [2:0] SELECT_B = 0,
    parameter RESET_MODE = "SYNC"
) (
    output [2*BYTE-1:0] value_a, value_b, input [2*BYTE-1:0] data_a, data_b,
    input [2:0] select_a, select_b, input [13:0] address_a, address_b,
    input clk_a, enable_a, clk_b, enable_b, advance_a, advance_b, reset_a, reset_b, write_a, write_b
);
    wire [2*BYTE-1:0] unused_a, unused_b;
    bram #(.BYTE(BYTE), .CONTENTS(CONTENTS), .WIDTH_A(WIDTH_A), .WIDTH_B(WIDTH_B),
           .MODE_A(WRITE_A), .MODE_B(WRITE_B), .REGISTER_A(READ_A), .REGISTER_B(READ_B),
           .ASYNCHRONOUS_A(RESET_MODE == "ASYNC"), .ASYNCHRONOUS_B(RESET_MODE == "ASYNC"))
        memory(.clk_a(clk_a), .enable_a(enable_a & select_a == SELECT_A), .write_a(write_a),
               .reset_a(reset_a), .advance_a(advance_a), .address_a(address_a),
               .bytes_a({2'b0, address_a[1:0]}), .data_a({{2*BYTE{1'b0}}, data_a}),
               .value_a({unused_a, value_a}),
               .clk_b(clk_b), .enable_b(enable_b & select_b == SELECT_B), .write_b(write_b),
               .reset_b(reset_b), .advance_b(advance_b), .address_b(address_b),
               .bytes_b({2'b0, address_b[1:0]}), .data_b({{2*BYTE{1'b0}}, data_b}),
               .value_b({unused_b, value_b}));
endmodule

`default_nettype wire
