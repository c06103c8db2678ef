// Cells of GateMate that Yosys ships without a behaviour.

// The reset that lasts until the device has been configured. After Cologne Chip's library of
// primitives (UG1001): low until then, high for ever after; here for the first 100 units of time.
module CC_USR_RSTN (output reg USR_RSTN);
    initial begin
        USR_RSTN = 1'b0;
        #100 USR_RSTN = 1'b1;
    end
endmodule
