"""Networks wider than Amaranth's signals are refused by the name of the node."""

import re

import numpy as np
import pytest
from amaranth.back import rtlil

from bitwright import ir
from bitwright.hw import build
from bitwright.hw.limits import WidthError
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.encoder import Encoder
from bitwright.hw.rtl.ip import Ip


def modulated(features, depth, classes=2, *, seed=0):
    rng = np.random.default_rng(seed)
    thresholds = rng.integers(1, 16, size=(2, features, depth)).astype(np.int32)
    return (ir.Entry("modulate", ir.Modulate(thresholds, 4), ("input",)),
            ir.Entry("head", ir.GroupSum(features * depth, classes), ("modulate",)))


def layered(width):
    first, _ = modulated(1, 2)
    layer = ir.Lut(2, np.zeros((width, 1), np.int32), np.zeros((width, 2), bool))
    return (first, ir.Entry("lut0", layer, ("modulate",)),
            ir.Entry("head", ir.GroupSum(width, 2), ("lut0",)))


def joined(width):
    entries = layered(width)
    half = entries[1].node
    return (*entries[:2], ir.Entry("lut1", half, ("modulate",)),
            ir.Entry("head", ir.GroupSum(2 * width, 2), ("lut0", "lut1")))


def sliding(width):
    first, _ = modulated(1, 2)
    body = (ir.Lut(2, np.zeros((width, 1), np.int32), np.zeros((width, 2), bool)),
            ir.Lut(width, np.zeros((2, 1), np.int32), np.zeros((2, 2), bool)))
    return (first, ir.Entry("c", ir.Convolution(body, ir.Window(1, 2, 1, (1, 2))), ("modulate",)),
            ir.Entry("head", ir.GroupSum(2, 2), ("c",)))


@pytest.mark.parametrize(("entries", "lanes", "message"), [
    (modulated(8193, 8), 1, "Node 'modulate' must drive at most 65,536 bits, not 65,544"),
    (layered(65538), 1, "Node 'lut0' must drive at most 65,536 bits, not 65,538"),
    (joined(40000), 1, "Node 'head' must read at most 65,536 bits, not 80,000"),
    (sliding(65537), 1, "Body node 0 of 'c' must drive at most 65,536 bits, not 65,537"),
    (modulated(2, 1), 8192,
     "A beat for node 'modulate' must have at most 65,529 bits, not 65,536 (8,192 lanes)"),
    (modulated(9000, 1, 9000), 1,
     "A result of node 'head' must have at most 65,536 bits, not 72,016 (9,000 classes)"),
], ids=["modulate", "layer", "join", "body", "beat", "result"])
def test_too_wide(entries, lanes, message):
    with pytest.raises(WidthError, match=rf"^{re.escape(message)}$"):
        Ip(ir.Network(entries), Plan(lanes=lanes))


@pytest.mark.parametrize(("features", "bits", "classes", "message"), [
    (40_000, 12, 2, "A sample on the link must have at most 65,535 bytes, not 80,000"),
    (65_536, 4, 2, "A sample on the link must have at most 65,535 bytes, not 65,536"),
], ids=["two bytes a feature", "one byte a feature"])
def test_too_long_for_the_link(features, bits, classes, message):
    first, head = modulated(features, 1, classes)
    first = ir.Entry("modulate", ir.Modulate(first.node.thresholds, bits), ("input",))
    with pytest.raises(WidthError, match=rf"^{re.escape(message)}$"):
        SerialTop(ir.Network((first, head)), Plan(), 12e6, 1e6)


def test_a_beat_of_too_many_thresholds():
    encoder = Encoder(modulated(8000, 5)[0].node, np.ones(40000, bool), Plan(lanes=4000))
    with pytest.raises(WidthError, match=r"^Thresholds of a beat must have at most 65,536 bits, "
                                         r"not \d\d,\d\d\d \(4,000 lanes of depth 5\)$"):
        rtlil.convert(encoder, ports=[encoder.i.valid])


def test_a_build_says_so_in_one_line(tmp_path, caplog):
    path, out = tmp_path / "wide.safetensors", tmp_path / "build"
    ir.save(path, ir.Network(modulated(8193, 8)))
    assert build.main([str(path), "--stop-after", "verilog", "--out", str(out)]) == 1
    message = "Node 'modulate' must drive at most 65,536 bits, not 65,544"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [message]
    assert f'"message": "{message}"' in (out / "report.json").read_text()
