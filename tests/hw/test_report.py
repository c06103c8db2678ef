"""The report holds what was measured, and says of the rest that it was not."""

import copy
import dataclasses
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from bitwright import boards, ir
from bitwright.hw.families import Resources
from bitwright.hw.families.pll import Clock, Pll
from bitwright.hw.interface import Interface
from bitwright.hw.layout import Layout
from bitwright.hw.naming import Naming
from bitwright.hw.report import block, markup
from bitwright.hw.report import figures as report
from bitwright.hw.report import page as report_html
from bitwright.hw.report.results import (
    Cycles,
    Generated,
    Placed,
    Size,
    Synthesised,
    Trial,
    Usage,
    Wrapped,
)
from tests.hw.tiny import PROVENANCE, tiny
from tests.networks import regression

PARTS = {"encoder": Resources(20, 15), "core": Resources(100, 40, 3), "head": Resources(50, 30),
         "link": Resources(200, 90, memories=1, memory_kbit=4), "other": Resources(5, 4)}

FOUND = report.Findings(
    name="tiny", network=tiny(), target="icebreaker", board=boards.get("icebreaker"),
    options={"clock_hz": None, "baud": 1_000_000, "seed": 1, "simplify": True},
    digests={"network": "a" * 64}, tools={"yosys": "1.0"},
    generated=Generated(report.network_size(tiny()), report.network_size(ir.simplify(tiny())),
                        Cycles(encoder=64, core=3, head=5, ip=72, core_interval=2, ip_interval=64),
                        foldable=False,
                        interface=Interface(Naming("tiny"), Layout.of(tiny()), 0, 72, 64)),
    wrapped=Wrapped(request_bytes=72, reply_bytes=18),
    synthesised=Synthesised("area", {"abc9": 380, "area": 375}, PARTS,
                            sum(PARTS.values(), Resources()), 390, "b" * 64, "c" * 64),
    placed=Placed(48e6, {"ICESTORM_LC": Usage(400, 5280)}, 400, "router1", ("other", "link"),
                      "d" * 64),
    clock=Clock(12_000_000), trials=[Trial(12e6, 1, 48e6)], seed=1)


def compose(status="done", message=None, **changes):
    return report.compose(dataclasses.replace(FOUND, **changes), status, message)


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects text and outside references."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.outside, self.ids = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("src", "href", "xlink:href"):
            if name in values and not values[name].startswith(("#", "data:")):
                self.outside.append(values[name])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "br"):
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1:] != ["style"]:
            self.words.append(data.strip())


def test_figures_follow_from_cycles_and_clocks():
    content = compose()
    # By hand: 72 cycles at 12 and 48 MHz.
    assert content["latency"]["ip"] == {"cycles": 72, "ns_at_clock": 6000.0, "ns_at_fmax": 1500.0}
    assert content["throughput"]["core"] == {
        "interval_cycles": 2, "per_second_at_clock": 6e6, "per_second_at_fmax": 24e6}
    assert content["throughput"]["ip"] == {
        "interval_cycles": 64, "per_second_at_clock": 187_500.0, "per_second_at_fmax": 750_000.0}
    # 90 bytes of ten bits at 1 Mbaud are 900 us; with the 6 us inside, 906.
    assert content["throughput"]["link"] == {
        "request_bytes": 72, "reply_bytes": 18, "baud": 1_000_000, "round_trip_ns": 906_000.0,
        "per_second": 1103.8, "per_second_sent_ahead": 1388.9}
    assert content["device"]["percent"] == 7.6
    assert content["netlist"] == {"netlist.json": "b" * 64, "netlist.v": "c" * 64,
                                  "routed": "d" * 64}


def test_size_of_a_network():
    assert report.network_size(tiny()) == Size(layers=3, tables=8, table_inputs=32, neurons=0,
                                               input_bits=8)


def test_a_convolution_is_counted_once():
    body = (ir.Lut(2, np.array([[0, 1], [1, -1]], np.int32), np.zeros((2, 4), bool)),
            ir.Xnor(np.zeros((3, 2), bool), np.zeros((3, 1), np.int32)))
    network = ir.Network((
        ir.Entry("modulate", ir.Modulate(np.ones((1, 5, 1), np.int32), 1), ("input",)),
        ir.Entry("c", ir.Convolution(body, ir.Window(1, 5, 1, (1, 2), (1, 2))), ("modulate",)),
        ir.Entry("head", ir.GroupSum(6, 2), ("c",))))
    assert report.network_size(network) == Size(layers=3, tables=2, table_inputs=3, neurons=3,
                                                input_bits=4)


def test_report_is_json():
    content = compose()
    assert json.loads(json.dumps(content, allow_nan=False)) == content


@pytest.mark.parametrize("missing", ["placed", "synthesised", "generated"])
def test_what_was_not_measured_is_none(missing):
    stages = ["generated", "synthesised", "placed"]
    content = compose(**dict.fromkeys(stages[stages.index(missing):]), status="stopped")
    assert content["timing"]["fmax_hz"] is None
    if missing == "generated":
        assert content["latency"] is None
        assert content["throughput"] is None
    else:
        assert content["latency"]["ip"]["ns_at_fmax"] is None
    if missing == "placed":
        assert content["device"]["logic_cells"] is None
        assert content["device"]["logic_cells_synthesis"] == 390
    else:
        assert content["resources"] is None
    page = Page(report_html.render(content))
    assert markup.MISSING in page.words


def test_page_is_whole_and_needs_nothing_else():
    page = Page(report_html.render(compose()))
    assert page.outside == []
    assert len(page.ids) == len(set(page.ids))  # the pictures do not disturb each other
    for words in ("80.00 %", "48.0 MHz", "6.00 µs", "187,500", "375", "ICESTORM_LC",
                  "other to link"):
        assert words in page.words
    # The names in metadata of SVG are no references.
    assert not re.search(r"(src|href)=\"https?:", report_html.render(compose()))


def test_page_has_its_pictures():
    text = report_html.render(compose())
    for label in ("LUTs by part", "Training curve", "Confusion matrix"):
        assert f'aria-label="{label}"' in text


def test_equal_reports_give_equal_pages():
    assert report_html.render(compose()) == report_html.render(compose())


def test_network_without_provenance():
    page = Page(report_html.render(compose(network=tiny(provenance={}))))
    assert page.words.count(markup.MISSING) >= 5


ERRORS = {"rmse": 54.321, "mae": 43.5, "r2": 0.4321}
NUMBERS = {"task": "regression", "figures": {"validation": ERRORS, "test": ERRORS | {"rmse": 55.5}},
           "curve": [{"epoch": 1, "train_r2": 0.1, "validation_r2": 0.05, "train_loss": 1.0}]}


def test_a_regression_has_errors_and_no_classes():
    content = compose(network=replace(regression(0), provenance=NUMBERS))
    assert (content["network"]["task"], content["network"]["classes"]) == ("regression", None)
    assert content["network"]["answer_names"] == ["temperature, °C"]
    assert content["figures"]["test"] == ERRORS | {"rmse": 55.5}
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    text = report_html.render(content)
    page = Page(text)
    for words in ("test RMSE", "55.5", "54.32", "43.5", "0.4321", "R²",
                  "RMSE and MAE of temperature, °C."):
        assert words in page.words, words
    assert any("5 features, 1 number (temperature, °C), frames F = 1" in words
               for words in page.words)
    assert 'aria-label="Training curve"' in text
    for words in ("Confusion", "accuracy", "classes", "80.00"):
        assert words not in text
    assert report.summary(content).splitlines()[:2] == ["test RMSE                   55.5",
                                                        "test MAE                    43.5"]


def test_a_regression_that_says_nothing_of_itself():
    page = Page(report_html.render(compose(network=regression(0))))
    assert page.words.count(markup.MISSING) >= 6


def test_figures_of_each_class():
    """By hand, of 9 + 1 and 3 + 7."""
    words = Page(report_html.render(compose())).words
    place = words.index("left")
    assert words[place : place + 10] == ["left", "10", "75.0 %", "90.0 %", "81.8 %",
                                         "right", "10", "87.5 %", "70.0 %", "77.8 %"]


def labelled(names, matrix):
    head = ir.GroupSum(len(matrix), len(matrix))
    entries = (tiny().entries[0],
               ir.Entry("lut", ir.Lut(8, np.zeros((len(matrix), 1), int),
                                      np.zeros((len(matrix), 2), bool)), ("modulate",)),
               ir.Entry("head", head, ("lut",)))
    return ir.Network(entries, {"confusion": matrix}, names=ir.Names(names))


def test_many_classes_stay_a_small_page():
    size = 300
    matrix = [[5 * (row == column) + (row == 7) for column in range(size)] for row in range(size)]
    content = compose(network=labelled(tuple(f"kind {n}" for n in range(size)), matrix))
    text = report_html.render(content)
    assert len(text) < 300_000
    page = Page(text)
    assert page.words.count("kind 7") == 1
    assert "The 20 of 300 classes with the lowest recall." in page.words


@pytest.mark.parametrize("name", ["水", "a$b$c", "<b>", "x" * 300, "Brücke"])
def test_any_name_of_a_class_is_drawn(name):
    text = report_html.render(compose(network=labelled((name, "other"), [[3, 1], [0, 0]])))
    assert name in Page(text).words


JUNK = [None, 5, "text", [], {}, [1], {"a": 1}, [[1, 2], [3, 4]], {"test": 5}, [{"epoch": "x"}],
        {"test_ir": "high"}, {"test": {"rmse": "low"}}, [[1, -1], [0, 0]], [[1, 0.5], [0, 0]],
        {"name": ["x"]}, {"test": [1]},
        {"test": {"per_class": {"recall": [1]}}}, {"test": {"per_class": [1]}}]


@pytest.mark.parametrize("value", JUNK, ids=str)
def test_a_foreign_provenance_is_no_reason_to_fail(value):
    names = ("accuracy", "figures", "curve", "confusion", "data", "recipe", "classes", "task")
    for network in (tiny(dict.fromkeys(names, value)),
                    replace(regression(1), provenance=dict.fromkeys(names, value))):
        content = compose(network=network)
        assert json.loads(json.dumps(content, allow_nan=False)) == content
        assert report.summary(content)
        if content["figures"] or content["training"]["curve"] or content["training"]["confusion"]:
            Page(report_html.render(content))


def test_failure_is_on_the_page():
    content = compose(placed=None, status="failed", message="too <large>")
    assert "too &lt;large&gt;" in report_html.render(content)


def test_names_are_escaped():
    content = copy.deepcopy(compose())
    content["network"]["name"] = "<script>"
    assert "<script>" not in report_html.render(content)


def test_summary():
    lines = report.summary(compose()).splitlines()
    assert lines[0] == "test accuracy               80.00 %"
    assert "LUTs, total                 375" in lines
    assert "logic cells                 400 of 5,280 (7.6 %)" in lines
    assert "latency                     72 cycles (6.00 us at this clock)" in lines


PLL = Clock(12_000_000, Pll("SB_PLL40_PAD", 12_000_000, 72, 32, {"DIVF": 71}, "i", "o", "lock"))


def test_clock_of_a_pll_and_what_was_tried():
    content = compose(clock=PLL, seed=2, trials=[
        Trial(12e6, 1, 48e6), Trial(27e6, 1, None), Trial(27e6, 2, 28.5e6), Trial(27e6, 3, 26e6)])
    timing = content["timing"]
    assert (timing["clock_hz"], timing["oscillator_hz"], timing["seed"]) == (27e6, 12_000_000, 2)
    assert timing["pll"] == {"cell": "SB_PLL40_PAD", "parameters": {"DIVF": 71}}
    assert [trial["met"] for trial in timing["trials"]] == [True, False, True, False]
    assert content["latency"]["ip"]["ns_at_clock"] == round(72 / 27e6 * 1e9, 1)
    lines = report.summary(content).splitlines()
    assert "clock                       27 MHz (by PLL from 12 MHz)" in lines
    words = Page(report_html.render(content)).words
    assert words[words.index("made by") + 1] == "SB_PLL40_PAD from the board's 12 MHz"
    start = words.index("tried")
    assert words[start + 3:start + 19] == [
        "12 MHz", "1", "48.00 MHz", "reached", "27 MHz", "1", "not measured", "missed",
        "27 MHz", "2", "28.50 MHz", "kept", "27 MHz", "3", "26.00 MHz", "missed"]


def test_why_there_is_no_pll():
    content = compose(no_pll="iCE40LP384-SG32 has no PLL")
    words = Page(report_html.render(content)).words
    assert words[words.index("made by") + 1] == (
        "the board's 12 MHz: iCE40LP384-SG32 has no PLL")


def test_figures_of_classes_are_shown():
    classes = {"support": [10, 10], "precision": [0.75, None], "recall": [0.9, 0.7], "f1": [1, 0]}
    figures = {"accuracy": 0.8, "balanced_accuracy": 0.7712, "per_class": classes}
    content = compose(network=tiny(provenance={**PROVENANCE, "figures": {"test": figures}}))
    assert content["figures"] == {"test": figures, "validation": None}
    words = Page(report_html.render(content)).words
    assert words[words.index("test, balanced over the classes") + 1] == "77.12 %"
    assert "balanced test accuracy      77.12 %" in report.summary(content)


def test_summary_of_little():
    content = compose(network=tiny(provenance={}), generated=None, synthesised=None, placed=None)
    assert report.summary(content) == ""


def test_page_says_how_to_speak_to_the_block():
    layout = Layout(5, 2, 12, True, 3, 2, wanted_beat_bytes=4)
    section = Interface(Naming("net", "aresetn"), layout, 77, 9, 3).to_json()
    text = re.sub(r"<[^>]+>", "", block.render(section))
    assert ("A sample: 3 beats of 4 bytes, 2 of 5 features in each, lane 0 lowest; a feature: 12 "
            "bits with a sign in 2 bytes. A result: 2 beats of 4 bytes, 3 of which count in the "
            "last; the class in 1 byte, then 3 scores with a sign in 2 bytes each. Bytes are "
            "little endian, numbers with a sign two's complement. Contents that can be written: 77 "
            "bytes. "
            "From the first beat of a sample to the first beat of its result: 9 cycles; to the "
            "first beat of the next sample: 3.") in text
    for port in section["ports"]:
        assert port["name"] in text
    page = re.sub(r"<[^>]+>", "", report_html.render(compose()))
    assert "Block: module tiny in ip/tiny.v" in page
    assert block.render(None) == ""


def test_interface_is_none_where_nothing_was_generated():
    assert compose(generated=None)["interface"] is None
    assert compose()["interface"]["file"] == "ip/tiny.v"
