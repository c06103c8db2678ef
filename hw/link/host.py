"""The host's end of the link: requests and their replies over an open serial port."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from bitwright.hw.layout import Layout
from bitwright.hw.link import protocol
from bitwright.hw.link.line import DeviceError, Line, LinkError, Port, error_code
from bitwright.hw.link.pipeline import Pipeline
from bitwright.hw.link.protocol import Identity, Reply, ReplyType, Request
from bitwright.hw.rate import FEWEST_CYCLES

__all__ = ["Answer", "DeviceError", "Host", "LinkError"]

Answer = tuple[int, tuple[int, ...]]
"""Class and scores."""

PATIENCE_S = 1.0
"""How long a host waits beyond the time that the bytes take: the device's timeout, the adapter, the
operating system."""


class Host:
    """Requests and their replies, as docs/link.md specifies.

    Parameters
    ----------
    port : Port
        An open ``serial.Serial``, or an emulator's. Its ``timeout`` is changed.
    layout : Layout
        Of the network that the device should have.
    cycles : int
        Cycles of the device's clock in a bit, if that is known.
    """

    def __init__(self, port: Port, layout: Layout, cycles: int = FEWEST_CYCLES) -> None:
        self._line = Line(port)
        self._layout = layout
        self._cycles = cycles
        self._sequence = 0
        longest = 2 * protocol.OVERHEAD + max(
            layout.sample_bytes + layout.result_bytes, protocol.IDENTITY_BYTES,
            2 * protocol.OFFSET_BYTES + protocol.LOAD_BYTES)
        self.patience_s = PATIENCE_S + 10 * longest / port.baudrate
        """Time from a request to the end of its reply after which there is none, in seconds."""
        self.repeated = 0
        """Requests of :meth:`stream` that were sent again, for the device was busy."""

    def identify(self) -> Identity:
        """Ask the device who it is.

        Raises
        ------
        LinkError, DeviceError
        """
        payload = self._ask(Request.IDENTIFY, b"")
        try:
            return Identity.from_bytes(payload)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def infer(self, features: Sequence[int]) -> Answer:
        """Class and scores of one sample.

        Raises
        ------
        LinkError, DeviceError
        ValueError
            If the features are not those of a sample.
        """
        return self._result(self._ask(Request.INFER, self._layout.sample(features)))

    def stream(self, samples: Sequence[Sequence[int]],
               window: int | None = None) -> Iterator[tuple[int, Answer | DeviceError]]:
        """Answers to many samples, sent ahead of their replies, so that the line is never idle.

        Nothing is sent twice but what the device did not take because it was busy.

        Parameters
        ----------
        samples : sequence of sequences of int
            Features of each.
        window : int, optional
            Most requests that are on their way at a time; 1 waits for each reply. Left out: as
            many as keep a line busy.

        Yields
        ------
        int, and Answer or DeviceError
            Place of the sample, and its answer or why there is none. Each once, in any order.

        Raises
        ------
        LinkError
            If host and device are out of step: samples are left without an answer, from its
            ``sample`` on.
        ValueError
            If the features are not those of a sample.
        """
        payloads = [self._layout.sample(sample) for sample in samples]
        pipeline = Pipeline(self._line, self._layout, self._cycles, self.patience_s, window,
                            self._next)
        try:
            for index, reply in pipeline.run(payloads):
                yield index, (reply if isinstance(reply, DeviceError)
                              else self._streamed(index, reply))
        finally:
            self.repeated += pipeline.repeated

    def _streamed(self, index: int, reply: Reply) -> Answer:
        try:
            return self._result(self._expect(reply, Request.INFER))
        except LinkError as error:
            raise LinkError(str(error), index) from error

    def load(self, image: bytes, digest: bytes,
             progress: Callable[[int], object] = lambda count: None) -> None:
        """Write contents. Before all are there and checked, the device gives no answers.

        Parameters
        ----------
        image : bytes
            As of :meth:`hw.contents.Contents.image`.
        digest : bytes
            First eight bytes of its digest, which the device tells from then on.
        progress : callable
            Told how many bytes have been written more.

        Raises
        ------
        LinkError, DeviceError
            It was not done. The old contents are lost unless nothing was written.
        """
        done = 0
        for payload in protocol.load_payloads(image):
            count = len(payload) - protocol.OFFSET_BYTES
            done += count
            self._written(self._ask(Request.LOAD, payload), done)
            progress(count)
        self._written(self._ask(Request.COMMIT, protocol.commit_payload(image, digest)), done)

    def _written(self, payload: bytes, wanted: int) -> None:
        found = int.from_bytes(payload, "little")
        if len(payload) != protocol.OFFSET_BYTES or found != wanted:
            raise LinkError(f"the device has written {found} bytes, not {wanted}")

    def _result(self, payload: bytes) -> Answer:
        try:
            return self._layout.unpack_result(payload)
        except ValueError as error:
            raise LinkError(str(error)) from error

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) % 256
        return self._sequence

    def _ask(self, request: Request, payload: bytes) -> bytes:
        """Payload of the reply to a request, the only one that is on its way."""
        sequence = self._next()
        deadline = time.monotonic() + self.patience_s
        self._line.send(protocol.encode_request(request, sequence, payload))
        while True:
            reply = self._line.receive(deadline)
            if reply is None:
                raise self._line.silence(request.name, self.patience_s)
            if reply.sequence == sequence:
                break
            # An error repeats the number as the device received it: damaged, it is nobody's.
            if reply.type != ReplyType.ERROR:
                raise LinkError(f"reply to request {reply.sequence}, not {sequence}")
        code = error_code(reply)
        if code is not None:
            raise DeviceError(code)
        return self._expect(reply, request)

    def _expect(self, reply: Reply, request: Request) -> bytes:
        if reply.type != request | 0x80:
            raise LinkError(f"{reply.type.name} in reply to {request.name}")
        return reply.payload
