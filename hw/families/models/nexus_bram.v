// Block RAMs of Nexus: 18 Kbit in bytes of nine bits. Yosys ships them without a behaviour.
//
// After how Yosys maps memories onto them (lattice/brams_nexus.txt, lattice/brams_map_nexus.v) and
// Lattice's guide to the memories of Nexus (FPGA-TN-02094). An address counts bits, and a port of
// 18 bits and more takes its lowest bits as enables of its bytes. A reset clears what a port shows,
// a synchronous one only if the port is enabled. See bram.v for what is not modelled; a parameter
// that has no effect here is not declared, so that a netlist with it is refused. Every input must
// be connected.
`default_nettype none

`define NEXUS_ZERO {"0x", {80{"0"}}}

// Contents: 64 rows in hexadecimal, each of 32 bytes in steps of ten bits, the first lowest.
`define NEXUS_ROWS \
    parameter INITVAL_00 = `NEXUS_ZERO, INITVAL_01 = `NEXUS_ZERO, INITVAL_02 = `NEXUS_ZERO; \
    parameter INITVAL_03 = `NEXUS_ZERO, INITVAL_04 = `NEXUS_ZERO, INITVAL_05 = `NEXUS_ZERO; \
    parameter INITVAL_06 = `NEXUS_ZERO, INITVAL_07 = `NEXUS_ZERO, INITVAL_08 = `NEXUS_ZERO; \
    parameter INITVAL_09 = `NEXUS_ZERO, INITVAL_0A = `NEXUS_ZERO, INITVAL_0B = `NEXUS_ZERO; \
    parameter INITVAL_0C = `NEXUS_ZERO, INITVAL_0D = `NEXUS_ZERO, INITVAL_0E = `NEXUS_ZERO; \
    parameter INITVAL_0F = `NEXUS_ZERO, INITVAL_10 = `NEXUS_ZERO, INITVAL_11 = `NEXUS_ZERO; \
    parameter INITVAL_12 = `NEXUS_ZERO, INITVAL_13 = `NEXUS_ZERO, INITVAL_14 = `NEXUS_ZERO; \
    parameter INITVAL_15 = `NEXUS_ZERO, INITVAL_16 = `NEXUS_ZERO, INITVAL_17 = `NEXUS_ZERO; \
    parameter INITVAL_18 = `NEXUS_ZERO, INITVAL_19 = `NEXUS_ZERO, INITVAL_1A = `NEXUS_ZERO; \
    parameter INITVAL_1B = `NEXUS_ZERO, INITVAL_1C = `NEXUS_ZERO, INITVAL_1D = `NEXUS_ZERO; \
    parameter INITVAL_1E = `NEXUS_ZERO, INITVAL_1F = `NEXUS_ZERO, INITVAL_20 = `NEXUS_ZERO; \
    parameter INITVAL_21 = `NEXUS_ZERO, INITVAL_22 = `NEXUS_ZERO, INITVAL_23 = `NEXUS_ZERO; \
    parameter INITVAL_24 = `NEXUS_ZERO, INITVAL_25 = `NEXUS_ZERO, INITVAL_26 = `NEXUS_ZERO; \
    parameter INITVAL_27 = `NEXUS_ZERO, INITVAL_28 = `NEXUS_ZERO, INITVAL_29 = `NEXUS_ZERO; \
    parameter INITVAL_2A = `NEXUS_ZERO, INITVAL_2B = `NEXUS_ZERO, INITVAL_2C = `NEXUS_ZERO; \
    parameter INITVAL_2D = `NEXUS_ZERO, INITVAL_2E = `NEXUS_ZERO, INITVAL_2F = `NEXUS_ZERO; \
    parameter INITVAL_30 = `NEXUS_ZERO, INITVAL_31 = `NEXUS_ZERO, INITVAL_32 = `NEXUS_ZERO; \
    parameter INITVAL_33 = `NEXUS_ZERO, INITVAL_34 = `NEXUS_ZERO, INITVAL_35 = `NEXUS_ZERO; \
    parameter INITVAL_36 = `NEXUS_ZERO, INITVAL_37 = `NEXUS_ZERO, INITVAL_38 = `NEXUS_ZERO; \
    parameter INITVAL_39 = `NEXUS_ZERO, INITVAL_3A = `NEXUS_ZERO, INITVAL_3B = `NEXUS_ZERO; \
    parameter INITVAL_3C = `NEXUS_ZERO, INITVAL_3D = `NEXUS_ZERO, INITVAL_3E = `NEXUS_ZERO; \
    parameter INITVAL_3F = `NEXUS_ZERO;

`define NEXUS_CONTENTS { \
    nexus_row(INITVAL_3F), nexus_row(INITVAL_3E), nexus_row(INITVAL_3D), \
    nexus_row(INITVAL_3C), nexus_row(INITVAL_3B), nexus_row(INITVAL_3A), \
    nexus_row(INITVAL_39), nexus_row(INITVAL_38), nexus_row(INITVAL_37), \
    nexus_row(INITVAL_36), nexus_row(INITVAL_35), nexus_row(INITVAL_34), \
    nexus_row(INITVAL_33), nexus_row(INITVAL_32), nexus_row(INITVAL_31), \
    nexus_row(INITVAL_30), nexus_row(INITVAL_2F), nexus_row(INITVAL_2E), \
    nexus_row(INITVAL_2D), nexus_row(INITVAL_2C), nexus_row(INITVAL_2B), \
    nexus_row(INITVAL_2A), nexus_row(INITVAL_29), nexus_row(INITVAL_28), \
    nexus_row(INITVAL_27), nexus_row(INITVAL_26), nexus_row(INITVAL_25), \
    nexus_row(INITVAL_24), nexus_row(INITVAL_23), nexus_row(INITVAL_22), \
    nexus_row(INITVAL_21), nexus_row(INITVAL_20), nexus_row(INITVAL_1F), \
    nexus_row(INITVAL_1E), nexus_row(INITVAL_1D), nexus_row(INITVAL_1C), \
    nexus_row(INITVAL_1B), nexus_row(INITVAL_1A), nexus_row(INITVAL_19), \
    nexus_row(INITVAL_18), nexus_row(INITVAL_17), nexus_row(INITVAL_16), \
    nexus_row(INITVAL_15), nexus_row(INITVAL_14), nexus_row(INITVAL_13), \
    nexus_row(INITVAL_12), nexus_row(INITVAL_11), nexus_row(INITVAL_10), \
    nexus_row(INITVAL_0F), nexus_row(INITVAL_0E), nexus_row(INITVAL_0D), \
    nexus_row(INITVAL_0C), nexus_row(INITVAL_0B), nexus_row(INITVAL_0A), \
    nexus_row(INITVAL_09), nexus_row(INITVAL_08), nexus_row(INITVAL_07), \
    nexus_row(INITVAL_06), nexus_row(INITVAL_05), nexus_row(INITVAL_04), \
    nexus_row(INITVAL_03), nexus_row(INITVAL_02), nexus_row(INITVAL_01), \
    nexus_row(INITVAL_00)}

`define NEXUS_PARSE \
    function [287:0] nexus_row(input [655:0] text); \
        integer digit; \
        reg [319:0] value; \
        reg [7:0] letter; \
        begin \
            for (digit = 0; digit < 80; digit = digit + 1) begin \
                letter = text[8*digit +: 8]; \
                value[4*digit +: 4] = letter >= "a" ? letter - "a" + 10 : \
                                      letter >= "A" ? letter - "A" + 10 : letter - "0"; \
            end \
            for (digit = 0; digit < 32; digit = digit + 1) \
                nexus_row[9*digit +: 9] = value[10*digit +: 9]; \
        end \
    endfunction

// A width as it is written: "X1" to "X36".
`define NEXUS_WIDTH(text) (text == "X1" ? 1 : text == "X2" ? 2 : text == "X4" ? 4 : \
                           text == "X9" ? 9 : text == "X18" ? 18 : text == "X36" ? 36 : 0)

module DP16K (
    output [17:0] DOA, DOB, input [17:0] DIA, DIB, input [13:0] ADA, ADB, input CLKA, CLKB,
    input CEA, CEB, WEA, WEB, input [2:0] CSA, CSB, input RSTA, RSTB
);
    parameter DATA_WIDTH_A = "X18", DATA_WIDTH_B = "X18", OUTREG_A = "BYPASSED";
    parameter OUTREG_B = "BYPASSED", RESETMODE_A = "SYNC", RESETMODE_B = "SYNC", GSR = "DISABLED";
    parameter ASYNC_RST_RELEASE_A = "SYNC", ASYNC_RST_RELEASE_B = "SYNC";
    parameter CSDECODE_A = "000", CSDECODE_B = "000";
    `NEXUS_ROWS
    `NEXUS_PARSE
    wire [17:0] unused_a, unused_b;
    nexus_reset #(RESETMODE_A, ASYNC_RST_RELEASE_A, GSR) reset_a();
    nexus_reset #(RESETMODE_B, ASYNC_RST_RELEASE_B, GSR) reset_b();
    wire on_a = CEA & CSA == {CSDECODE_A[16], CSDECODE_A[8], CSDECODE_A[0]};
    wire on_b = CEB & CSB == {CSDECODE_B[16], CSDECODE_B[8], CSDECODE_B[0]};
    bram #(.BYTE(9), .CONTENTS(`NEXUS_CONTENTS), .WIDTH_A(`NEXUS_WIDTH(DATA_WIDTH_A)),
           .WIDTH_B(`NEXUS_WIDTH(DATA_WIDTH_B)), .REGISTER_A(OUTREG_A != "BYPASSED"),
           .REGISTER_B(OUTREG_B != "BYPASSED"), .GATED(1),
           .ASYNCHRONOUS_A(RESETMODE_A == "ASYNC"), .ASYNCHRONOUS_B(RESETMODE_B == "ASYNC"))
        memory(.clk_a(CLKA), .enable_a(on_a), .write_a(WEA), .reset_a(RSTA), .advance_a(on_a),
               .address_a(ADA), .bytes_a({2'b0, ADA[1:0]}), .data_a({18'b0, DIA}),
               .value_a({unused_a, DOA}),
               .clk_b(CLKB), .enable_b(on_b), .write_b(WEB), .reset_b(RSTB), .advance_b(on_b),
               .address_b(ADB), .bytes_b({2'b0, ADB[1:0]}), .data_b({18'b0, DIB}),
               .value_b({unused_b, DOB}));
endmodule

// A port that writes, and one that reads.
module PDP16K (
    output [35:0] DO, input [35:0] DI, input [13:0] ADW, ADR, input CLKW, CLKR, CEW, CER,
    input [2:0] CSW, CSR, input RST
);
    parameter DATA_WIDTH_W = "X36", DATA_WIDTH_R = "X36", OUTREG = "BYPASSED", RESETMODE = "SYNC";
    parameter ASYNC_RST_RELEASE = "SYNC", GSR = "DISABLED", ECC = "DISABLED";
    parameter CSDECODE_W = "000", CSDECODE_R = "000";
    `NEXUS_ROWS
    `NEXUS_PARSE
    nexus_reset #(RESETMODE, ASYNC_RST_RELEASE, GSR) reset();
    wire on_w = CEW & CSW == {CSDECODE_W[16], CSDECODE_W[8], CSDECODE_W[0]};
    wire on_r = CER & CSR == {CSDECODE_R[16], CSDECODE_R[8], CSDECODE_R[0]};
    bram #(.BYTE(9), .CONTENTS(`NEXUS_CONTENTS), .WIDTH_A(`NEXUS_WIDTH(DATA_WIDTH_W)),
           .WIDTH_B(`NEXUS_WIDTH(DATA_WIDTH_R)), .REGISTER_B(OUTREG != "BYPASSED"), .GATED(1),
           .ASYNCHRONOUS_B(RESETMODE == "ASYNC"))
        memory(.clk_a(CLKW), .enable_a(on_w), .write_a(1'b1), .reset_a(1'b0), .advance_a(1'b0),
               .address_a(ADW), .bytes_a(ADW[3:0]), .data_a(DI), .value_a(),
               .clk_b(CLKR), .enable_b(on_r), .write_b(1'b0), .reset_b(RST), .advance_b(on_r),
               .address_b(ADR), .bytes_b(4'b0), .data_b(36'b0), .value_b(DO));
    generate
        if (ECC != "DISABLED") block_RAM_has_no_model_of_this_correction error();
    endgenerate
endmodule

// The same with one clock.
module PDPSC16K (
    output [35:0] DO, input [35:0] DI, input [13:0] ADW, ADR, input CLK, CEW, CER,
    input [2:0] CSW, CSR, input RST
);
    parameter DATA_WIDTH_W = "X36", DATA_WIDTH_R = "X36", OUTREG = "BYPASSED", RESETMODE = "SYNC";
    parameter ASYNC_RST_RELEASE = "SYNC", GSR = "DISABLED", ECC = "DISABLED";
    parameter CSDECODE_W = "000", CSDECODE_R = "000";
    `NEXUS_ROWS
    `NEXUS_PARSE
    nexus_reset #(RESETMODE, ASYNC_RST_RELEASE, GSR) reset();
    wire on_w = CEW & CSW == {CSDECODE_W[16], CSDECODE_W[8], CSDECODE_W[0]};
    wire on_r = CER & CSR == {CSDECODE_R[16], CSDECODE_R[8], CSDECODE_R[0]};
    bram #(.BYTE(9), .CONTENTS(`NEXUS_CONTENTS), .WIDTH_A(`NEXUS_WIDTH(DATA_WIDTH_W)),
           .WIDTH_B(`NEXUS_WIDTH(DATA_WIDTH_R)), .REGISTER_B(OUTREG != "BYPASSED"), .GATED(1),
           .ASYNCHRONOUS_B(RESETMODE == "ASYNC"))
        memory(.clk_a(CLK), .enable_a(on_w), .write_a(1'b1), .reset_a(1'b0), .advance_a(1'b0),
               .address_a(ADW), .bytes_a(ADW[3:0]), .data_a(DI), .value_a(),
               .clk_b(CLK), .enable_b(on_r), .write_b(1'b0), .reset_b(RST), .advance_b(on_r),
               .address_b(ADR), .bytes_b(4'b0), .data_b(36'b0), .value_b(DO));
    generate
        if (ECC != "DISABLED") block_RAM_has_no_model_of_this_correction error();
    endgenerate
endmodule

// A reset begins and ends in the same way, with the clock or without; and there is no global one.
module nexus_reset #(
    parameter MODE = "SYNC", parameter RELEASE = "SYNC", parameter GSR = "DISABLED"
) ();
    generate
        if (MODE != "SYNC" && MODE != "ASYNC" || RELEASE != MODE || GSR != "DISABLED")
            block_RAM_has_no_model_of_this_reset error();
    endgenerate
endmodule

`default_nettype wire
