"""The choices that turn a network into one circuit: a small file to read and to edit."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from numpy.typing import NDArray

from bitwright.errors import UserError
from bitwright.hw.layout import WIDEST_RESULT, Layout
from bitwright.ir.exit import Exit, Exits
from bitwright.ir.network import NAME, Network, Result

__all__ = ["FOLDED", "LARGE", "PARALLEL", "SENT", "SERIAL", "STREAMED", "UNROLLED", "VIDEO", "Plan",
           "PlanError", "Value", "nearest"]

UNROLLED, FOLDED, STREAMED = "unrolled", "folded", "streamed"
PARALLEL, SERIAL = "parallel", "serial"
"""Ways to build a node that other rooms speak of; :mod:`hw.rtl.realisation` knows them all.
Unrolled: one copy of everything, a new frame every cycle. Folded: the weights lie in a memory, and
a little logic goes through it for every frame. Streamed: pixels pass a window, row by row.
Parallel, of a modulator: a sample comes whole, and each threshold is a comparator of its own.
Serial, of a head: a few bits are counted at a time."""

LUT_SIZES = (4, 5, 6)

SAMPLES, VIDEO = "samples", "video"
INPUTS = (SAMPLES, VIDEO)
"""What ends with ``last``: a sample, or a line of a picture that begins with ``start``."""

BLOCK, LARGE, SENT = "block", "large", "sent"
REPLAYS = (BLOCK, LARGE, SENT)
"""Where a picture comes from for every frame but the first, if it comes pixel by pixel: block RAM,
the large memories that some devices have beside it, or whoever sends it again."""

REQUESTS = (BLOCK, LARGE)
"""Where a request waits behind a serial line until its packet was found right."""

_MEANINGS = {"input": "what ends with last: a sample, or a line of video",
             "replay": "where a picture comes from for all frames but the first",
             "request": "where a request of the serial line waits until it was found right",
             "early_exit": "whether a sample ends with the frame that decides",
             "exit_lead": "lead that decides; 0: what all frames would decide"}
"""Of keys that few plans have."""

WIDEST_BEAT = 4096
"""Bytes of a beat of results: far more than any bus has; a slip of the keyboard is no circuit."""


Value = int | bool | str
"""Of a key in the table of a node."""

S = TypeVar("S")

_OLD = ("fold_cycles", "realisations")


class PlanError(UserError):
    """A plan cannot be used. The message names the key and what is wrong with it."""


def nearest(name: str, known: Iterable[str]) -> str:
    """End of a message about a name that is unknown: the nearest one that there is."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; the nearest is {found[0]!r}" if found else ""


@dataclass(frozen=True)
class Plan:
    """How to realise a network.

    Parameters
    ----------
    lanes : int
        Features that the encoder takes in each beat, at least 1.
    levels_per_register : int
        Longest path of the core between two registers, in LUTs of the device, at least 1.
    lut_size : int
        Inputs of a LUT of the device, 4 to 6. Decides which compressors count bits, and how many
        levels a table with more inputs is worth.
    result_beat_bytes : int
        Bytes of a beat of results, 1 to :data:`WIDEST_BEAT`; or 0 for as many as a result has, or
        64 of a longer one.
    input : str
        One of :data:`INPUTS`.
    replay : str
        One of :data:`REPLAYS`.
    request : str
        One of :data:`REQUESTS`. A pixel or feature of a sample takes a byte.
    early_exit : bool
        Whether a sample gets its result as soon as the frames so far decide, see :class:`ir.Exit`.
    exit_lead : int
        As of :meth:`ir.Exit.of`: 0 for the decision of all frames.
    nodes : mapping from node name to a mapping
        Table of a node: its ``way``, :data:`UNROLLED` where it is left out, and the settings of
        that way. A node that is not named is unrolled.

    Raises
    ------
    PlanError
        If a value is of the wrong type or outside its range. What a table holds is judged where the
        node and the ways that it has are known, see :meth:`settings` and :meth:`check`.
    """

    lanes: int = 1
    levels_per_register: int = 2
    lut_size: int = 4
    result_beat_bytes: int = 0
    input: str = SAMPLES
    replay: str = BLOCK
    request: str = BLOCK
    early_exit: bool = False
    exit_lead: int = 0
    nodes: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = {"lanes": 1, "levels_per_register": 1, "result_beat_bytes": 0, "exit_lead": 0}
        for name in (*least, "lut_size"):
            value = getattr(self, name)
            if type(value) is not int:
                raise PlanError(f"Plan key {name!r} must be an integer, not {value!r}")
        for name, number in least.items():
            if getattr(self, name) < number:
                raise PlanError(f"Plan key {name!r} must be at least {number}, not "
                                f"{getattr(self, name)}")
        if self.result_beat_bytes > WIDEST_BEAT:
            raise PlanError(f"Plan key 'result_beat_bytes' must be at most {WIDEST_BEAT}, not "
                            f"{self.result_beat_bytes}")
        if self.lut_size not in LUT_SIZES:
            raise PlanError(f"Plan key 'lut_size' must be one of {LUT_SIZES}, not {self.lut_size}")
        for name, known in (("input", INPUTS), ("replay", REPLAYS), ("request", REQUESTS)):
            value = getattr(self, name)
            if value not in known:
                raise PlanError(f"Plan key {name!r} must be one of {known}, not {value!r}"
                                f"{nearest(str(value), known)}")
        if type(self.early_exit) is not bool:
            raise PlanError(f"Plan key 'early_exit' must be true or false, not {self.early_exit!r}")
        self._check_together()
        if not isinstance(self.nodes, Mapping):
            raise PlanError(f"Plan key 'nodes' must be a table, not {self.nodes!r}")
        for name, table in self.nodes.items():
            _check_table(name, table)
        object.__setattr__(self, "nodes", MappingProxyType(
            {name: MappingProxyType({"way": UNROLLED, **table})
             for name, table in self.nodes.items()}))

    def _check_together(self) -> None:
        """Refuse what does not go together."""
        if self.early_exit and self.replay == SENT:
            raise PlanError("Plan key 'early_exit' must be false where 'replay' is 'sent': whoever "
                            "sends the pictures cannot know how many are wanted")
        if self.exit_lead and not self.early_exit:
            raise PlanError("Plan key 'exit_lead' must be 0 where 'early_exit' is false, not "
                            f"{self.exit_lead}")

    def way(self, name: str) -> str:
        """Way in which the node of that name is built."""
        return str(self.nodes[name]["way"]) if name in self.nodes else UNROLLED

    def settings(self, name: str, cls: type[S]) -> S:
        """Settings of a node, as the dataclass of its way.

        Its fields are integers and booleans with defaults; it raises ValueError for a value outside
        its range, in words that begin with the name of the key.

        Raises
        ------
        PlanError
            If a key is unknown or a value does not do.
        """
        table = {key: value for key, value in self.nodes.get(name, {}).items() if key != "way"}
        known = {item.name: type(item.default) for item in fields(cls)}  # type: ignore[arg-type]
        for key, value in table.items():
            if key not in known:
                raise PlanError(f"Plan key 'nodes.{name}.{key}' is unknown to the way "
                                f"{self.way(name)!r}{nearest(key, known)}")
            if type(value) is not known[key]:
                noun = "true or false" if known[key] is bool else "an integer"
                raise PlanError(f"Plan key 'nodes.{name}.{key}' must be {noun}, not {value!r}")
        try:
            return cls(**table)
        except ValueError as error:
            key, _, rule = str(error).partition(" ")
            raise PlanError(f"Plan key 'nodes.{name}.{key}' {rule}") from error

    def layout(self, network: Network) -> Layout:
        """Bytes of samples and results of a network."""
        parallel = self.way(network.entries[0].name) == PARALLEL
        lanes = network.modulate.features if parallel else self.lanes
        return Layout.of(network, lanes, self.result_beat_bytes, sent=self.replay == SENT)

    def evaluate(self, network: Network, features: NDArray[Any]) -> Result | Exits:
        """What a design by this plan answers to a batch: sums of fewer frames where it has an early
        exit.

        Raises as :meth:`Network.evaluate` and :meth:`ir.Exit.of` do.
        """
        if not self.early_exit:
            return network.evaluate(features)
        return Exit.of(network, self.exit_lead).evaluate(network, features)

    @property
    def writable(self) -> frozenset[str]:
        """Names of the nodes whose contents can be written."""
        return frozenset(name for name, table in self.nodes.items() if table.get("writable"))

    @property
    def empty(self) -> bool:
        """Whether there are contents that a design does not bring along: those in large memories,
        which hold anything before they are written."""
        return any(table.get("large") for table in self.nodes.values())

    def levels(self, fan_in: int) -> int:
        """LUT levels of a table: one, and one more for each input that a LUT is short of."""
        return 1 + max(0, fan_in - self.lut_size)

    def check(self, names: Iterable[str]) -> None:
        """Refuse a table for a node that is not there.

        Parameters
        ----------
        names : iterable of str
            Of the nodes of the frozen network: one that its simplification removes may be named.

        Raises
        ------
        PlanError
            If a key of ``nodes`` is none of them.
        """
        names = tuple(names)
        for name in self.nodes:
            if name not in names:
                raise PlanError(f"Plan key 'nodes.{name}' names no node{nearest(name, names)}")

    @property
    def digest(self) -> str:
        """SHA-256 of :meth:`to_toml`, in hexadecimal. Equal plans have equal digests."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    def to_toml(self) -> str:
        """Text that :meth:`from_toml` reads back. Equal plans give equal text."""
        lines = [f"lanes = {self.lanes}  # features in each beat of the input",
                 f"levels_per_register = {self.levels_per_register}  # LUTs between two registers",
                 f"lut_size = {self.lut_size}  # inputs of a LUT of the device",
                 (f"result_beat_bytes = {self.result_beat_bytes}  # bytes in each beat of a "
                  f"result; 0: all of it, or {WIDEST_RESULT} of a longer one")]
        # Left out where it is the default, so that digests stay what they were before.
        lines += [f"{item.name} = {json.dumps(getattr(self, item.name))}  # {_MEANINGS[item.name]}"
                  for item in fields(self)
                  if item.name in _MEANINGS and getattr(self, item.name) != item.default]
        for name in sorted(self.nodes):
            lines += ["", f"[nodes.{name}]"]
            lines += [f"{key} = {json.dumps(value)}"
                      for key, value in sorted(self.nodes[name].items(),
                                               key=lambda item: (item[0] != "way", item[0]))]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a plan. Keys that are left out keep their defaults; a byte-order mark is no part.

        Raises
        ------
        PlanError
            If the text is not TOML, a key is unknown, or a value is outside its range.
        """
        try:
            values: dict[str, Any] = tomllib.loads(text.removeprefix("\N{BYTE ORDER MARK}"))
        except tomllib.TOMLDecodeError as error:
            raise PlanError(f"Plan is not TOML: {error}") from error
        known = tuple(item.name for item in fields(cls))
        for key in values:
            if key in _OLD:
                raise PlanError(f"Plan key {key!r} is of an older form; write a table for each "
                                "node instead, such as [nodes.xnor0] with way = \"folded\" and "
                                "cycles = 1024")
            if key not in known:
                raise PlanError(f"Plan key {key!r} is unknown{nearest(key, known)}")
        return cls(**values)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a plan file.

        Raises
        ------
        PlanError
            As :meth:`from_toml`, and if the file is not text.
        OSError
            If it cannot be read.
        """
        try:
            return cls.from_toml(path.read_bytes().decode())
        except UnicodeDecodeError as error:
            raise PlanError(f"Plan is not TOML: {error}") from error

    @classmethod
    def chosen(cls, path: Path | None, otherwise: Self, result_beat_bytes: int | None) -> Self:
        """The plan that the arguments of a command name.

        Parameters
        ----------
        path : Path or None
            A plan file. None: there is none, and it is ``otherwise``.
        otherwise : Plan
        result_beat_bytes : int or None
            In place of the plan's own.

        Raises
        ------
        PlanError
            As :meth:`load`; the message begins with the file.
        OSError
            If it cannot be read.
        """
        try:
            plan = otherwise if path is None else cls.load(path)
        except PlanError as error:
            raise PlanError(f"{path}: {error}") from error
        if result_beat_bytes is None:
            return plan
        return replace(plan, result_beat_bytes=result_beat_bytes)


def _check_table(name: object, table: object) -> None:
    """Refuse what cannot be the table of a node, whichever way it has."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PlanError(f"Plan key 'nodes' must have names of nodes, which match {NAME.pattern}, "
                        f"not {name!r}")
    if not isinstance(table, Mapping):
        raise PlanError(f"Plan key 'nodes.{name}' must be a table, not {table!r}")
    for key, value in table.items():
        if key == "way":
            if type(value) is not str:
                raise PlanError(f"Plan key 'nodes.{name}.way' must be a string, not {value!r}")
        elif type(value) not in (int, bool, str):
            raise PlanError(f"Plan key 'nodes.{name}.{key}' must be an integer, true, false or a "
                            f"string, not {value!r}")
