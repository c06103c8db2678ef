// Clock and reset for a design with a serial line, whose two wires a cocotb bench drives.
//
// The design is called `top` and has the ports of hw.link.serial_top.SerialTop; or else it is a
// placed one, which resets itself when it is switched on: its name and those of its pads are given
// by macros (MODULE, CLK_PIN, RX_PIN and TX_PIN).
`default_nettype none
`timescale 1ps / 1ps

module harness #(
    parameter HALF_PS = 5000,  // of the clock's period
    parameter SETTLE = 3  // clock cycles of a reset, or from switching on until the design is ready
);
    // Set by Python.
    reg rx /*verilator public_flat_rw*/ = 1;
    reg reset_go /*verilator public_flat_rw*/ = 0;  // a change asks for a reset

    // Read by Python.
    wire tx /*verilator public_flat_rw*/;
    reg [31:0] resets /*verilator public_flat_rw*/ = 0;  // resets finished
    reg [63:0] cycles /*verilator public_flat_rw*/ = 0;

    reg clk = 0;
    always #HALF_PS clk = ~clk;

    reg rst = 1, reset_seen = 0;
    reg [31:0] left = SETTLE;
    always @(posedge clk) begin
        cycles <= cycles + 1;
        if (rst) begin
            left <= left - 1;
            if (left == 0) begin
                rst <= 0;
                resets <= resets + 1;
            end
        end else if (reset_go != reset_seen) begin
            reset_seen <= reset_go;
            rst <= 1;
            left <= SETTLE;
        end
    end

`ifdef MODULE
    wire clk_pad = clk, rx_pad = rx;
    `MODULE dut (.`CLK_PIN(clk_pad), .`RX_PIN(rx_pad), .`TX_PIN(tx));
`else
    top dut (.clk(clk), .rst(rst), .rx(rx), .tx(tx));
`endif

`ifdef WAVES
    reg [8*1024-1:0] waves;
    initial if ($value$plusargs("waves=%s", waves)) begin
        $dumpfile(waves);
        $dumpvars(0, harness);
    end
`endif
endmodule
