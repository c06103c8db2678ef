"""Sums of independent Bernoullis (Poisson binomial): distribution, tail, and its gradients."""

from bitwright.model.poisson_binomial.tail import (
    GRADIENTS,
    Gradient,
    bernoulli_tail,
    convolved_tail,
)

__all__ = ["GRADIENTS", "Gradient", "bernoulli_tail", "convolved_tail"]
