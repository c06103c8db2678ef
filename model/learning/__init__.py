"""Learning rules. A new rule is one file, and one import line here."""

from .backprop import Backprop
from .direct_feedback_alignment import DirectFeedbackAlignment
from .feedback_alignment import FeedbackAlignment
from .indirect_feedback_alignment import IndirectFeedbackAlignment
from .rule import Rule
from .sign_feedback import SignFeedback

__all__ = [
    "Backprop",
    "DirectFeedbackAlignment",
    "FeedbackAlignment",
    "IndirectFeedbackAlignment",
    "Rule",
    "SignFeedback",
]
