// Cells of Nexus that Yosys ships without a behaviour; for the block RAMs see nexus_bram.v.

// The global set and reset. It holds flip-flops at their start values for two cycles after the
// device has been configured; here they start with those values, and nothing holds them.
module GSR (input GSR_N, input CLK);
    parameter SYNCMODE = "SYNC";
endmodule
