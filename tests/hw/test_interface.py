"""What the delivered block is called, and what it says of its ports, bytes and cycles."""

import json
import re
from dataclasses import replace

import pytest

from bitwright.hw.flow.record import from_json, to_json
from bitwright.hw.interface import Interface, Video
from bitwright.hw.layout import Layout
from bitwright.hw.naming import LONGEST, Naming, NamingError, module_name

LAYOUT = Layout(features=5, lanes=2, bits=12, signed=True, classes=3, score_bytes=2)
INTERFACE = Interface(Naming("flowers"), LAYOUT, contents_bytes=0, latency=9, interval=3)
OTHER = Interface(Naming("flowers", "aresetn"), replace(LAYOUT, wanted_beat_bytes=4),
                  contents_bytes=77, latency=9, interval=3)


def refusal(name, nearest):
    return (f"Module name must be a letter and then letters, digits and single underscores (not "
            f"the last), at most 64, and no word of Verilog or VHDL, nor 'board' or 'harness', not "
            f"{name!r}; such as {nearest!r}")


@pytest.mark.parametrize(("name", "nearest"), [
    ("", "network"), ("1st", "net_1st"), ("my net", "my_net"), ("a-b", "a_b"), ("_x", "x"),
    ("x_", "x"), ("a__b", "a_b"), ("Module", "net_Module"), ("signal", "net_signal"),
    ("logic", "net_logic"), ("board", "net_board"), ("harness", "net_harness"), ("é", "network"),
    ("x" * (LONGEST + 1), "x" * (LONGEST - 4)),
])
def test_names_that_do_not_do(name, nearest):
    with pytest.raises(NamingError, match=f"^{re.escape(refusal(name, nearest))}$"):
        Naming(name)
    assert module_name(name) == nearest
    Naming(nearest)


def test_names_that_do():
    for name in ("top", "iris", "Net2", "a_b_1", "x" * LONGEST):
        assert Naming(name).module == name
    for name in ("top", "iris", "Net2", "a_b_1"):
        assert module_name(name) == name
    assert module_name("mnist-xnor.v2") == "mnist_xnor_v2"


def test_resets():
    assert [(Naming("x", reset).clock, Naming("x", reset).active_low)
            for reset in ("rst", "aresetn")] == [("clk", False), ("aclk", True)]
    message = re.escape("Reset must be one of ('rst', 'aresetn'), not 'nrst'")
    with pytest.raises(ValueError, match=f"^{message}$"):
        Naming("x", "nrst")


def test_ports_by_hand():
    def ports(interface):
        return [(port.name, port.direction, port.width) for port in interface.ports]

    samples = [("s_axis_tdata", "input", 32), ("s_axis_tvalid", "input", 1),
               ("s_axis_tready", "output", 1), ("s_axis_tlast", "input", 1)]
    rest = [("m_axis_tvalid", "output", 1), ("m_axis_tready", "input", 1),
            ("m_axis_tlast", "output", 1)]
    assert ports(INTERFACE) == [
        ("clk", "input", 1), ("rst", "input", 1), *samples, ("m_axis_tdata", "output", 56), *rest,
        ("sample_error", "output", 1)]
    assert ports(OTHER) == [
        ("aclk", "input", 1), ("aresetn", "input", 1), *samples, ("m_axis_tdata", "output", 32),
        ("m_axis_tkeep", "output", 4), *rest,
        ("s_load_axis_tdata", "input", 8), ("s_load_axis_tvalid", "input", 1),
        ("s_load_axis_tready", "output", 1), ("s_load_axis_tlast", "input", 1),
        ("sample_error", "output", 1)]


def test_video_by_hand():
    """A picture of two lines of four pixels, two of them a beat, sent twice for a result."""
    layout = Layout(features=8, lanes=2, bits=8, signed=False, classes=2, score_bytes=1, copies=2)
    found = replace(INTERFACE, layout=layout, video=Video(2, 4, 2))
    (samples, _) = found.buses
    assert [(port.name, port.width) for port in samples.ports] == [
        ("s_axis_tdata", 16), ("s_axis_tvalid", 1), ("s_axis_tready", 1), ("s_axis_tlast", 1),
        ("s_axis_tuser", 1)]
    assert [port.meaning for port in samples.ports[3:]] == [
        "the beat is the last of a line", "the beat is the first of a picture"]
    assert (found.last_beats, found.picture_beats, layout.beats) == (2, 4, 8)
    assert found.to_json()["video"] == {"height": 2, "width": 4, "line_beats": 2}
    assert INTERFACE.to_json()["video"] is None


def test_attributes_by_hand():
    found = OTHER.attributes
    assert found["aclk"] == {
        "X_INTERFACE_INFO": "xilinx.com:signal:clock:1.0 aclk CLK",
        "X_INTERFACE_PARAMETER": "ASSOCIATED_BUSIF s_axis:m_axis:s_load_axis, "
                                 "ASSOCIATED_RESET aresetn"}
    assert found["aresetn"] == {
        "X_INTERFACE_INFO": "xilinx.com:signal:reset:1.0 aresetn RST",
        "X_INTERFACE_PARAMETER": "POLARITY ACTIVE_LOW"}
    assert found["m_axis_tkeep"] == {
        "X_INTERFACE_INFO": "xilinx.com:interface:axis:1.0 m_axis TKEEP"}
    assert set(found) == {port.name for port in OTHER.ports} - {"sample_error"}
    assert INTERFACE.attributes["rst"]["X_INTERFACE_PARAMETER"] == "POLARITY ACTIVE_HIGH"


def test_section_of_the_report():
    section = OTHER.to_json()
    assert json.loads(json.dumps(section)) == section
    assert (section["module"], section["file"]) == ("flowers", "ip/flowers.v")
    assert section["reset"] == {"port": "aresetn", "active": "low", "synchronous": True}
    assert section["sample"] == {
        "bytes": 10, "beats": 3, "beat_bytes": 4, "lanes": 2, "byte_order": "little",
        "features": {"count": 5, "bits": 12, "bytes": 2, "signed": True}}
    assert section["result"] == {
        "bytes": 7, "beats": 2, "beat_bytes": 4, "last_beat_bytes": 3, "byte_order": "little",
        "class": {"offset": 0, "bytes": 1, "signed": False},
        "scores": {"offset": 1, "count": 3, "bytes": 2, "signed": True}}
    assert (section["contents_bytes"], section["latency_cycles"], section["interval_cycles"]) == (
        77, 9, 3)


def test_is_kept_as_json():
    assert from_json(Interface, json.loads(json.dumps(to_json(OTHER)))) == OTHER
