"""What lies before and behind a network that is worked on pixel by pixel."""
