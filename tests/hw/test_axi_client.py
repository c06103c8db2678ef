"""A public AXI4-Stream client against the text of the block."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.contents import as_built
from bitwright.hw.flow.verilog import to_verilog
from bitwright.hw.naming import Naming
from bitwright.hw.plan import Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.sim import simulator
from bitwright.sim.simulator import Design
from tests.hw.blocks import FORMS, block

pytestmark = [
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog"),
    pytest.mark.skipif(importlib.util.find_spec("cocotbext") is None,
                       reason="needs cocotbext-axi")]

ZOO = Path(__file__).parents[2] / "zoo"


def asked(interface, text, samples, folder, stall=0.4):
    """Bytes of the results, as the client took them."""
    naming = interface.naming
    model = simulator.find("icarus").build(
        Design(naming.module, (), {interface.file: text}), folder / "models")
    job = {"clock": naming.clock, "reset": naming.reset, "active_low": naming.active_low,
           "writable": bool(interface.contents_bytes), "seed": 1, "stall": stall,
           "samples": [interface.layout.sample(row).hex() for row in samples.tolist()],
           "outcome": str(folder / "outcome.json")}
    (folder / "job.json").write_text(json.dumps(job))
    process = model.start("tests.hw.bench_axi", folder, {"AXI_JOB": str(folder / "job.json")})
    assert process.wait(timeout=550) == 0, (folder / "simulation.log").read_text()
    return [bytes.fromhex(word) for word in json.loads((folder / "outcome.json").read_text())]


@pytest.mark.parametrize("form", [
    form if form == "writable" else pytest.param(form, marks=pytest.mark.slow) for form in FORMS])
def test_every_form_answers_the_client(form, tmp_path):
    """Active-low reset and single bytes with tkeep, in the quick one."""
    one = block(form)
    assert asked(one.interface, one.text, one.samples, tmp_path) == one.results


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("iris", 3), ("digits", 8)])
def test_the_zoo_answers_its_golden_vectors(name, size, tmp_path):
    frozen = ir.load(ZOO / f"{name}.safetensors")
    plan, naming = Plan(result_beat_bytes=size), Naming(name, "aresetn")
    component = AxiIp(as_built(frozen, plan), plan)
    interface = component.interface(naming)
    golden = frozen.golden
    wanted = [interface.layout.pack_result(int(np.argmax(scores)), scores)
              for scores in golden.scores.tolist()]
    text = to_verilog(component, naming, interface=interface)
    assert asked(interface, text, golden.features, tmp_path) == wanted
