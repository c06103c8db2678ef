// The cells that nextpnr packs a design for the ECP5 into, as it writes them after routing, where
// Yosys has no model of them or one that is not whole. Each is what Project Trellis's documentation
// of the slices says. Every input must be connected. A parameter that has no effect here is not
// declared, so that a netlist with it is refused by the simulator.
`default_nettype none

// Half a slice: a LUT, half of a CCU2C, or a bit of a memory of 16 words.
module TRELLIS_COMB #(
    parameter MODE = "LOGIC",
    parameter [15:0] INITVAL = 0,
    parameter CCU2_INJECT1 = "NO",               // whether the carry goes through
    parameter WREMUX = "WRE", WCKMUX = "WCK",
    parameter WIDE = 0                           // whether the multiplexer has its inputs from others
) (
    input A, B, C, D, M, FCI, F1, FXA, FXB, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK,
    input DI0, DI1,                              // the way to the flip-flops, which have their own
    output F, FCO, OFX
);
    reg [15:0] value;
    initial value = INITVAL;
    wire [7:0] half = D ? value[15:8] : value[7:0];
    wire [3:0] quarter = C ? half[7:4] : half[3:0];
    wire [1:0] eighth = B ? quarter[3:2] : quarter[1:0];
    wire lut = A ? eighth[1] : eighth[0];
    wire pair = value[{B, A}];

    generate
        if (MODE == "LOGIC" || MODE == "RAMW_BLOCK") begin
            assign F = lut;
            assign FCO = 1'bx;
        end else if (MODE == "CCU2") begin
            wire injected = CCU2_INJECT1 == "YES";
            assign F = lut ^ (~injected & FCI);
            assign FCO = lut ? FCI : ~injected & pair;
        end else if (MODE == "DPRAM") begin
            wire write = WRE ^ (WREMUX == "INV");
            // An address as the pins of the LUT have it.
            always @(posedge WCK) if (write) value[{WAD0, WAD2, WAD1, WAD3}] <= WD;
            assign F = lut;
            assign FCO = 1'bx;
        end
        if (MODE != "LOGIC" && MODE != "RAMW_BLOCK" && MODE != "CCU2" && MODE != "DPRAM"
            || WCKMUX != "WCK")
            trellis_comb_of_this_mode_has_no_model refused ();
    endgenerate
    assign OFX = WIDE ? (M ? FXB : FXA) : M ? F1 : F;
endmodule

// What writes the memories of the slices beside it.
module TRELLIS_RAMW (
    input A0, B0, C0, D0, A1, B1, C1, D1,
    output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
    assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
    assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule

// A flip-flop, whose data may come from outside the slice: from M.
module TRELLIS_PACKED_FF #(
    parameter SD = "0",
    parameter CEMUX = "CE", LSRMUX = "LSR", CLKMUX = "CLK", SRMODE = "LSR_OVER_CE",
    parameter REGSET = "RESET", LSRMODE = "LSR",
    parameter GSR = "DISABLED"                   // no effect: see SGSR in ecp5.v
) (
    input CLK, LSR, CE, DI, M,
    output Q
);
    // The one of Yosys has data from M where that is a value to be loaded, and from DI else.
    TRELLIS_FF #(.GSR(GSR), .CEMUX(CEMUX), .LSRMUX(LSRMUX), .CLKMUX(CLKMUX), .SRMODE(SRMODE),
                 .REGSET(REGSET), .LSRMODE(LSRMODE))
        ff (.CLK(CLK), .LSR(LSR), .CE(CE), .DI(SD == "0" ? M : DI), .M(M), .Q(Q));
endmodule

// A global buffer.
module DCCA (input CLKI, CE, output CLKO);
    assign CLKO = CLKI & CE;
endmodule

module GSR #(
    parameter MODE = "", SYNCMODE = ""           // no effect: see SGSR in ecp5.v
) (input GSR, CLK);
endmodule

`default_nettype wire
