"""What there is to choose from, for help texts that must not wait for anything."""

__all__ = ["LEVELS", "SIMULATORS"]

LEVELS = ("rtl", "netlist", "placed", "board")
"""How close to the device: the generated text; its netlist with the family's cells; the netlist of
a build, through its pins; the board's design behind a serial line."""

SIMULATORS = ("verilator", "icarus")
"""Each is a module of this room. The first that is installed is taken."""
