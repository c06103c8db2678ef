"""What a build will take and how fast it will be, without building it.

What the components tell of themselves (:class:`hw.rtl.realisation.Estimate`) and what the tables of
a network are like are features of its parts; a part's LUTs are a sum of them with coefficients of
the family, fitted to measured builds by ``python -m bench.measured fit``, which wrote
``estimate.json``. So are those of Fmax, whose features tell how long paths are thought to be.
Cycles are exact.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.boards import Board
from bitwright.hw.contents import as_built, read_mask
from bitwright.hw.families import Family
from bitwright.hw.families.part import Part
from bitwright.hw.flow.memories import Taken, taken, together
from bitwright.hw.flow.tables import costs
from bitwright.hw.layout import score_width
from bitwright.hw.link.link import Link
from bitwright.hw.link.receiver import RequestReceiver
from bitwright.hw.plan import FOLDED, LARGE, PARALLEL, SERIAL, STREAMED, Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.layers.folded_lut import FoldedLut
from bitwright.hw.rtl.layers.lut import LutLayer
from bitwright.hw.rtl.layers.raster import Pixels
from bitwright.hw.rtl.layers.serial_group_sum import SerialGroupSumHead
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder
from bitwright.hw.rtl.pixels.ip import PixelIp
from bitwright.hw.rtl.realisation import Memory
from bitwright.hw.rtl.stream_core import StreamCore, streams

__all__ = ["COEFFICIENTS", "FORMS", "Coefficients", "Design", "Estimated", "Features", "caveat",
           "coefficients", "estimate", "speed_grade", "summary", "to_json"]

COEFFICIENTS = Path(__file__).with_name("estimate.json")

FORMS = {STREAMED: "streamed ", "loaded": "loadable ", FOLDED: "folded ",
         PARALLEL: "parallel-encoder ", SERIAL: "serial-head ", "": ""}
"""Ways to build whose errors were measured apart, and their words before a family's name."""

COUNTED = "counted"
"""Feature that is LUTs as they are: none is fitted to it."""

MIDDLE = 1000
"""LUTs of a design of middle size."""

Features = Mapping[str, Mapping[str, float]]
"""Of each part, by name: the larger, the more LUTs."""


@dataclass(frozen=True)
class Coefficients:
    """Of a family.

    Parameters
    ----------
    parts : mapping
        LUTs for each feature of each part.
    mhz : mapping of str to float
        Fmax of a design of :data:`MIDDLE` LUTs all of whose paths are short, by speed grade; ``""``
        for one that was not measured. Empty where nothing was placed.
    slower : mapping of str to float
        For each of :meth:`Design.lengths`, the logarithm of the factor by which a period is longer
        for one more.
    """

    parts: Mapping[str, Mapping[str, float]]
    mhz: Mapping[str, float]
    slower: Mapping[str, float]

    def luts(self, found: Features) -> dict[str, int]:
        """LUTs of each part. What was never measured is as the components tell it."""
        return {part: round(sum(value * self.parts.get(part, {}).get(name, 1.0)
                                for name, value in values.items()))
                for part, values in found.items()}

    def fmax_mhz(self, design: Design, grade: str) -> float | None:
        """Fmax of a design; None where the family was never placed."""
        short = self.mhz.get(grade, self.mhz.get(""))
        if short is None:
            return None
        paths = design.lengths(sum(self.luts(design.features).values()))
        return short * math.exp(-sum(value * paths[name] for name, value in self.slower.items()))


@dataclass(frozen=True)
class Estimated:
    """What is thought of a build.

    Parameters
    ----------
    luts : mapping of str to int
        By part.
    memories, large_memories : int
        Block RAMs, and the large memories that some devices have beside them.
    fmax_mhz : float or None
        None where there is no device.
    latency, interval : int
        Cycles, exact: from the first beat of a sample to its result, and to the next sample.
    form : str
        One of :data:`FORMS`, by which it is told how far off estimates were.
    """

    luts: Mapping[str, int]
    memories: int
    large_memories: int
    fmax_mhz: float | None
    latency: int
    interval: int
    form: str = ""

    @property
    def total(self) -> int:
        """LUTs of all parts."""
        return sum(self.luts.values())

    @property
    def per_second(self) -> float | None:
        """Samples a second at that clock."""
        return None if self.fmax_mhz is None else 1e6 * self.fmax_mhz / self.interval


@cache
def coefficients(family: str) -> Coefficients:
    """Of a family, as they were fitted."""
    found = _stored()["families"][family]
    return Coefficients(**found)


@cache
def _stored() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
    return stored


def speed_grade(part: Part) -> str:
    """What parts of about the same speed have in common.

    The devices of a family differ by a letter (iCE40 UP, HX, LP) or by their speed grade.
    """
    letters = "".join(letter for letter in part.device.removeprefix("iCE40") if letter.isalpha())
    return part.speed or letters


def estimate(network: ir.Network, plan: Plan, family: Family, board: Board | None, *,
             simplify: bool = True) -> Estimated:
    """Estimate a build.

    Parameters
    ----------
    network : ir.Network
        As it was frozen.
    plan : Plan
    family : Family
    board : Board or None
        With one, the serial link is among the parts. None: the block alone.
    simplify : bool
        Whether the network is simplified first.

    Raises
    ------
    PlanError, WidthError
        If it cannot be built.
    """
    built = as_built(network, plan, simplify=simplify)
    design = Design.of(built, plan, family, link=board is not None)
    fitted = coefficients(family.name)
    luts = fitted.luts(design.features)
    fmax = None if board is None else fitted.fmax_mhz(design, speed_grade(board.part))
    return Estimated(luts, design.memories.blocks, design.memories.large, fmax,
                     design.ip.latency, design.ip.interval, _form(built, plan))


def _form(network: ir.Network, plan: Plan) -> str:
    """Which of :data:`FORMS` a network is built in: the first that says anything of it."""
    ways = [plan.way(entry.name) for entry in network.entries]
    if streams(network, plan):
        return STREAMED
    if plan.writable:
        return "loaded"
    return next((form for form in (FOLDED, PARALLEL, SERIAL) if form in ways), "")


@dataclass(frozen=True)
class Design:
    """What there is to know of a design without building it.

    Parameters
    ----------
    ip : Ip or PixelIp
    features : Features
    memories : Taken
    paths : mapping of str to float
        What makes paths long: ``"looked_up"``, how often the words of the deepest memory of
        thresholds that is logic double those of a LUT; ``"waits"``, whether a node takes turns, so
        that whoever has a vector waits for it; ``"spread"``, the square root of the LUTs of neurons
        whose weights lie in memories, which is the way that these and what is summed go.
    """

    ip: Any
    features: Features
    memories: Taken
    paths: Mapping[str, float]

    @classmethod
    def of(cls, network: ir.Network, plan: Plan, family: Family, *, link: bool) -> Design:
        """That of a network as it is built, behind a serial link or the block alone."""
        ip = AxiIp(network, plan).ip
        described = dict(ip.memories)
        if link:
            described["link"] = Link.memories(
                ip.layout, bool(ip.tables), large=plan.request == LARGE,
                compared=_compared(network, plan))
        found = {part: together(memories, family) for part, memories in described.items()}
        features = _features(ip, network, plan, family, found, link=link)
        words = max((memory.depth for memory in described["encoder"]
                     if taken(memory, family).rom), default=0)
        turns = {FOLDED, SERIAL, STREAMED} & {plan.way(entry.name) for entry in network.entries}
        return cls(ip, features, sum(found.values(), Taken()), {
            "looked_up": max(0.0, math.log2(max(1, words)) - plan.lut_size),
            "waits": float(bool(turns)), "spread": math.sqrt(features["core"]["neurons"])})

    def lengths(self, luts: int) -> dict[str, float]:
        """What makes paths long, with the size of a design of so many LUTs: how often it is twice
        :data:`MIDDLE`."""
        return {**self.paths, "size": math.log2(max(1, luts) / MIDDLE)}


def _features(ip: Any, network: ir.Network, plan: Plan, family: Family,
              memories: Mapping[str, Taken], *, link: bool) -> Features:
    """Features of each part of a network as it is built."""
    own = {"fixed": 1.0, "result": 8.0 * ip.layout.result_bytes}
    parts = {"encoder": _encoder(ip, network, plan, memories["encoder"]),
             "core": _core(ip, network, plan, family),
             "head": _head(ip, network, plan, family)}
    if link:
        depth = RequestReceiver.depth(ip.layout, bool(ip.tables))
        parts["link"] = own | {"writes": float(bool(ip.tables)), "payload": float(_bits(depth))}
    parts["other"] = own | _around(ip, network) | ({"board": 1.0} if link else {})
    for part, found in memories.items():
        parts[part] |= {"ram": found.ram, "shared": float(found.shared)}
        if part != "encoder":
            parts[part]["rom"] = found.rom
    return parts


def _core(ip: Any, network: ir.Network, plan: Plan, family: Family) -> dict[str, float]:
    """What the nodes are made of; and the buffers of those that stream, and their score node."""
    found = dict.fromkeys(("tables", "large", "full", "neurons", "layers", "folded", "split",
                           "unrolled", "control", COUNTED), 0.0)
    for entry in network.entries[1:-1]:
        if entry.name in ip.estimates:  # else nothing reads it
            for name, luts in _node(ip, network, entry, plan, family).items():
                found[name] += luts
    if _pictures(ip):
        found["scores"] = float(ip.estimates[network.entries[-1].name].resources.luts)
    if isinstance(ip.core, StreamCore):
        found[COUNTED] += ip.core.buffers.luts
    return found


def _node(ip: Any, network: ir.Network, entry: ir.Entry, plan: Plan,
          family: Family) -> dict[str, float]:
    """Tables that are logic, what they cost being looked at; all else of a node as it tells."""
    node, way = entry.node, plan.way(entry.name)
    split = _costs(network, entry.name, way, family.lut_size, family.wide)
    found = dict(zip(("tables", "large", "full"), split.tolist(), strict=True))
    luts = ip.estimates[entry.name].resources.luts - sum(
        LutLayer.luts(one, plan) for one in _tables(node, way))
    if isinstance(node, ir.Lut) and way == FOLDED:
        # To cut a whole vector is a LUT a bit, whatever what reads its parts comes to.
        found["split"] = FoldedLut.split(node, ip.core.sites[entry.name])
        return found | {"folded": luts - found["split"]}
    choice = choose(entry, plan)
    if issubclass(choice.cls, Pixels):
        found["control"] = choice.cls.control(choice.node, choice.settings, plan)
        luts -= found["control"]
    if isinstance(node, ir.Pool):
        return found | {COUNTED: luts}  # an OR a bit
    layers = _layers(node, way, choice.settings)
    # Yosys shares less between neurons that are logic than they tell.
    return found | ({"neurons": luts, "layers": float(layers)} if layers else {"unrolled": luts})


def _layers(node: ir.Node, way: str, settings: Any) -> int:
    """Layers of neurons whose weights lie in a memory, in a node that is built in that way."""
    if way not in (FOLDED, STREAMED) or not isinstance(node, ir.Convolution):
        return int(way == FOLDED)
    return sum(isinstance(one, ir.Xnor) and own is not None
               for one, own in zip(node.body, settings.body(node), strict=True))


def _around(ip: Any, network: ir.Network) -> dict[str, float]:
    """What is beside the parts: the buffer of results, and counters of a frame and its beats."""
    longest = max((table.depth for table in ip.tables), default=0)
    writes = float(longest.bit_length())
    if _pictures(ip):
        return {"writes": writes, "pictures": 1.0}
    serial = ip.estimates[network.entries[-1].name].waits is not None
    queue = max((memory for memory in ip.memories["other"] if memory.depth > 1),
                key=lambda memory: memory.depth, default=Memory(0, 0))
    return {"writes": writes, "queue": float(queue.depth.bit_length()),
            "queued": float(queue.width),
            "pace": 0.0 if serial else float(_bits(ip.frame_interval) + _bits(_beats(ip)))}


@lru_cache(maxsize=64)
def _costs(network: ir.Network, name: str, way: str, lut_size: int,
           wide: int) -> NDArray[np.float64]:
    """Of the tables of a node, once for all plans that are tried for a network."""
    found = np.zeros(3)
    for node in _tables(network.entry(name).node, way):
        found += costs(node.tables, lut_size, wide)
    return found


def _tables(node: ir.Node, way: str) -> list[ir.Lut]:
    """Layers of tables that are logic, of a node that is built in that way."""
    nodes = node.body if isinstance(node, ir.Convolution) and way == STREAMED else (node,)
    return [one for one in nodes if isinstance(one, ir.Lut) and way != FOLDED]


def _compared(network: ir.Network, plan: Plan) -> frozenset[int]:
    """Bits of a byte of a sample that a comparison needs: all from the lowest of a threshold up."""
    modulate = network.modulate
    low, high = modulate.domain
    kept = modulate.thresholds - low
    kept = kept.reshape(len(kept), -1)[:, read_mask(network, plan)]
    kept = kept[(kept > 0) & (kept <= high - low)]
    lowest = 0 if modulate.noise is not None or not kept.size else min(
        int(one & -one).bit_length() - 1 for one in np.unique(kept))
    return frozenset(place % 8 for place in range(lowest, modulate.bits))


def _pictures(ip: Any) -> bool:
    """Whether pictures come pixel by pixel, to parts of their own."""
    return isinstance(ip, PixelIp)


def _beats(ip: Any) -> int:
    """In which the bits of a frame leave the encoder."""
    return ip.encoder.beat.beats if hasattr(ip.encoder, "beat") else 1


def _bits(count: int) -> int:
    """Of a counter."""
    return (count - 1).bit_length()


def _encoder(ip: Any, network: ir.Network, plan: Plan, memories: Taken) -> dict[str, float]:
    """The memory of thresholds, comparators and counters."""
    modulate, read = network.modulate, read_mask(network, plan)
    if plan.way(network.entries[0].name) == PARALLEL:
        return {COUNTED: float(ParallelEncoder.measure(modulate, read, plan)[0]), "parallel": 1.0}
    lanes = ip.encoder.shape.colours if _pictures(ip) else plan.lanes
    cycles = modulate.frames * -(-modulate.features // lanes)
    columns, varying, constant = _comparators(modulate, read, lanes, plan)
    address = float(max(1, _bits(cycles)))
    found = {"frames": float(modulate.frames - 1), COUNTED: constant}
    if memories.rom:
        found["rom"] = columns * max(1.0, cycles / 2.0**plan.lut_size)
    if _pictures(ip):
        return found | {"pictures": 1.0, "pixels": address, "sought": address if columns else 0.0,
                        "differing": varying}
    return found | {"fixed": 1.0, "address": address, "addressed": address if columns else 0.0,
                    "sent": float(_bits(_beats(ip))),
                    "comparators" if memories.rom else "compared": varying}


def _comparators(modulate: ir.Modulate, read: Any, lanes: int,
                 plan: Plan) -> tuple[int, float, float]:
    """Different columns of the memory of thresholds, and what is compared with it, of so many
    features at a time.

    Returns
    -------
    int
        Columns.
    varying : float
        Bits of thresholds that come from the memory.
    constant : float
        LUTs of comparisons with thresholds of which no bit does.
    """
    low, high = modulate.domain
    values = modulate.thresholds - low  # (frames, features, depth)
    kept = read.reshape(values.shape[1:])
    seen: set[bytes] = set()
    varying = constant = 0.0
    for lane, d in itertools.product(range(min(lanes, modulate.features)),
                                     range(modulate.depth)):
        cares = kept[lane::lanes, d]
        if not cares.any():
            continue
        of_lane = values[:, lane::lanes, d][:, cares]
        places = (high + 1 - low).bit_length()
        changing = [place for place in range(places)
                    if len(np.unique(of_lane >> place & 1)) > 1]
        for place in changing:
            seen.add((of_lane >> place & 1).tobytes() + cares.tobytes())
        if not cares.all():
            seen.add(cares.tobytes())
        varying += len(changing)
        if not changing:
            threshold = int(of_lane.flat[0])
            lowest = (threshold & -threshold).bit_length() - 1
            constant += -(-max(0, modulate.bits - lowest - 1) // (plan.lut_size - 1))
    return len(seen), varying, constant


def _head(ip: Any, network: ir.Network, plan: Plan, family: Family) -> dict[str, float]:
    """What the score node tells, sums over frames, and the comparisons of the decision."""
    head = network.entries[-1]
    width = score_width(network.head.score_range)
    if _pictures(ip):  # the score node is in the core, and the classes take turns
        return {"pictures": 1.0, "turn": float(network.classes * score_width(network.score_range))}
    frames = network.classes * width if network.frames > 1 else 0
    told = ip.estimates[head.name]
    way = {SERIAL: "serial", FOLDED: "folded"}.get(plan.way(head.name), "scores")
    found = {way: float(told.resources.luts), "frames": float(frames)}
    if way != "scores":
        found["turns"] = 1.0  # of who goes through the bits
    if way == "serial":
        found["any"] = float(SerialGroupSumHead.joined(head.node, plan, head.name))
        found["serial"] -= found["any"]
    if not told.decides or frames:  # else by the score node
        found |= _decision(network, plan, family)
    return found


def _decision(network: ir.Network, plan: Plan, family: Family) -> dict[str, float]:
    """Comparisons and choices of :class:`hw.rtl.head.Argmax`, and the scores that wait for it."""
    low, _ = network.head.score_range if network.frames == 1 else network.score_range
    width = score_width(network.score_range) - (low >= 0)
    classes = network.classes
    compared = 2 * -(-width // 3) - 1 if plan.lut_size >= 6 else width
    luts = (classes - 1) * compared
    left, place = classes, 0
    while left > 1:
        # Who has won, and of all but the last two the score.
        luts += left // 2 * (place + (width if left > 2 else 0))
        left, place = -(-left // 2), place + 1
    waits = 0 < family.shift <= place
    return {"decision": float(luts), "waiting": float(classes * width if waits else 0)}


def to_json(found: Estimated, family: Family, board: Board | None) -> dict[str, Any]:
    """The estimate as JSON values."""
    return {"format": 1, "family": family.name, "board": None if board is None else board.name,
            "lut_size": family.lut_size, "luts": dict(found.luts), "luts_total": found.total,
            "memories": found.memories, "large_memories": found.large_memories,
            "fmax_mhz": found.fmax_mhz, "latency": found.latency, "interval": found.interval,
            "per_second": found.per_second, "off": dict(_off(family, found.form))}


def summary(found: Estimated, family: Family, board: Board | None) -> str:
    """The estimate as a table for people."""
    rows = [(f"LUTs, {part}", f"{luts:,}") for part, luts in found.luts.items()]
    of, memories, large = "", "", ""
    if board is not None:
        of = f" of {board.part.luts:,} ({100 * found.total / board.part.luts:.0f} %)"
        memories = f" of {board.part.memories}"
        large = f" of {board.part.large_memories}"
    rows += [(f"LUTs of {family.lut_size} inputs, total", f"{found.total:,}{of}"),
             ("block RAMs", f"{found.memories}{memories}")]
    if found.large_memories:
        rows.append(("large memories", f"{found.large_memories}{large}"))
    if found.fmax_mhz is not None:
        rows.append(("Fmax", f"{found.fmax_mhz:.0f} MHz"))
    rows += [("latency", f"{found.latency:,} cycles"),
             ("interval", f"{found.interval:,} cycles a sample")]
    if found.per_second is not None:
        rows.append(("inferences/s at Fmax", f"{found.per_second:,.0f}"))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in rows)


def caveat(found: Estimated, family: Family) -> str:
    """How far off estimates of this form were for a family, in a line; where none was compared, how
    far those of other forms were."""
    off, words = _off(family, found.form), FORMS[found.form]
    if not off["builds"] and found.form:
        off, words = _off(family, ""), "other "
    if not off["builds"]:
        return f"an estimate; no {family.title} build was compared; cycles are exact"
    return (f"an estimate; of {words}{family.title} builds that it was not fitted to "
            f"({off['builds']}) LUTs were off by {off['luts']:g} % on average, "
            f"{off['luts_most']:g} % at most{_fmax_off(found, off)}; "
            f"block RAMs of {off['memories_exact']} were right; cycles are exact")


def _fmax_off(found: Estimated, off: Mapping[str, Any]) -> str:
    """How far off Fmax was, and beyond which size nothing is known of it."""
    if found.fmax_mhz is None:
        return ""
    if off["fmax"] is None:
        return ", Fmax of none was compared"
    return (f", Fmax of {off['placed']} by {off['fmax']:g} % on average, {off['fmax_most']:g} % at "
            f"most (none with more than {off['placed_luts']:,} LUTs was placed)")


def _off(family: Family, form: str) -> Mapping[str, Any]:
    """How far off estimates of a form were for a family, in percent, and of how many builds, and
    LUTs of the largest that was placed; None where nothing was."""
    off: Mapping[str, Any] = _stored()["off"][form][family.name]
    return off
