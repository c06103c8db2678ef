"""Learning rules. A new rule is one file, and one import line here."""

from bitwright.model.rules.backprop import Backprop
from bitwright.model.rules.bernoulli import Bernoulli
from bitwright.model.rules.bop import Bop
from bitwright.model.rules.feedback.direct_feedback_alignment import DirectFeedbackAlignment
from bitwright.model.rules.feedback.feedback_alignment import FeedbackAlignment
from bitwright.model.rules.feedback.indirect_feedback_alignment import IndirectFeedbackAlignment
from bitwright.model.rules.feedback.sign_feedback import SignFeedback
from bitwright.model.rules.flip.fbf import FBF
from bitwright.model.rules.forward_forward.supervised import ForwardForward
from bitwright.model.rules.forward_forward.unsupervised import UnsupervisedForwardForward
from bitwright.model.rules.rule import Rule
from bitwright.model.rules.straight_through import StraightThrough

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
