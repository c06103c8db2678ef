"""From a training to the frozen file: loop, checkpoint, freeze."""
