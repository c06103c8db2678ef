// Look-up tables: a constant, indexed by signals for one bit of it, is a tree of multiplexers.
// One module for all constants of a width, where Yosys' own map makes one for each.

(* techmap_celltype = "$shr $shiftx" *)
module constant_table (A, B, Y);
    parameter A_SIGNED = 0;
    parameter B_SIGNED = 0;
    parameter A_WIDTH = 1;
    parameter B_WIDTH = 1;
    parameter Y_WIDTH = 1;
    parameter [A_WIDTH-1:0] _TECHMAP_CONSTMSK_A_ = 0;

    input [A_WIDTH-1:0] A;
    input [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;

    localparam MOST = 10;  // inputs; more index something else
    localparam INPUTS = B_WIDTH < MOST ? B_WIDTH : MOST;
    localparam SIZE = 1 << INPUTS;

    wire _TECHMAP_FAIL_ = Y_WIDTH != 1 || B_WIDTH > INPUTS || A_SIGNED || B_SIGNED
        || ~&_TECHMAP_CONSTMSK_A_;

    wire [SIZE-1:0] contents = A;  // whose zeros in front are not written, and may be cut off
    \$bmux #(.WIDTH(1), .S_WIDTH(INPUTS)) _TECHMAP_REPLACE_ (
        .A(contents), .S(B[INPUTS-1:0]), .Y(Y[0]));
endmodule
