"""Platforms of boards that amaranth-boards lacks. Each class is a board, as if it were there."""
