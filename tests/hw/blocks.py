"""Blocks of every form of network, as a build delivers them, and a bench in Verilog around them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numpy as np

from bitwright import ir
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.interface import Interface
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from tests.networks import features, network

__all__ = ["FORMS", "Block", "answers", "bench", "block"]


def neurons():
    """A chain of XNOR neurons, whose weights can lie in memory."""
    rng = np.random.default_rng(3)
    return ir.Network((
        ir.Entry("modulate", ir.Modulate(rng.integers(1, 4, (1, 9, 1)).astype(np.int32), 2),
                 ("input",)),
        ir.Entry("xnor0", ir.Xnor(rng.integers(2, size=(8, 9)).astype(bool),
                                  rng.integers(3, 7, (8, 1)).astype(np.int32)), ("modulate",)),
        ir.Entry("head", ir.Scores(rng.integers(2, size=(3, 8)).astype(bool), 2,
                                   np.array([0, 1, -1], np.int32)), ("xnor0",))))


NEURONS = neurons()
FOLDED = {"way": "folded", "cycles": 12}
WRITABLE = {**FOLDED, "writable": True}

FORMS = {
    "unrolled": (network(2), Plan(), "rst"),
    "frames": (network(7, frames=2), Plan(lanes=2, result_beat_bytes=3), "aresetn"),
    "folded": (NEURONS, Plan(lanes=2, nodes={"xnor0": FOLDED, "head": FOLDED}), "rst"),
    "writable": (NEURONS, Plan(lanes=2, result_beat_bytes=1,
                               nodes={"xnor0": WRITABLE, "head": WRITABLE}), "aresetn"),
    "convolution": (network(4), Plan(result_beat_bytes=8), "rst"),
}
"""Network, plan and reset of a block of each form, by its name."""


@dataclass(frozen=True)
class Block:
    """A block and what goes through it.

    Parameters
    ----------
    interface : Interface
    text : str
    samples : array, shape (vectors, features)
    results : list of bytes
        What the golden evaluator says of the samples.
    """

    interface: Interface
    text: str
    samples: np.ndarray
    results: list[bytes]

    @property
    def name(self) -> str:
        return self.interface.naming.module


@functools.cache
def block(form: str, vectors: int = 20) -> Block:
    """The block of a form, and so many vectors."""
    subject, plan, reset = FORMS[form]
    component, naming = AxiIp(subject, plan), Naming(form, reset)
    interface = component.interface(naming)
    samples = features(subject, vectors, seed=1)
    found = subject.evaluate(samples)
    return Block(interface, to_verilog(component, naming, interface=interface), samples,
                 [interface.layout.pack_result(decision, scores) for decision, scores in zip(
                     found.decision.tolist(), found.scores.tolist(), strict=True)])


_BENCH = """
module bench;
    reg clk = 0, rst = 1;
    integer cycles = 0;
    reg [31:0] noise = 1;
    always #5 clk = ~clk;
    always @(posedge clk) begin
        cycles <= cycles + 1;
        noise <= {{noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]}};
        if (cycles == 3) rst <= 0;
        if (cycles == {cycles}) $finish;
    end
{sides}
endmodule
"""

_SIDE = """
    // {name}: beats as `last`, data; a beat waits, and is waited for, as the noise has it.
    reg [{width}:0] {name}_beats [0:{beats}-1];
    integer {name}_sent = 0;
    reg {name}_valid = 0, {name}_ready = 0;
    reg [{width}:0] {name}_beat = 0;
    wire {name}_taken, {name}_given, {name}_last, {name}_error;
    wire [{out}-1:0] {name}_data;
    wire [{out}/8-1:0] {name}_keep{no_keep};
    initial $readmemh("{name}.hex", {name}_beats);
    {name} {name}_block(
        .{clock}(clk), .{reset}({active}rst), .s_axis_tdata({name}_beat[{width}-1:0]),
        .s_axis_tvalid({name}_valid), .s_axis_tready({name}_taken),
        .s_axis_tlast({name}_beat[{width}]),
        .m_axis_tdata({name}_data), .m_axis_tvalid({name}_given), .m_axis_tready({name}_ready),
        .m_axis_tlast({name}_last){more}, .sample_error({name}_error));
    always @(posedge clk) if (cycles > 5) begin
        {name}_ready <= noise[{place}];
        if (!{name}_valid || {name}_taken) begin
            {name}_valid <= {name}_sent < {beats} && noise[{place} + 1];
            if ({name}_sent < {beats} && noise[{place} + 1]) begin
                {name}_beat <= {name}_beats[{name}_sent];
                {name}_sent <= {name}_sent + 1;
            end
        end
        if ({name}_given && {name}_ready)
            $display("{name} %h %b %b", {name}_data, {name}_keep, {name}_last);
        if ({name}_error) $display("{name} error");
    end
"""


def bench(blocks: list[Block], cycles: int = 5000) -> dict[str, str]:
    """Files of a bench that asks all blocks at the same time: ``bench.v``, and the beats.

    What it prints is for :func:`answers`.
    """
    files, sides = {}, []
    for index, one in enumerate(blocks):
        layout, naming = one.interface.layout, one.interface.naming
        beats = [beat | (place == layout.beats - 1) << 8 * layout.beat_bytes
                 for sample in one.samples.tolist()
                 for place, beat in enumerate(layout.pack_features(sample))]
        files[f"{one.name}.hex"] = "".join(f"{beat:x}\n" for beat in beats)
        more = f", .m_axis_tkeep({one.name}_keep)" if layout.result_keep else ""
        if one.interface.contents_bytes:
            more += (", .s_load_axis_tdata(8'h00), .s_load_axis_tvalid(1'b0), "
                     ".s_load_axis_tlast(1'b0), .s_load_axis_tready()")
        sides.append(_SIDE.format(
            name=one.name, width=8 * layout.beat_bytes, out=8 * layout.result_beat_bytes,
            beats=len(beats), clock=naming.clock, reset=naming.reset, more=more, place=3 * index,
            active="!" if naming.active_low else "",
            no_keep="" if layout.result_keep else f" = {{{layout.result_beat_bytes}{{1'b1}}}}"))
    return {"bench.v": _BENCH.format(cycles=cycles, sides="".join(sides)), **files}


def answers(one: Block, printed: str) -> list[bytes]:
    """Results of a block: the bytes that count of all beats up to one with ``tlast``."""
    found, word = [], b""
    assert f"{one.name} error" not in printed
    for data, keep, last in re.findall(rf"^{one.name} (\w+) ([01]+) ([01])$", printed,
                                       re.MULTILINE):
        size = keep.count("1")
        assert keep == ("1" * size).rjust(len(keep), "0")
        word += bytes.fromhex(data)[::-1][:size]
        if last == "1":
            found.append(word)
            word = b""
    assert not word
    return found
