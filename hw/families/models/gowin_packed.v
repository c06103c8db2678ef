// The cells that nextpnr packs a design for Gowin into, as it writes them after routing, where they
// are not those that Yosys has models of. Each is what Apicula's documentation of the logic cells
// says. Every input must be connected.
`default_nettype none

// A LUT with its carry: of its sixteen bits the upper half is the sum with I3, the second quarter
// from below the sum without, and the lowest quarter what the carry is where the sum is 0.
module GOWIN_ALU #(
    parameter ALU_MODE = 2,
    parameter [15:0] RAW_ALU_LUT = ALU_MODE == "C2L" ? 16'h0000 : ALU_MODE == "ONE2C" ? 16'h000F :
                                   16'h609A,
    parameter CIN_NETTYPE = "LOGIC"
) (
    input I0, I1, I2, I3, CIN,
    output SUM, COUT
);
    wire [3:0] lut = !I2 ? {4{1'bx}} : I3 ? RAW_ALU_LUT[15:12] : RAW_ALU_LUT[7:4];
    wire [1:0] half = I1 ? lut[3:2] : lut[1:0], other = I1 ? RAW_ALU_LUT[3:2] : RAW_ALU_LUT[1:0];
    wire value = I0 ? half[1] : half[0];
    assign SUM = value ^ CIN;
    assign COUT = value ? CIN : I0 ? other[1] : other[0];

    generate
        if (ALU_MODE != 2 && ALU_MODE != "C2L" && ALU_MODE != "ONE2C" || CIN_NETTYPE != "LOGIC")
            gowin_alu_of_this_mode_has_no_model refused ();
    endgenerate
endmodule

module GOWIN_GND (output G);
    assign G = 1'b0;
endmodule

module GOWIN_VCC (output V);
    assign V = 1'b1;
endmodule

// Holds flip-flops at their start values while the device is configured, and nothing afterwards.
module GSR (input GSRI);
endmodule

// The pads. What they say of the nets they lie on is for the packer alone.
module GOWIN_IBUF #(
    parameter NET_I = "", NET_O = ""
) (input I, output O);
    assign O = I;
endmodule

module GOWIN_TBUF #(
    parameter NET_I = "", NET_O = "", NET_OEN = "", NET_BOTTOM_IO_PORT_A = "",
    parameter NET_BOTTOM_IO_PORT_B = ""
) (
    input I, OEN, BOTTOM_IO_PORT_A, BOTTOM_IO_PORT_B,
    output O
);
    assign O = OEN ? 1'bz : I;
endmodule

`default_nettype wire
