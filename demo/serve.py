"""A page on which one draws a digit, drops a file, and sees every bit on the way to the answer."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright.command import guarded
from bitwright.errors import UsageError
from bitwright.locate import HELP, locate, name

if TYPE_CHECKING:
    from bitwright import ir
    from bitwright.demo.backends import Backend

__all__ = ["main"]

logger = logging.getLogger(__name__)

LISTEN = "127.0.0.1:8017"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitwright demo", description=__doc__)
    parser.add_argument("network", metavar="NETWORK", nargs="?", help=HELP)
    parser.add_argument("--listen", metavar="HOST:PORT", default=LISTEN,
                        help="where the page is served; port 0 takes any free one (default: "
                             "%(default)s, which no other machine reaches)")
    return parser


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host.strip("[]") or not port.isascii() or not port.isdigit() or (
            int(port) > 65535):
        raise UsageError(f"--listen must be HOST:PORT, such as {LISTEN}, not {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


@contextlib.contextmanager
def _backends(args: argparse.Namespace, network: ir.Network, path: Path
              ) -> Iterator[dict[str, Backend]]:
    from bitwright.demo.backends import Evaluator

    yield {"evaluator": Evaluator(network)}


def _run(args: argparse.Namespace) -> int:
    from bitwright import ir
    from bitwright.demo.server import Server
    from bitwright.demo.view import Viewed

    address = _address(args.listen)
    path = locate(args.network)
    network = ir.load(path)
    with _backends(args, network, path) as backends:
        try:
            server = Server(address, Viewed.of(network, name(path)), backends)
        except OSError as error:
            raise UsageError(f"--listen {args.listen}: {error.strerror or error}; name another "
                             "port, or 0 for any") from error
        with server, contextlib.suppress(KeyboardInterrupt):
            if not _loopback(address[0]):
                logger.warning("everybody who reaches %s can use this page", args.listen)
            sys.stdout.write(f"{path}: {server.url} (Ctrl-C ends it)\n")
            sys.stdout.flush()
            server.serve_forever()
    return 0


def _loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    return guarded(lambda: _run(args))


if __name__ == "__main__":
    sys.exit(main())
