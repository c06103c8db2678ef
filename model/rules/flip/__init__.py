"""Flip backpropagation: votes of the samples flip weight bits."""
