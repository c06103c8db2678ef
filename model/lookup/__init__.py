"""Look-up tables that train: hard values, and surrogate gradients."""

from bitwright.model.lookup.parametrisations import START, Parametrisation, Start, check_table
from bitwright.model.lookup.renewal import Renewal
from bitwright.model.lookup.trees import (
    Trees,
    chosen,
    dependence,
    first_preferences,
    look_up,
    slope_matrix,
)

__all__ = ["START", "Parametrisation", "Renewal", "Start", "Trees", "check_table", "chosen",
           "dependence", "first_preferences", "look_up", "slope_matrix"]
