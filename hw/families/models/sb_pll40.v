// The PLL of the iCE40 with one output and the feedback path SIMPLE, as the iCE40 sysCLOCK PLL guide
// (FPGA-TN-02052) describes it; limits as in plls/ice40.py. Another path is refused.
`default_nettype none
`timescale 1ps / 1ps

module sb_pll40 #(
    parameter FEEDBACK_PATH = "SIMPLE", PLLOUT_SELECT = "GENCLK",
    parameter DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (
    input clk, RESETB, BYPASS,
    output out, LOCK
);
    wire made;
    assign out = BYPASS ? clk : made;
    pll_model #(
        .MULTIPLY(DIVF + 1), .DIVIDE((DIVR + 1) * (1 << DIVQ)), .DETECTOR(DIVR + 1),
        .VCO(1 << DIVQ), .INPUT_MIN(10000), .INPUT_MAX(133000), .DETECTOR_MIN(filter_min(0)),
        .DETECTOR_MAX(filter_max(0)), .VCO_MIN(533000), .VCO_MAX(1066000), .OUTPUT_MIN(16000),
        .OUTPUT_MAX(275000)
    ) model (.clk(clk), .reset(!RESETB), .out(made), .lock(LOCK));

    generate
        if (FEEDBACK_PATH != "SIMPLE" || PLLOUT_SELECT != "GENCLK" || DIVR > 15 || DIVF > 127
            || DIVQ < 1 || DIVQ > 6)
            sb_pll40_with_these_settings_has_no_model refused ();
    endgenerate

    // The loop filter is for a range of the phase detector, in kHz.
    function integer filter_min(input unused);
        case (FILTER_RANGE)
            1: filter_min = 10000;
            2: filter_min = 17000;
            3: filter_min = 26000;
            4: filter_min = 44000;
            5: filter_min = 66000;
            6: filter_min = 101000;
            default: filter_min = 133001;  // none
        endcase
    endfunction
    function integer filter_max(input unused);
        case (FILTER_RANGE)
            1: filter_max = 17000;
            2: filter_max = 26000;
            3: filter_max = 44000;
            4: filter_max = 66000;
            5: filter_max = 101000;
            default: filter_max = 133000;
        endcase
    endfunction
endmodule

module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = "SIMPLE", PLLOUT_SELECT = "GENCLK",
    parameter DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (
    input REFERENCECLK, RESETB, BYPASS,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK
);
    sb_pll40 #(
        .FEEDBACK_PATH(FEEDBACK_PATH), .PLLOUT_SELECT(PLLOUT_SELECT), .DIVR(DIVR), .DIVF(DIVF),
        .DIVQ(DIVQ), .FILTER_RANGE(FILTER_RANGE)
    ) pll (.clk(REFERENCECLK), .RESETB(RESETB), .BYPASS(BYPASS), .out(PLLOUTGLOBAL), .LOCK(LOCK));
    assign PLLOUTCORE = PLLOUTGLOBAL;
endmodule

module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "SIMPLE", PLLOUT_SELECT = "GENCLK",
    parameter DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (
    input PACKAGEPIN, RESETB, BYPASS,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK
);
    sb_pll40 #(
        .FEEDBACK_PATH(FEEDBACK_PATH), .PLLOUT_SELECT(PLLOUT_SELECT), .DIVR(DIVR), .DIVF(DIVF),
        .DIVQ(DIVQ), .FILTER_RANGE(FILTER_RANGE)
    ) pll (.clk(PACKAGEPIN), .RESETB(RESETB), .BYPASS(BYPASS), .out(PLLOUTGLOBAL), .LOCK(LOCK));
    assign PLLOUTCORE = PLLOUTGLOBAL;
endmodule

`default_nettype wire
