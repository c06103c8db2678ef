"""Second implementations, naive on purpose, that the tests compare with."""
