"""How the block is called where a name has four parts: vendor, library, name, version."""

__all__ = ["DESCRIPTION", "LIBRARY", "VENDOR", "VERSION"]

VENDOR = "bitwright"
LIBRARY = "network"
VERSION = "1.0"
DESCRIPTION = "Network whose every inner value is a bit, with AXI4-Stream ports"
