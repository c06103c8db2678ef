// Pad of the ECP5: input, output, output that can be released.
//
// As Lattice's FPGA Libraries Reference Guide describes IB, OB, OBZ and BB. The model that Yosys ships
// drives an input's pin with z and compares T with z; Verilator takes that for a pin which is driven
// from both sides, and refuses.
`default_nettype none

module TRELLIS_IO (
    inout B,
    input I, T,
    output O
);
    parameter DIR = "INPUT";

    generate
        if (DIR == "INPUT")
            assign O = B;
        else if (DIR == "OUTPUT") begin
            assign B = T === 1'b1 ? 1'bz : I;
            assign O = 1'bx;
        end else if (DIR == "BIDIR") begin
            assign B = T === 1'b1 ? 1'bz : I;
            assign O = B;
        end else
            trellis_io_of_this_direction_has_no_model refused ();
    endgenerate
endmodule

`default_nettype wire
