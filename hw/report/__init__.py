"""What a build found: resources, capacity, figures, and the page."""
