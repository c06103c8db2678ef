"""Sweeps: many trainings of one recipe with other settings, of which the best are kept."""
