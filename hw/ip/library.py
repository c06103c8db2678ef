"""How the block is called where a name has four parts: vendor, library, name, version."""

__all__ = ["LIBRARY", "VENDOR", "VERSION"]

VENDOR = "bitwright"
LIBRARY = "network"
VERSION = "1.0"
