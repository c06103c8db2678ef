// The cell models of the ECP5 that Yosys ships, but for the block RAM, which is a black box there;
// see dp16kd.v.
`include "common_sim.vh"
`include "ccu2c_sim.vh"
`include "cells_ff.vh"
`include "cells_io.vh"

// The global set and reset. It holds flip-flops at their start values for two cycles after the
// device has been configured; here they start with those values, and nothing holds them.
module SGSR (input GSR, input CLK);
endmodule
