// The PLL of the ECP5 with feedback from CLKOP, and the outputs CLKOP and CLKOS, as the ECP5 sysCLOCK
// guide (FPGA-TN-02200) describes it; limits as in plls/ecp5.py. Another path is refused.
`default_nettype none
`timescale 1ps / 1ps

module EHXPLLL #(
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, FEEDBK_PATH = "CLKOP",
    parameter CLKOP_ENABLE = "ENABLED", CLKOP_DIV = 8, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
    parameter CLKOS_ENABLE = "DISABLED", CLKOS_DIV = 8, CLKOS_CPHASE = 0, CLKOS_FPHASE = 0
) (
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
    input PLLWAKESYNC, ENCLKOP, ENCLKOS,
    output CLKOP, CLKOS, LOCK
);
    wire lock_p;
    ehxplll_output #(.CLKI_DIV(CLKI_DIV), .MULTIPLE(CLKFB_DIV * CLKOP_DIV), .DIVIDER(CLKOP_DIV)
        ) p (.clk(CLKI), .reset(RST), .out(CLKOP), .lock(lock_p));
    ehxplll_output #(.CLKI_DIV(CLKI_DIV), .MULTIPLE(CLKFB_DIV * CLKOP_DIV), .DIVIDER(CLKOS_DIV)
        ) s (.clk(CLKI), .reset(RST), .out(CLKOS), .lock(LOCK));

    generate
        if (FEEDBK_PATH != "CLKOP" || CLKOP_ENABLE != "ENABLED" || CLKOS_ENABLE != "ENABLED"
            || CLKI_DIV < 1 || CLKI_DIV > 128 || CLKFB_DIV < 1 || CLKFB_DIV > 80 || CLKOP_DIV < 1
            || CLKOP_DIV > 128 || CLKOS_DIV < 1 || CLKOS_DIV > 128)
            ehxplll_with_these_settings_has_no_model refused ();
    endgenerate
endmodule

module ehxplll_output #(
    parameter CLKI_DIV = 1, MULTIPLE = 1, DIVIDER = 1
) (
    input clk, reset,
    output out, lock
);
    pll_model #(
        .MULTIPLY(MULTIPLE), .DIVIDE(CLKI_DIV * DIVIDER), .DETECTOR(CLKI_DIV), .VCO(DIVIDER),
        .INPUT_MIN(8000), .INPUT_MAX(400000), .DETECTOR_MIN(10000), .DETECTOR_MAX(400000),
        .VCO_MIN(400000), .VCO_MAX(800000), .OUTPUT_MIN(3125), .OUTPUT_MAX(400000)
    ) model (.clk(clk), .reset(reset), .out(out), .lock(lock));
endmodule

`default_nettype wire
