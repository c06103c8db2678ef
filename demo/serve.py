"""A page on which one draws a digit, drops a file, and sees every bit on the way to the answer."""

from __future__ import annotations

import argparse
import contextlib
import errno
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bitwright import boards
from bitwright.answers.arguments import add_emulator, add_plan
from bitwright.command import guarded, positive
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
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", metavar="DEV",
                       help="also ask the board on this serial port, such as /dev/ttyUSB1")
    add_emulator(where)
    add_plan(parser)
    parser.add_argument("--baud", metavar="N", type=positive,
                        help="rate that the bitstream was built for (default: the board's)")
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
    """Who can answer: the device if there is one, which must have the network, and the model."""
    from bitwright.answers.board import (
        check_contents,
        check_structure,
        folder,
        load_plan,
        reached,
    )
    from bitwright.demo.backends import Device, Evaluator
    from bitwright.hw.contents import Contents
    from bitwright.hw.layout import Layout
    from bitwright.hw.link.host import Host
    from bitwright.hw.link.protocol import short

    evaluator: dict[str, Backend] = {"evaluator": Evaluator(network)}
    if args.port is None and args.emulate is None:
        yield evaluator
        return
    plan = load_plan(args.plan, args.build, path, args.board)
    _, cycles, opening = reached(args, network, plan, folder(args.build, path, args.board))
    title = "emulator" if args.port is None else f"{boards.label(args.board)} on {args.port}"
    with opening as port:
        host = Host(port, Layout.of(network), cycles)
        contents = Contents(network, plan)
        identity = host.identify()
        check_structure(identity, contents, path)
        check_contents(identity, short(contents.digest(network)), path)
        yield {"device": Device(title, host), **evaluator}


def _run(args: argparse.Namespace) -> int:
    from bitwright import ir
    from bitwright.demo.server import Server
    from bitwright.demo.view import Viewed

    address = _address(args.listen)
    if args.baud is not None and args.port is None:
        raise UsageError("--baud is the rate of a serial port, and --port names none")
    path = locate(args.network)
    network = ir.load(path)
    with _backends(args, network, path) as backends:
        try:
            server = Server(address, Viewed.of(network, name(path)), backends)
        except OSError as error:
            hint = "; name another port, or 0 for any" if error.errno == errno.EADDRINUSE else ""
            raise UsageError(f"--listen {args.listen}: {error.strerror or error}{hint}") from error
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
