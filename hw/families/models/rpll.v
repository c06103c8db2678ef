// The PLL of the Gowin GW1N and GW2A with static dividers and internal feedback, the output CLKOUT,
// as the Gowin clock guide (UG286) describes it. What a die allows differs; the limits here are the
// widest of plls/gowin.py. Other settings are refused.
`default_nettype none
`timescale 1ps / 1ps

module rPLL #(
    parameter DEVICE = "", FCLKIN = "", DYN_IDIV_SEL = "false", DYN_FBDIV_SEL = "false",
    parameter DYN_ODIV_SEL = "false", CLKFB_SEL = "internal", CLKOUT_BYPASS = "false",
    parameter IDIV_SEL = 0, FBDIV_SEL = 0, ODIV_SEL = 8
) (
    input CLKIN, CLKFB, RESET, RESET_P,
    output CLKOUT, LOCK
);
    pll_model #(
        .MULTIPLY(FBDIV_SEL + 1), .DIVIDE(IDIV_SEL + 1), .DETECTOR(IDIV_SEL + 1), .VCO(ODIV_SEL),
        .INPUT_MIN(3000), .INPUT_MAX(400000), .DETECTOR_MIN(3000), .DETECTOR_MAX(400000),
        .VCO_MIN(400000), .VCO_MAX(1250000), .OUTPUT_MIN(3125), .OUTPUT_MAX(625000)
    ) model (.clk(CLKIN), .reset(RESET || RESET_P), .out(CLKOUT), .lock(LOCK));

    generate
        if (DYN_IDIV_SEL != "false" || DYN_FBDIV_SEL != "false" || DYN_ODIV_SEL != "false"
            || CLKFB_SEL != "internal" || CLKOUT_BYPASS != "false" || IDIV_SEL > 63
            || FBDIV_SEL > 63)
            rpll_with_these_settings_has_no_model refused ();
    endgenerate
endmodule

module PLLVR #(
    parameter DEVICE = "", FCLKIN = "", DYN_IDIV_SEL = "false", DYN_FBDIV_SEL = "false",
    parameter DYN_ODIV_SEL = "false", CLKFB_SEL = "internal", CLKOUT_BYPASS = "false",
    parameter IDIV_SEL = 0, FBDIV_SEL = 0, ODIV_SEL = 8
) (
    input CLKIN, CLKFB, RESET, RESET_P, VREN,
    output CLKOUT, LOCK
);
    rPLL #(
        .DYN_IDIV_SEL(DYN_IDIV_SEL), .DYN_FBDIV_SEL(DYN_FBDIV_SEL), .DYN_ODIV_SEL(DYN_ODIV_SEL),
        .CLKFB_SEL(CLKFB_SEL), .CLKOUT_BYPASS(CLKOUT_BYPASS), .IDIV_SEL(IDIV_SEL),
        .FBDIV_SEL(FBDIV_SEL), .ODIV_SEL(ODIV_SEL)
    ) pll (.CLKIN(CLKIN), .CLKFB(CLKFB), .RESET(RESET || !VREN), .RESET_P(RESET_P),
           .CLKOUT(CLKOUT), .LOCK(LOCK));
endmodule

`default_nettype wire
