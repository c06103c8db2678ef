"""IP-XACT: the block as a component of IEEE 1685-2014."""

from __future__ import annotations

from xml.etree import ElementTree

from bitwright.hw.interface import Bus, Interface, Port
from bitwright.hw.ip.library import DESCRIPTION, LIBRARY, VENDOR, VERSION

__all__ = ["NAMESPACE", "component"]

NAMESPACE = "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"

_BUS = {"vendor": "amba.com", "library": "AMBA4", "name": "AXI4Stream", "version": "r0p0_1"}


class _Element:
    """An element to append others to. An attribute of the standard has no prefix in 2014."""

    def __init__(self, element: ElementTree.Element) -> None:
        self.element = element

    def add(self, tag: str, text: str | None = None, **attributes: str) -> _Element:
        child = ElementTree.SubElement(self.element, f"{{{NAMESPACE}}}{tag}", attributes)
        child.text = text
        return _Element(child)


def component(interface: Interface) -> str:
    """The file ``component.xml``."""
    ElementTree.register_namespace("ipxact", NAMESPACE)
    root = _Element(ElementTree.Element(f"{{{NAMESPACE}}}component"))
    for tag, text in (("vendor", VENDOR), ("library", LIBRARY), ("name", interface.naming.module),
                      ("version", VERSION)):
        root.add(tag, text)
    buses = root.add("busInterfaces")
    for bus in interface.buses:
        _bus(buses, interface, bus)
    _model(root.add("model"), interface)
    files = root.add("fileSets").add("fileSet")
    files.add("name", "rtl")
    file = files.add("file")
    file.add("name", interface.file)
    file.add("fileType", "verilogSource-2001")
    root.add("description", DESCRIPTION)
    ElementTree.indent(root.element)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            + ElementTree.tostring(root.element, encoding="unicode") + "\n")


def _bus(buses: _Element, interface: Interface, bus: Bus) -> None:
    """A stream, with the clock and, if it is one that AXI knows, the reset that belong to it."""
    element = buses.add("busInterface")
    element.add("name", bus.name)
    element.add("description", bus.meaning)
    element.add("busType", **_BUS)
    kind = element.add("abstractionTypes").add("abstractionType")
    kind.add("abstractionRef", **_BUS | {"name": f"{_BUS['name']}_rtl"})
    maps = kind.add("portMaps")
    links = {port.signal.upper(): port.name for port in bus.ports}
    links["ACLK"] = interface.naming.clock
    if interface.naming.active_low:
        links["ARESETn"] = interface.naming.reset
    for logical, physical in links.items():
        link = maps.add("portMap")
        link.add("logicalPort").add("name", logical)
        link.add("physicalPort").add("name", physical)
    element.add(bus.role)


def _model(model: _Element, interface: Interface) -> None:
    view = model.add("views").add("view")
    view.add("name", "rtl")
    view.add("envIdentifier", "verilog:*:*")
    view.add("componentInstantiationRef", "rtl")
    instance = model.add("instantiations").add("componentInstantiation")
    instance.add("name", "rtl")
    instance.add("language", "verilog-2001")
    instance.add("moduleName", interface.naming.module)
    instance.add("fileSetRef").add("localName", "rtl")
    ports = model.add("ports")
    for port in interface.ports:
        _port(ports, port)


def _port(ports: _Element, port: Port) -> None:
    element = ports.add("port")
    element.add("name", port.name)
    element.add("description", port.meaning)
    wire = element.add("wire")
    wire.add("direction", port.direction.removesuffix("put"))
    if port.width > 1:
        vector = wire.add("vectors").add("vector")
        vector.add("left", str(port.width - 1))
        vector.add("right", "0")
