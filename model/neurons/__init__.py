"""Binary neurons, which layers apply to all their input or to one window after another."""

from bitwright.model.neurons.centred import CentredNeurons
from bitwright.model.neurons.neurons import Neurons
from bitwright.model.neurons.normalised import NormalisedNeurons
from bitwright.model.neurons.probabilistic import ProbabilisticNeurons

__all__ = ["CentredNeurons", "Neurons", "NormalisedNeurons", "ProbabilisticNeurons"]
