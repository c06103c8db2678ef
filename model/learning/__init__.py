"""Learning rules. A new rule is one file, and one import line here."""

from .backprop import Backprop
from .rule import Rule

__all__ = ["Backprop", "Rule"]
