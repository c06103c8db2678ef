// Clock and reset for a design with a serial line, whose two wires a cocotb bench drives.
//
// The design is called `top` and has the ports of hw.top.SerialTop.
`default_nettype none
`timescale 1ns / 1ps

module harness;
    // Set by Python.
    reg rx /*verilator public_flat_rw*/ = 1;
    reg reset_go /*verilator public_flat_rw*/ = 0;  // a change asks for a reset

    // Read by Python.
    wire tx /*verilator public_flat_rw*/;
    reg [31:0] resets /*verilator public_flat_rw*/ = 0;  // resets finished
    reg [63:0] cycles /*verilator public_flat_rw*/ = 0;

    reg clk = 0;
    always #5 clk = ~clk;

    reg rst = 1, reset_seen = 0;
    reg [1:0] width = 3;
    always @(posedge clk) begin
        cycles <= cycles + 1;
        if (rst) begin
            width <= width - 1;
            if (width == 0) begin
                rst <= 0;
                resets <= resets + 1;
            end
        end else if (reset_go != reset_seen) begin
            reset_seen <= reset_go;
            rst <= 1;
        end
    end

    top dut (.clk(clk), .rst(rst), .rx(rx), .tx(tx));

`ifdef WAVES
    reg [8*1024-1:0] waves;
    initial if ($value$plusargs("waves=%s", waves)) begin
        $dumpfile(waves);
        $dumpvars(0, harness);
    end
`endif
endmodule
