// The cells that nextpnr packs a design for Nexus into, as it writes them after routing. Each is what
// Project Oxide's documentation of the slices says. Every input must be connected. A parameter that
// has no effect here is not declared, so that a netlist with it is refused by the simulator.
`default_nettype none

// Half a slice: a LUT, with a multiplexer that joins it and the next one, or a bit of a memory of 16
// words. Carries are not made for this family.
module OXIDE_COMB #(
    parameter MODE = "LOGIC",
    parameter [15:0] INIT = 0,
    parameter PLACE = 0                          // which half of the slice it is
) (
    input A, B, C, D, SEL, F1, FCI, WDI, WAD0, WAD1, WAD2, WAD3, WRE, WCK,
    output F, OFX
);
    reg [15:0] value;
    initial value = INIT;
    wire [7:0] half = D ? value[15:8] : value[7:0];
    wire [3:0] quarter = C ? half[7:4] : half[3:0];
    wire [1:0] eighth = B ? quarter[3:2] : quarter[1:0];
    assign F = A ? eighth[1] : eighth[0];
    assign OFX = SEL ? F1 : F;

    generate
        if (MODE == "DPRAM")
            // An address as the pins of the LUT have it, which is not the same in both halves.
            always @(posedge WCK)
                if (WRE) value[PLACE ? {WAD2, WAD0, WAD1, WAD3} : {WAD0, WAD2, WAD1, WAD3}] <= WDI;
        if (MODE != "LOGIC" && (MODE != "DPRAM" || INIT != 0))
            oxide_comb_of_this_mode_has_no_model refused ();
    endgenerate
endmodule

// What writes the memories of the slices beside it.
module RAMW (
    input A0, B0, C0, D0, A1, B1, C1, D1, CLK, LSR,
    output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3, WCKO, WREO
);
    assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
    assign {WDO3, WDO2, WDO1, WDO0} = {B1, A1, C1, D1};
    assign WCKO = CLK;
    assign WREO = LSR;
endmodule

// A flip-flop, whose data may come from outside the slice: from M.
module OXIDE_FF #(
    parameter SEL = "DF",                        // data from M, or from the LUT (DL)
    parameter CLKMUX = "CLK", CEMUX = "CE", LSRMUX = "LSR", SRMODE = "LSR_OVER_CE",
    parameter REGSET = "RESET", LSRMODE = "LSR", REGDDR = "DISABLED",
    parameter GSR = "DISABLED"                   // no effect: nothing holds them after the start
) (
    input CLK, CE, LSR, DI, M,
    output reg Q
);
    wire clk = CLK ^ (CLKMUX == "INV");
    wire enable = CEMUX == "1" | CE ^ (CEMUX == "INV");
    wire reset = LSRMUX != "0" & (LSR ^ (LSRMUX == "INV"));
    wire start = REGSET == "SET";
    wire data = SEL == "DL" ? DI : M;
    initial Q = start;

    generate
        if (SRMODE == "ASYNC") begin
            always @(posedge clk or posedge reset)
                if (reset) Q <= start;
                else if (enable) Q <= data;
        end else begin
            always @(posedge clk)
                if (reset) Q <= start;
                else if (enable) Q <= data;
        end
        if (SEL != "DL" && SEL != "DF" || SRMODE != "ASYNC" && SRMODE != "LSR_OVER_CE"
            || LSRMODE != "LSR" || REGDDR != "DISABLED" || CLKMUX == "0" || CEMUX == "0"
            || LSRMUX == "1")
            oxide_ff_with_these_settings_has_no_model refused ();
    endgenerate
endmodule

// A global buffer.
module DCC (input CLKI, output CLKO);
    assign CLKO = CLKI;
endmodule

// A pad that is an input, or an output.
module SEIO33_CORE #(
    parameter TMUX = "T", IMUX = "I",
    parameter I3CRESENMUX = "1", I3CWKPUMUX = "1"  // no effect: the pull-ups of an I3C bus
) (
    inout B, input I, T, I3CRESEN, I3CWKPU, output O
);
    generate
        if (TMUX == "0") begin
            assign B = I;
            assign O = 1'bx;
        end else if (TMUX == "1")
            assign O = B;
        else
            pad_of_this_direction_has_no_model refused ();
    endgenerate
endmodule

`default_nettype wire
