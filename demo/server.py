"""The page over HTTP: three addresses, for a browser on this machine."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import numpy as np

from bitwright.demo import samples, view
from bitwright.demo.backends import Backend
from bitwright.demo.samples import RequestError, Sample
from bitwright.errors import UserError

__all__ = ["MAX_BYTES", "Server"]

logger = logging.getLogger(__name__)

MAX_BYTES = 16 << 20
"""Bytes of what a request brings."""

PATIENCE_S = 30
"""How long a browser may be silent amid a request, in seconds."""

_INDEX = re.compile(r"\d{1,9}", re.ASCII)


class Server(ThreadingHTTPServer):
    """Serves the page of a network until it is told to stop.

    Parameters
    ----------
    address : tuple of str and int
        Where to listen; port 0 takes any that is free.
    viewed : Viewed
    backends : mapping from name to Backend
        Who can answer; the first is asked where the page names none, and shown first.

    Raises
    ------
    OSError
        If the address cannot be had.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], viewed: view.Viewed,
                 backends: Mapping[str, Backend]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.viewed = viewed
        self.backends = backends
        self.host = address[0]
        self.page = resources.files("bitwright.demo").joinpath("page.html").read_bytes()
        self.policy = _policy(self.page)
        self.description = {**view.describe(viewed), "backends": [
            {"name": name, "title": backend.title} for name, backend in backends.items()]}
        self._one = threading.Lock()  # a device answers one at a time
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the search for a name of this machine, which may take seconds."""
        if os.name == "posix":  # elsewhere it would let two programs have one port
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.host, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whatever a request broke; a browser that has gone is no error."""
        if isinstance(sys.exception(), ConnectionError):
            logger.debug("%s has gone", client_address)
        else:
            logger.exception("a request failed")

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.server_port}/"

    def knows(self, host: str | None) -> bool:
        """Whether a ``Host`` header is ours.

        A name that a stranger's server resolves to this machine is not: its pages could else read
        what we answer. An address in digits cannot be such a name.
        """
        try:
            name = urlsplit(f"//{host}").hostname if host else None
        except ValueError:
            return False
        if name in ("localhost", self.host.lower()):
            return True
        try:
            ipaddress.ip_address(name or "")
        except ValueError:
            return False
        return True

    def infer(self, sample: Sample, backend: str, frame: int) -> dict[str, Any]:
        """What the page shows of a sample.

        Raises
        ------
        UserError
            If there is no such backend or frame.
        """
        network = self.viewed.network
        if backend not in self.backends:
            raise RequestError(f"source must be one of {', '.join(self.backends)}, "
                               f"not {backend!r}")
        if not 0 <= frame < network.frames:
            raise RequestError(f"frame must be one of {network.frames}, not {frame}")
        shown = view.show(self.viewed, sample.features, frame)
        answer: dict[str, Any] = {"source": backend, "error": None}
        with self._one:
            start = time.perf_counter()
            try:
                decision, scores = self.backends[backend].infer(sample.features[0].tolist())
                answer |= view.answer(self.viewed, decision, list(scores))
            except (UserError, OSError) as error:
                answer["error"] = str(error)
            answer["seconds"] = time.perf_counter() - start
        golden = shown["golden"]
        answer["equal"] = answer["error"] is None and (
            (answer["decision"], answer["scores"]) == (golden["decision"], golden["scores"]))
        return {**shown, "answer": answer, "place": sample.place, "row": sample.row,
                "count": sample.count, "label": sample.label,
                "raw": _numbers(sample)}


def _numbers(sample: Sample) -> list[str] | None:
    """Raw numbers of a table, as text; a picture's are in its features."""
    if sample.raw is None or sample.raw.dtype.kind != "f":
        return None
    return ["" if np.isnan(value) else str(value).removesuffix(".0")
            for value in sample.raw.reshape(-1)]


def _policy(page: bytes) -> str:
    """Content security policy: the page's own script and style, our answers, and nothing else."""
    def own(tag: str) -> str:
        found = re.search(rf"<{tag}>(.*?)</{tag}>".encode(), page, re.DOTALL)
        assert found is not None
        return f"'sha256-{base64.b64encode(hashlib.sha256(found[1]).digest()).decode()}'"

    return (f"default-src 'none'; script-src {own('script')}; style-src {own('style')}; "
            "img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    @property
    def _own(self) -> Server:
        return cast(Server, self.server)

    def version_string(self) -> str:
        return "bitwright"

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def do_GET(self) -> None:
        if not self._ours():
            return
        path = urlsplit(self.path).path
        if path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", self._own.page)
        elif path == "/api/network":
            self._json(HTTPStatus.OK, self._own.description)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, f"there is no {path!r}")

    def do_POST(self) -> None:
        self.close_connection = True  # unless the whole body has been read
        if not self._ours():
            return
        url = urlsplit(self.path)
        if url.path != "/api/infer":
            self._refuse(HTTPStatus.NOT_FOUND, f"there is no {url.path!r}")
            return
        length = self.headers.get("Content-Length", "")
        if not _INDEX.fullmatch(length):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "the request must say how long it is")
            return
        if int(length) > MAX_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                         f"a file may have {MAX_BYTES >> 20} MiB, not {int(length):,} bytes")
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return  # it broke off; nobody is there to be told
        self.close_connection = False
        try:
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            sample = self._sample(query, body)
            found = self._own.infer(sample, query.get("source", next(iter(self._own.backends))),
                                    _index(query, "frame"))
        except UserError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._json(HTTPStatus.OK, found)

    def _sample(self, query: Mapping[str, str], body: bytes) -> Sample:
        network = self._own.viewed.network
        if "example" in query:
            return samples.of_golden(network, _index(query, "example"))
        if "typed" in query:
            return samples.of_text(network, body)
        return samples.of_file(network, body, query.get("name", ""), _index(query, "row"))

    def _ours(self) -> bool:
        """Whether the request is for us and from our own page; it is answered otherwise."""
        host, origin = self.headers.get("Host"), self.headers.get("Origin")
        if not self._own.knows(host):
            self._refuse(HTTPStatus.FORBIDDEN, f"this server is not {host!r}")
            return False
        if origin is not None and origin != f"http://{host}":
            self._refuse(HTTPStatus.FORBIDDEN, f"no request from {origin!r} is answered")
            return False
        return True

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._json(status, {"error": message})

    def _json(self, status: HTTPStatus, content: object) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content))),
                            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
                            ("Referrer-Policy", "no-referrer"),
                            ("Content-Security-Policy", self._own.policy)):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def _index(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not _INDEX.fullmatch(text):
        raise RequestError(f"{name} must be a number from 0, not {text!r}")
    return int(text)
