"""Estimates: what they are made of, how far off they are, and the command that prints one."""

import json
import statistics
import time

import numpy as np
import pytest

pytest.importorskip("amaranth")
pytest.importorskip("scipy")

from bench import measured
from bitwright import ir, library
from bitwright.hw import build, families
from bitwright.hw.contents import as_built
from bitwright.hw.flow.estimate import coefficients, estimate
from bitwright.hw.flow.tables import costs
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder
from bitwright.locate import locate


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


def test_coefficients_are_those_that_the_measurements_give(lines):
    for name, found in measured.fit(lines).items():
        stored = coefficients(name)
        assert (stored.parts, stored.mhz, stored.slope) == (
            found["parts"], found["mhz"], found["slope"])


def test_estimates_of_networks_that_they_were_not_fitted_to(lines):
    rows = measured.errors(lines, {name: coefficients(name) for name in families.FAMILIES})
    assert len({row["network"] for row in rows}) >= 2
    luts = {}
    for row in rows:
        luts.setdefault(row["family"], []).append(abs(row["luts_off"]))
    assert all(statistics.mean(off) <= 10 for off in luts.values()), luts
    mhz = [abs(row["mhz_off"]) for row in rows if row["mhz_off"] is not None]
    assert statistics.mean(mhz) <= 20


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
