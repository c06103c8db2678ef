"""What is known of each family of devices. ``models`` holds cell models that Yosys lacks."""
