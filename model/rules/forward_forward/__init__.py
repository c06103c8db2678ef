"""Forward-forward learning: every layer learns by itself, from a good pass and a bad one."""
