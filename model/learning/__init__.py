"""Learning rules. A new rule is one file, and one import line here."""

from .backprop import Backprop
from .bernoulli import Bernoulli
from .bop import Bop
from .direct_feedback_alignment import DirectFeedbackAlignment
from .fbf import FBF
from .feedback_alignment import FeedbackAlignment
from .forward_forward import ForwardForward
from .indirect_feedback_alignment import IndirectFeedbackAlignment
from .rule import Rule
from .sign_feedback import SignFeedback
from .straight_through import StraightThrough
from .unsupervised_forward_forward import UnsupervisedForwardForward

__all__ = [
    "FBF",
    "Backprop",
    "Bernoulli",
    "Bop",
    "DirectFeedbackAlignment",
    "FeedbackAlignment",
    "ForwardForward",
    "IndirectFeedbackAlignment",
    "Rule",
    "SignFeedback",
    "StraightThrough",
    "UnsupervisedForwardForward",
]
