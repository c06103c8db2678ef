"""What turns features into the values of a network: modulators of bits, a scaler of reals."""
