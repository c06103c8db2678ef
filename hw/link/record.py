"""Contents in the flash that a board configures itself from: where they lie and what is written.

A record is the image, then what a COMMIT says of it (length, CRC-32, digest; see
:mod:`hw.link.protocol`), then a seal: a CRC-32, big endian, over the structure's eight bytes and
all before. So contents of another structure have a wrong seal, as have those in which a bit
changed. The structure itself is not in the record: the device knows its own.
"""

import binascii
import math

from bitwright import ir
from bitwright.hw.contents import Contents
from bitwright.hw.link.protocol import COMMIT_BYTES, commit_payload, short

__all__ = ["FASTEST_HZ", "OFFSET", "POLYNOMIAL", "SEAL_BYTES", "SECTOR", "TAIL_BYTES", "half",
           "load_s", "record", "seal"]

OFFSET = 0x80000
"""Byte of the flash that a record begins at: behind every bitstream for an iCE40 (135 kB at most,
and boot loaders put it a little higher up), and within the 1 MiB of the smallest flash."""

SECTOR = 0x10000
"""Bytes that programs erase at a time: a record that begins with one leaves all others alone."""

FASTEST_HZ = 12.5e6
"""Of the clock of the flash: every one keeps up with a plain read (command 03), and its answer has
40 ns to arrive in."""

POLYNOMIAL = 0x04C11DB7
"""Of the seal, highest bit first as the bits come out of a flash; it begins with ones."""

SEAL_BYTES = 4

TAIL_BYTES = COMMIT_BYTES + SEAL_BYTES
"""Bytes behind an image."""

WAKE_S = 50e-6
"""Pause behind the command that wakes a flash; they ask for 3 to 35 us."""

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def seal(data: bytes) -> int:
    """CRC-32 with the highest bit first, which is that of every library the other way round."""
    value = binascii.crc32(data.translate(_MIRRORED)) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)


def record(contents: Contents, network: ir.Network) -> bytes:
    """What is written into the flash at :data:`OFFSET`.

    Parameters
    ----------
    contents : Contents
        Of the structure that reads it.
    network : ir.Network
        That is to answer: of this structure.

    Raises
    ------
    ContentsError
        As :meth:`hw.contents.Contents.image` does.
    """
    image = contents.image(network)
    body = image + commit_payload(image, short(contents.digest(network)))
    return body + seal(short(contents.structure) + body).to_bytes(SEAL_BYTES, "big")


def half(clock_hz: float) -> int:
    """Clock cycles of half a period of the clock of the flash."""
    return math.ceil(clock_hz / (2 * FASTEST_HZ))


def load_s(size: int, clock_hz: float) -> float:
    """Seconds from the end of a reset until an image of so many bytes is loaded and checked."""
    return WAKE_S + 8 * (5 + size + TAIL_BYTES) * 2 * half(clock_hz) / clock_hz
