"""Flip backpropagation on packed bits: no value of it is real but the gradient of the loss."""
