// The cells that nextpnr packs a design for the iCE40 into, as it writes them after routing. Each is
// what IceStorm's documentation of the tiles says, and equal to the primitives that it was made of.
// Every input must be connected. A parameter that has no effect here is not declared, so that a
// netlist with it is refused by the simulator.
`default_nettype none

// A logic cell: a LUT, its carry, and a flip-flop behind it.
module ICESTORM_LC #(
    parameter [15:0] LUT_INIT = 0,
    parameter [0:0] DFF_ENABLE = 0,               // whether O comes from the flip-flop
    parameter [0:0] NEG_CLK = 0, ASYNC_SR = 0, SET_NORESET = 0,
    parameter [0:0] CARRY_ENABLE = 0,
    parameter [0:0] CIN_CONST = 0, CIN_SET = 0    // whether the carry starts here, and with what
) (
    input I0, I1, I2, I3, CIN, CLK, CEN, SR,
    output LO, O, COUT
);
    wire carry = CIN_CONST ? CIN_SET : CIN;
    assign COUT = CARRY_ENABLE ? (I1 & I2) | ((I1 | I2) & carry) : 1'bx;

    wire [7:0] half = I3 ? LUT_INIT[15:8] : LUT_INIT[7:0];
    wire [3:0] quarter = I2 ? half[7:4] : half[3:0];
    wire [1:0] eighth = I1 ? quarter[3:2] : quarter[1:0];
    wire value = I0 ? eighth[1] : eighth[0];
    assign LO = value;

    generate
        if (!DFF_ENABLE)
            assign O = value;
        else begin : registered
            wire clk = CLK ^ NEG_CLK;
            reg q = 0;
            assign O = q;
            if (ASYNC_SR) begin : asynchronous
                always @(posedge clk or posedge SR)
                    if (SR) q <= SET_NORESET;
                    else if (CEN) q <= value;
            end else begin : synchronous
                always @(posedge clk) if (CEN) q <= SR ? SET_NORESET : value;
            end
        end
    endgenerate
endmodule

// A block RAM: the primitive, each bit of its ports a pin.
module ICESTORM_RAM #(
    parameter WRITE_MODE = 0, READ_MODE = 0,
    parameter [0:0] NEG_CLK_R = 0, NEG_CLK_W = 0,
    parameter [255:0]
              INIT_0 = 256'h0, INIT_1 = 256'h0, INIT_2 = 256'h0, INIT_3 = 256'h0,
              INIT_4 = 256'h0, INIT_5 = 256'h0, INIT_6 = 256'h0, INIT_7 = 256'h0,
              INIT_8 = 256'h0, INIT_9 = 256'h0, INIT_A = 256'h0, INIT_B = 256'h0,
              INIT_C = 256'h0, INIT_D = 256'h0, INIT_E = 256'h0, INIT_F = 256'h0
) (
    input RCLK, RCLKE, RE, WCLK, WCLKE, WE,
    output
        RDATA_15, RDATA_14, RDATA_13, RDATA_12, RDATA_11, RDATA_10, RDATA_9, RDATA_8, RDATA_7,
        RDATA_6, RDATA_5, RDATA_4, RDATA_3, RDATA_2, RDATA_1, RDATA_0,
    input
        RADDR_10, RADDR_9, RADDR_8, RADDR_7, RADDR_6, RADDR_5, RADDR_4, RADDR_3, RADDR_2,
        RADDR_1, RADDR_0,
    input
        WADDR_10, WADDR_9, WADDR_8, WADDR_7, WADDR_6, WADDR_5, WADDR_4, WADDR_3, WADDR_2,
        WADDR_1, WADDR_0,
    input
        MASK_15, MASK_14, MASK_13, MASK_12, MASK_11, MASK_10, MASK_9, MASK_8, MASK_7, MASK_6,
        MASK_5, MASK_4, MASK_3, MASK_2, MASK_1, MASK_0,
    input
        WDATA_15, WDATA_14, WDATA_13, WDATA_12, WDATA_11, WDATA_10, WDATA_9, WDATA_8, WDATA_7,
        WDATA_6, WDATA_5, WDATA_4, WDATA_3, WDATA_2, WDATA_1, WDATA_0
);
    SB_RAM40_4K #(
        .WRITE_MODE(WRITE_MODE), .READ_MODE(READ_MODE),
        .INIT_0(INIT_0), .INIT_1(INIT_1), .INIT_2(INIT_2), .INIT_3(INIT_3), .INIT_4(INIT_4),
        .INIT_5(INIT_5), .INIT_6(INIT_6), .INIT_7(INIT_7), .INIT_8(INIT_8), .INIT_9(INIT_9),
        .INIT_A(INIT_A), .INIT_B(INIT_B), .INIT_C(INIT_C), .INIT_D(INIT_D), .INIT_E(INIT_E),
        .INIT_F(INIT_F)
    ) ram (
        .RCLK(RCLK ^ NEG_CLK_R), .RCLKE(RCLKE), .RE(RE), .WCLK(WCLK ^ NEG_CLK_W), .WCLKE(WCLKE),
        .WE(WE),
        .RDATA({
            RDATA_15, RDATA_14, RDATA_13, RDATA_12, RDATA_11, RDATA_10, RDATA_9, RDATA_8,
            RDATA_7, RDATA_6, RDATA_5, RDATA_4, RDATA_3, RDATA_2, RDATA_1, RDATA_0}),
        .RADDR({
            RADDR_10, RADDR_9, RADDR_8, RADDR_7, RADDR_6, RADDR_5, RADDR_4, RADDR_3, RADDR_2,
            RADDR_1, RADDR_0}),
        .WADDR({
            WADDR_10, WADDR_9, WADDR_8, WADDR_7, WADDR_6, WADDR_5, WADDR_4, WADDR_3, WADDR_2,
            WADDR_1, WADDR_0}),
        .MASK({
            MASK_15, MASK_14, MASK_13, MASK_12, MASK_11, MASK_10, MASK_9, MASK_8, MASK_7, MASK_6,
            MASK_5, MASK_4, MASK_3, MASK_2, MASK_1, MASK_0}),
        .WDATA({
            WDATA_15, WDATA_14, WDATA_13, WDATA_12, WDATA_11, WDATA_10, WDATA_9, WDATA_8,
            WDATA_7, WDATA_6, WDATA_5, WDATA_4, WDATA_3, WDATA_2, WDATA_1, WDATA_0})
    );
endmodule

// A PLL with the output A: the primitive, its settings as the bits of the configuration.
module ICESTORM_PLL #(
    parameter [2:0] FEEDBACK_PATH = 0,
    parameter DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0,
    parameter PLLTYPE = 0,                                   // which primitive it was
    parameter PLLOUT_SELECT = "GENCLK", PLLOUT_SELECT_A = 0, PLLOUT_SELECT_B = 0,
    parameter TEST_MODE = 0, SHIFTREG_DIVMODE = 0, FDA_RELATIVE = 0, FDA_FEEDBACK = 0,
    parameter DELAY_ADJMODE_REL = 0, DELAY_ADJMODE_FB = 0,
    parameter ENABLE_ICEGATE_PORTA = 0, ENABLE_ICEGATE_PORTB = 0
) (
    input REFERENCECLK, RESETB, BYPASS, EXTFEEDBACK, LATCHINPUTVALUE, SCLK, SDI,
    input DYNAMICDELAY_7, DYNAMICDELAY_6, DYNAMICDELAY_5, DYNAMICDELAY_4, DYNAMICDELAY_3,
    input DYNAMICDELAY_2, DYNAMICDELAY_1, DYNAMICDELAY_0,
    output PLLOUT_A, PLLOUT_A_GLOBAL, LOCK
);
    sb_pll40 #(
        .FEEDBACK_PATH("SIMPLE"), .PLLOUT_SELECT("GENCLK"), .DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ),
        .FILTER_RANGE(FILTER_RANGE)
    ) pll (.clk(REFERENCECLK), .RESETB(RESETB), .BYPASS(BYPASS), .out(PLLOUT_A_GLOBAL),
           .LOCK(LOCK));
    assign PLLOUT_A = PLLOUT_A_GLOBAL;

    generate
        if (FEEDBACK_PATH != 1 || PLLOUT_SELECT_A != 0 || TEST_MODE != 0
            || ENABLE_ICEGATE_PORTA != 0)
            icestorm_pll_with_these_settings_has_no_model refused ();
    endgenerate
endmodule

`default_nettype wire
