"""What Verilator would warn of in a block's text, and why none of it is a fault."""

from __future__ import annotations

from bitwright.hw.interface import Interface

__all__ = ["WAIVERS", "waivers"]

WAIVERS = {
    "CASEOVERLAP": "the first choice that fits is meant; those behind it fit more",
    "DECLFILENAME": "all modules of the block are in one file, which is named like the top one",
    "PROCASSINIT": "registers have the value of a reset from the start, as a bitstream sets them",
    "UNUSEDSIGNAL": "signals keep a name for waves where nothing reads them, and sums a carry",
    "WIDTHEXPAND": "operands of sums and comparisons may be narrower than what they make",
    "WIDTHTRUNC": "a table is a constant that is shifted, of which bit 0 is taken; ! asks for zero",
}
"""Kinds of warnings that Verilator's ``-Wall`` has of generated text, and why it may be so."""


def waivers(interface: Interface) -> str:
    """Text of a ``.vlt`` file, which is given to Verilator beside the block's.

    Every other kind of warning stays on, and so do all in other files.
    """
    command = f"verilator --lint-only -Wall {interface.naming.module}.vlt {interface.file}"
    lines = ["`verilator_config", f"// For Verilator 5.40 or newer: {command}"]
    for rule, reason in WAIVERS.items():
        lines += [f"// {reason[0].upper()}{reason[1:]}.",
                  f'lint_off -rule {rule} -file "*{interface.file}"']
    return "\n".join(lines) + "\n"
