"""Learned wiring over more bits than a node can try at once: candidates that change."""

from __future__ import annotations

import math
from typing import Any, Self

import torch
from torch import Tensor, nn

from bitwright.model import processes
from bitwright.model.lookup.matches import Matches

__all__ = ["Renewal", "Survey"]

PERIOD = 128
"""Steps until a node is surveyed again: several times what a fresh candidate needs to come up."""

SHARE = 8
"""One in so many candidates gives way to a bit that looks better."""

BEHIND = 0.5
"""How far a fresh candidate starts behind the one that is read."""


class Survey:
    """What some nodes would gain in a step, had they read any other bit.

    A bit that hardly changes is worth nothing, though it looks like a gain where all samples of the
    batch pull a slot one way: counted is how the bit goes with what the slot lacks.

    Parameters
    ----------
    nodes : slice
        Which they are.
    allowed : Tensor of int64, shape (nodes, bits), optional
        Bits that each of them may come to read; left out, all.

    Attributes
    ----------
    done : bool
        Whether there was a pass back.
    """

    def __init__(self, nodes: slice, allowed: Tensor | None) -> None:
        self.nodes = nodes
        self.allowed = allowed
        self.done = False
        self._parts: list[Tensor] = []
        self._sums: list[Tensor] = []
        self._ones, self._columns = torch.empty(0), 0

    @property
    def gradient(self) -> Tensor:
        """Gradient by the share that a slot has of a bit, less that of a constant in its place.

        Of shape (nodes, fan_in, bits), of those that are allowed; there after a pass back, of one
        node at least.
        """
        found = torch.cat(self._parts)
        if processes.alone():
            return found
        # Here the means were not yet taken off, which are those of all samples.
        columns = processes.everyone(self._columns)
        middle = processes.summed(torch.cat(self._sums)) / columns
        ones = processes.summed(self._ones)
        if self.allowed is not None:
            ones = ones[self.allowed].unsqueeze(1)
        return processes.summed(found) - middle[..., None] * ones

    def see(self, nodes: slice, of_slots: Tensor, matches: Matches) -> None:
        """Take what is known of the slots of some nodes, part after part.

        Parameters
        ----------
        nodes : slice
        of_slots : Tensor, shape (nodes, fan_in, samples)
            Their gradients.
        matches : Matches
        """
        self.done = True
        first, stop = max(nodes.start, self.nodes.start), min(nodes.stop, self.nodes.stop)
        if first < stop:
            mine = of_slots[first - nodes.start : stop - nodes.start]
            if processes.alone():
                mine = mine - mine.mean(2, keepdim=True)
            else:
                self._sums.append(mine.sum(2))
                self._ones, self._columns = matches.signs.sum(1), mine.shape[2]
            allowed = self.allowed
            if allowed is not None:
                allowed = allowed[first - self.nodes.start : stop - self.nodes.start]
            self._parts.append(matches.of(mine, allowed))


class Renewal(nn.Module):
    """The candidates of nodes, which are renewed in turn.

    A product of all slots with all bits costs most of a step, and so does Adam on a preference for
    each. A node chooses from few candidates, then, and only some nodes are surveyed in a step. Of
    these an eighth of the candidates, the least preferred, give way to the bits that would have
    lowered the loss most. What a node reads is never among them: its function stays.

    Parameters
    ----------
    nodes : int
    spare : int
        Bits that a node may come to read beside its candidates: 1 at least.
    allowed : Tensor of int64, shape (nodes, bits), optional
        Bits that each node may come to read, in ascending order; left out, all.
    """

    turn: Tensor
    allowed: Tensor | None

    def __init__(self, nodes: int, spare: int, allowed: Tensor | None = None) -> None:
        super().__init__()
        self._nodes, self._spare = nodes, spare
        self.register_buffer("turn", torch.zeros((), dtype=torch.int64))
        self.register_buffer("allowed", allowed, persistent=False)
        self._survey: Survey | None = None

    def _apply(self, *arguments: Any, **options: Any) -> Self:
        """Move to a device, but for the turn: to read it from a GPU waits for all it does."""
        super()._apply(*arguments, **options)
        self.turn = self.turn.cpu()
        return self

    def survey(self) -> Survey:
        """Begin a step: the survey that its pass back is to fill."""
        turn = int(self.turn)
        first, stop = (number * self._nodes // PERIOD for number in (turn, turn + 1))
        nodes = slice(first, stop)
        self._survey = Survey(nodes, None if self.allowed is None else self.allowed[nodes])
        return self._survey

    @torch.no_grad()
    def renew(self, preferences: Tensor, candidates: Tensor, costs: Tensor | None = None) -> None:
        """End a step: renew the candidates of the nodes that were surveyed, in place.

        Parameters
        ----------
        preferences : Tensor, shape (nodes, fan_in, offered)
        candidates : Tensor of int64, shape (nodes, offered)
        costs : Tensor, shape (nodes, in_width), optional
            Loss of a slot by the bit that it reads.
        """
        survey, self._survey = self._survey, None
        if survey is None or not survey.done:
            return
        self.turn.copy_((self.turn + 1) % PERIOD)
        nodes = survey.nodes
        if nodes.start == nodes.stop:
            return
        mine, liked = candidates[nodes], preferences[nodes]
        count = min(max(1, mine.shape[1] // SHARE), self._spare)
        gain, bits = -survey.gradient.amin(1), survey.allowed
        if bits is None:
            bits = torch.arange(gain.shape[1], device=gain.device).repeat(len(gain), 1)
        if costs is not None:
            gain -= costs[nodes].gather(1, bits)
        gain.scatter_(1, torch.searchsorted(bits, mine), -math.inf)
        best = liked.amax(2, keepdim=True)
        last = (liked - best).amax(1).topk(count, largest=False).indices
        mine.scatter_(1, last, bits.gather(1, gain.topk(count).indices))
        places = last.unsqueeze(1).expand(-1, liked.shape[1], -1)
        liked.scatter_(2, places, (best - BEHIND).expand(-1, -1, count))
