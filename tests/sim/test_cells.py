"""Netlists and the behaviour of their cells."""

import re

import pytest

from bitwright.sim.cells import CellError, instances, library

NETLIST = """
module top(clk, o);
  input clk;
  output o;
  wire \\a.b ;
  LUT4 #(
    .INIT(16'hf000)
  ) \\core.lut  (
    .A(1'h0),
    .Z(o)
  );
  PLL \\clocks.U$3  (
    .CLK(clk)
  );
endmodule
"""

LUT = """
`define HALF 2
module LUT4 #(parameter INIT = 0) (input A, output Z);
  INV inverter(A, Z);
endmodule

module INV(input A, output Z);
  assign Z = ~A;
endmodule

module UNUSED(input A); endmodule
"""


@pytest.fixture
def models(tmp_path):
    (tmp_path / "lut.vh").write_text(LUT)
    (tmp_path / "cells.v").write_text('`include "lut.vh"\n\n(* blackbox *) (* keep *)\n'
                                      "module PLL(input CLK);\nendmodule\n")
    return tmp_path


def test_instances():
    assert instances(NETLIST) == {"LUT4", "PLL"}


def test_black_box(models):
    message = ("Netlist has cells without a behaviour to simulate (black boxes): PLL")
    with pytest.raises(CellError, match=rf"^{re.escape(message)}$"):
        library(NETLIST, [models / "cells.v"], [models])


def test_cell_that_nobody_knows(models):
    message = "Netlist has cells without a behaviour to simulate (black boxes): LUT4, PLL"
    with pytest.raises(CellError, match=rf"^{re.escape(message)}$"):
        library(NETLIST, [models / "cells.v"], [])


def test_no_cells():
    with pytest.raises(CellError, match=r"^Netlist has no cells$"):
        library("module top;\nendmodule\n", [], [])


def test_a_model_of_our_own_serves_for_a_black_box(models):
    """And nothing that is not needed comes along."""
    (models / "pll.v").write_text("module PLL(input CLK);\n  wire running = CLK;\nendmodule\n")
    text = library(NETLIST, [models / "cells.v", models / "pll.v"], [models])
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == ["INV", "LUT4", "PLL"]
    assert "running" in text
    assert "`define HALF 2" in text
    assert "`include" not in text
