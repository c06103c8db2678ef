// Sum of the four bytes of a packet, with one of several faults in its manners: +manners=N.
module top(
    input clk, input rst,
    input [7:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
    output [15:0] m_axis_tdata, output m_axis_tvalid, input m_axis_tready, output m_axis_tlast,
    output sample_error
);
    integer manners = 0;
    initial if (!$value$plusargs("manners=%d", manners)) manners = 0;

`ifdef __ICARUS__
    // Manners 10: from the third result on two blocks of logic chase each other, and time stops.
    reg chased = 0, chasing = 0;
    always @(chasing or count) chased = manners == 10 && count > 2 ? ~chasing : 0;
    always @(chased) chasing = chased;
`endif

    // Manners 11 and 12: a register that nothing sets decides over valid, or over data.
    reg unset;
    always @(posedge clk) if (manners == 99) unset <= ~unset;

    reg [15:0] sum = 0, total = 0;
    reg [1:0] place = 0;
    reg valid = 0, skip = 0, repeated = 0, fault = 0;
    reg [7:0] waited = 0, count = 0;
    wire fire = s_axis_tvalid && s_axis_tready;
    wire bad = fire && !skip && s_axis_tlast != (place == 3);

    assign s_axis_tready = (!valid || m_axis_tready) && !(manners == 8 && count > 5);
    assign m_axis_tdata = total + ((manners == 2 && waited == 1) || (manners == 12 && unset));
    assign m_axis_tvalid = valid && !(manners == 1 && waited == 1) && !(manners == 11 && unset);
    assign m_axis_tlast = manners == 3 ? waited != 1 : manners != 4;
    assign sample_error = fault;

    always @(posedge clk) begin
        fault <= bad && manners != 5 && !rst;
        waited <= valid && !m_axis_tready ? waited + 1 : 0;
        if (valid && m_axis_tready) begin
            valid <= 0;
            if (manners == 6 && !repeated && count == 3) begin
                valid <= 1;
                repeated <= 1;
            end
        end
        if (fire) begin
            place <= place + 1;
            sum <= sum + s_axis_tdata;
            if (skip || bad) begin
                skip <= !s_axis_tlast;
                place <= 0;
                sum <= 0;
            end else if (place == 3) begin
                total <= sum + s_axis_tdata;
                sum <= 0;
                valid <= 1;
                count <= count + 1;
            end
        end
        if (rst) begin
            place <= 0;
            skip <= 0;
            if (manners != 7) valid <= 0;
            if (manners != 9) sum <= 0;
        end
    end
endmodule
