"""Plant one fault at a time in a copy of the source, and see that the tests catch it.

Each row of FAULTS names the file, the text to find (it must occur exactly once), what replaces it,
and the tests that claim to catch it. Exit status 1 if any fault goes unnoticed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

__all__ = ["FAULTS", "Fault", "main"]

ROOT = Path(__file__).parents[1]


class Fault(NamedTuple):
    """A fault and the tests that must fail with it."""

    file: str
    old: str
    new: str
    tests: str


ARTIFACT = "tests/ir/test_artifact.py"
AUGMENT = "tests/model/test_augment.py"
GRAPH = "tests/model/test_graph.py"
NODES = "tests/conformance/test_nodes.py"
HARDWARE = "tests/conformance/test_hardware.py tests/hw/test_ip.py"
FOLDED = "tests/hw/test_fold.py"
PARTS = "tests/hw/test_parts.py"
CONTENTS = "tests/hw/test_contents.py"
SLIDING = "tests/hw/test_sliding.py"
LINK = "tests/hw/test_link.py"
UNDEFINED = "tests/sim/test_harness.py -k undefined"
RAM = "hw/families/models/dp16kd.v"
RAM_TESTS = "tests/hw/test_dp16kd.py"
LOAD = "tests/hw/test_link_load.py"
FEEDBACK = "tests/model/test_feedback.py"
FORWARD = "tests/model/test_forward_forward.py"
SLOPES = "tests/model/test_straight_through.py"
WRAP = "tests/hw/test_wrap.py"
BEATS = "tests/hw/test_ip.py -k test_beats_"
BLOCK = "tests/hw/test_block.py"
KEYS = "tests/hw/test_build_keys.py"
CACHE = "tests/hw/test_build_cache.py"
PLACE = "tests/hw/test_place.py"
PLLS = "tests/hw/test_plls.py"
CLOCK = "tests/hw/test_clock.py"
TRIALS = "tests/hw/test_trials.py"
PREPARATIONS = "tests/conformance/test_preparations.py"
AROUND = "tests/ir/test_surroundings.py"
AROUND_BLOCK = "tests/hw/ip/test_texts.py"
BLOCK_FUSESOC = "tests/hw/ip/test_runs.py -k fusesoc_simulates"
ROUTED = "tests/hw/test_routed.py"
CIFAR = "tests/data/test_cifar.py"
PACKED = "tests/hw/test_packed.py"
FAULTS = [
    Fault("ir/lut.py", "leaves[:, 0::2], leaves[:, 1::2]", "leaves[:, 1::2], leaves[:, 0::2]",
          NODES),
    Fault("ir/signs.py", "[..., None, :] >= ends", "[..., None, :] > ends", NODES),
    Fault("ir/signs.py", "x[first : first + many,", "x[:many,", "tests/ir/test_nodes.py"),
    Fault("ir/modulate.py", "x[:, :, None] >= self", "x[:, :, None] > self", NODES),
    Fault("ir/network.py", "np.sum(frames, axis=0", "np.max(frames, axis=0", NODES),
    Fault("ir/network.py", "np.concatenate(frames, axis=1", "np.concatenate(frames[::-1], axis=1",
          NODES),
    Fault("ir/network.py", "np.argmax(self.scores, axis=1)",
          "self.scores.shape[1] - 1 - np.argmax(self.scores[:, ::-1], axis=1)", "tests/ir"),
    Fault("ir/window.py", "at.transpose(0, 1, 3, 4, 2)", "at.transpose(0, 1, 4, 3, 2)", NODES),
    Fault("ir/window.py", "np.abs(side - 1 - np.abs(rows))", "np.abs(side - np.abs(rows))",
          "tests/ir/test_nodes.py"),
    Fault("ir/window.py", "self.in_width + (self.border == ", "self.in_width + (self.border != ",
          NODES),
    Fault("ir/window.py", ":: self.dilation[0], :: self.dilation[1]]",
          ":: self.dilation[1], :: self.dilation[0]]", NODES),
    Fault("ir/window.py", "            if added > beside:", "            if False:",
          "tests/ir/test_nodes.py"),
    Fault("ir/convolution.py", "values.reshape(len(values), -1, columns).transpose(1, 0, 2)",
          "values.reshape(len(values), -1, columns).transpose(1, 0, 2)[::-1]", NODES),
    Fault("ir/convolution.py", "reshape(self.window.pixels, self.groups, -1)",
          "reshape(self.groups, self.window.pixels, -1).transpose(1, 0, 2)", NODES),
    Fault("ir/convolution.py", "key=lambda column: column % window.dilation[1])",
          "key=lambda column: 0)", NODES),
    Fault("ir/pool.py", "pixels // 2 + 1}", "(pixels + 1) // 2}", NODES),
    Fault("ir/join.py", "np.hstack([image.reshape(self.pixels, -1)",
          "np.hstack([image.reshape(-1, self.pixels).T", NODES),
    Fault("ir/fields.py", "if default is not None and type(value) is type(default) and",
          "if False and", ARTIFACT),
    Fault("ir/group_sum.py", "bits.reshape(len(bits), self.classes, self.group)",
          "bits.reshape(len(bits), self.group, self.classes).swapaxes(1, 2)", NODES),
    Fault("ir/simplify.py", "inverted=reduced.table[0]", "inverted=False", NODES),
    Fault("ir/simplify.py", "if all(low == high", "if any(low == high", NODES),
    Fault("ir/simplify.py", "bool(thresholds[0] <= low)", "bool(thresholds[0] > low)", NODES),
    Fault("ir/artifact.py", "if claimed != actual:", "if False:", ARTIFACT),
    Fault("ir/artifact.py", "if type(version) is not int or version", "if version", ARTIFACT),
    Fault("ir/artifact.py", "version not in {*STEPS, FORMAT}", "version == 0", ARTIFACT),
    Fault("ir/artifact.py", '_check_digest("record_digest", header.pop("record_digest", None), '
          "hashed(record, golden))", 'header.pop("record_digest", None)', ARTIFACT),
    Fault("ir/artifact.py", "if dtype not in DTYPES:", "if False:", ARTIFACT),
    Fault("ir/artifact.py", "if math.prod(shape) > MAX_ELEMENTS:", "if False:", ARTIFACT),
    Fault("ir/artifact.py", "if path.stat().st_size > MAX_BYTES:", "if False:", ARTIFACT),
    Fault("ir/artifact.py", "for name in sorted(value.keys() - wanted):", "for name in ():",
          ARTIFACT),
    Fault("ir/artifact.py", "    for owner in owned:", "    for owner in ():", ARTIFACT),
    Fault("ir/fields.py", "if type(value) is not int:", "if not isinstance(value, int):", ARTIFACT),
    Fault("ir/fields.py", "if type(value) is not bool:", "if value not in (0, 1):", ARTIFACT),
    Fault("ir/fields.py", "if not self.low <= value <= self.high:", "if value < self.low:",
          ARTIFACT),
    Fault("ir/fields.py", "if array.dtype != dtype:", "if False:", ARTIFACT),
    Fault("ir/fields.py", "if not np.issubdtype(array.dtype, np.integer):", "if False:",
          "tests/ir/test_fields.py"),
    Fault("ir/fields.py", "or array.max() > high", "", ARTIFACT),
    Fault("ir/fields.py", "    for name in (*own, *arrays):", "    for name in own:", ARTIFACT),
    Fault("ir/fields.py", "_check_elements(self.name, len(packed) * columns)", "pass", ARTIFACT),
    Fault("ir/fields.py", "if isinstance(root, bytes) and", "if not array.flags.writeable and",
          "tests/ir/test_fields.py"),
    Fault("ir/nested.py", "if prefix == self.name and index in arrays:",
          "if prefix == self.name and int(index) < len(items):", ARTIFACT),
    Fault("ir/plain.py", "if not math.isfinite(value):", "if False:", ARTIFACT),
    Fault("ir/plain.py", "if len(value) < len(pairs):", "if False:", ARTIFACT),
    Fault("ir/plain.py", "    except RecursionError:", "    except MemoryError:", ARTIFACT),
    Fault("ir/node.py", "if width > MAX_WIDTH:", "if False:", ARTIFACT),
    Fault("ir/identity.py", '{"provenance": dict(network.provenance)}', '{"provenance": {}}',
          "tests/ir/test_identity.py"),
    Fault("ir/identity.py", "if network.names != Names():", "if False:",
          "tests/ir/test_identity.py"),
    Fault("ir/identity.py", "if network.answer is not None:", "if False:",
          "tests/ir/test_identity.py"),
    Fault("ir/affine.py", "np.rint((x - self.offset) * self.scale)",
          "np.floor((x - self.offset) * self.scale + np.float32(0.5))", PREPARATIONS),
    Fault("ir/affine.py", "(x - self.offset) * self.scale",
          "(x.astype(float) - self.offset) * self.scale", PREPARATIONS),
    Fault("ir/quantile.py", 'side="right"', 'side="left"', PREPARATIONS),
    Fault("ir/quantile.py", "        super().validate()\n", "", AROUND),
    Fault("ir/picture.py", "* flat + 255) // 510", "* flat) // 510", PREPARATIONS),
    Fault("ir/numbers.py", "np.argwhere(~np.isfinite(x))", "np.argwhere(np.isnan(x))",
          PREPARATIONS),
    Fault("ir/numbers.py", "np.isnan(x), self.fill, x", "np.isnan(x), self.fill[::-1], x",
          PREPARATIONS),
    Fault("ir/answer.py", "scores.astype(np.float32) * self.scale", "scores * self.scale",
          PREPARATIONS),
    Fault("ir/network.py", "if not np.isfinite(ends).all():", "if False:", AROUND),
    Fault("ir/network.py", "if self.classes < 2:", "if False:", AROUND),
    Fault("ir/network.py", "if least < low or most > high:", "if least < low:", AROUND),
    Fault("ir/names.py", "                if name in seen:", "                if False:", AROUND),
    Fault("ir/artifact.py", "    if names == Names():", "    if False:", AROUND),
    Fault("ir/upgrade.py", "count == len(body)", "count <= len(body)", "tests/ir/test_upgrade.py"),
    Fault("ir/simplify.py", "        if entry.name in keep:\n            continue\n", "", NODES),
    Fault("ir/simplify.py", "        if entry.name in state.keep:\n            live.update",
          "        if False:\n            live.update", NODES),
    Fault("bitwright/files.py", "dir=path.parent, prefix", "prefix", "tests/test_files.py"),
    Fault("bitwright/files.py", "            Path(name).unlink()", "            pass",
          "tests/ir/test_artifact.py"),
    Fault("model/layers/lut.py", "self.hard.cpu().numpy())", "(self.tables > 0.1).numpy())",
          "tests/conformance/test_model.py"),
    Fault("model/training/freeze.py", "if not np.array_equal(result.scores, expected):",
          "if False:",
          "tests/model/test_freeze.py"),
    Fault("model/layers/windows.py", "permute(4, 5, 2, 0, 1, 3)", "permute(5, 4, 2, 0, 1, 3)",
          "tests/model/test_windows.py"),
    Fault("model/training/trainer.py", "any(layer.settles for layer in self.network.layers)",
          "False",
          "tests/model/test_convolution.py"),
    Fault("model/training/trainer.py", 'self._order.set_state(checkpoint.generators["order"])',
          "pass", "tests/model/test_train.py"),
    Fault("model/weights/product.py", "if feedback is None else", "if True else", FEEDBACK),
    Fault("model/weights/surrogate.py", "(through * x).sum() / beta", "(through * x).sum()",
          SLOPES),
    Fault("model/rules/feedback/direct_feedback_alignment.py", "return output.detach()",
          "return output", FEEDBACK),
    Fault("model/rules/feedback/indirect_feedback_alignment.py", "if index or at_input:",
          "if True:", FEEDBACK),
    Fault("model/rules/feedback/relaxation.py", "buffer.copy_(value)", "pass", FEEDBACK),
    Fault("model/rules/feedback/feedback_alignment.py",
          'part.weights.feedback = state["matrices"][name]', "pass", FEEDBACK),
    Fault("model/inputs/labels.py", "np.where(self.bits, low, high + 1)",
          "np.where(self.bits, high + 1, low)", "tests/model/test_labels.py"),
    Fault("model/heads/reading.py", "slice(self.first_layer, last + 1)",
          "slice(self.first_layer, layers + 1)", "tests/model/test_labels.py"),
    Fault("model/rules/forward_forward/supervised.py", "scores.argmax(0, keepdim=True)",
          "scores.argmin(0, keepdim=True)", FORWARD),
    Fault("model/rules/forward_forward/learner.py", "return activities.detach(), Figures",
          "return activities, Figures", FORWARD),
    Fault("model/rules/forward_forward/pipeline.py",
          "for learner, (layer, own) in zip(self._learners, states, strict=True):",
          "for learner, (layer, own) in ():", "tests/model/test_forward_forward_pipeline.py"),
    Fault("model/rules/forward_forward/pictures.py", "+ 2 * wide[..., 1:-1, :] +",
          "+ wide[..., 1:-1, :] +", "tests/model/test_unsupervised_forward_forward.py"),
    Fault("model/rules/straight_through.py", "(loss + self.penalty()).backward()",
          "loss.backward()", SLOPES),
    Fault("model/rules/flip/votes.py", "targets.abs().sum(1, keepdim=True) - weights",
          "targets.abs().sum(1, keepdim=True) + weights", "tests/model/test_flip.py"),
    Fault("tests/reference/flip/operators.py", "return ~(x ^ w) & occupied(n)", "return ~(x ^ w)",
          "tests/model/test_flip.py"),
    Fault("model/rules/flip/fbf.py", "one.x if x is not one.x else None", "None",
          "tests/model/test_fbf.py"),
    Fault("model/rules/flip/fbf.py", ", 1, _ONE_VOTE)", ", 1, 1.0)", "tests/model/test_fbf.py"),
    Fault("model/thresholds.py", "bound.floor() + 1 if above", "bound.ceil() if above",
          "tests/model/test_fbf.py"),
    Fault("model/thresholds.py", "(cuts.double() - shift) * deviation",
          "(cuts.double() + shift) * deviation", "tests/model/test_xnor.py"),
    Fault("model/neurons/centred.py", "whole - self.weights.constants[:, None]", "whole",
          "tests/model/test_fbf.py"),
    Fault("model/inputs/batch_norm.py", "highest=low + (1 << self.bits), above=True)",
          "highest=low + (1 << self.bits), above=True) - 1", "tests/model/test_fbf.py"),
    Fault("model/heads/counts.py", "self.scale * counts.long()", "self.scale * counts",
          "tests/model/test_rules.py"),
    Fault("model/layers/windows.py", "total.index_add_(0, index.flatten(), parts)", "total",
          "tests/model/test_windows.py"),
    Fault("model/rules/rule.py", "if not layer.passes and trait not in layer.traits:", "if False:",
          "tests/model/test_rules.py"),
    Fault("model/rules/rule.py", "if not needs.allows(network.head):", "if False:",
          "tests/model/test_rules.py"),
    Fault("model/rules/rule.py", "if network.modulator.learns and not needs.input:", "if False:",
          "tests/model/test_rules.py"),
    Fault("model/rules/bop.py", "(average * weights > 0)", "(average * weights < 0)",
          "tests/model/test_bop.py"),
    Fault("hw/rtl/encoder.py", "feature >= threshold", "feature > threshold", HARDWARE),
    Fault("hw/rtl/encoder.py", "good.eq(~first | (self.i.payload.last == final))", "good.eq(1)",
          "tests/hw/test_ip.py"),
    Fault("hw/rtl/head.py", "higher = high > low", "higher = high >= low", HARDWARE),
    Fault("hw/rtl/parts/gather.py", "Mux(place == 0, 0, total) + part", "part",
          "tests/hw/test_ip.py"),
    Fault("hw/rtl/core.py", "held[name].append(hold.o)", "held[name].append(before)",
          "tests/hw/test_ip.py"),
    Fault("hw/rtl/core.py", "registers = -(-delay // self.interval)",
          "registers = min(1, delay)", FOLDED),
    Fault("hw/rtl/layers/convolution.py", "self._node.window.index.tolist()",
          "self._node.window.index[::-1].tolist()", "tests/conformance/test_hardware.py"),
    Fault("hw/rtl/layers/body.py", "self.latency - chain.latency)", "0)",
          "tests/hw/test_windows.py -k unlike"),
    Fault("hw/rtl/layers/pool.py", 'or_ if node.function == "or"', 'or_ if node.function == "and"',
          "tests/hw/test_windows.py -k pool"),
    Fault("hw/rtl/layers/join.py", "self._node.index.tolist()", "range(self._node.in_width)",
          "tests/conformance/test_hardware.py -k join"),
    Fault("hw/folding.py", "range(0, high, down)", "range(0, high)",
          "tests/hw/test_windows.py -k convolution"),
    Fault("hw/folding.py", "return row - (self.shape[1] - 1) * self.across",
          "return row", SLIDING),
    Fault("hw/rtl/layers/sliding.py", "~busy & (wait <= 1) if", "~busy if", SLIDING),
    Fault("hw/rtl/ip.py", "& (wait == 0)", "& 1", FOLDED),
    Fault("hw/rtl/core.py", "self.o.valid.eq(left == 1)", "self.o.valid.eq(left == 2)", PARTS),
    Fault("hw/rtl/core.py", "left.eq(self._interval - 1)", "left.eq(self._interval - 2)", PARTS),
    Fault("hw/rtl/core.py", "self._times[name] + (Collector.latency if",
          "self._times[name] + (0 if", FOLDED),
    Fault("hw/rtl/parts/stages.py", "self._ready.eq(~valid | ready)", "self._ready.eq(ready)",
          PARTS),
    Fault("hw/rtl/parts/stages.py", "assert stages.latency == self.latency",
          "assert True", PARTS),
    Fault("hw/rtl/parts/queue.py", "depth = self._places - 1", "depth = self._places - 2", PARTS),
    Fault("hw/rtl/parts/agreements.py", "Cat(ring[bits:], ring[:bits])", "ring", FOLDED),
    Fault("hw/rtl/parts/agreements.py", "Mux(half ^ done, words, 0)", "Mux(half, words, 0)",
          FOLDED),
    Fault("hw/rtl/parts/agreements.py", "Mux(last, tail, word)", "word", FOLDED),
    Fault("hw/rtl/parts/agreements.py", "self.i.ready.eq(held != 2)", "self.i.ready.eq(1)",
          "tests/conformance/test_hardware.py"),
    Fault("hw/rtl/layers/dense.py", "latency + collected * Collector.latency", "latency",
          "tests/conformance/test_hardware.py"),
    Fault("hw/rtl/parts/store.py", "[place.eq(0), address.eq(0), number.eq(0)]", "[place.eq(0)]",
          CONTENTS),
    Fault("hw/rtl/parts/store.py", "self.write.enable", "0", CONTENTS),
    Fault("hw/contents.py", "if score_width(found) > fixed:", "if False:", CONTENTS),
    Fault("hw/contents.py", "if not simplify:", "if True:", CONTENTS),
    Fault("hw/contents.py", "shapes.append([name, self.plan.settings(name, Folded).cycles])",
          "shapes.append([name])", CONTENTS),
    Fault("hw/link/depacketiser.py", "Mux(right, 0, ErrorCode.CRC))]", "0)]", LINK),
    Fault("hw/link/depacketiser.py", "with m.If(self.i.valid | self.error):",
          "with m.If(self.i.valid):", LINK),
    Fault("hw/link/depacketiser.py", "[sequence, known, fitting]", "[known, fitting]", LINK),
    Fault("hw/link/depacketiser.py", "with m.If(self.error | silent):", "with m.If(silent):", LINK),
    Fault("hw/link/payload.py", "missed.eq(missed | occupied)", "missed.eq(occupied)", LINK),
    Fault("hw/link/receiver.py", "payload.enter.eq(~inside)", "payload.enter.eq(1)", LINK),
    Fault("hw/link/receiver.py", "payload.drop.eq(self.restart)", "payload.drop.eq(0)", LINK),
    Fault("hw/link/sender.py", "(failed | self.sample_error)", "0", LINK),
    Fault("hw/link/sender.py", "timer[-1] | failed", "failed", LINK),
    Fault("hw/link/serial_top.py", "self._restart.eq(link.restart)", "self._restart.eq(0)", LINK),
    Fault("hw/link/loader.py", "incomplete = Signal(reset_less=True)", "incomplete = Signal()",
          LOAD),
    Fault("hw/link/loader.py", "with m.If(~same | ~whole):", "with m.If(~whole):", LOAD),
    Fault("hw/link/loader.py", "with m.If(~same | ~whole):", "with m.If(~same):", LOAD),
    Fault("hw/link/loader.py", "with m.Elif(~same):", "with m.Elif(0):", LOAD),
    Fault("hw/link/loader.py", "self.o.valid.eq(self.i.valid & ~whole)",
          "self.o.valid.eq(self.i.valid)", LOAD),
    Fault("hw/link/receiver.py", "with m.Elif(~self.complete):", "with m.Elif(0):", LOAD),
    Fault("hw/link/link.py", "replies.restart | loader.begin", "replies.restart", LOAD),
    Fault("hw/link/uart.py", "          with m.If(rx):\n", "          with m.If(0):\n",
          "tests/hw/test_uart.py"),
    Fault("hw/link/uart.py", "cdc.FFSynchronizer(self.rx, rx, init=1)",
          "cdc.FFSynchronizer(self.rx, rx, init=1, stages=3)", "tests/hw/test_uart.py"),
    Fault("hw/link/uart.py", "m.submodules.synchroniser = cdc.FFSynchronizer(self.rx, rx, init=1)",
          "m.d.comb += rx.eq(self.rx)", "tests/hw/test_uart.py"),
    Fault("sim/stream_level.py", "if word != words[sample]]", "if False]",
          "tests/sim/test_faults.py"),
    Fault("sim/stream.v", "(^{s_ready, m_valid, sample_error}) === 1'bx", "0", UNDEFINED),
    Fault("sim/stream.py", "if not found.is_resolvable:", "if False:", UNDEFINED),
    Fault("sim/verilator.py", "+verilator+seed+{seed % SEEDS + 1}", "+verilator+seed+1",
          "tests/sim/test_harness.py -k start_values"),
    Fault("sim/keys.py", "return [tool.label, *program(tool.command),", "return [",
          "tests/sim/test_run.py -k another_yosys"),
    Fault("sim/keys.py", "state.st_size, state.st_mtime_ns]", "]",
          "tests/sim/test_run.py -k key_of_a_program"),
    Fault("sim/cells.py", 'if "blackbox" not in match[1]', "if True", "tests/sim/test_cells.py"),
    Fault("sim/cells.py", "& modules.keys() - found.keys()", "& set()",
          "tests/sim/test_cells.py"),
    Fault("sim/placed.py", "if digest != known:", "if False:", "tests/sim/test_placed.py"),
    Fault("sim/placed.py", "if ir.digest(frozen) != self.network:", "if False:",
          "tests/sim/test_placed.py"),
    Fault("hw/rtl/result.py", "value[-1].replicate(", "Const(0, 1).replicate(",
          "tests/sim/test_stream.py -k icarus_proves"),
    Fault("hw/flow/verilog.py", "(procmux", "(never",
          "tests/sim/test_levels.py -k icarus"),
    Fault(RAM, '~(RESETMODE == "SYNC" & rst_a)', "1'b1", RAM_TESTS),
    Fault(RAM, 'WRITEMODE == "WRITETHROUGH" ? fresh', 'WRITEMODE == "WRITETHROUGH" ? old',
          RAM_TESTS),
    Fault(RAM, '(RELEASE == "SYNC" & held)', "1'b0", RAM_TESTS),
    Fault(RAM, "value[20 * word + 9 +: 9]", "value[18 * word + 9 +: 9]", RAM_TESTS),
    Fault(RAM, "CSA2 == CSDECODE_A[16]", "CSA2 == CSDECODE_A[0]", RAM_TESTS),
    Fault(RAM, "DATA_WIDTH_B == 36 ? do_b[35:18]", "DATA_WIDTH_B == 36 ? do_b[17:0]", RAM_TESTS),
    Fault("hw/families/models/trellis_io.v",
          "I;\n            assign O = 1'bx;", "~I;\n            assign O = 1'bx;",
          "tests/sim/test_levels.py -k ulx3s"),
    Fault("hw/rtl/axi.py", "ip.o.ready.eq(self.m_axis_tready & self.m_axis_tlast)",
          "ip.o.ready.eq(self.m_axis_tready)", BEATS),
    Fault("hw/rtl/axi.py", "Const((1 << last) - 1, full)", "Const((1 << full) - 1, full)", BEATS),
    Fault("hw/rtl/axi.py", "with m.If(self.m_axis_tvalid & self.m_axis_tready):",
          "with m.If(self.m_axis_tready):", BEATS),
    Fault("hw/rtl/ip.py", "behind + 1 + beats", "behind + 2", BEATS),
    Fault("hw/rtl/ip.py", "max(network.frames * frame, beats)", "network.frames * frame", BEATS),
    Fault("hw/link/sender.py", "Mux(result, beat_end & last, end)", "Mux(result, beat_end, end)",
          "tests/hw/test_link.py -k come_in_beats"),
    Fault("hw/link/sender.py", "Mux(last, layout.last_beat_bytes, layout.result_beat_bytes)",
          "layout.result_beat_bytes", "tests/hw/test_link.py -k come_in_beats"),
    Fault("hw/flow/verilog.py", "ResetInserter(~self._reset)", "ResetInserter(self._reset)", BLOCK),
    Fault("hw/flow/verilog.py", "interface.attributes.items()", "{}.items()", BLOCK),
    Fault("hw/flow/lint.py", "-file \"*{interface.file}\"", "", BLOCK),
    Fault("hw/interface.py", "backward if signal == \"tready\" else forward", "forward",
          "tests/hw/test_interface.py"),
    Fault("hw/naming.py", "or self.module.lower() in _TAKEN", "or self.module in _TAKEN",
          "tests/hw/test_interface.py"),
    Fault("hw/flow/wrap.py", "~reset if naming.active_low else reset", "reset", WRAP),
    Fault("sim/stream.v", "m_last && !out_last) violations[5]", "0) violations[5]",
          "tests/sim/test_harness.py -k beats_of_results"),
    Fault("sim/stream.v", "m_keep !== (out_last ? last_keep : full_keep)", "m_keep !== full_keep",
          "tests/sim/test_harness.py -k beats_of_results"),
    Fault("hw/flow/wrap.py", "tx.o.eq(self._design.tx)", "tx.o.eq(~self._design.tx)", WRAP),
    Fault("hw/flow/wrap.py", "clock_hz=self.clock.hz, baud=self.baud,",
          "clock_hz=2 * self.clock.hz, baud=self.baud,", WRAP),
    Fault("hw/families/plls/ice40.py", "_VCO_HZ = (533_000_000,", "_VCO_HZ = (500_000_000,", PLLS),
    Fault("hw/families/plls/ecp5.py", "_DETECTOR_HZ = (10_000_000,", "_DETECTOR_HZ = (3_125_000,",
          PLLS),
    Fault("hw/families/plls/ice40.py", "if detector < limit)", "if detector <= limit)", PLLS),
    Fault("hw/families/models/sb_pll40.v", "(1 << DIVQ)), .DETECTOR", "(2 << DIVQ)), .DETECTOR",
          "tests/hw/test_pll_models.py"),
    Fault("hw/families/models/pll.v", "khz > 1.001 * most", "0", "tests/hw/test_pll_models.py"),
    Fault("hw/flow/clock.py", "if found >= clock.exact_hz:", "if True:", CLOCK),
    Fault("hw/flow/clock.py", "<= LINE_TOLERANCE", "<= 2 * LINE_TOLERANCE", CLOCK),
    Fault("hw/flow/trials.py", "return max(found, key=", "return min(found, key=", TRIALS),
    Fault("hw/flow/cache.py", "shutil.copyfile(source / file, part)", "part.write_text(file)",
          TRIALS),
    Fault("hw/flow/clocking.py", "with m.If(~stable):", "with m.If(0):",
          "tests/hw/test_clocking.py -k settled"),
    Fault("hw/flow/wrap.py", "frozen=network,", "frozen=None,", WRAP),
    Fault("hw/flow/wrap.py", '"clk": of(platform.default_clk)', '"clk": None', WRAP),
    Fault("hw/flow/cache.py", '"boards", "hw", "ir")', '"boards")', CACHE),
    Fault("hw/flow/cache.py", "for name in (*reversed(later), stage.name):",
          "for name in (stage.name,):", CACHE),
    Fault("hw/flow/record.py", 'return {"file": file_digest(value)}', 'return {"file": value.name}',
          CACHE),
    Fault("hw/flow/trials.py", "self._board, clock, self._baud,",
          "self._board, clock, self._board.baud,", KEYS),
    Fault("hw/flow/trials.py", "clock, seed, PATHS", "clock, 1, PATHS", KEYS),
    Fault("hw/flow/builder.py", "and not options.allow_timing_fail", "and False", KEYS),
    Fault("hw/flow/environment.py", 'name.startswith("AMARANTH_")', "False", KEYS),
    Fault("hw/flow/toolchain.py", "return Tool(program.name, command, version, yowasp, content)",
          "return Tool(program.name, command[:1], version, yowasp, content)", KEYS),
    Fault("hw/flow/place.py", "if clocks is None or _plain(name) in clocks", "if True", PLACE),
    Fault("hw/families/models/icestorm.v", "I2 ? half[7:4]", "I1 ? half[7:4]", ROUTED),
    Fault("hw/families/models/icestorm.v", "if (CEN) q <= SR ?", "if (CEN || SR) q <= SR ?",
          ROUTED),
    Fault("hw/families/models/icestorm.v", "CIN_CONST ? CIN_SET", "CIN_CONST ? 1'b0", ROUTED),
    Fault("hw/families/models/icestorm.v", ".RCLK(RCLK ^ NEG_CLK_R)", ".RCLK(RCLK)", ROUTED),
    Fault("hw/families/routed.py", '["1" if port in high else "0"]', '["0"]', ROUTED),
    Fault("hw/families/ecp5.py", '["1"] for pin in "ABCD"', '["0"] for pin in "ABCD"', PACKED),
    Fault("hw/families/models/trellis.v", "FCI : ~injected & pair", "FCI : pair", PACKED),
    Fault("hw/families/models/trellis.v", 'SD == "0" ? M : DI', "DI", PACKED),
    Fault("hw/families/models/trellis.v", "{WAD0, WAD2, WAD1, WAD3}", "{WAD3, WAD2, WAD1, WAD0}",
          PACKED),
    Fault("hw/families/models/oxide.v", "PLACE ? {WAD2, WAD0, WAD1, WAD3} : ", "", PACKED),
    Fault("hw/families/models/oxide.v", 'SEL == "DL" ? DI : M', "DI", PACKED),
    Fault("hw/families/models/gowin_packed.v", "value ? CIN : I0", "I0", PACKED),
    Fault("hw/families/models/bram.v", "@(posedge clk or posedge reset)", "@(posedge clk)",
          "tests/hw/test_bram.py -k without_a_clock"),
    Fault("sim/run.py", "args.build is None else DAMAGED", "args.build is None else MALFORMED",
          "tests/sim/test_run.py -k damaged"),
    Fault("hw/flow/parts.py", 'cell.startswith(f"{path}.")',
          'path.rpartition(".")[2] in cell.split(".")', PLACE),
    Fault("hw/families/ice40.py", "-minsrst {_SHARED}", "-minsrst 1",
          "tests/hw/test_synth.py -k tile"),
    Fault("hw/flow/synth.py", "if module in names}",
          'if any(name.endswith(module.rpartition(".")[2]) for name in names)}',
          "tests/hw/test_synth.py"),
    Fault("hw/flow/verilog.py", "proc -norom", "proc -nomux -norom", "tests/hw/test_verilog.py"),
    Fault("hw/families/ecp5.py", '"CCU2C": Resources(luts=2, carries=1)',
          '"CCU2C": Resources(carries=1)', "tests/hw/test_build_fit.py"),
    Fault("hw/report/figures.py", "10 * sum(ways) / baud", "10 * max(ways) / baud",
          "tests/hw/test_report.py"),
    Fault("hw/report/quality.py", "decided = [sum(column)", "decided = [max(column)",
          "tests/hw/test_report.py"),
    Fault("hw/rtl/result.py", "unsigned(max(1, (classes - 1).bit_length()))", "range(classes)",
          "tests/hw/test_regression.py"),
    Fault("hw/contents.py", "ir.Answer(0 * ones, ones)", "self.network.answer",
          "tests/hw/test_regression.py"),
    Fault("data/precision.py", "if left >= min(count, 1 << bits):", "if left > 1:",
          "tests/data/test_table.py -k binary32"),
    Fault("data/openml.py", "breaks=arrays.gaps(keep)", "breaks=frozenset()",
          "tests/data/test_openml.py -k dropped"),
    Fault("data/table.py", "if index == layout.label and not self.labelled:",
          "if index == -1:", "tests/data/test_inputs.py -k some_labels"),
    Fault("data/dataset.py", "and self.preparation != network.preparation:",
          "and self.preparation is None:", "tests/model/test_evaluate.py -k otherwise"),
    Fault("hw/ip/header.py", "score[top] < 128 ?", "score[top] < 255 ?", AROUND_BLOCK),
    Fault("hw/ip/header.py", ">> 8 * byte", ">> 4 * byte", AROUND_BLOCK),
    Fault("hw/ip/ip_xact.py", "element.add(bus.role)", 'element.add("slave")', AROUND_BLOCK),
    Fault("hw/ip/ip_xact.py", 'port.direction.removesuffix("put")', "port.direction", AROUND_BLOCK),
    Fault("hw/ip/bench.py", 'if (found !== wanted) fail("wrong result");', "",
          "tests/hw/ip/test_runs.py -k planted"),
    Fault("hw/ip/bench.py", "size][::-1].hex()", "size].hex()", AROUND_BLOCK),
    Fault("hw/ip/bench.py", "$stop;", "$finish;", BLOCK_FUSESOC),
    Fault("hw/ip/fusesoc.py", "vvp_options: [-N]", "vvp_options: []", BLOCK_FUSESOC),
    Fault("hw/ip/litex.py", "self.source.ready.eq(self.take.re)", "self.source.ready.eq(1)",
          "tests/hw/ip/test_runs.py -k litex"),
    Fault("boards/reader.py", "for node in reversed(self._line):", "for node in self._line:",
          "tests/boards/test_boards.py -k agrees"),
    Fault("boards/own.py", "taken.setdefault(pin, key) != key:",
          "taken.setdefault(pin, key) == pin:", "tests/boards/test_own.py -k wrong"),
    Fault("boards/program.py", "and found.count(BITSTREAM) == 1 else None", "else None",
          "tests/boards/test_program.py"),
    Fault("hw/flow/load.py", "stdout=sys.stderr.fileno(),", "stdout=None,",
          "tests/boards/test_program.py"),
    Fault("hw/flow/pins.py", 're.search(rf"(?<!\\w){re.escape(pin)}(?!\\w)", message)', "message",
          "tests/hw/test_pins.py"),
    Fault("hw/flow/project.py", "platform.add_file(self._text, text)", "pass",
          "tests/hw/test_project.py -k complete"),
    Fault("hw/families/family.py", 'rf"^{self.location}.*\\n"', 'rf"^{self.location}$"',
          "tests/hw/test_pins.py -k alone"),
    Fault("model/graph.py", "result.append(Place(name, place.inputs or (before[-1],)))",
          "result.append(Place(name, (before[-1],)))", GRAPH),
    Fault("model/graph.py", "if all(part.stride(0) == 1 for part in parts):", "if False:", GRAPH),
    Fault("model/network.py", "if name not in read:", "if False:", GRAPH),
    Fault("model/network.py", "drivers[name] = read if layer.vanishes else (name,)",
          "drivers[name] = (name,)", "tests/model/test_passing.py -k learns_a_graph"),
    Fault("model/network.py", "layer.train(layer.training and not layer.vanishes)", "pass",
          "tests/model/test_passing.py -k without_noise"),
    Fault("model/rules/flip/fbf.py", "signal = one.passed.back(self._together(",
          "signal = (lambda signal: signal)(self._together(",
          "tests/model/test_passing.py -k follow"),
    Fault("model/rules/flip/fbf.py", "total *= 2 * total.abs() > len(signals)", "pass",
          "tests/model/test_passing.py -k majority"),
    Fault("model/layers/join.py", "2).flatten(1).T", "1).flatten(1).T",
          "tests/model/test_join.py -k side_by_side"),
    Fault("model/layers/merge.py", ".reshape(self.parts, -1).T", ".reshape(-1, self.parts)",
          "tests/conformance/test_model.py -k Merge"),
    Fault("model/layers/merge.py", "2 * ones > settings.parts", "2 * ones >= settings.parts",
          "tests/model/test_join.py -k by_hand"),
    Fault("model/layers/noise.py", "return torch.where(mask, 1 - x, x)",
          "return x + (torch.where(mask, 1 - x, x) - x).detach()",
          "tests/model/test_passing.py -k hits"),
    Fault("model/training/jitter.py", "return size - 1 - (size - 1 - places.abs()).abs()",
          "return places.clamp(0, size - 1)", AUGMENT),
    Fault("model/training/augment.py", "images.flip(2)", "images.flip(1)", AUGMENT),
    Fault("model/training/augment.py", "centres + side // 2", "centres", AUGMENT),
    Fault("model/training/trainer.py", "self.task.answers = None", "pass",
          "tests/model/test_distill.py -k follows"),
    Fault("model/training/teacher.py", "self._known = None if changes else scores",
          "self._known = scores", "tests/model/test_distill.py -k sees"),
    Fault("model/tasks/distilled.py", "share * temperature**2 * each.mean()",
          "share * temperature * each.mean()", "tests/model/test_distill.py -k hand"),
    Fault("model/inputs/drawn.py", "np.floor(bounds) + 1", "np.ceil(bounds) + 1",
          "tests/model/test_drawn.py -k binarybrain"),
    Fault("model/inputs/drawn.py", 'features if each == "pixel" else 1', "features",
          "tests/model/test_drawn.py -k each_frame"),
    Fault("model/bit_errors.py", "below = below | ~digits if", "below = below | digits if",
          "tests/model/test_bit_errors.py"),
    Fault("ir/network.py", "if disturb is not None and not isinstance(entry.node, HeadNode):",
          "if disturb is not None and isinstance(entry.node, Modulate):",
          "tests/model/test_bit_errors.py -k hit"),
    Fault("data/cifar.py", "transpose(0, 2, 3, 1)", "transpose(0, 3, 2, 1)", CIFAR),
    Fault("data/plain_pickle.py", "        if (module, name) not in _KNOWN:\n",
          "        if (module, name) not in _KNOWN:\n"
          "            return super().find_class(module, name)\n        if not module:\n",
          CIFAR + " -k no_code"),
    Fault("data/decoded.py", "            found.update(block)\n", "            pass\n",
          "tests/data/test_pictures.py -k once"),
]


def caught(fault, tree):
    """Plant a fault in a copy of the source, and tell whether the tests fail."""
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise SystemExit(f"{fault.file}: {fault.old!r} must occur once, "
                         f"not {text.count(fault.old)} times")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    try:
        run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", *fault.tests.split()],
                             cwd=tree, capture_output=True, encoding="utf-8", check=False)
    finally:
        path.write_text(text, encoding="utf-8")
    return run.returncode == 1  # 1: tests ran and failed; other codes are no proof


def _share(text):
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"must be I/N with I from 1 to N, not {text!r}")
    return int(found[1]), int(found[2])


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.planted_faults", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="plant only faults of files whose name holds TEXT")
    parser.add_argument("--share", metavar="I/N", type=_share, default=(1, 1),
                        help="every N-th fault, from the I-th on: N processes plant all of them")
    args = parser.parse_args(argv)
    number, shares = args.share
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "runs", "build",
                                                                  "__pycache__"))
        print("| file | planted | caught by |")
        print("|---|---|---|")
        for fault in FAULTS[number - 1::shares]:
            if args.only not in fault.file:
                continue
            found = caught(fault, tree)
            missed += not found
            planted = fault.new.strip().replace("|", "\\|")
            print(f"| {fault.file} | `{planted}` | {fault.tests if found else '**missed**'} |",
                  flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
