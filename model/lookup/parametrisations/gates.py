"""Tables by a choice among the 16 gates of two inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.lookup.parametrisations.parametrisation import (
    Parametrisation,
    Start,
    signs,
)

__all__ = ["Gates"]

PASSED = 0b1010
"""Gate that passes its first input on. Bit a of a gate's number is what it makes of address a."""

SURE = 0.5
"""How far the logit of that gate is above the others where training starts so: far enough to be the
highest, near enough to be left within a few steps."""

SPREAD = 0.1
"""Standard deviation of the first logits."""


class Gates(Parametrisation, kind="gates"):
    """A logit for each of the 16 gates of two inputs, and the highest is the gate.

    The relaxed gate is the mean of all, weighed by the softmax (difflogic, arXiv:2210.08277). A
    node of more inputs is a tree of gates, of which each reads two inputs or gates in their order:
    all of its functions, ``fan_in - 1`` gates, end up in one table. Not every table is one of them.

    The values are the relaxed tree at every address. The bits are those of the tree of chosen
    gates, whose sign the values need not have.
    """

    gates: Tensor
    inputs: Tensor

    def __init__(self, fan_in: int) -> None:
        super().__init__(fan_in)
        gates = torch.arange(16)[:, None] >> torch.arange(4) & 1
        self.register_buffer("gates", gates.float(), persistent=False)
        self.register_buffer("inputs", (signs(fan_in) + 1) / 2, persistent=False)

    def first(self, nodes: int, start: Start, generator: torch.Generator) -> Tensor:
        logits = SPREAD * torch.randn(nodes, self.fan_in - 1, 16, generator=generator)
        if start == "residual":
            logits[..., PASSED] += SURE
        return logits

    def values(self, trained: Tensor) -> Tensor:
        return self._tree(trained.softmax(2) @ self.gates) * 2 - 1

    def bits(self, trained: Tensor) -> Tensor:
        return self._tree(self.gates[trained.detach().argmax(2)]) > 0.5

    def _tree(self, gates: Tensor) -> Tensor:
        """What a tree of gates, shape (nodes, gates, 4), makes of every address."""
        signals, last = list(self.inputs), 0
        while len(signals) > 1:
            pairs = zip(signals[::2], signals[1::2], strict=False)
            odd = signals[len(signals) // 2 * 2 :]
            signals = []
            for first, second in pairs:
                low, high, low_2, high_2 = gates[:, last, :, None].unbind(1)
                without = low + (high - low) * first
                signals.append(without + (low_2 + (high_2 - low_2) * first - without) * second)
                last += 1
            signals += odd
        return signals[0]
