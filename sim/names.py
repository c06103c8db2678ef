"""What there is to choose from, for help texts that must not wait for anything."""

__all__ = ["BUILT", "LEVELS", "SERIAL", "SIMULATORS"]

LEVELS = ("rtl", "netlist", "placed", "routed", "board")
"""How close to the device: the generated text; its netlist with the family's cells; the netlist of
a build, through its pins, as it was given to the placer and as it came out of the router; the
board's design behind a serial line."""

BUILT = ("placed", "routed")
"""Those that take the folder of a build."""

SERIAL = (*BUILT, "board")
"""Those with a serial line."""

SIMULATORS = ("verilator", "icarus")
"""Each is a module of this room. The first that is installed is taken."""
