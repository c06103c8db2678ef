// What the models of the PLLs have in common: a clock that is multiplied by a fraction.
//
// The frequency that comes in is measured, and what is made of it is held against the limits of the
// data sheet, in kHz and to one part in a thousand; out of them the simulation ends. Edges are
// reckoned from the edge of the input at which the PLL locked, so that they never drift. Before that
// the output runs at half its frequency, as one that still hunts. The time to lock is the model's:
// data sheets tell the longest, up to 15 ms, which nobody wants to simulate.
`default_nettype none
`timescale 1ps / 1ps

module pll_model #(
    parameter MULTIPLY = 1, DIVIDE = 1,  // what comes out, of what comes in
    parameter DETECTOR = 1,              // what comes in, of the phase detector's
    parameter VCO = 1,                   // the VCO's, of what comes out
    parameter INPUT_MIN = 0, INPUT_MAX = 0, DETECTOR_MIN = 0, DETECTOR_MAX = 0,
    parameter VCO_MIN = 0, VCO_MAX = 0, OUTPUT_MIN = 0, OUTPUT_MAX = 0,
    parameter LOCK_PS = 50_000_000
) (
    input clk, reset,
    output reg out, lock
);
    reg [63:0] last, period, start, edges, now;
    initial begin
        {last, period, start, edges} = 0;
        {out, lock} = 0;
    end

    // Two edges of the input tell its period; the clock runs from the second on.
    always @(posedge clk) begin
        now = $time;
        if (last != 0 && period == 0) begin
            period = now - last;
            check;
        end
        if (period != 0 && !lock && !reset && now >= LOCK_PS) begin
            start = now;
            edges = 0;
            lock <= 1;
        end
        last = now;
    end
    always @(posedge reset) lock <= 0;

    always begin
        wait (period != 0);
        if (lock) begin
            edges = edges + 1;
            now = $time;
            if (start + edges * period * DIVIDE / (2 * MULTIPLY) > $time)
                #(start + edges * period * DIVIDE / (2 * MULTIPLY) - $time) out = !out;
        end else
            #(period * DIVIDE / MULTIPLY) out = !out;
    end

    task check;
        real khz;
        begin
            khz = 1.0e9 / period;
            bounded("input", khz, INPUT_MIN, INPUT_MAX);
            bounded("phase detector", khz / DETECTOR, DETECTOR_MIN, DETECTOR_MAX);
            bounded("VCO", khz * MULTIPLY / DIVIDE * VCO, VCO_MIN, VCO_MAX);
            bounded("output", khz * MULTIPLY / DIVIDE, OUTPUT_MIN, OUTPUT_MAX);
        end
    endtask

    task bounded(input [8*16-1:0] what, input real khz, input integer least, most);
        if (khz < 0.999 * least || khz > 1.001 * most) begin
            $display("PLL: the %0s has %0.0f kHz, and may have %0d to %0d", what, khz, least, most);
            $finish;
        end
    endtask
endmodule

`default_nettype wire
