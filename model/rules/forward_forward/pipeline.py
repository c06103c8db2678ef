"""Layers that learn side by side: a pipeline of processes.

The process of a layer trains it on what arrives from the layer before, and passes the activities
on. No gradient comes back, so that a process never waits for those behind it, and the result is
that of one process, bit for bit. Every message goes down the chain, from the main process through
all workers and back, so that messages stay in order; a process that ends, for whatever reason,
closes its ends of the chain, and with it all others end.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import sys
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch import Tensor

from bitwright.model.rules.forward_forward.learner import Figures, Learner

__all__ = ["Pipeline", "PipelineError", "shares"]

_PROTOCOL = 4  # arrays of protocol 5 arrive read-only
_ROOM = 1 << 20
"""Bytes that a pipe holds, if it may: a worker that is done early need not wait for the next."""

_PATIENCE = 5.0
"""Seconds that a process is given to end by itself."""


class PipelineError(RuntimeError):
    """A process of the pipeline has ended. Its own message is on the error output."""


def shares(sizes: Sequence[int], count: int) -> list[slice]:
    """Cut a chain into ``count`` parts, the largest of which is as small as it can be.

    Parameters
    ----------
    sizes : sequence of int
        Work of each link.
    count : int
        Parts, at most as many as links; none is empty.

    Returns
    -------
    list of slice
    """
    best: dict[tuple[int, int], tuple[int, list[slice]]] = {(0, 0): (0, [])}
    for part in range(1, count + 1):
        for stop in range(part, len(sizes) + 1):
            options = [(max(best[part - 1, start][0], sum(sizes[start:stop])),
                        [*best[part - 1, start][1], slice(start, stop)])
                       for start in range(part - 1, stop) if (part - 1, start) in best]
            best[part, stop] = min(options, key=lambda option: option[0])
    return best[count, len(sizes)][1]


class Pipeline:
    """Learners in processes, each with neighbouring layers.

    Parameters
    ----------
    learners : sequence of Learner
        Of this process: they are changed at the end of an epoch only.
    processes : int
    """

    def __init__(self, learners: Sequence[Learner], processes: int) -> None:
        self._learners = learners
        sizes = [sum(value.numel() for value in learner.layer.parameters())
                 for learner in learners]
        self.parts = shares(sizes, processes)
        self._sent = self._received = 0
        self._figures: list[list[Figures]] = []
        self._chain: _Chain | None = None

    def begin(self) -> None:
        """Start an epoch: the workers get the state of the learners."""
        if self._chain is None:
            self._chain = _Chain(self._learners, self.parts)
            weakref.finalize(self, self._chain.close)
        self._sent, self._figures = 0, []
        self._chain.send("begin", [(learner.layer.state_dict(), learner.state_dict())
                                   for learner in self._learners])

    def step(self, x: Tensor) -> list[Figures]:
        """Send a batch on its way.

        Parameters
        ----------
        x : Tensor, shape (in_width, 2 * batch)
            See :meth:`Learner.learn`.

        Returns
        -------
        list of Figures
            Of each layer, on a batch of some steps before: as many as keep all workers busy. The
            first steps of an epoch give those of its first batch.

        Raises
        ------
        PipelineError
            If a worker has ended.
        """
        assert self._chain is not None
        self._chain.send("batch", (x.numpy(), []))
        wanted = max(0, self._sent - 2 * len(self.parts))
        self._sent += 1
        while len(self._figures) <= wanted:
            self._receive()
        return self._figures[wanted]

    def end(self) -> None:
        """End an epoch: wait for every batch, and bring the learned state back.

        Raises
        ------
        PipelineError
            If a worker has ended.
        """
        assert self._chain is not None
        self._chain.send("end", [])
        while len(self._figures) < self._sent:
            self._receive()
        _, states = self._chain.receive()
        for learner, (layer, own) in zip(self._learners, states, strict=True):
            learner.layer.load_state_dict(layer)
            learner.load_state_dict(own)

    def close(self) -> None:
        """End the processes. The next epoch would start new ones."""
        if self._chain is not None:
            self._chain.close()
            self._chain = None

    def _receive(self) -> None:
        assert self._chain is not None
        _, (_, figures) = self._chain.receive()
        self._figures.append(figures)


class _Chain:
    """The worker processes, and both ends of the chain through them."""

    def __init__(self, learners: Sequence[Learner], parts: Sequence[slice]) -> None:
        # Spawned and not forked: a worker holds no end but its own, so that it sees when the
        # chain breaks. Pickled here: torch would put the layers into memory that both share.
        context = multiprocessing.get_context("spawn")
        self.processes: list[BaseProcess] = []
        inbox, self._first = _pipe(context)
        for part in parts:
            following, outbox = _pipe(context)
            payload = pickle.dumps(list(learners[part]), _PROTOCOL)
            arguments = payload, inbox, outbox, part is parts[-1]
            process = context.Process(target=_work, args=arguments, daemon=True,
                                      name=f"layers {part.start + 1} to {part.stop}")
            process.start()
            self.processes.append(process)
            inbox.close()
            outbox.close()
            inbox = following
        self._last = inbox

    def send(self, kind: str, content: Any) -> None:
        try:
            _send(self._first, kind, content)
        except OSError as error:
            raise self._broken() from error

    def receive(self) -> tuple[str, Any]:
        try:
            return _receive(self._last)
        except (EOFError, OSError) as error:
            raise self._broken() from error

    def close(self) -> None:
        """Close both ends, upon which the workers end."""
        self._first.close()
        self._last.close()
        for process in self.processes:
            process.join(_PATIENCE)
            if process.is_alive():
                process.terminate()
                process.join()

    def _broken(self) -> PipelineError:
        # The one at fault ended first; those that are told to end come later.
        wait([process.sentinel for process in self.processes], _PATIENCE)
        failed = [process for process in self.processes if process.exitcode]
        self.close()
        if not failed:
            return PipelineError("The pipeline has ended")
        return PipelineError(f"The process of {failed[0].name} has ended with exit code "
                             f"{failed[0].exitcode}")


def _pipe(context: BaseContext) -> tuple[Connection, Connection]:
    """Ends of a pipe to read and to write, with room for a few batches where the system allows."""
    inbox, outbox = context.Pipe(duplex=False)
    if sys.platform == "linux":
        import fcntl  # which other systems lack, or this number in it

        # The system may grant less to a user of many pipes: it is a matter of speed alone.
        with contextlib.suppress(OSError):
            fcntl.fcntl(outbox.fileno(), fcntl.F_SETPIPE_SZ, _ROOM)
    return inbox, outbox


def _work(payload: bytes, inbox: Connection, outbox: Connection, last: bool) -> None:
    """Body of a worker: messages in, messages out, until the chain breaks."""
    # The main process gets the interrupt, and ends the chain.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    learners: list[Learner] = pickle.loads(payload)
    try:
        while True:
            kind, content = _receive(inbox)
            if kind == "batch":
                x, figures = _learn(learners, *content)
                # Small messages alone go back: the main process may be about to send, not receive.
                content = None if last else x, figures
            elif kind == "begin":
                for learner in learners:
                    layer, own = content.pop(0)
                    learner.layer.load_state_dict(layer)
                    learner.load_state_dict(own)
            else:
                content += [(learner.layer.state_dict(), learner.state_dict())
                            for learner in learners]
            # What is left of a "begin" goes on to those behind, and ends with the last of them.
            if kind != "begin" or content:
                _send(outbox, kind, content)
    except (EOFError, OSError):
        return  # a neighbour has ended


def _learn(learners: Sequence[Learner], x: Any,
           figures: list[Figures]) -> tuple[Any, list[Figures]]:
    value = torch.from_numpy(x)
    for learner in learners:
        value, figure = learner.learn(value)
        figures.append(figure)
    return value.numpy(), figures


def _send(end: Connection, kind: str, content: Any) -> None:
    end.send_bytes(pickle.dumps((kind, content), _PROTOCOL))


def _receive(end: Connection) -> tuple[str, Any]:
    message: tuple[str, Any] = pickle.loads(end.recv_bytes())
    return message
