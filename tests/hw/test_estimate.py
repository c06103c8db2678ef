"""Estimates: what they are made of, how far off they are, and the command that prints one."""

import json
import math
import re
import shlex
import statistics
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("amaranth")
pytest.importorskip("scipy")

from amaranth.back import rtlil

from bench import measured
from bitwright import boards, ir, library
from bitwright.hw import build, families
from bitwright.hw.contents import as_built
from bitwright.hw.flow.estimate import (
    COEFFICIENTS,
    Coefficients,
    caveat,
    coefficients,
    estimate,
    to_json,
)
from bitwright.hw.flow.memories import taken
from bitwright.hw.flow.tables import costs
from bitwright.hw.layout import Layout
from bitwright.hw.link.identity import IdentityMemory
from bitwright.hw.link.link import Link
from bitwright.hw.plan import STREAMED, VIDEO, Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.layers import asked, streamed
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder
from bitwright.hw.rtl.parts.popcount import Count
from bitwright.hw.rtl.parts.stages import Depth
from bitwright.hw.rtl.realisation import Memory
from bitwright.locate import locate
from tests.hw.test_stream_core import drawn

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lines():
    return measured.load()


def table(function, fan_in):
    patterns = np.arange(1 << fan_in)[:, None] >> np.arange(fan_in) & 1
    return np.array([bool(function(*bits)) for bits in patterns.tolist()])[None]


@pytest.mark.parametrize(("function", "small", "large"), [
    (lambda a, b, c, d, e, f: 1, 0, 0),  # a constant
    (lambda a, b, c, d, e, f: 1 - e, 0, 0),  # a wire, or its inverse
    (lambda a, b, c, d, e, f: a ^ f, 1, 0),
    (lambda a, b, c, d, e, f: a ^ b ^ c ^ d, 1, 0),
    (lambda a, b, c, d, e, f: (a & b & c & d) if e else (a ^ d), 0, 2.5),  # two and a choice
    (lambda a, b, c, d, e, f: a ^ b ^ c ^ d ^ e ^ f, 0, 2.5),  # one and its inverse
    # By a and b, whose patterns 01 and 10 are alike: three and the choice.
    (lambda a, b, c, d, e, f: [a ^ b ^ c ^ d, a & b & c & d, a | b | c | d, a & b | c & d][
        e + 2 * f], 0, 4.5),
])
def test_costs_of_a_table(function, small, large):
    assert costs(table(function, 6), 4) == (small, large, 0)
    assert costs(table(function, 6), 6) == ((small or bool(large)), 0, 0)


def test_what_chooses_between_luts_may_cost_nothing():
    chosen = table(lambda a, b, c, d, e, f: [
        a ^ b ^ c ^ d, a & b & c & d, a | b | c | d, a & b | c & d][e + 2 * f], 6)
    assert costs(chosen, 4, 6) == (0, 0, 4)
    assert costs(chosen, 4, 5) == (0, 4.5, 0)
    assert costs(table(lambda a, b, c, d, e, f: a ^ b ^ c ^ d ^ e ^ f, 6), 4, 6) == (0, 2.5, 0)


def test_coefficients_are_those_that_the_measurements_give(lines):
    for name, found in measured.fit(lines).items():
        stored = coefficients(name)
        assert (stored.parts, stored.mhz, stored.slower) == (
            found["parts"], found["mhz"], found["slower"])


def test_what_is_told_of_their_errors_is_what_they_are():
    fitted = {name: coefficients(name) for name in families.FAMILIES}
    assert json.loads(COEFFICIENTS.read_text(encoding="utf-8"))["off"] == measured.worth(fitted)


def test_estimates_of_networks_that_they_were_not_fitted_to(lines):
    rows = measured.errors(lines, {name: coefficients(name) for name in families.FAMILIES})
    assert len({row["network"] for row in rows}) >= 2
    luts = {}
    for row in rows:
        luts.setdefault(row["family"], []).append(abs(row["luts_off"]))
    assert all(statistics.mean(off) <= 10 for off in luts.values()), luts


FMAX_OFF = {("", "ice40"): 6, ("", "ecp5"): 10, ("", "gowin"): 10, (STREAMED, "ecp5"): 15}
"""How far off Fmax may be on average, in percent, of builds of a form for a family."""


def fmax_off(lines, known):
    """How far off Fmax is on average, by form and family."""
    off = {}
    for form in ("", *measured.FORMS, STREAMED):
        for row in measured.errors(lines, known, form):
            if row["mhz_off"] is not None:
                off.setdefault((form, row["family"]), []).append(abs(row["mhz_off"]))
    return {key: statistics.mean(own) for key, own in off.items()}


def test_fmax_of_networks_that_it_was_not_fitted_to(lines):
    """Pinned of each family apart; what is told of paths is worth more than a constant."""
    off = fmax_off(lines, {name: coefficients(name) for name in families.FAMILIES})
    assert {key: most for key, most in FMAX_OFF.items() if off[key] > most} == {}
    constant = fmax_off(lines, {name: Coefficients(**found) for name, found in measured.fit(
        lines, constant=True).items()})
    assert off["", "ice40"] < 0.5 * constant["", "ice40"]
    assert off["", "gowin"] < constant["", "gowin"]


def test_paths_are_told_apart():
    """Thresholds in logic are looked up in so many steps, those in block RAM in none; neurons whose
    weights lie in memories are spread out, and a node that takes turns lets others wait."""
    def paths(name):
        return measured.described({"network": name, "target": "icebreaker"})[0].paths

    assert paths("1") == {"looked_up": 0.0, "waits": 0.0, "spread": 0.0}  # a block RAM of 113 words
    assert paths("17") == {"looked_up": pytest.approx(math.log2(116 / 16)), "waits": 0.0,
                           "spread": 0.0}
    assert paths("1-serial")["waits"] == 1.0
    assert paths("9")["spread"] ** 2 == pytest.approx(
        measured.described({"network": "9", "target": "ice40"})[0].features["core"]["neurons"])
    assert paths("9")["spread"] > 0


def test_a_large_network_is_told_a_slower_clock():
    """That of the zoo which streams reached 40.6 MHz: nothing was fitted to it."""
    subject, board = ir.load(locate("zoo/mnist-ulx3s")), boards.get("ulx3s-25f")
    found = estimate(subject, asked(Plan(), subject, stream=True, cycles=1568), ECP5, board)
    assert 40.6 < found.fmax_mhz < 1.35 * 40.6
    small = estimate(ir.load(locate("zoo/digits")), Plan(), ECP5, board)
    assert small.fmax_mhz > 1.6 * found.fmax_mhz


def test_block_rams_of_networks_that_they_were_not_fitted_to(lines):
    known = {name: coefficients(name) for name in families.FAMILIES}
    rows = [row for form in ("", *measured.FORMS, STREAMED)
            for row in measured.errors(lines, known, form)]
    assert {row["memories"] for row in rows} >= {0, 1, 2, 5, 8, 9}
    assert all(row["memories"] == row["told_memories"] for row in rows)
    found = measured.off([*rows, {**rows[0], "told_memories": rows[0]["memories"] + 3}])
    one = found[rows[0]["family"]]
    assert (one["memories_exact"], one["memories_most"]) == (one["builds"] - 1, 3)


def test_forms_that_they_were_not_fitted_to(lines):
    known = {name: coefficients(name) for name in families.FAMILIES}
    for form in (*measured.FORMS, STREAMED):
        off = [abs(row["luts_off"]) for row in measured.errors(lines, known, form)]
        assert len(off) >= 4
        assert statistics.mean(off) <= 10, form


ICE40, ECP5, XILINX = (families.get(name) for name in ("ice40", "ecp5", "xilinx"))


@pytest.mark.parametrize(("memory", "family", "blocks", "large"), [
    (Memory(2, 784), ICE40, 1, 0),  # of four words of 16 bits beside each other it would be four
    (Memory(2, 528), ICE40, 0, 0),
    (Memory(1, 784), ICE40, 0, 0),  # a sixteenth is less than the cost of a block RAM
    (Memory(2, 784), ECP5, 0, 0),
    (Memory(3, 784), ECP5, 1, 0),
    (Memory(16, 408), XILINX, 0, 0),
    (Memory(21, 408), XILINX, 1, 0),  # a bit in logic costs a quarter of what it does elsewhere
    (Memory(7, 10, True), ICE40, 0, 0),
    (Memory(8, 784, True), ICE40, 2, 0),
    (Memory(2, 784, True), ICE40, 1, 0),  # the upper bits alone
    (Memory(8, 784, True), ECP5, 1, 0),
    (Memory(8, 64, True), ECP5, 0, 0),  # in LUTs
    (Memory(1, 6448, True), ICE40, 2, 0),
    (Memory(10, 3328), ICE40, 9, 0),  # 13 times 256 words of 10 bits beside each other
    (Memory(1, 493, True, 3), ICE40, 3, 0),  # a copy for each word that is read
    (Memory(1, 204, True, 3), ICE40, 0, 0),
    (Memory(1, 493, True, 3), ECP5, 3, 0),  # what chooses between memories in LUTs costs as well
    (Memory(8, 74, True, style="block"), ICE40, 1, 0),
    (Memory(8, 16, True, style="distributed"), XILINX, 0, 0),
    (Memory(64, 48, True), ECP5, 2, 0),  # 48 memories in LUTs, and what chooses, cost a bit more
    (Memory(64, 48, True), XILINX, 0, 0),
    (Memory(12, 14880, True, style="huge"), ICE40, 0, 1),
    (Memory(17, 20000, True, style="huge"), ICE40, 0, 4),
])
def test_what_becomes_of_a_memory(memory, family, blocks, large):
    found = taken(memory, family)
    assert (found.blocks, found.large) == (blocks, large)
    assert (found.rom + found.ram == 0) is bool(blocks + large)


def test_bits_of_few_words_are_made_once():
    """Six words have 64 kinds of bits, two of which are constants."""
    assert taken(Memory(3168, 6), ECP5).rom == taken(Memory(3168, 6), ECP5).registers == 62
    assert taken(Memory(3168, 2), ECP5).rom == 2
    assert 0.99 * 3168 < taken(Memory(3168, 20), XILINX).rom <= 3168


def test_counters_share_what_their_weights_have_in_common():
    count = Count.through(Depth(2), 288, 4)
    fixed, two, many = (count.shared(11, words) for words in (1, 2, 30))
    assert fixed < two < many == 11 * count.luts
    # A sum for all, and carries of four kinds, of each compressor of the least significant bits.
    assert 11 * count.luts - fixed == pytest.approx(count.lowest * (10 + 7), rel=0.05)


def test_the_link_has_memories():
    network = measured.made(3)
    layout = Layout.of(network)
    payload, = Link.memories(layout, False, compared=frozenset({6, 7}))
    assert payload == Memory(2, layout.sample_bytes, True)
    assert Link.memories(layout, True) == (Memory(8, 512, True), IdentityMemory.memory)
    large, _ = Link.memories(layout, True, large=True)
    assert large.style == "huge"


def test_bits_that_are_not_compared_are_not_kept():
    """A threshold of 64 looks at the two uppermost bits, one of 65 at all of a byte."""
    def blocks(threshold):
        network = ir.Network((
            ir.Entry("modulate", ir.Modulate(np.full((1, 784, 1), threshold, np.int32), 8),
                     ("input",)),
            ir.Entry("lut", ir.Lut(784, np.arange(8, dtype=np.int32).reshape(2, 4),
                                   np.arange(16)[None].repeat(2, 0) % 3 == 1), ("modulate",)),
            ir.Entry("head", ir.GroupSum(2, 2), ("lut",))))
        return estimate(network, Plan(), ICE40, boards.get("icebreaker")).memories

    assert (blocks(64), blocks(65)) == (1, 2)


def replayed(network, frames):
    """The same with several sets of thresholds."""
    first, *rest = network.entries
    thresholds = np.concatenate([first.node.thresholds] * frames)
    thresholds[1:] += 1
    node = ir.Modulate(thresholds, first.node.bits)
    return ir.Network((ir.Entry(first.name, node, first.inputs), *rest))


def designs():
    """Networks with plans, and words for them."""
    family, board = measured.placed_on("icebreaker")
    for name in ("0-folded", "4-folded", "1-parallel", "1-serial", "3-loaded"):
        yield name, measured.network(name), measured.plan(name, family, board)
    yield "frames", replayed(measured.made(3), 3), Plan(lanes=2)
    for seed in range(2):
        streams, _ = drawn(seed)
        yield f"streams {seed}", streams, streamed(Plan(), streams, 64)
    yield "streams, frames", replayed(streams, 2), streamed(Plan(), streams, 64)


@pytest.mark.parametrize(("network", "plan"), [
    pytest.param(network, plan, id=name) for name, network, plan in designs()])
def test_memories_are_those_of_the_description(network, plan):
    """Each memory of the RTL, with its bits and words, is told by a component."""
    ip = AxiIp(as_built(network, plan), plan)
    told = [memory for own in ip.ip.memories.values() for memory in own]
    text = rtlil.convert(ip, name="top", emit_src=False)
    found = re.findall(r"^ *memory width (\d+) size (\d+) ", text, re.MULTILINE)
    assert sorted((int(width), int(depth)) for width, depth in found) == sorted(
        (memory.width, memory.depth) for memory in told) != []


def test_forms_are_measured_apart(lines):
    assert measured.parted("13-serial") == ("13", "serial")
    assert measured.parted("mnist-icebreaker") == ("mnist-icebreaker", "")
    assert [measured.fitted_to({"network": name}) for name in (
        "2", "3", "2-serial", "3-serial", "digits", "digits-folded")] == [
            True, False, True, False, True, False]
    family = families.get("ice40")
    assert measured.plan("3-serial", family).nodes["head"] == {"way": "serial", "bits": 10}
    assert measured.plan("3-parallel", family).way("modulate") == "parallel"
    assert measured.plan("3-folded", family).way("node0") == "folded"
    assert not measured.plan("3", family).nodes
    assert measured.parted("3-streamed") == ("3", STREAMED)
    assert [measured.fitted_to({"network": name}) for name in ("2-streamed", "3-streamed")] == [
        True, False]


def test_made_networks_that_stream():
    """Each is the same every time; there are convolutions of neurons and of tables."""
    bodies = set()
    for number in range(12):
        subject, plan = measured.network(f"{number}-{STREAMED}"), measured.plan(
            f"{number}-{STREAMED}", ECP5)
        assert ir.digest(subject) == ir.digest(measured.pictured(number))
        for entry in subject.entries[1:-1]:
            if isinstance(entry.node, ir.Convolution | ir.Pool):
                assert plan.way(entry.name) == STREAMED
            bodies |= {type(node) for node in getattr(entry.node, "body", ())}
    assert bodies == {ir.Xnor, ir.Lut}


def test_what_a_streamed_network_is_made_of():
    """Tables of its bodies are looked at as others are; a body whose weights lie in a memory, and
    one that is logic, are apart."""
    designs = [measured.described({"network": f"{number}-{STREAMED}", "target": "ecp5"})[0]
               for number in (0, 9, 10)]
    neurons, unrolled, tables = (design.features["core"] for design in designs)
    assert neurons["neurons"] > 0
    assert neurons["layers"] == 1
    assert unrolled["unrolled"] > 0 == unrolled["neurons"] == unrolled["layers"]
    node = measured.network(f"10-{STREAMED}").entry("node2").node
    assert tables["tables"] + tables["large"] == sum(costs(node.body[0].tables, 4)[:2])
    assert all(set(design.features["encoder"]) >= {"pictures", "pixels"} for design in designs)


def test_what_an_estimate_is_worth_is_told_by_form(monkeypatch):
    subject, stored = measured.network(f"3-{STREAMED}"), json.loads(
        COEFFICIENTS.read_text(encoding="utf-8"))
    for plan, form in ((Plan(), ""), (streamed(Plan(), subject, 64), STREAMED)):
        found = estimate(subject, plan, ECP5, None)
        off = stored["off"][form]["ecp5"]
        line = caveat(found, ECP5)
        assert f"({off['builds']}) LUTs were off by {off['luts']:g} %" in line
        assert ("streamed" in line) is (form == STREAMED)
        assert to_json(found, ECP5, None)["off"] == off
        assert "Fmax" not in line  # there is no device
        placed = caveat(estimate(subject, plan, ECP5, boards.get("ulx3s-25f")), ECP5)
        assert (f", Fmax of {off['placed']} by {off['fmax']:g} % on average, {off['fmax_most']:g} "
                f"% at most (none with more than {off['placed_luts']:,} LUTs was placed)") in placed
    monkeypatch.setattr("bitwright.hw.flow.estimate._off", lambda *_: {"builds": 0, "fmax": None})
    assert "no Lattice ECP5 build was compared" in caveat(found, ECP5)


@pytest.mark.parametrize(("settings", "form", "words"), [
    ({}, "", "of Lattice iCE40 builds"), ({"cycles": 64}, "folded", "of folded Lattice iCE40"),
    ({"parallel": True}, "parallel", "of parallel-encoder Lattice iCE40"),
    ({"serial": 8}, "serial", "of serial-head Lattice iCE40")])
def test_ways_to_build_are_told_apart(settings, form, words):
    subject, family = measured.made(3), families.get("ice40")
    found = estimate(subject, asked(Plan(lut_size=4), subject, **settings), family, None)
    assert found.form == form
    assert words in caveat(found, family)


def test_where_no_fmax_of_a_form_was_compared_it_is_said():
    subject = measured.made(3)
    found = estimate(subject, asked(Plan(), subject, parallel=True), ICE40,
                     boards.get("icebreaker"))
    assert "% at most, Fmax of none was compared; block RAMs" in caveat(found, ICE40)


def test_the_largest_that_was_placed():
    def line(name, target, luts, mhz=50.0):
        return {"network": name, "target": target, "luts": {"core": luts, "head": 1},
                "fmax_mhz": mhz}

    lines = [line("1", "icebreaker", 10), line("2", "icebreaker", 30), line("3", "ice40", 99, None),
             line("4", "ulx3s-25f", 70), line("5-serial", "icebreaker", 80)]
    assert measured.largest(lines, "", "ice40") == 31
    assert measured.largest(lines, "serial", "ice40") == 81
    assert measured.largest(lines, "", "nexus") is None


def shown(page):
    """Commands of a page that estimate, and what it shows of what they print."""
    return re.findall(r"^\$ bitwright build (.* --estimate.*)\n((?:(?!```).*\n)*)", page,
                      re.MULTILINE)


@pytest.mark.parametrize(("words", "text"), shown((ROOT / "docs" / "guide.md").read_text("utf-8")))
def test_the_guide_shows_what_the_command_prints(words, text, capsys, caplog):
    caplog.set_level("INFO")
    assert build.main(shlex.split(words)) == 0
    lines, elided, _ = text.partition("…")
    said = [*caplog.messages, *capsys.readouterr().out.splitlines()]
    own = lines.splitlines()
    start = said.index(own[0])
    assert said[start:start + len(own)] == own
    assert bool(elided) is ("--fit" in words)


def test_where_a_form_was_not_compared_others_are_told_of():
    subject, family = measured.made(3), families.get("gowin")
    found = estimate(subject, asked(Plan(lut_size=4), subject, cycles=64), family, None)
    builds = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))["off"][""]["gowin"]["builds"]
    assert (f"of other {family.title} builds that it was not fitted to ({builds}) LUTs"
            in caveat(found, family))


def test_a_whole_picture_from_pixels_is_estimated():
    """The score node is in the core, as it is where pixels stream."""
    subject = measured.pictured(12)
    found = estimate(subject, Plan(input=VIDEO), ECP5, None)
    assert found.luts["core"] > estimate(subject, Plan(), ECP5, None).luts["core"]
    assert found.form == ""


def test_a_parallel_encoder_is_counted():
    network, family = measured.made(3), families.get("ice40")
    plan = measured.plan("3-parallel", family)
    found = estimate(network, plan, family, None)
    built = as_built(network, plan)
    luts, _ = ParallelEncoder.measure(built.modulate, built.read_mask("modulate"), plan)
    control = found.luts["encoder"] - luts
    assert 0 < control < 10 < luts
    assert found.interval == 1


def test_cycles_are_exact_and_it_takes_no_second():
    network, family = ir.load(locate("zoo/mnist")), families.get("ecp5")
    began = time.process_time()
    found = estimate(network, Plan(), family, None)
    assert time.process_time() - began < 1
    assert (found.interval, found.fmax_mhz) == (784, None)
    assert found.latency > 784


def test_the_command(capsys, caplog):
    caplog.set_level("INFO")
    assert build.main(["zoo/digits", "--estimate", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["luts_total"] == sum(told["luts"].values())
    assert set(told["luts"]) == {"encoder", "core", "head", "link", "other"}
    assert told["fmax_mhz"] == library.estimate(ir.load(locate("zoo/digits")))["fmax_mhz"]
    assert caplog.messages[-1].startswith("an estimate; ")
    assert build.main(["zoo/digits", "--estimate", "--target", "xilinx"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "LUTs, encoder", "LUTs, core", "LUTs, head", "LUTs, other", "LUTs of 6 inputs, total",
        "block RAMs", "latency", "interval"]
    assert build.main(["zoo/digits", "--estimate", "--program"]) == 2
    assert caplog.messages[-1] == "--program does not go with --estimate"
