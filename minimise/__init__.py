"""A frozen network made smaller: exactly, by proof, or as far as validation allows."""
