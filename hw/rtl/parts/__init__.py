"""Pieces that several components are made of."""
