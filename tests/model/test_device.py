"""Everything of torch is made where the trainer's device says, and stays there.

There need not be a second device: what is made without saying where would be in main memory.
"""

import traceback
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from bench.device import RECIPES, compare
from bitwright import data
from bitwright.model.lookup import trees
from bitwright.model.recipe import load_recipe
from bitwright.model.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
MAKERS = _device_constructors()
LEAVING = (torch.Tensor.numpy, torch.Tensor.cpu)


class Placed(TorchFunctionMode):
    """Remembers where tensors are made without a device, or leave theirs."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if (func in MAKERS and kwargs.get("device") is None) or func in LEAVING:
            ours = [frame for frame in traceback.extract_stack()[:-1]
                    if Path(frame.filename).is_relative_to(ROOT / "model")]
            nearest = traceback.extract_stack()[-2]
            if ours and nearest.filename == ours[-1].filename:  # called by us, not inside torch
                self.found.add(f"{Path(nearest.filename).relative_to(ROOT)}: {nearest.line}")
        return func(*args, **kwargs)


STEPS = [*(name for name in RECIPES if "bernoulli" not in name), "digits-residual",
         "digits-conv-fbf", "digits-conv-ff"]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_makes_nothing_in_main_memory(name, monkeypatch):
    # Loops for the processor are no choice anywhere else.
    monkeypatch.setattr(trees, "_loops", lambda: None)
    recipe = load_recipe(name, ["epochs=3", "jitter=0"])
    trainer = Trainer(recipe, data.load(recipe.data))
    features, labels = trainer._features[:40], trainer._labels[:40]
    trainer.network.train()
    trainer.rule.begin_epoch(0)
    with Placed() as placed:
        trainer.rule.step(trainer._changed(features), labels)
        trainer.network.eval()
        trainer.network.score(features)
    assert not placed.found


@pytest.mark.parametrize("line", ["torch.zeros(2)", "torch.tensor([1])", "torch.rand(2)",
                                  "x.numpy()", "x.cpu()"])
def test_what_is_made_in_main_memory_is_seen(line):
    code = compile(f"import torch\n{line}", str(ROOT / "model" / "made.py"), "exec")
    x = torch.ones(1)
    with Placed() as placed:
        exec(code, {"x": x})
        exec(compile("torch.zeros_like(x); x.new_ones(3); torch.arange(3, device='cpu')",
                     str(ROOT / "model" / "right.py"), "exec"), {"x": x, "torch": torch})
    assert [found.partition(":")[0] for found in placed.found] == ["model/made.py"]


@pytest.mark.parametrize("name", ["digits-xnor", "iris-fbf"])
def test_the_comparison_of_devices_holds_for_one_and_itself(name):
    found = compare(name, torch.device("cpu"))
    assert found["faults"] == []
    assert found["differences"] == [0, 0, 0]
