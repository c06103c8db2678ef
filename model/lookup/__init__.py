"""Look-up tables that train: hard values, and surrogate gradients."""

from bitwright.model.lookup.trees import (
    START,
    Trees,
    chosen,
    first_preferences,
    look_up,
    slope_matrix,
)

__all__ = ["START", "Trees", "chosen", "first_preferences", "look_up", "slope_matrix"]
