"""When every pixel crosses every stream of a chain: plain Python, exact to the cycle.

What a streaming component does in a cycle depends on no data, only on which pixels have come and
how much room there is. So the times of all transfers follow from each other by sums and maxima,
without a circuit: this is what latencies, intervals and the places of every buffer are taken from.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bitwright.hw.raster import Raster

__all__ = ["Fit", "Flow", "Part", "Run", "StuckError", "Work", "alone", "bottleneck",
           "buffer_latency", "fit", "run"]

UNBOUNDED = 1 << 60
"""Places of a buffer that is never full."""

FASTEST = 2
"""Places up to which a buffer is registers."""

FRAMES = 5
"""Frames after which a chain is taken to repeat itself."""


class StuckError(Exception):
    """No beat can move: a buffer is too small for the paths around it."""


def buffer_latency(places: int) -> int:
    """Cycles from a beat that enters a buffer to the same beat offered. See :class:`Fifo`."""
    return 1 if places <= FASTEST else 2


@dataclass(frozen=True)
class Work:
    """What a node does for a frame.

    Parameters
    ----------
    node, way : str
    cycles : int
        Before it can begin with the next frame.
    busy : int
        Of these, those in which its logic gets something to do: the others pass while it waits for
        the pixels of its first position.
    """

    node: str
    way: str
    cycles: int
    busy: int


def bottleneck(works: Iterable[Work]) -> Work:
    """The node that takes longest, the first of several: all others wait for it."""
    return max(works, key=lambda work: work.cycles)


@dataclass(frozen=True)
class Part:
    """A component of a chain.

    Parameters
    ----------
    name : str
    inputs : tuple of str
        Names of the parts that it reads, or of the source.
    raster : Raster or None
        Steps of its window; None where a pixel becomes a pixel at once, as in a join.
    pace : int
        Cycles from a window to the next that what is behind it takes. Above 1 a window enters only
        when there is room for what comes of it; at 1 it waits in the registers on the way.
    latency : int
        Cycles from a window to the pixel that comes of it.
    reads : int
        Cycles in which a window is read from the rows in memory, from the one on in which it
        enters; 0 if registers hold it.
    queue : int
        Places of a buffer for windows in front of what is behind them; 0 if there is none, as
        always where they are read.
    """

    name: str
    inputs: tuple[str, ...]
    raster: Raster | None = None
    pace: int = 1
    latency: int = 0
    reads: int = 0
    queue: int = 0


@dataclass(frozen=True)
class Flow:
    """Parts in topological order, what they read and who reads them.

    Parameters
    ----------
    source : str
        Name of what brings the pixels.
    pixels : int
        Of an image there.
    gap : int
        Cycles from a pixel of the source to the next, at least.
    parts : tuple of Part
    readers : tuple of str
        Whose pixels leave the chain: different parts, or the source.
    interval : int
        Cycles from an image that leaves to the next, at least.
    """

    source: str
    pixels: int
    gap: int
    parts: tuple[Part, ...]
    readers: tuple[str, ...]
    interval: int = 1

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Buffers: who writes and who reads. What leaves has the reader ``""``."""
        return (*dict.fromkeys((name, part.name) for part in self.parts for name in part.inputs),
                *((name, "") for name in self.readers))

    def count(self, name: str) -> int:
        """Pixels of an image of a part."""
        if name == self.source:
            return self.pixels
        part = next(part for part in self.parts if part.name == name)
        if part.raster is None:
            return self.count(part.inputs[0])
        return part.raster.window.positions


@dataclass
class _Edge:
    places: int
    push: list[int] = field(default_factory=list)
    pop: list[int] = field(default_factory=list)

    def offered(self, number: int) -> int | None:
        """Cycle in which a beat is there to be taken; None as long as that is not known."""
        if number >= len(self.push):
            return None
        found = self.push[number] + buffer_latency(self.places)
        return max(found, self.pop[number - 1] + 1) if number else found

    def room(self, number: int) -> int | None:
        """Cycle from which on there is room for a beat; None as long as that is not known."""
        left = number - self.places
        if left < 0:
            return 0
        return self.pop[left] + 1 if left < len(self.pop) else None


@dataclass
class Run:
    """What happened.

    Parameters
    ----------
    edges : mapping from (writer, reader) to _Edge
        Cycles of all transfers.
    entered : list of int
        Cycles in which the source handed over its pixels.
    left : list of int
        Cycles in which images had left whole, one a frame.
    """

    edges: Mapping[tuple[str, str], _Edge]
    entered: list[int]
    left: list[int]


def run(flow: Flow, places: Mapping[tuple[str, str], int], frames: int,
        arrivals: list[int] | None = None) -> Run:
    """Follow every pixel of a number of frames.

    Parameters
    ----------
    flow : Flow
    places : mapping from (writer, reader) to int
        Of each buffer.
    frames : int
    arrivals : list of int, optional
        Cycle of each pixel of all frames, at the earliest; as soon as there is room if left out.

    Raises
    ------
    StuckError
        If they wait for each other for ever.
    """
    edges = {edge: _Edge(places[edge]) for edge in flow.edges}
    found = Run(edges, [], [])
    lists = [found.left, *(times for edge in edges.values() for times in (edge.push, edge.pop))]
    waiting: list[Iterator[None]] = [_source(flow, edges, frames, arrivals, found.entered)]
    for part in flow.parts:
        ins = [edge for (_, reader), edge in edges.items() if reader == part.name]
        outs = [edge for (name, _), edge in edges.items() if name == part.name]
        if part.raster is None:
            waiting.append(_join(ins, outs, flow.count(part.name) * frames))
        else:
            waiting += _window(part, ins[0], outs, frames, lists)
    leave = [(edges[name, ""], flow.count(name)) for name in flow.readers]
    if len(leave) == 1:
        waiting.append(_leave(*leave[0], flow.interval, frames, found.left))
    else:
        waiting += [_collect(*one, frames, found.left) for one in leave]
        waiting.append(_take(leave, flow.interval, frames, found.left))
    if not _finish(waiting, lists):
        raise StuckError(f"{len(found.left)} of {frames} frames have left")
    return found


def _finish(waiting, lists):
    """Let all go on as far as they can. Tells whether they came to their ends.

    Each goes on as long as it knows what it needs of the lists, all of which only grow.
    """
    size = None
    while waiting:
        if size == (size := sum(map(len, lists)) - len(waiting)):
            return False
        waiting = [one for one in waiting if next(one, one) is not one]
    return True


def _room(edges, number, cycle):
    """Wait until it is known when all have room for a beat. Returns that cycle, or a later one."""
    for edge in edges:
        while (room := edge.room(number)) is None:
            yield
        cycle = max(cycle, room)
    return cycle


def _source(flow, edges, frames, arrivals, entered):
    outs = [edge for (name, _), edge in edges.items() if name == flow.source]
    last = -flow.gap
    for number in range(flow.pixels * frames):
        last += flow.gap
        if arrivals is not None:
            last = max(last, arrivals[number])
        last = yield from _room(outs, number, last)
        entered.append(last)
        for edge in outs:
            edge.push.append(last)


def _join(ins, outs, total):
    last = -1
    for number in range(total):
        last += 1
        for edge in ins:
            while (offered := edge.offered(number)) is None:
                yield
            last = max(last, offered)
        last = yield from _room(outs, number, last)
        for edge in ins:
            edge.pop.append(last)
        for edge in outs:
            edge.push.append(last)


def _window(part, source, outs, frames, lists):
    """All that a window and what is behind it do."""
    entered: list[int] = []
    pushed: list[int] = []
    written: list[int] = []
    lists += [entered, pushed, written]
    drain = _drain(part, outs, part.raster.window.positions * frames, entered, pushed)
    if part.reads:
        return [_write(part, source, frames, entered, written),
                _read(part, outs, frames, entered, written), drain]
    if not part.queue:
        return [_walk(part, source, outs, frames, entered, pushed), drain]
    queue = _Edge(part.queue)
    lists += [queue.push, queue.pop]
    total = part.raster.window.positions * frames
    return [_walk(replace(part, pace=1, latency=0), source, [queue], frames, queue.push, None),
            _enter(part, queue, outs, total, entered), drain]


def _write(part, source, frames, entered, written):
    """Pixels go into the memory as long as their row is free."""
    raster = part.raster
    rows, columns = raster.rows, raster.columns
    last, pixel, frame, row = -1, 0, 0, 0
    for number in range(frames * rows.size):
        # Rows of positions that must be done with, so that what was there before is not needed.
        while number >= frame * rows.size + raster.floors[row] + raster.slots:
            frame, row = divmod(frame * rows.positions + row + 1, rows.positions)
        done = (frame * rows.positions + row) * columns.positions
        if done:
            while len(entered) < done:
                yield
            last = max(last, entered[done - 1] + part.reads)
        for _ in range(columns.size):
            while (offered := source.offered(pixel)) is None:
                yield
            last = max(last + 1, offered)
            source.pop.append(last)
            written.append(last)
            pixel += 1


def _read(part, outs, frames, entered, written):
    """Windows are read one after the other, as soon as all of their pixels are there."""
    raster, pace = part.raster, part.pace
    width = raster.columns.size
    needed = [row * width + column for row, column in (
        raster.needed(*position) for position in itertools.product(
            range(raster.rows.positions), range(raster.columns.positions)))]
    taken, number = -pace, 0
    for start in range(0, frames * width * raster.rows.size, width * raster.rows.size):
        for pixel in needed:
            while len(written) <= start + pixel:
                yield
            taken = max(taken + pace, written[start + pixel] + 1)
            taken = yield from _room(outs, number, taken)
            entered.append(taken)
            number += 1


def _walk(part, source, outs, frames, entered, pushed):
    """Steps of a window; ``entered`` gets the cycles in which windows go on.

    They wait for room in ``outs``, or where each takes a cycle, for the ``pushed`` pixels before
    them, unless these are None.
    """
    raster, pace, latency = part.raster, part.pace, part.latency
    steps = [(raster.takes(step), completed) for step, completed in enumerate(raster.completed)]
    last, taken, number, pixel = -1, -pace, 0, 0
    for _ in range(frames):
        for takes, completed in steps:
            last = max(last + 1, taken)
            if takes:
                while (offered := source.offered(pixel)) is None:
                    yield
                last = max(last, offered)
                source.pop.append(last)
                pixel += 1
            if not completed:
                continue
            taken = max(last + 1, taken + pace)
            if pace == 1 and pushed is not None:
                if number >= latency:
                    while len(pushed) <= number - latency:
                        yield
                    taken = max(taken, pushed[number - latency])
            else:
                taken = yield from _room(outs, number, taken)
            entered.append(taken)
            number += 1


def _enter(part, queue, outs, total, entered):
    """Windows that waited go on."""
    taken = -part.pace
    for number in range(total):
        while (offered := queue.offered(number)) is None:
            yield
        taken = yield from _room(outs, number, max(taken + part.pace, offered))
        queue.pop.append(taken)
        entered.append(taken)


def _drain(part, outs, total, entered, pushed):
    """Pixels that come of windows."""
    last = -1
    for number in range(total):
        while len(entered) <= number:
            yield
        last = max(last + 1, entered[number] + part.latency)
        if part.pace == 1:
            last = yield from _room(outs, number, last)
        pushed.append(last)
        for edge in outs:
            edge.push.append(last)


def _leave(edge, count, interval, frames, left):
    """What takes the only images that leave, as their pixels come."""
    for frame in range(frames):
        for number in range(frame * count, (frame + 1) * count):
            while (offered := edge.offered(number)) is None:
                yield
            edge.pop.append(offered)
        if frame:
            edge.pop[-1] = max(edge.pop[-1], left[-1] + interval)
        left.append(edge.pop[-1])


def _collect(edge, count, frames, left):
    """What collects one of several images that leave together."""
    for frame in range(frames):
        for number in range(frame * count, (frame + 1) * count):
            while (offered := edge.offered(number)) is None or len(left) < frame:
                yield
            edge.pop.append(max(offered, left[frame - 1]) if frame else offered)


def _take(leave, interval, frames, left):
    """What takes images that are collected, as soon as all are whole."""
    for frame in range(frames):
        while any(len(edge.pop) < (frame + 1) * count for edge, count in leave):
            yield
        whole = max(edge.pop[(frame + 1) * count - 1] for edge, count in leave) + 1
        left.append(max(whole, left[-1] + interval) if frame else whole)


class _Eager(_Edge):
    """One whose beats are always there already."""

    def offered(self, number: int) -> int | None:
        return 0


@lru_cache(maxsize=1024)
def alone(part: Part) -> tuple[int, int]:
    """Interval of a part by itself, and cycles from its last pixel to the last that comes of it.

    Nothing is between it and who brings and takes pixels.
    """
    assert part.raster is not None
    source, out = _Eager(1), _Edge(UNBOUNDED)
    lists = [source.pop, out.push]
    _finish(_window(part, source, [out], FRAMES, lists), lists)
    starts = source.pop[part.raster.rows.size * part.raster.columns.size - 1 :]
    ends = out.push[part.raster.window.positions - 1 :: part.raster.window.positions]
    return ends[-1] - ends[-2], ends[0] - starts[0]


@dataclass(frozen=True)
class Fit:
    """Places of the buffers of a flow, and what it reaches with them.

    Parameters
    ----------
    places : mapping from (writer, reader) to int
    interval : int
        Cycles from an image to the next.
    latency : int
        Cycles from the first pixel to the image that leaves, if nothing is before it.
    residence : int
        The same when images follow each other as fast as they can.
    """

    places: Mapping[tuple[str, str], int]
    interval: int
    latency: int
    residence: int


@lru_cache(maxsize=64)
def fit(flow: Flow) -> Fit:
    """Find the smallest buffers with which the slowest part never waits.

    With one place less in any of them images are further apart, or nothing moves at all.
    """
    interval = max([flow.pixels * flow.gap, flow.interval,
                    *(alone(part)[0] for part in flow.parts if part.raster is not None)])
    places = _enough(flow, interval)
    assert _reaches(flow, places, interval)
    small = dict.fromkeys(places, FASTEST)
    if _reaches(flow, small, interval):
        places = small
    before = None
    while before != places:  # another pass, since a buffer of few places is faster
        before = dict(places)
        for edge in flow.edges:
            places[edge] = _fewest(flow, places, edge, interval)
    first = run(flow, places, 1)
    many = run(flow, places, FRAMES)
    residence = max(left - many.entered[frame * flow.pixels]
                    for frame, left in enumerate(many.left))
    return Fit(places, interval, first.left[0] - first.entered[0], residence)


def _fewest(flow: Flow, places: Mapping[tuple[str, str], int], edge: tuple[str, str],
            interval: int) -> int:
    """Fewest places of a buffer, while the others have as many as they have."""
    low, high = 1, places[edge]
    if high > 1 and not _reaches(flow, {**places, edge: high - 1}, interval):
        return high
    while low < high:
        middle = (low + high) // 2
        if _reaches(flow, {**places, edge: middle}, interval):
            high = middle
        else:
            low = middle + 1
    return high


def _enough(flow: Flow, interval: int) -> dict[tuple[str, str], int]:
    """Places of which none is ever missing, if pixels come evenly."""
    arrivals = [frame * interval + number * interval // flow.pixels
                for frame in range(FRAMES) for number in range(flow.pixels)]
    found = run(flow, dict.fromkeys(flow.edges, UNBOUNDED), FRAMES, arrivals)
    parts = {part.name: part for part in flow.parts}
    places = {}
    for (name, reader), edge in found.edges.items():
        # A beat has its place from the cycle in which its window enters.
        lead = parts[name].latency if name in parts and parts[name].pace > 1 else 0
        most = last = 0
        for number, push in enumerate(edge.push):
            while edge.pop[last] < push - lead:
                last += 1
            most = max(most, number + 1 - last)
        # Of fewer places the latency is another, and beats meet others.
        places[name, reader] = max(most, FASTEST + 1)
    return places


def _reaches(flow: Flow, places: Mapping[tuple[str, str], int], interval: int) -> bool:
    """Whether images leave as often as the slowest part allows."""
    try:
        left = run(flow, places, FRAMES).left
    except StuckError:
        return False
    return all(after - before <= interval for before, after in itertools.pairwise(left[1:]))
