"""Weights that layers and heads hold: latent signs, bits, probabilities, reals."""
