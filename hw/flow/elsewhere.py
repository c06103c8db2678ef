"""Placements on the cores of a cluster, whose nodes need not share a file system.

What a placement reads goes there, and what it makes comes back as the files of the stage, under the
same key as if it had been made here: so a build that is repeated finds it done.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from bitwright.cluster import Cluster, LostError, pack, unpack
from bitwright.errors import UserError
from bitwright.hw.flow import toolchain
from bitwright.hw.flow.place import Place
from bitwright.hw.report.results import Placed

__all__ = ["Elsewhere", "place_there"]

_LOGS = "logs"


def place_there(stage: Place, netlist: bytes, constraints: bytes,
                ) -> tuple[Placed | UserError, dict[str, bytes], dict[str, bytes]]:
    """Do a placement on the node that this is called on.

    Parameters
    ----------
    stage : Place
        As it is where the files are.
    netlist, constraints : bytes
        What its files hold.

    Returns
    -------
    Placed or UserError
        What was found, or why nothing was.
    dict of str to bytes
        The stage's files.
    dict of str to bytes
        Its logs.
    """
    with tempfile.TemporaryDirectory(prefix="bitwright-place-") as name:
        given, folder, logs = (Path(name, part) for part in ("given", "made", _LOGS))
        for part in (given, folder, logs):
            part.mkdir()
        (given / stage.netlist.name).write_bytes(netlist)
        (given / stage.constraints.name).write_bytes(constraints)
        try:
            ours = dataclasses.replace(
                stage, netlist=given / stage.netlist.name,
                constraints=given / stage.constraints.name, nextpnr=_same(stage))
            return ours.run(folder, logs), pack(folder), pack(logs)
        except UserError as error:
            return error, {}, pack(logs)


def _same(stage: Place) -> toolchain.Tool:
    """The node's own nextpnr, which must be the one that the stage's result is known by."""
    assert stage.board.family.place is not None
    own, wanted = toolchain.find(stage.board.family.place.nextpnr), stage.nextpnr
    if (own.version, own.content) != (wanted.version, wanted.content):
        raise toolchain.ToolError(f"{own.name}: a node of the cluster has {own.version}, and this "
                                  f"machine {wanted.version}; install the same there")
    return own


class Elsewhere:
    """Does placements on a cluster.

    Parameters
    ----------
    cluster : Cluster
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def cores(self) -> int:
        """How many placements go on side by side."""
        return self._cluster.cores

    def __call__(self, stage: Place, folder: Path, logs: Path) -> Placed:
        """Do it, as ``stage.run`` does.

        Raises
        ------
        UserError
            As it does; and ToolError where the node is lost again and again, or differs.
        """
        try:
            found, made, told = self._cluster.run(
                place_there, stage, stage.netlist.read_bytes(), stage.constraints.read_bytes())
        except LostError as error:
            raise toolchain.ToolError(f"{stage.nextpnr.name}: on the cluster: {error}") from error
        unpack(logs, told)
        if isinstance(found, UserError):
            raise found
        unpack(folder, made)
        assert isinstance(found, Placed)
        return found

    def stop(self) -> None:
        """End what is being placed."""
        self._cluster.cancel()
