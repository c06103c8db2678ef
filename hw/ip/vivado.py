"""Tcl for Vivado's IP packager."""

from __future__ import annotations

from bitwright.hw.interface import Interface
from bitwright.hw.ip.library import DESCRIPTION, LIBRARY, VENDOR, VERSION
from bitwright.hw.ip.text import fill

__all__ = ["package_ip"]

_TEXT = """\
# Make an IP of the catalogue of Vivado:  vivado -mode batch -source package_ip.tcl
#
# It is left in the folder vivado/ beside this file; add that folder to the IP repositories of a
# project. Vivado writes a component.xml of its own, in the older format that it reads.
set here [file dirname [file normalize [info script]]]
set root [file join $here vivado]

create_project -force @name@_package [file join $root project]
add_files -norecurse [file join $here @name@.v]
add_files -fileset constrs_1 -norecurse [file join $here @name@_ooc.xdc]
set_property USED_IN {synthesis implementation out_of_context} \\
    [get_files [file join $here @name@_ooc.xdc]]
set_property top @name@ [current_fileset]
update_compile_order -fileset sources_1

# The streams, the clock and the reset are found by the X_INTERFACE attributes of the text.
ipx::package_project -root_dir [file join $root @name@] -vendor @vendor@ -library @library@ \\
    -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property version @version@ $core
set_property display_name @name@ $core
set_property description {@description@} $core
@associations@
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project
"""


def package_ip(interface: Interface) -> str:
    """The script ``package_ip.tcl``."""
    associations = "\n".join(
        f"ipx::associate_bus_interfaces -busif {bus.name} -clock {interface.naming.clock} $core"
        for bus in interface.buses)
    return fill(_TEXT, name=interface.naming.module, vendor=VENDOR, library=LIBRARY,
                version=VERSION, description=DESCRIPTION,
                associations=associations)
