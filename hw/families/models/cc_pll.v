// The PLL of the GateMate with internal feedback, the output CLK0, as the library of primitives
// (UG1001) describes it; limits as in plls/gatemate.py. It is told two frequencies in MHz as text;
// the dividers, and with them the phase detector and the oscillator, are nextpnr's.
`default_nettype none
`timescale 1ps / 1ps

module CC_PLL #(
    parameter [8*16-1:0] REF_CLK = "", OUT_CLK = "",
    parameter PERF_MD = "SPEED", LOW_JITTER = 1, LOCK_REQ = 1, CI_FILTER_CONST = 2,
    parameter CP_FILTER_CONST = 4
) (
    input CLK_REF, USR_CLK_REF, CLK_FEEDBACK, USR_LOCKED_STDY_RST,
    output CLK0, USR_PLL_LOCKED
);
    // What comes in must be what it is told, to one part in a thousand.
    pll_model #(
        .MULTIPLY(number(OUT_CLK)), .DIVIDE(number(REF_CLK)), .INPUT_MIN(number(REF_CLK) / 10),
        .INPUT_MAX(number(REF_CLK) / 10), .DETECTOR_MAX(50000), .DETECTOR_MIN(5000),
        .VCO_MAX(416750), .OUTPUT_MIN(1000), .OUTPUT_MAX(416750)
    ) model (.clk(CLK_REF), .reset(1'b0), .out(CLK0), .lock(USR_PLL_LOCKED));

    generate
        if (PERF_MD != "SPEED" || number(REF_CLK) > 500000 || number(REF_CLK) < 50000)
            cc_pll_with_these_settings_has_no_model refused ();
    endgenerate

    // A number with four digits behind the point, without the point.
    function integer number(input [8*16-1:0] text);
        integer place;
        begin
            number = 0;
            for (place = 15; place >= 0; place = place - 1)
                if (text[8*place +: 8] >= "0" && text[8*place +: 8] <= "9")
                    number = 10 * number + (text[8*place +: 8] - "0");
        end
    endfunction
endmodule

`default_nettype wire
