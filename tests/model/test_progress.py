"""What a training says while it goes on: to people, to a log file, to TensorBoard."""

import io
import re
import sys

import pytest

torch = pytest.importorskip("torch")

from bitwright.model import train
from bitwright.model.rules.flip.telemetry import Telemetry
from bitwright.model.training import progress

QUICK = ["iris", "--set", "epochs=3", "--set", "layers.0.width=12"]
TOLD = r"\d+\.\d\d %"


class Terminal(io.StringIO):
    """A stream at which somebody looks."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO", "model.train")


def test_where_nobody_watches_there_is_no_bar(caplog, capsys):
    assert train.main(QUICK) == 0
    first, last = caplog.messages
    assert first == ("iris: 90 samples to learn from, 24 to choose the best epoch by, 36 for the "
                     "test; at most 3 epochs")
    assert re.fullmatch(rf"best epoch \d of 3: validation {TOLD}, test {TOLD} \(torch and frozen "
                        r"network agree on all 36 test samples\)", last)
    assert "\r" not in capsys.readouterr().err


def test_a_line_a_period(caplog, monkeypatch):
    monkeypatch.setattr(progress, "PERIOD", 0.0)
    assert train.main(QUICK) == 0
    lines = caplog.messages[1:-1]
    assert len(lines) == 3
    for epoch, line in enumerate(lines, 1):
        assert re.fullmatch(rf"epoch {epoch} of 3: training {TOLD}, validation {TOLD}; best "
                            rf"validation {TOLD} \(epoch \d\); at most 0:00:\d\d left", line)


def test_one_bar_for_the_whole_run(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    assert train.main([*QUICK, "--set", "batch=1", "--set", "epochs=6"]) == 0
    frames = [frame.strip() for frame in screen.getvalue().split("\r") if "epoch" in frame]
    assert re.match(r"epoch 1/6 \|.*\| 00:00, at most \? left", frames[0])
    assert re.fullmatch(rf"epoch 6/6 \|.*\| \d\d:\d\d, at most \d\d:\d\d left, training {TOLD}; "
                        rf"best validation {TOLD} \(epoch \d\)", frames[-1])
    assert sum("at most ? left" in frame for frame in frames) == 1  # no bar begins anew


def test_tensorboard_has_settings_and_what_the_telemetry_knows():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert train.main(["iris-fbf", "--set", "epochs=2"]) == 0
    log = EventAccumulator("runs/iris-fbf/tensorboard", {"histograms": 0}).Reload()
    tags = log.Tags()
    assert {"modulate.mean_of_bits", "bmab0.histogram", "head.histogram"} <= set(tags["histograms"])
    assert {"validation_accuracy", "bmab0.update_ratio", "head.gradient"} <= set(tags["scalars"])
    assert [event.step for event in log.Histograms("bmab0.histogram")] == [1, 2]
    counts = log.Histograms("bmab0.histogram")[0].histogram_value
    assert sum(counts.bucket) == pytest.approx(1)
    assert "recipe/text_summary" in tags["tensors"]
    text = log.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
    assert text.startswith("```toml\nname = \"iris-fbf\"\n")
    settings = log.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"fbf.update_rate" in settings


def test_telemetry_watches_one_step_of_so_many():
    telemetry = Telemetry(every=2)
    for epoch in range(2):
        for step in range(3):
            telemetry.begin_step()
            telemetry.observe("a", gradient=torch.tensor([float(10 * epoch + step)]))
        telemetry.end_epoch()
    assert telemetry.over_epochs("a", "gradient").tolist() == [1.0, 11.0]  # of steps 0 and 2
