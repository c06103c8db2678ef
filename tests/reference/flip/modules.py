"""Modules of flip backpropagation: packed weights, and nothing real about them.

They hold what the two passes leave behind for the update, as the report's modules do, and are the
definition that the fast path (:mod:`model.flip.votes`) is tested against.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bitwright.model.thresholds import cuts
from tests.reference.flip import operators
from tests.reference.flip.words import occupied, pack, random_words, unpack

__all__ = ["BMA", "BMAB", "BinaryTensor", "XnorWeight"]


class BinaryTensor:
    """Weight bits that are changed by votes alone.

    Parameters
    ----------
    words : Tensor of uint8, shape (..., ceil(n / 8))
        Pad bits are 0.
    n : int
        Bits of a row.
    """

    least = 0.02
    """Smallest share of the votes collected that flips a weight."""

    def __init__(self, words: Tensor, n: int) -> None:
        self.words, self.n = words, n
        self._votes = torch.zeros(*words.shape[:-1], n, dtype=torch.int64)
        self._voters = 0

    def forward(self) -> Tensor:
        return self.words

    def backward(self, flips: Tensor) -> None:
        """Collect votes; :meth:`update` counts them."""
        self._votes += unpack(flips, self.n)
        self._voters += 1

    def update(self, suppressor: int = 0, *, inverted: bool = False,
               generator: torch.Generator | None = None) -> Tensor:
        """Flip where the votes collected want it and chance permits it.

        Parameters
        ----------
        suppressor : int
            ``2 ** -suppressor`` of the flips are permitted.
        inverted : bool
            The update that was published: every bit outside the mask is flipped (XNOR for XOR).

        Returns
        -------
        Tensor of uint8
            The mask, packed.
        """
        mask = pack(operators.over_threshold(self._votes, self._voters, self.least))
        mask &= random_words(tuple(mask.shape), suppressor,
                             generator or torch.default_generator)
        self.words = self.words ^ (mask ^ occupied(self.n) if inverted else mask)
        self._votes.zero_()
        self._voters = 0
        return mask


class XnorWeight:
    """Products of every input bit with the weight bits that read it: (b, d, i) to (b, d, o, i).

    Parameters
    ----------
    words : Tensor of uint8, shape (d, o, ceil(n / 8))
    n : int
        Inputs of one depth.
    """

    def __init__(self, words: Tensor, n: int) -> None:
        self.weight, self.n = BinaryTensor(words, n), n

    def forward(self, x: Tensor) -> Tensor:
        return operators.xnor(x[:, :, None, :], self.weight.forward()[None], self.n)

    def backward(self, flips: Tensor, x: Tensor) -> Tensor:
        """Keep flips and input for the update, and let the flips vote over o: flips (b, d, i)."""
        self._flips, self._x = flips, x
        return operators.vote(flips, 2, self.n)

    def update(self, x: Tensor, suppressor: int = 0, *, published: bool = False) -> Tensor:
        """Second forward pass of FBF: change the weight for the input that has become of ``x``.

        ``r = h_flip ^ xnor(W, x_old) ^ xnor(W, x)`` is what is left to do, or newly due, and its
        vote over the batch is the mask.

        Parameters
        ----------
        x : Tensor of uint8, shape (b, d, i)
        suppressor : int
        published : bool
            With both defects of the published code: the vote is of ``h_flip``, and the update
            XNOR.

        Returns
        -------
        Tensor of uint8
            Products of the new weight with ``x``.
        """
        old = operators.xnor(self._x[:, :, None, :], self.weight.words[None], self.n)
        r = operators.xnor_backward(self._flips, old, self.forward(x))
        self.weight.backward(operators.vote(self._flips if published else r, 0, self.n))
        self.weight.update(suppressor, inverted=published)
        return self.forward(x)

    def backward_weight_first(self, flips: Tensor, x: Tensor, suppressor: int = 0, *,
                              published: bool = False) -> Tensor:
        """Backward pass of report v1: change the weight, then pass on what is left to do."""
        old = self.forward(x)
        self.weight.backward(operators.vote(flips, 0, self.n))
        self.weight.update(suppressor, inverted=published)
        return operators.vote(operators.xnor_backward(flips, old, self.forward(x)), 2, self.n)


class BMA:
    """Binary multiply-accumulate: bits (b, d, i) to normalised counts (b, o).

    Parameters
    ----------
    words : Tensor of uint8, shape (d, o, ceil(n / 8))
    n : int
        Inputs of one depth.
    """

    def __init__(self, words: Tensor, n: int) -> None:
        self.xnor, self.n = XnorWeight(words, n), n

    def forward(self, x: Tensor) -> Tensor:
        return operators.popcount_normalize(self.xnor.forward(x), self.n)

    def backward(self, gradient: Tensor, x: Tensor) -> Tensor:
        """Gradient of the counts to flips of the input."""
        return self.xnor.backward(self.flips(gradient, x), x)

    def flips(self, gradient: Tensor, x: Tensor) -> Tensor:
        """Gradient of the counts to flips of the products."""
        return operators.popcount_backward(gradient, self.xnor.forward(x), self.n)


class BMAB:
    """Binary multiply-accumulate and binarize, the binary linear layer: bits to bits.

    Parameters
    ----------
    words : Tensor of uint8, shape (d, o, ceil(n / 8))
    n : int
        Inputs of one depth.
    depth : int
        Thresholds of an output.
    """

    def __init__(self, words: Tensor, n: int, depth: int) -> None:
        self.xnor, self.n, self.levels = XnorWeight(words, n), n, cuts(depth)

    def forward(self, x: Tensor) -> Tensor:
        """Bits (b, d, i) to bits (b, d', o)."""
        return operators.pnb(self.xnor.forward(x), self.levels, self.n)

    def backward(self, flips: Tensor, x: Tensor) -> Tensor:
        """Flips of the output (b, d', o) to flips of the input (b, d, i)."""
        return self.xnor.backward(self.flips(flips, x), x)

    def flips(self, flips: Tensor, x: Tensor) -> Tensor:
        """Flips of the output to flips of the products."""
        h = self.xnor.forward(x)
        return operators.pnb_backward(flips, self.forward(x), h, self.n)
