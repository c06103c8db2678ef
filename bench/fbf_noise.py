"""Two kinds of noise of the code v3, which FBF is measured with here and does without."""

import torch

from bitwright.model.rules.flip import votes
from bitwright.model.rules.flip.fbf import FBF

__all__ = ["NOISE", "Noisy"]

NOISE = {
    "digits-fbf": {},
    "+ disrupt, 0.01 % of a layer": {"disrupt": 0.0001},
    "+ disrupt, 0.05 % of a layer": {"disrupt": 0.0005},
    "+ dropout, 2 % of the bits": {"dropout": 0.02},
    "+ dropout, 5 % of the bits": {"dropout": 0.05},
}
"""Settings of :class:`Noisy`. Of a layer 1 % is flipped by the votes."""


class Noisy(FBF):
    """FBF with noise in the weights or in the bits.

    Parameters
    ----------
    network, settings, others
        As for FBF, with ``signal = "wish"``.
    disrupt : float
        Share of a layer that is flipped too: where the fewest votes want it.
    dropout : float
        Share of the bits that a layer sees inverted while it is trained.
    """

    def __init__(self, network, settings, *, disrupt=0.0, dropout=0.0, **others):
        super().__init__(network, settings, **others)
        self._disrupt = disrupt
        if dropout:
            for layer in (*network.layers, network.head):
                layer.weights.extend = _dropped(layer.weights, dropout, self._generator)

    def _change(self, one, x):
        flipped = super()._change(one, x)
        if not self._disrupt:
            return flipped
        weights = one.layer.weights
        count = votes.wishes_of_weights(one.targets, weights.signs, x, centred=one.centred)
        permit = votes.permitted(tuple(count.shape), self._suppressor, self._generator)
        mask = votes.highest(-count, self._disrupt) & permit
        weights.flip(mask)
        return flipped + int(mask.sum())


def _dropped(weights, share, generator):
    """What weights extend their input with, and a share of the bits inverted."""
    plain = weights.extend

    def extend(x):
        signs = plain(x)
        inverted = weights.training * (torch.rand(signs.shape, generator=generator) < share)
        return signs * (1 - 2.0 * inverted)

    return extend
