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
from tests.hw.pixels.pictures import pictures, sure

pytestmark = [
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog"),
    pytest.mark.skipif(importlib.util.find_spec("cocotbext") is None,
                       reason="needs cocotbext-axi")]

ZOO = Path(__file__).parents[2] / "zoo"


def asked(interface, text, samples, folder, stall=0.4):
    """Bytes of the results, as the client took them."""
    frames = [(interface.layout.sample(row).hex(), 0) for row in samples.tolist()]
    return run(interface, text, frames, len(frames), folder, stall)


def run(interface, text, frames, results, folder, stall):
    """Bytes of so many results of frames: their bytes, and the user signal of the first beat."""
    naming = interface.naming
    model = simulator.find("icarus").build(
        Design(naming.module, (), {interface.file: text}), folder / "models")
    job = {"clock": naming.clock, "reset": naming.reset, "active_low": naming.active_low,
           "writable": bool(interface.contents_bytes), "seed": 1, "stall": stall,
           "frames": frames, "results": results, "outcome": str(folder / "outcome.json")}
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


FEW = 6


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("iris", 3), ("digits", 8)])
def test_the_zoo_answers_its_golden_vectors(name, size, tmp_path):
    """The first of them: with pauses on both sides Icarus Verilog takes its time for digits."""
    frozen = ir.load(ZOO / f"{name}.safetensors")
    plan, naming = Plan(result_beat_bytes=size), Naming(name, "aresetn")
    component = AxiIp(as_built(frozen, plan), plan)
    interface = component.interface(naming)
    golden = frozen.golden
    wanted = [interface.layout.pack_result(int(np.argmax(scores)), scores)
              for scores in golden.scores[:FEW].tolist()]
    text = to_verilog(component, naming, interface=interface)
    assert asked(interface, text, golden.features[:FEW], tmp_path) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("lanes", "streamed"), [(1, True), (4, True), (4, False)])
def test_video_of_a_client(lanes, streamed, tmp_path):
    """Lines as frames of a public client: short and long ones, too few and too many, and none of
    it harms the picture behind it. A colour, or two pixels, a beat."""
    subject, naming = sure(), Naming("video", "aresetn")
    nodes = {"conv": {"way": "streamed"}} if streamed else {}
    plan = Plan(lanes=lanes, input="video", early_exit=True, nodes=nodes, result_beat_bytes=2)
    component = AxiIp(subject, plan)
    interface = component.interface(naming)
    text = to_verilog(component, naming, interface=interface)
    x = pictures(subject, 12, seed=lanes)
    rows = [interface.layout.sample(row) for row in x.tolist()]
    size = len(rows[0]) // 3
    whole = [[(row[start : start + size].hex(), int(start == 0))
              for start in range(0, len(row), size)] for row in rows]
    cut = 2 * 2 * lanes  # hexadecimal digits of two beats
    broken = [[(whole[0][0][0][:-cut], 1), *whole[0][1:]],  # a short line
              [whole[1][0], (whole[1][1][0] + whole[1][1][0][:cut], 0), whole[1][2]],  # a long one
              whole[2][:2], whole[3][:1],  # too few lines
              [*whole[4], *whole[4][1:]]]  # too many, behind a whole picture
    frames, wanted = [], []
    for place, lines in enumerate(whole):
        if place < 5:
            frames += broken[place]
            wanted += [4] if place == 4 else []
        frames += lines
        wanted.append(place)
    found = plan.evaluate(subject, x[wanted])
    assert run(interface, text, frames, len(wanted), tmp_path, 0.3) == [
        interface.layout.pack_result(decision, scores) for decision, scores in zip(
            found.decision.tolist(), found.scores.tolist(), strict=True)]
