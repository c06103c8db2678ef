"""What passes between sim/run.py and a bench inside the simulator, as JSON files."""

import time
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["BEAT", "Progress", "SerialJob", "SerialOutcome", "StreamJob", "StreamOutcome"]

BEAT = 256
"""Clock cycles from one sign of life of a bench to the next."""


@dataclass(frozen=True)
class StreamJob:
    """Orders for sim/bench_stream.py.

    Parameters
    ----------
    packets : str
        File of an array of bytes, one row a sample: its beats, padded to whole bytes as one word.
    beats, out_width : int
        Shape of the streams.
    seed : int
    stall_in, stall_out : float
        Share of cycles in which a side stalls.
    resets, malformed : int
        How many to mix in.
    window : int
        A reset falls this many cycles, at most, after a packet.
    idle_limit : int
        Cycles without a beat that count as a hang.
    drain : int
        Cycles to watch for superfluous results at the end.
    progress, outcome : str
        Files to write.
    until : int, optional
        Sample after whose result to stop, when what happened until then is all that is wanted.
    drop : int, optional
        Sample of which the driver loses a beat, to see whether the bench notices.
    """

    packets: str
    beats: int
    out_width: int
    seed: int
    stall_in: float
    stall_out: float
    resets: int
    malformed: int
    window: int
    idle_limit: int
    drain: int
    progress: str
    outcome: str
    until: int | None = None
    drop: int | None = None


@dataclass
class StreamOutcome:
    """What sim/bench_stream.py saw.

    Parameters
    ----------
    results : list of (sample, word)
        In the order they came.
    order : list of lists
        Samples sent, one list for each time between resets.
    seconds : float
        Wall time that took, without the start of the simulator.
    error : str, optional
        Why the bench gave up.
    """

    results: list[tuple[int, int]] = field(default_factory=list)
    order: list[list[int]] = field(default_factory=list)
    cycles: int = 0
    seconds: float = 0.0
    resets: int = 0
    malformed: int = 0
    sample_errors: int = 0
    error: str | None = None


@dataclass(frozen=True)
class SerialJob:
    """Orders for sim/bench_serial.py.

    Parameters
    ----------
    samples : str
        File of an array of bytes, one row a sample: the payload of its request.
    reply_bytes : int
        Of a whole reply with a result.
    identity : str
        What the device must say that it is, in hexadecimal.
    period_ps : float
        Of the device's clock, in the harness's time.
    bit_ps : float
        Time of a bit of a host whose clock is right.
    timeout : int
        Clock cycles of silence that end an unfinished packet.
    latency : int
        Clock cycles from a request to its reply, at most.
    skew : float
        By how much the host's baud rate may be off, either way.
    gaps : float
        Share of requests with a pause after them.
    seed, resets, damaged : int
        How many resets and damaged requests to mix in.
    progress, outcome : str
        Files to write.
    drop : int, optional
        Sample of which the host loses a byte, to see whether the bench notices.
    image : str, optional
        File of contents to write over the line first, once in vain and then for good.
    loaded : str
        What the device must say that it is after that, in hexadecimal.
    """

    samples: str
    reply_bytes: int
    identity: str
    period_ps: float
    bit_ps: float
    timeout: int
    latency: int
    skew: float
    gaps: float
    seed: int
    resets: int
    damaged: int
    progress: str
    outcome: str
    drop: int | None = None
    image: str | None = None
    loaded: str = ""


@dataclass
class SerialOutcome:
    """What sim/bench_serial.py saw. Fields as in :class:`StreamOutcome`, and

    Parameters
    ----------
    damaged : int
        Requests with damage, all refused as they must be.
    busy : int
        Requests that were refused as they came too early, and sent again.
    loaded : int
        Bytes of contents that were written.
    """

    results: list[tuple[int, int]] = field(default_factory=list)
    cycles: int = 0
    seconds: float = 0.0
    resets: int = 0
    damaged: int = 0
    busy: int = 0
    loaded: int = 0
    error: str | None = None


class Progress:
    """A number in a file, rewritten some times a second: how far a bench is, and that it lives."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._due = 0.0

    def update(self, done: int) -> None:
        """Note that so many are done."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + 0.2
            scratch = self._path.with_suffix(".new")
            scratch.write_text(str(done), encoding="utf-8")
            scratch.replace(self._path)
