"""Instantiation templates: what to paste into a design, in Verilog and in VHDL."""

from __future__ import annotations

from bitwright.hw.interface import Interface, Port
from bitwright.hw.ip.text import table

__all__ = ["verilog", "vhdl"]

def verilog(interface: Interface) -> str:
    """Wires and an instance: the inside of a module."""
    name, ports = interface.naming.module, interface.ports
    wires = table([("wire", f"{_range(port, '[{}:0]')}", f"{port.name};", f"// {port.meaning}")
                   for port in ports])
    links = ",\n".join(f"    .{port.name}({port.name})" for port in ports)
    return "\n".join([
        f"// {name} in a design in Verilog: paste this into a module, and connect the wires.",
        *wires, "", f"{name} {name}_0 (", links, ");", ""])


def vhdl(interface: Interface) -> str:
    """Component, signals and an instance: parts of an architecture."""
    name, ports = interface.naming.module, interface.ports
    declared = table([
        ("   ", port.name, f": {port.direction.removesuffix('put')}",
         f"{_type(port)}{'' if port is ports[-1] else ';'}") for port in ports])
    signals = table([("signal", port.name, f": {_type(port)};", f"-- {port.meaning}")
                     for port in ports])
    links = ",\n".join(f"    {port.name} => {port.name}" for port in ports)
    return "\n".join([
        f"-- {name} in a design in VHDL: the block itself stays Verilog.",
        "-- Before the `begin` of the architecture:",
        f"component {name} is", "  port (", *declared, "  );", "end component;", "",
        *signals, "", "-- Behind it:",
        f"{name}_0 : {name}", "  port map (", links, "  );", ""])


def _range(port: Port, form: str) -> str:
    return form.format(port.width - 1) if port.width > 1 else ""


def _type(port: Port) -> str:
    return "std_logic" + _range(port, "_vector({} downto 0)")
