"""From a node to the component that implements it, in the way that the plan says.

A way is a component class that is registered with :func:`realises` for a kind of node. What the
rest of a design must know of it, it tells without being built.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bitwright import ir
from bitwright.errors import UsageError
from bitwright.form import Form
from bitwright.hw.checks import expect
from bitwright.hw.plan import FOLDED, PARALLEL, SERIAL, STREAMED, Plan, PlanError, Value, nearest
from bitwright.hw.rtl.beat import Beat

__all__ = ["Choice", "Estimate", "Memory", "NoSettings", "Realisation", "Resources", "Site",
           "asked", "choose", "foldable", "folded", "formed", "logic", "realises", "streamed",
           "ways"]


@dataclass(frozen=True)
class NoSettings:
    """Settings of a way that has none."""


@dataclass(frozen=True)
class Site:
    """Where a node stands.

    Parameters
    ----------
    registered : bool
        Whether its output must come from registers. Only a way with :meth:`Realisation.levels` may
        otherwise be combinational, with latency 0.
    beat : Beat, optional
        How its input comes, one that the way takes. A whole vector if left out.
    stays : bool
        Whether its input stays until it is taken, at no cost: as whoever has it waits.
    """

    registered: bool = True
    beat: Beat | None = None
    stays: bool = False


@dataclass(frozen=True)
class Memory:
    """A memory as it is described. What it becomes, :func:`hw.flow.memories.taken` tells.

    Parameters
    ----------
    width, depth : int
        Bits of a word, and words.
    written : bool
        Whether it is written while the design runs.
    reads : int
        Words that are read in a cycle.
    style : str
        What it is made of: ``"block"``, ``"distributed"``, or ``"huge"`` of large memories. Empty
        for whatever the tools think is the cheapest.
    """

    width: int
    depth: int
    written: bool = False
    reads: int = 1
    style: str = ""

    @property
    def bits(self) -> int:
        """Bits of all words."""
        return self.width * self.depth


@dataclass(frozen=True)
class Resources:
    """What a component takes of a device, about.

    Parameters
    ----------
    luts : int
        Of the size that the plan names.
    flip_flops : int
    memories : tuple of Memory
        Exact, but for thresholds that are alike, which an encoder holds once. Those that become
        LUTs are not among the LUTs.
    """

    luts: int = 0
    flip_flops: int = 0
    memories: tuple[Memory, ...] = ()

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.luts + other.luts, self.flip_flops + other.flip_flops,
                         self.memories + other.memories)

    def __mul__(self, times: int) -> Resources:
        return Resources(self.luts * times, self.flip_flops * times, self.memories * times)


def logic(inputs: int, lut_size: int) -> int:
    """LUTs of a function of so many inputs.

    Beyond a LUT's inputs it is two halves for each input more, and what chooses between them.
    """
    return max(1, (3 << max(0, inputs - lut_size)) // 2)


@dataclass(frozen=True)
class Estimate:
    """What a way answers before it is built.

    Parameters
    ----------
    resources : Resources
        Approximate; ``python -m bench.estimates`` measures how far off.
    latency : int
        Exact: cycles from the last beat of a vector to the last beat of its output, when nothing
        stalls and vectors are ``interval`` cycles apart.
    interval : int
        Exact: cycles from a vector to the next, at least.
    beat : Beat
        How its output leaves.
    waits : int, optional
        Exact: cycles for which a vector must be offered before it is taken, when nothing is in its
        way. Left out: it is taken at once, and need not stay.
    decides : bool
        Of a score node: whether it has an output ``decision`` beside its scores, the place of the
        greatest, the lowest on a tie.
    """

    resources: Resources
    latency: int
    interval: int
    beat: Beat
    waits: int | None = None
    decides: bool = False


class Realisation:
    """What a registered component class answers.

    Its constructor takes ``(node, settings, plan, site)``.

    Attributes
    ----------
    Settings : type
        Frozen dataclass of the settings that a plan may give, see :meth:`hw.plan.Plan.settings`.
    settles : bool
        Of a score node: whether it takes nothing for an interval after a reset.
    """

    Settings: type = NoSettings
    settles = False

    @classmethod
    def refusal(cls, node: Any) -> str | None:
        """What this way needs and that node lacks, in words; None if it can be built."""
        return None

    @classmethod
    def estimate(cls, node: Any, settings: Any, plan: Plan, site: Site) -> Estimate:
        """What it will take and how long, without building anything."""
        raise NotImplementedError

    @classmethod
    def levels(cls, node: Any, settings: Any, plan: Plan) -> int | None:
        """LUT levels of an output that need not come from registers; None if it always does.

        Of a score node: LUT levels in front of its first registers, if its input need not come
        from such.
        """
        return None

    @classmethod
    def takes(cls, node: Any, settings: Any, beat: Beat) -> bool:
        """Whether its input can come like that. A whole vector always can."""
        return beat.beats == 1

    @property
    def writes(self) -> tuple[tuple[Any, ...], ...]:
        """Load ports of its tables, in the order of :func:`hw.folding.tables`.

        Several for a table that lies in several memories; none if it is not writable.
        """
        return ()


_WAYS: dict[type[ir.Node], dict[str, type[Realisation]]] = {}


def realises(kind: type[ir.Node], way: str):
    """Decorate the component class that realises nodes of a kind in a way."""
    def register(cls):
        taken = _WAYS.setdefault(kind, {})
        if way in taken:
            raise TypeError(f"Way {way!r} of kind {kind.kind!r} is already taken by {taken[way]!r}")
        taken[way] = cls
        return cls
    return register


def ways(kind: type[ir.Node]) -> dict[str, type[Realisation]]:
    """Component classes of a kind of node, by way.

    Raises
    ------
    NotImplementedError
        If there is none.
    """
    if kind not in _WAYS:
        raise NotImplementedError(f"No component implements {kind.kind!r} nodes")
    return dict(_WAYS[kind])


@dataclass(frozen=True)
class Choice:
    """A node, the way in which it is built, and all that this takes.

    Parameters
    ----------
    node : ir.Node
    cls : type of Realisation
    settings : instance of cls.Settings
    plan : Plan
    """

    node: ir.Node
    cls: type[Realisation]
    settings: Any
    plan: Plan

    def __post_init__(self) -> None:
        expect("Settings", self.settings, self.cls.Settings)
        expect("Plan", self.plan, Plan)
        if self.cls not in ways(type(self.node)).values():
            raise TypeError(f"{self.cls.__name__} realises no {type(self.node).__name__}")

    def estimate(self, site: Site = Site()) -> Estimate:
        """See :meth:`Realisation.estimate`."""
        return self.cls.estimate(self.node, self.settings, self.plan, site)

    def build(self, site: Site = Site()):
        """The component, with streams ``i`` and ``o``.

        Raises
        ------
        WidthError
            If it would need a signal that is too wide.
        """
        return self.cls(self.node, self.settings, self.plan, site)  # type: ignore[call-arg]

    @property
    def levels(self) -> int | None:
        """See :meth:`Realisation.levels`."""
        return self.cls.levels(self.node, self.settings, self.plan)

    def takes(self, beat: Beat) -> bool:
        """See :meth:`Realisation.takes`."""
        return self.cls.takes(self.node, self.settings, beat)


def choose(entry: ir.Entry, plan: Plan) -> Choice:
    """The way that the plan chooses for a node.

    Raises
    ------
    PlanError
        If the node has no such way or the way refuses it, or the way has no such setting.
    NotImplementedError
        If no component implements that kind of node.
    """
    known, way = ways(type(entry.node)), plan.way(entry.name)
    if way not in known:
        raise PlanError(f"Plan key 'nodes.{entry.name}.way' must be one of "
                        f"{tuple(sorted(known))} for a {entry.node.kind!r} node, not {way!r}"
                        f"{nearest(way, known)}")
    cls = known[way]
    refusal = cls.refusal(entry.node)
    if refusal is not None:
        raise PlanError(f"Plan key 'nodes.{entry.name}.way': {way!r} needs {refusal}")
    return Choice(entry.node, cls, plan.settings(entry.name, cls.Settings), plan)


def foldable(node: ir.Node) -> bool:
    """Whether that kind of node can be folded."""
    return FOLDED in ways(type(node))


def folded(plan: Plan, network: ir.Network, cycles: int) -> Plan:
    """The plan with every node folded that can be, into no more than that many cycles.

    Those that are streamed stay so, with that many cycles. Other settings that the plan gives such
    a node stay too.

    Raises
    ------
    PlanError
        If there is no such node.
    """
    return _everywhere(plan, network, FOLDED, {"cycles": cycles})


def streamed(plan: Plan, network: ir.Network, cycles: int = 1) -> Plan:
    """The plan with every node streamed that can be; bodies folded into so many cycles a frame.

    Other settings that the plan gives such a node are left out.

    Raises
    ------
    PlanError
        If there is no such node, or the plan names one that is not there.
    """
    plan.check(entry.name for entry in network.entries)
    nodes = {name: table for name, table in plan.nodes.items()
             if STREAMED not in ways(type(network.entry(name).node))}
    return _everywhere(dataclasses.replace(plan, nodes=nodes), network, STREAMED,
                       {"cycles": cycles})


def asked(plan: Plan, network: ir.Network, *, stream: bool = False, cycles: int | None = None,
          large: bool = False, parallel: bool = False, serial: int | None = None,
          gated: bool = True) -> Plan:
    """The plan as a command line asks for it.

    Parameters
    ----------
    plan : Plan
    network : ir.Network
    stream : bool
        Every node is streamed that can be, see :func:`streamed`.
    cycles : int, optional
        All are folded into so many cycles, see :func:`folded`.
    large : bool
        Layers of tables or neurons that are folded lie in large memories.
    parallel : bool
        Samples come whole, to a parallel encoder.
    serial : int, optional
        The head counts so many bits at a time.
    gated : bool
        Whether the words of that head have enables of their own, where the plan does not say.

    Raises
    ------
    PlanError
        As :func:`streamed` and :func:`folded` do.
    UsageError
        If large memories are asked for and no cycles are given.
    """
    if stream:
        plan = streamed(plan, network)
    if cycles is not None:
        plan = folded(plan, network, cycles)
    elif large:
        raise UsageError("--large is for --fold CYCLES")
    if large:
        nodes = {entry.name: {**plan.nodes[entry.name], "writable": True, "large": True}
                 for entry in network.entries if isinstance(entry.node, ir.Lut | ir.Xnor)
                 and plan.way(entry.name) == FOLDED}
        plan = dataclasses.replace(plan, nodes={**plan.nodes, **nodes})
    if parallel:
        plan = _with(plan, network.entries[0], {"way": PARALLEL})
    if serial is not None:
        head = network.entries[-1]
        own = {} if gated or "gated" in plan.nodes.get(head.name, {}) else {"gated": False}
        plan = _with(plan, head, {"way": SERIAL, "bits": serial, **own})
    return plan


def formed(plan: Plan, network: ir.Network, form: Form, *, gated: bool = True) -> Plan:
    """The plan in a form, see :func:`asked`, which says what is refused."""
    return asked(plan, network, stream=form.streamed, cycles=form.fold, large=form.large,
                 parallel=form.parallel, serial=form.serial_head, gated=gated)


def _with(plan: Plan, entry: ir.Entry, table: Mapping[str, Value]) -> Plan:
    """The plan with another table for a node, if that can be built so.

    What the plan said of the node before is left out, but for what the way knows.
    """
    cls = ways(type(entry.node)).get(str(table["way"]), Realisation)
    known = {item.name for item in dataclasses.fields(cls.Settings)}
    before = {key: value for key, value in plan.nodes.get(entry.name, {}).items() if key in known}
    plan = dataclasses.replace(plan, nodes={**plan.nodes, entry.name: {**before, **table}})
    choose(entry, plan)
    return plan


def _everywhere(plan: Plan, network: ir.Network, way: str, settings: Mapping[str, Value]) -> Plan:
    """The plan with a way for every node that has it; or that is streamed, which is left so.

    Each gets what its way knows of some settings.
    """
    tables = {}
    for entry in network.entries:
        own = STREAMED if plan.way(entry.name) == STREAMED else way
        cls = ways(type(entry.node)).get(own)
        if cls is None:
            continue
        known = {item.name for item in dataclasses.fields(cls.Settings)}
        tables[entry.name] = {**plan.nodes.get(entry.name, {}), "way": own, **{
            key: value for key, value in settings.items() if key in known}}
    if not tables:
        raise PlanError(f"Network has no node that can be {way}")
    return dataclasses.replace(plan, nodes={**plan.nodes, **tables})
