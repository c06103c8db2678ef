"""Networks of one score, whose decision means nothing, in hardware."""

import dataclasses

import numpy as np
import pytest
from amaranth.hdl import Shape, unsigned

from bitwright import ir
from bitwright.hw.contents import Contents
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.layout import Layout
from bitwright.hw.link.protocol import Identity
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.head import Argmax
from bitwright.hw.rtl.ip import Ip
from bitwright.hw.rtl.layers import folded
from bitwright.hw.rtl.result import result_layout
from tests.hw.test_ip import answers, beats, expected
from tests.networks import features, regression


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_network_equals_evaluator(seed, frames):
    subject = regression(seed, frames=frames)
    x = features(subject, 20, seed)
    plan = Plan(lanes=1 + seed, levels_per_register=1 + seed)
    wanted = expected(subject, x)
    assert {decision for decision, _ in wanted} == {0}
    assert len({scores for _, scores in wanted}) > 2
    for variant in (subject, ir.simplify(subject)):
        ip = Ip(variant, plan)
        assert answers(ip, beats(ip, x), len(x), (0.3, 0.3), seed) == wanted


@pytest.mark.parametrize("cycles", [2, 9])
def test_a_folded_head_of_one_score(cycles):
    subject = regression(0)
    plan = folded(Plan(), subject, cycles)
    assert "head" in plan.nodes
    x = features(subject, 20, 0)
    ip = Ip(subject, plan)
    assert answers(ip, beats(ip, x), len(x)) == expected(subject, x)


def test_no_signal_has_no_bits():
    subject, plan = regression(0), Plan(lanes=5, levels_per_register=1)
    for component in (AxiIp(subject, plan), SerialTop(subject, plan, 12e6, 1e6)):
        assert "[-1:0]" not in to_verilog(component)
    assert Shape.cast(result_layout(subject)["decision"].shape) == unsigned(1)
    for way in (Argmax(result_layout(subject)["scores"].shape, plan), Ip(subject, plan)):
        assert result_layout(subject) == way.o.payload.shape()


def test_layout():
    layout = Layout.of(regression(0))
    assert (layout.classes, layout.decision_bytes, layout.result_bytes) == (1, 1, 2)
    assert layout.unpack_result(layout.pack_result(0, [-7])) == (0, (-7,))
    assert Identity.from_bytes(Identity.of(regression(0), Plan()).to_bytes()).classes == 1


def test_what_a_device_is_does_not_depend_on_what_its_scores_mean():
    """The same bitstream serves another unit; contents are written over whatever they mean."""
    subject = regression(0)
    plan = folded(Plan(), subject, 9)
    plan = dataclasses.replace(plan, nodes={name: {**table, "writable": True}
                                            for name, table in plan.nodes.items()})
    contents = Contents(subject, plan)
    assert contents.bytes > 0
    other = dataclasses.replace(subject, answer=ir.Answer(np.float32([0]), np.float32([1])),
                                names=ir.Names(),
                                preparation=ir.Picture(1, 5, False, False, 15))
    assert ir.digest(other) != ir.digest(subject)
    assert Contents(other, plan).structure == contents.structure
    assert Contents(other, plan).digest(other) == contents.digest(subject)
