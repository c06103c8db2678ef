"""What the delivered block is called, and what its clock and its reset are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bitwright.errors import UserError

__all__ = ["RESETS", "TOP", "Naming", "NamingError", "module_name"]

RESETS = ("rst", "aresetn")
"""Names of the reset, which say how it is driven: ``rst``, active high, beside ``clk``; or
``aresetn``, active low, beside ``aclk``, as AXI has it. Either is synchronous to the clock."""

LONGEST = 64
"""Letters of a name. Vendors' tools make file names of it."""

# IEEE 1800-2017, table B.1, which holds all of 1364-2005; and IEEE 1076-2008, section 15.10, what
# is not among those. A name of the first is refused by some reader of the text, one of the second
# by a design in VHDL that would instantiate it.
_VERILOG = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before
begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class
clocking cmos config const constraint context continue cover covergroup coverpoint cross deassign
default defparam design disable dist do edge else end endcase endchecker endclass endclocking
endconfig endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram
endproperty endspecify endsequence endtable endtask enum event eventually expect export extends
extern final first_match for force foreach forever fork forkjoin function generate genvar global
highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include
initial inout input inside instance int integer interconnect interface intersect join join_any
join_none large let liblist library local localparam logic longint macromodule matches medium
modport module nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null or
output package packed parameter pmos posedge primitive priority program property protected pull0
pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence
rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0
rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal
showcancelled signed small soft solve specify specparam static string strong strong0 strong1 struct
super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union
unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait wait_order
wand weak weak0 weak1 while wildcard wire with within wor xnor xor
"""
_VHDL = """
abs access after all architecture array assume_guarantee attribute block body buffer bus component
configuration constant disconnect downto elsif entity exit fairness file generic group guarded
impure in inertial is label linkage literal loop map mod next of on open others out parameter port
postponed procedure process range record register reject rem report restrict_guarantee rol ror
select severity shared signal sla sll sra srl strong subtype then to transport unaffected units
variable vmode vprop vunit when
"""
_OWN = "board harness"  # modules around it, of a board and of a simulation
_TAKEN = frozenset(f"{_VERILOG} {_VHDL} {_OWN}".split())

_NAME = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*")


class NamingError(UserError, ValueError):
    """A name does not do. One line, which says the rule."""


@dataclass(frozen=True)
class Naming:
    """Names of a block.

    Parameters
    ----------
    module : str
        Of its top module. All modules inside are called ``module.place``, so that two blocks of
        different names have none in common.
    reset : str
        One of :data:`RESETS`.

    Raises
    ------
    NamingError
        If the name of the module is no identifier of Verilog and of VHDL, or a word of either.
    ValueError
        If there is no such reset.
    """

    module: str = "top"
    reset: str = RESETS[0]

    def __post_init__(self) -> None:
        if (not _NAME.fullmatch(self.module) or len(self.module) > LONGEST
                or self.module.lower() in _TAKEN):
            raise NamingError(
                f"Module name must be a letter and then letters, digits and single underscores "
                f"(not the last), at most {LONGEST}, and no word of Verilog or VHDL, nor 'board' "
                f"or 'harness', not {self.module!r}; such as {module_name(self.module)!r}")
        if self.reset not in RESETS:
            raise ValueError(f"Reset must be one of {RESETS}, not {self.reset!r}")

    @property
    def clock(self) -> str:
        """Name of the clock."""
        return "aclk" if self.active_low else "clk"

    @property
    def active_low(self) -> bool:
        """Whether the block is in reset while its reset is 0."""
        return self.reset == "aresetn"


TOP = Naming()
"""Names of a design that is looked at for itself."""


def module_name(text: str) -> str:
    """A module name that is as near to a text as a legal one can be: the default of a network's."""
    name = "_".join(re.findall(r"[A-Za-z0-9]+", text))[: LONGEST - len("net_")].rstrip("_")
    if not name:
        return "network"
    return f"net_{name}" if not name[0].isalpha() or name.lower() in _TAKEN else name
