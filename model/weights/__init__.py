"""Weights that layers and heads hold: latent reals, bits, probabilities."""
