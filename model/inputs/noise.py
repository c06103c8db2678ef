"""Thresholds that hardware makes without a table."""

from __future__ import annotations

import numpy as np

from bitwright import ir

__all__ = ["noise_modulator"]


def noise_modulator(features: int, full_scale: int, depth: int, frames: int, *, bits: int,
                    seed: int) -> ir.Modulate:
    """Draw thresholds of every feature in every frame, at the same place in each step of the depth.

    A step is ``full_scale / depth``; the numbers are those of an :class:`ir.Noise` of as many bits
    as a step holds, in the middle of it. Up to a feature value, these are the uniform draws of
    :func:`model.inputs.drawn.drawn_thresholds` where a step is a power of two.

    Raises
    ------
    ValueError
        If a step is less than 2.
    """
    step = full_scale // depth
    if step < 2:
        raise ValueError(f"modulate.depth must be at most {full_scale // 2} where modulate.levels "
                         f"is 'noise', not {depth}")
    noise = ir.Noise(seed, step.bit_length() - 1)
    offsets = 1 + np.arange(depth) * full_scale // depth + (step - noise.highest) // 2
    return ir.Modulate.drawn(noise, offsets, frames, features, bits)
