"""The training command: what it leaves behind, resuming, and every mistake a user can make."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from bitwright import ir
from bitwright.model import train
from bitwright.model.layers import LutLayer
from bitwright.model.recipe import load_recipe
from bitwright.model.rules import Backprop
from bitwright.model.training.checkpoint import Checkpoint
from bitwright.model.training.device import choose

ROOT = Path(__file__).parents[2]
QUICK = ["iris", "--threads", "1", "--set", "epochs=3", "--set", "layers.0.width=12"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(caplog, message, *argv):
    caplog.clear()
    assert train.main([str(word) for word in argv]) == 1
    assert [record.getMessage() for record in caplog.records
            if record.levelname == "ERROR"] == [message]


def test_run_folder(here, capsys):
    assert train.main([*QUICK, "--seed", "4"]) == 0
    assert capsys.readouterr().out == "runs/iris/network.safetensors\n"
    out = here / "runs" / "iris"
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.pt", "metrics.jsonl", "network.safetensors", "recipe.toml", "tensorboard"]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert {"train_loss", "train_accuracy", "validation_accuracy", "validation_loss",
            "samples_per_second", "lut0.wire_length"} < set(lines[0])
    recipe = tomllib.loads((out / "recipe.toml").read_text())
    assert recipe["seed"] == 4
    assert recipe["layers"][0]["width"] == 12
    network = ir.load(out / "network.safetensors")
    assert dict(network.provenance["recipe"]) == recipe
    assert len(list((out / "tensorboard").iterdir())) == 1


def test_recipe_file_repeats_the_run(here):
    assert train.main([*QUICK, "--out", "first"]) == 0
    assert train.main([str(here / "first" / "recipe.toml"), "--threads", "1", "--out",
                       "second"]) == 0
    first, second = (Path(name, "network.safetensors").read_bytes() for name in
                     ("first", "second"))
    assert first == second


def test_help_needs_no_torch():
    code = ("import sys; from bitwright.model import train\n"
            "try: train.main(['--help'])\n"
            "except SystemExit: pass\n"
            "assert 'torch' not in sys.modules")
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                            check=True)
    assert result.stdout.startswith("usage: bitwright train ")


def test_usage_error_exits_2(capsys):
    for argv in (["--resume", "--force"], ["--nonsense"], ["--seed", "x"]):
        with pytest.raises(SystemExit) as caught:
            train.main(argv)
        assert caught.value.code == 2


def test_existing_run_is_not_overwritten(caplog):
    assert train.main(QUICK) == 0
    before = Path("runs/iris/network.safetensors").read_bytes()
    refused(caplog, "runs/iris: the folder already holds a run; add --resume to go on with it, "
                    "--force to replace it, or --out for another folder", *QUICK)
    assert Path("runs/iris/network.safetensors").read_bytes() == before
    assert train.main([*QUICK, "--force", "--seed", "1"]) == 0
    assert Path("runs/iris/network.safetensors").read_bytes() != before
    assert len(Path("runs/iris/metrics.jsonl").read_text().splitlines()) == 3
    assert len(list(Path("runs/iris/tensorboard").iterdir())) == 1


def test_resuming_a_finished_run_writes_the_same_file():
    assert train.main(QUICK) == 0
    before = Path("runs/iris/network.safetensors").read_bytes()
    Path("runs/iris/network.safetensors").unlink()
    assert train.main(["--resume", "--out", "runs/iris"]) == 0
    assert Path("runs/iris/network.safetensors").read_bytes() == before
    assert train.main(["iris", "--resume", *QUICK[1:]]) == 0
    assert Path("runs/iris/network.safetensors").read_bytes() == before


def test_killed_run_resumes_to_the_same_bytes(here):
    layers = ("layers=[{kind='lut', width=60, wiring='learnable', offered=9}, "
              "{kind='xnor', neurons=20}]")
    settings = ["digits", "--threads", "1", "--set", "epochs=8", "--set", layers]
    assert train.main([*settings, "--out", "whole"]) == 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "model.train", *settings, "--out", "killed"],
                               stderr=subprocess.DEVNULL, env=environment)
    checkpoint = here / "killed" / "checkpoint.pt"
    deadline = time.monotonic() + 300
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (here / "killed" / "network.safetensors").exists()
    done = Checkpoint.load(checkpoint).epoch  # whole, whenever the kill came
    assert 1 <= done < 8
    with (here / "killed" / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 99, "half a li')
    assert train.main(["--resume", "--out", "killed"]) == 0
    whole, resumed = (Path(name, "network.safetensors").read_bytes() for name in
                      ("whole", "killed"))
    assert whole == resumed
    epochs = [json.loads(line)["epoch"] for line in
              Path("killed/metrics.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, 9))


def inverted(monkeypatch, when):
    """Let tables be frozen inverted, while ``when()``."""
    right = LutLayer.freeze

    def fault(self):
        node = right(self)
        return replace(node, tables=node.tables ^ when())

    monkeypatch.setattr(LutLayer, "freeze", fault)


def test_a_fault_in_freezing_leaves_no_network(here, monkeypatch, caplog):
    inverted(monkeypatch, Path("runs/iris/checkpoint.pt").exists)
    assert train.main(QUICK) == 1
    assert re.fullmatch(r"The frozen network differs from the trained one on \d+ of 36 test "
                        r"samples: sample \d+, class \d scores \d+ for \d+", caplog.messages[-1])
    assert not (here / "runs/iris/network.safetensors").exists()


def test_a_freeze_is_rehearsed_before_the_first_epoch(here, monkeypatch, caplog):
    inverted(monkeypatch, lambda: True)
    assert train.main(QUICK) == 1
    assert re.fullmatch(r"Recipe iris: The frozen network differs from the trained one on \d+ of "
                        r"16 samples of the rehearsal: sample \d+, class \d scores \d+ for \d+",
                        caplog.messages[-1])
    assert not (here / "runs").exists()


def test_a_node_that_refuses_what_it_would_be_made_of(here, caplog, monkeypatch):
    def refuse(self):
        raise ValueError("Tables must be bits, not 2")

    monkeypatch.setattr(LutLayer, "freeze", refuse)
    refused(caplog, "Recipe iris: The network cannot be frozen: Tables must be bits, not 2", *QUICK)
    assert not (here / "runs").exists()


def test_devices(caplog, monkeypatch):
    for name in ("gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "mps", ""):
        refused(caplog, f"Device must be cpu, cuda or cuda:N, not {name!r}", *QUICK,
                f"--device={name}")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(caplog, f"Device cuda is not there: torch {torch.__version__} finds 0 CUDA devices",
            *QUICK, "--device", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose("cuda:1") == torch.device("cuda:1")
    assert choose("cuda") == torch.device("cuda:0")
    refused(caplog, f"Device cuda:2 is not there: torch {torch.__version__} finds 2 CUDA devices",
            *QUICK, "--device", "cuda:2")
    assert not Path("runs").exists()


def test_a_run_of_another_device_goes_on_where_it_is_told(caplog, monkeypatch):
    """The file of a CUDA run, as it would be read here."""
    assert train.main([*QUICK, "--set", "patience=1"]) == 0
    path = Path("runs/iris/checkpoint.pt")
    checkpoint = Checkpoint.load(path)
    assert checkpoint.device == "cpu"
    checkpoint.device = "cuda:0"
    checkpoint.generators["draws"] = torch.arange(16, dtype=torch.uint8)  # as long as CUDA's
    checkpoint.save(path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(caplog, f"Device cuda:0 is not there: torch {torch.__version__} finds 0 CUDA devices",
            "--resume", "--out", "runs/iris")
    before = Path("runs/iris/network.safetensors").read_bytes()
    assert train.main(["--resume", "--out", "runs/iris", "--device", "cpu"]) == 0
    assert Path("runs/iris/network.safetensors").read_bytes() == before


def test_recipe_errors(caplog):
    refused(caplog, "Unknown recipe 'digit'; did you mean 'digits'?", "digit")
    refused(caplog, "Recipe iris: unknown key 'epoch'; did you mean 'epochs'?", "iris", "--set",
            "epoch=3")
    refused(caplog, "Recipe iris: unknown key 'layers.0.widht'; did you mean 'width'?", "iris",
            "--set", "layers.0.widht=3")
    refused(caplog, "Unknown data set 'iriss'; did you mean 'iris'?", "iris", "--set", "data=iriss")
    refused(caplog, "Recipe iris: layers.0: Width must be a multiple of 3 classes, not 13", "iris",
            "--set", "layers.0.width=13")
    refused(caplog, "--threads must be at least 1, not 0", "iris", "--threads", 0)
    assert not Path("runs").exists()


def test_nothing_to_resume(caplog):
    refused(caplog, "runs/digits/checkpoint.pt: no such file; there is nothing to resume",
            "--resume")
    refused(caplog, "mine/checkpoint.pt: no such file; there is nothing to resume", "--resume",
            "--out", "mine")


@pytest.mark.parametrize("damage", [
    lambda content: content[: len(content) // 2],
    lambda content: b"",
    lambda content: b"not a checkpoint at all",
    lambda content: content[:200] + bytes([content[200] ^ 255]) + content[201:-40],
], ids=["truncated", "empty", "text", "altered"])
def test_damaged_checkpoint(caplog, damage):
    assert train.main(QUICK) == 0
    path = Path("runs/iris/checkpoint.pt")
    path.write_bytes(damage(path.read_bytes()))
    refused(caplog, f"{path}: not a whole checkpoint; add --force to start again", "--resume",
            "--out", "runs/iris")


def test_checkpoint_of_another_version(caplog):
    Path("runs/iris").mkdir(parents=True)
    torch.save({"format": 99}, "runs/iris/checkpoint.pt")
    refused(caplog, "runs/iris/checkpoint.pt: format must be 2, not 99", "iris", "--resume")
    torch.save([1], "runs/iris/checkpoint.pt")
    refused(caplog, "runs/iris/checkpoint.pt: format must be 2, not None", "iris", "--resume")


def test_checkpoint_of_another_recipe(caplog):
    assert train.main(QUICK) == 0
    rest = "; resume with its own settings, or add --force to start again"
    refused(caplog, f"runs/iris/checkpoint.pt: the run has seed = 0, not 3{rest}", *QUICK,
            "--resume", "--seed", 3)
    refused(caplog, f"runs/iris/checkpoint.pt: the run has name = 'iris', not 'digits'{rest}",
            "digits", "--resume", "--out", "runs/iris")


def test_checkpoint_of_other_data(caplog):
    assert train.main(QUICK) == 0
    path = Path("runs/iris/checkpoint.pt")
    checkpoint = Checkpoint.load(path)
    checkpoint.data_digest = "0"
    checkpoint.save(path)
    refused(caplog, "runs/iris/checkpoint.pt: the data set 'iris' has changed since the run was "
                    "started; add --force to start again", *QUICK, "--resume")


def test_a_folder_that_cannot_be_written(caplog, here):
    (here / "file").write_text("")
    refused(caplog, "file/run/checkpoint.pt: Not a directory", *QUICK, "--out", "file/run")


def test_full_disk_keeps_the_last_checkpoint(caplog, monkeypatch):
    from bitwright.model.training import checkpoint

    real, calls = checkpoint.write_atomic, []

    def full(path, content):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(path))
        real(path, content)

    monkeypatch.setattr(checkpoint, "write_atomic", full)
    refused(caplog, "runs/iris/checkpoint.pt: No space left on device", *QUICK)
    assert Checkpoint.load(Path("runs/iris/checkpoint.pt")).epoch == 1
    monkeypatch.undo()


def test_interrupted_run_says_how_to_go_on(caplog, monkeypatch):
    def interrupt(self, features, labels):
        raise KeyboardInterrupt

    monkeypatch.setattr(Backprop, "step", interrupt)
    refused(caplog, "stopped; the same command with --resume goes on from the last whole epoch",
            *QUICK)


def test_diverged_run_is_named(caplog, monkeypatch):
    monkeypatch.setattr(Backprop, "step", lambda self, features, labels: {
        "loss": float("nan"), "accuracy": 0.5})
    refused(caplog, "Training diverged: the loss of epoch 1 is nan; a lower learning rate or a "
                    "higher temperature may help", *QUICK)
    assert not Path("runs/iris/network.safetensors").exists()


def test_default_recipe_is_digits():
    assert train.parser().parse_args([]).recipe is None
    assert load_recipe("digits").data == "digits"
