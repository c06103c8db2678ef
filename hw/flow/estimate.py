"""What a build will take and how fast it will be, without building it.

What the components tell of themselves (:class:`hw.rtl.realisation.Estimate`) and what the tables of
a network are like are features of its parts; a part's LUTs are a sum of them with coefficients of
the family, fitted to measured builds by ``python -m bench.measured fit``, which wrote
``estimate.json``. Cycles are exact.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from bitwright import ir
from bitwright.boards import Board
from bitwright.hw.contents import as_built
from bitwright.hw.families import Family
from bitwright.hw.families.part import Part
from bitwright.hw.flow.tables import costs
from bitwright.hw.layout import score_width
from bitwright.hw.plan import FOLDED, PARALLEL, Plan
from bitwright.hw.rtl.axi import AxiIp
from bitwright.hw.rtl.beat import Beat
from bitwright.hw.rtl.layers import choose
from bitwright.hw.rtl.parallel_encoder import ParallelEncoder
from bitwright.hw.rtl.realisation import Estimate, Site

__all__ = ["COEFFICIENTS", "Coefficients", "Estimated", "Features", "caveat", "coefficients",
           "estimate", "features", "speed_grade", "summary", "to_json"]

COEFFICIENTS = Path(__file__).with_name("estimate.json")

COUNTED = "counted"
"""Feature that is LUTs as they are, of which no coefficient knows."""

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
        Fmax of a design of a thousand LUTs, by speed grade; ``""`` for one that was not measured.
        Empty where nothing was placed.
    slope : float
        Power of the LUTs by which Fmax falls.
    """

    parts: Mapping[str, Mapping[str, float]]
    mhz: Mapping[str, float]
    slope: float

    def luts(self, found: Features) -> dict[str, int]:
        """LUTs of each part."""
        return {part: round(sum(value * (1.0 if name == COUNTED else
                                         self.parts.get(part, {}).get(name, 0.0))
                                for name, value in values.items()))
                for part, values in found.items()}

    def fmax_mhz(self, luts: int, grade: str) -> float | None:
        """Fmax of a design of so many LUTs; None where the family was never placed."""
        base = self.mhz.get(grade, self.mhz.get(""))
        return None if base is None else base * (max(luts, 1) / 1000) ** -self.slope


@dataclass(frozen=True)
class Estimated:
    """What is thought of a build.

    Parameters
    ----------
    luts : mapping of str to int
        By part.
    memories : int
        Block RAMs.
    fmax_mhz : float or None
        None where there is no device.
    latency, interval : int
        Cycles, exact: from the first beat of a sample to its result, and to the next sample.
    """

    luts: Mapping[str, int]
    memories: int
    fmax_mhz: float | None
    latency: int
    interval: int

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
    return Coefficients(found["parts"], found["mhz"], found["slope"])


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
    ip = AxiIp(built, plan).ip
    found = features(built, plan, family, link=board is not None)
    fitted = coefficients(family.name)
    luts = fitted.luts(found)
    fmax = None if board is None else fitted.fmax_mhz(
        sum(luts.values()), speed_grade(board.part))
    return Estimated(luts, _memories(built, plan, family, board), fmax, ip.latency, ip.interval)


def features(network: ir.Network, plan: Plan, family: Family, *, link: bool) -> Features:
    """Features of each part of a network as it is built."""
    first, *core, head = network.entries
    read = network.read_mask(first.name)
    parts: dict[str, dict[str, float]] = {
        "encoder": _encoder(network, read, plan, family),
        "core": {"tables": 0.0, "large": 0.0, "neurons": 0.0},
        "head": _head(network, head, plan),
    }
    for entry in core:
        node = entry.node
        if isinstance(node, ir.Lut) and plan.way(entry.name) != FOLDED:
            small, large = _costs(network, entry.name, family.lut_size)
            parts["core"]["tables"] += small
            parts["core"]["large"] += large
        else:
            parts["core"]["neurons"] += _told(entry, plan).resources.luts
    own = {"fixed": 1.0, "result": 8.0 * plan.layout(network).result_bytes}
    if link:
        return parts | {"link": own, "other": own | {"board": 1.0}}
    return parts | {"other": own}


@lru_cache(maxsize=64)
def _costs(network: ir.Network, name: str, lut_size: int) -> tuple[float, float]:
    """Of a layer of tables, once for all plans that are tried for a network."""
    node = network.entry(name).node
    assert isinstance(node, ir.Lut)
    return costs(node.tables, lut_size)


def _told(entry: ir.Entry, plan: Plan) -> Estimate:
    """What a node tells. Folded tables, and the head that counts them, get their input as folded
    tables leave: a bit at a time, if there are cycles enough."""
    site = Site()
    if plan.way(entry.name) == FOLDED and isinstance(entry.node, ir.Lut | ir.GroupSum):
        site = Site(beat=Beat(entry.node.in_width, 1))
    return choose(entry, plan).estimate(site)


def _encoder(network: ir.Network, read: Any, plan: Plan, family: Family) -> dict[str, float]:
    """The memory of thresholds, comparators and counters."""
    modulate = network.modulate
    if plan.way(network.entries[0].name) == PARALLEL:
        return {COUNTED: float(ParallelEncoder.measure(modulate, read, plan)[0])}
    cycles = modulate.frames * -(-modulate.features // plan.lanes)
    columns, compared = _comparators(modulate, read, plan.lanes)
    rom = columns * max(1.0, cycles / 2.0 ** plan.lut_size)
    if family.block_ram.blocks(columns, cycles):
        rom = 0.0
    return {"fixed": 1.0, "address": float(max(1, (cycles - 1).bit_length())),
            "comparators": compared, "rom": rom, "frames": float(modulate.frames - 1)}


def _comparators(modulate: ir.Modulate, read: Any, lanes: int) -> tuple[int, float]:
    """Different columns of the memory of thresholds, and bits that are compared with it.

    A bit of a threshold that is the same in every word of a lane is a constant, and four of those
    are about as much work as one that comes from the memory.
    """
    low, high = modulate.domain
    values = modulate.thresholds - low  # (frames, features, depth)
    kept = read.reshape(values.shape[1:])
    seen: set[bytes] = set()
    compared = 0.0
    for lane, d in itertools.product(range(min(lanes, modulate.features)), range(modulate.depth)):
        cares = kept[lane::lanes, d]
        if not cares.any():
            continue
        of_lane = values[:, lane::lanes, d][:, cares]
        for place in range((high + 1 - low).bit_length()):
            column = of_lane >> place & 1
            varies = bool(column.min() != column.max())
            compared += 1.0 if varies else 0.25
            if varies:
                seen.add(column.tobytes() + cares.tobytes())
        if not cares.all():
            seen.add(cares.tobytes())
    return len(seen), compared


def _head(network: ir.Network, head: ir.Entry, plan: Plan) -> dict[str, float]:
    """What the score node tells, sums over frames, and the comparisons of the decision."""
    width = score_width(network.head.score_range)
    classes = network.classes
    frames = classes * width if network.frames > 1 else 0
    told = _told(head, plan)
    decided = told.decides and not frames  # by the score node
    decision = 0 if decided else (classes - 1) * (2 * width + classes.bit_length())
    return {"scores": float(told.resources.luts), "frames": float(frames),
            "decision": float(decision), "fixed": 1.0}


def _memories(network: ir.Network, plan: Plan, family: Family, board: Board | None) -> int:
    """Block RAMs: of each node as many as its bits need, if it has more than become LUTs."""
    kbit = family.block_ram.kbit if board is None else board.part.memory_kbit
    first, *rest = network.entries
    modulate = network.modulate
    cycles = modulate.frames * -(-modulate.features // plan.lanes)
    columns, _ = _comparators(modulate, network.read_mask(first.name), plan.lanes)
    bits = [_told(entry, plan).resources.memory_bits for entry in rest
            if not plan.nodes.get(entry.name, {}).get("large")]
    return family.block_ram.blocks(columns, cycles) + sum(
        -(-size // (1024 * kbit)) for size in bits if size)


def to_json(found: Estimated, family: Family, board: Board | None) -> dict[str, Any]:
    """The estimate as JSON values."""
    return {"format": 1, "family": family.name, "board": None if board is None else board.name,
            "lut_size": family.lut_size, "luts": dict(found.luts), "luts_total": found.total,
            "memories": found.memories, "fmax_mhz": found.fmax_mhz, "latency": found.latency,
            "interval": found.interval, "per_second": found.per_second,
            "off": dict(_off(family))}


def summary(found: Estimated, family: Family, board: Board | None) -> str:
    """The estimate as a table for people."""
    rows = [(f"LUTs, {part}", f"{luts:,}") for part, luts in found.luts.items()]
    of, memories = "", ""
    if board is not None:
        of = f" of {board.part.luts:,} ({100 * found.total / board.part.luts:.0f} %)"
        memories = f" of {board.part.memories}"
    rows += [(f"LUTs of {family.lut_size} inputs, total", f"{found.total:,}{of}"),
             ("block RAMs", f"{found.memories}{memories}")]
    if found.fmax_mhz is not None:
        rows.append(("Fmax", f"{found.fmax_mhz:.0f} MHz"))
    rows += [("latency", f"{found.latency:,} cycles"),
             ("interval", f"{found.interval:,} cycles a sample")]
    if found.per_second is not None:
        rows.append(("inferences/s at Fmax", f"{found.per_second:,.0f}"))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in rows)


def caveat(family: Family) -> str:
    """How far off estimates for a family were, in a line."""
    off = _off(family)
    fmax = "" if off["fmax"] is None else f", Fmax by {off['fmax']:g} %"
    return (f"an estimate; of {family.title} builds that it was not fitted to ({off['builds']}) "
            f"LUTs were off by {off['luts']:g} % on average, {off['luts_most']:g} % at most{fmax}; "
            "cycles are exact") if off["builds"] else (
            f"an estimate; no {family.title} build was compared; cycles are exact")


def _off(family: Family) -> Mapping[str, Any]:
    """How far off estimates for a family were, in percent; None where nothing was compared."""
    found: Mapping[str, Any] = _stored()["off"][family.name]
    return found
