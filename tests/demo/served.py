"""A page that is served to a test, and a browser's requests without a browser."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import numpy as np
from PIL import Image

from bitwright import ir
from bitwright.demo.backends import Backend, Evaluator
from bitwright.demo.server import Server
from bitwright.demo.view import Viewed
from bitwright.locate import ZOO

__all__ = ["ask", "digits", "flowers", "get", "png", "request", "serving"]


def digits() -> ir.Network:
    """Pictures of 8 x 8 pixels, ten classes, 100 golden vectors."""
    return ir.load(ZOO / "digits.safetensors")


def flowers() -> ir.Network:
    """Four measures in centimetres, three classes with names, 36 golden vectors."""
    return ir.load(ZOO / "iris.safetensors")


@contextlib.contextmanager
def serving(network: ir.Network, backends: Mapping[str, Backend] | None = None
            ) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Viewed.of(network, "test"),
                backends or {"evaluator": Evaluator(network)}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def request(server: Server, method: str, path: str, body: bytes | None = None,
            headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and content of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def get(server: Server, path: str) -> dict:
    status, _, content = request(server, "GET", path)
    assert status == 200
    return json.loads(content)


def ask(server: Server, body: bytes = b"", *, status: int = 200, **query: object) -> dict:
    """What the page is told about a sample, or its ``error``."""
    found, _, content = request(server, "POST", f"/api/infer?{urlencode(query)}", body)
    assert found == status, content
    return json.loads(content)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()
