// Pad of the iCE40, of pins without a register: input, output, output that can be released.
//
// As Lattice's technology library describes SB_IO. The model that Yosys ships compares its input
// CLOCK_ENABLE with z, which Verilator takes for a pin that is driven from both sides, and refuses.
// A type of pin that is not modelled here is refused by the simulator: it finds no module of the
// name below.
`default_nettype none

module SB_IO (
    inout PACKAGE_PIN,
    input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
    output D_IN_0, D_IN_1
);
    parameter [5:0] PIN_TYPE = 6'b000000;
    parameter [0:0] PULLUP = 1'b0;
    parameter [0:0] NEG_TRIGGER = 1'b0;
    parameter IO_STANDARD = "SB_LVCMOS";

    assign D_IN_0 = PACKAGE_PIN;
    assign D_IN_1 = 1'b0;

    generate
        if (PIN_TYPE[1:0] != 2'b01)
            sb_io_with_this_input_has_no_model refused ();
        if (PIN_TYPE[5:2] == 4'b0110)
            assign PACKAGE_PIN = D_OUT_0;
        else if (PIN_TYPE[5:2] == 4'b1010)
            assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
        else if (PIN_TYPE[5:2] != 4'b0000)
            sb_io_with_this_output_has_no_model refused ();
    endgenerate
endmodule

`default_nettype wire
