"""Networks of real numbers: trained by the same loop, never frozen."""

import json
import logging

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data
from bitwright.model import train
from bitwright.model.heads import LinearHead
from bitwright.model.inputs.scaler import Scaler
from bitwright.model.layers import RealDenseLayer
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer

QUICK = ["digits-real", "--set", "epochs=3", "--set", "layers.0.neurons=16"]


def test_dense_layer_by_hand():
    layer = RealDenseLayer(2, RealDenseLayer.Settings(2), generator=torch.Generator())
    with torch.no_grad():
        layer.weights.values.copy_(torch.tensor([[1.0, -2.0], [0.5, 0.25]]))
        layer.bias.copy_(torch.tensor([0.0, -1.0]))
    x = torch.tensor([[3.0, 0.0], [1.0, 4.0]])  # two samples, as columns
    assert layer(x).tolist() == [[1.0, 0.0], [0.75, 0.0]]


def test_dense_layer_normalises_over_the_batch():
    layer = RealDenseLayer(3, RealDenseLayer.Settings(4, batch_norm=True),
                           generator=torch.Generator())
    x = torch.randn(3, 50, generator=torch.Generator().manual_seed(1)) * 7
    sums = layer.weights.values @ x
    centred = (sums - sums.mean(1, keepdim=True)) / (sums.var(1, unbiased=False, keepdim=True)
                                                     + 1e-5).sqrt()
    expected = torch.relu(centred + layer.bias[:, None])
    assert torch.allclose(layer(x), expected, atol=1e-5)
    layer.eval()
    assert not torch.allclose(layer(x), expected, atol=1e-2)  # running statistics, one step old


def test_linear_head_by_hand():
    head = LinearHead(2, 3, generator=torch.Generator())
    with torch.no_grad():
        head.weights.values.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        head.bias.copy_(torch.tensor([0.0, 1.0, -1.0]))
    assert head(torch.tensor([[2.0], [3.0]])).tolist() == [[2.0, 4.0, 4.0]]


def test_scaler():
    scaler = Scaler((1, 3), 16)
    assert scaler(torch.tensor([[0, 8, 16]], dtype=torch.int16)).T.tolist() == [[0, 0.5, 1.0]]


def test_run_folder_holds_the_result(tmp_path, capsys, caplog):
    caplog.set_level(logging.INFO)
    out = tmp_path / "run"
    assert train.main([*QUICK, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'result.json'}\n"
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.pt", "metrics.jsonl", "recipe.toml", "result.json", "tensorboard"]
    accuracy = json.loads((out / "result.json").read_text())["accuracy"]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert accuracy["validation"] == max(line["validation_accuracy"] for line in lines)
    assert accuracy["test"] > 0.5
    assert caplog.messages[-1].endswith("a network of real numbers has no frozen form")


def test_trainer_learns_and_tests_the_best_epoch():
    source = data.load("digits")
    trainer = Trainer(load_recipe("digits-real", ["epochs=8", "layers.0.neurons=32"]), source)
    assert not trainer.network.freezes
    while not trainer.finished:
        trainer.run_epoch(lambda samples, accuracy: None)
    accuracy = trainer.figures()["test"]["accuracy"]
    decision = np.argmax(trainer.network.scores(source.x_test), axis=1)
    assert accuracy == (decision == source.y_test).mean() > 0.85
