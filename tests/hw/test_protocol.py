"""The protocol in plain Python."""

import re

import pytest

from bitwright.hw.link.protocol import (
    ErrorCode,
    Identity,
    Parser,
    Reply,
    ReplyType,
    Request,
    commit_payload,
    crc,
    decode_reply,
    encode_reply,
    encode_request,
    load_payloads,
)

REPLY = Reply(ReplyType.RESULT, 7, b"\x01\x02\x03")
PACKET = encode_reply(REPLY)


def test_crc_check_value():
    """The check value that the catalogue of CRCs gives for CRC-16/IBM-3740."""
    assert crc(b"123456789") == 0x29B1


def test_a_request_by_hand():
    body = bytes.fromhex("01 07 0200 aabb")
    assert encode_request(Request.INFER, 7, b"\xaa\xbb") == (
        b"\xa5\x5a" + body + crc(body).to_bytes(2, "big"))


def test_reply_round_trip():
    assert decode_reply(PACKET) == REPLY


def test_every_flipped_bit_of_a_reply_is_noticed():
    for place in range(8 * len(PACKET)):
        damaged = bytearray(PACKET)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"^(Reply|CRC of the reply) must .*$"):
            decode_reply(bytes(damaged))


def test_parser_takes_any_slicing_and_skips_damage():
    error = Reply(ReplyType.ERROR, 1, bytes([ErrorCode.CRC]))
    damaged = PACKET[:-1] + b"\x00"
    line = b"noise\x5a" + PACKET + damaged + encode_reply(error) + PACKET[:5]
    for step in (1, 3, len(line)):
        parser = Parser()
        found = [reply for start in range(0, len(line), step)
                 for reply in parser.feed(line[start : start + step])]
        assert found == [REPLY, error]


def test_identity_round_trip():
    identity = Identity(b"12345678", b"abcdefgh", False, 70_000, 784, 12, True, 300, 2)
    assert Identity.from_bytes(identity.to_bytes()) == identity


def test_an_identity_by_hand():
    identity = Identity(b"12345678", b"abcdefgh", True, 0x10203, 784, 12, True, 300, 2)
    assert identity.to_bytes() == bytes.fromhex(
        "02 3132333435363738 6162636465666768 01 03020100 1003 8c 2c01 02")


def test_payloads_that_write_contents():
    image = bytes(range(256)) * 4
    assert load_payloads(image) == [bytes(4) + image[:508], b"\xfc\1\0\0" + image[508:1016],
                                    b"\xf8\3\0\0" + image[1016:]]
    # The check value that the catalogue of CRCs gives for CRC-32/ISO-HDLC.
    assert commit_payload(b"123456789", b"12345678") == (
        b"\x09\0\0\0" + bytes.fromhex("cbf43926")[::-1] + b"12345678")


@pytest.mark.parametrize(("call", "message"), [
    (lambda: encode_request(1, 256), "Sequence number must be between 0 and 255, not 256"),
    (lambda: encode_request(1, 0, bytes(65536)),
     "Payload must have at most 65535 bytes, not 65536"),
    (lambda: decode_reply(b"abc"), "Reply must have at least 8 bytes, not 3"),
    (lambda: decode_reply(b"\xa5\x5a" + PACKET[2:]), "Reply must begin with 5aa5, not a55a"),
    (lambda: decode_reply(PACKET + b"x"), "Reply must have 11 bytes, not 12"),
    (lambda: decode_reply(b"\x5a\xa5" + bytes(4) + crc(bytes(4)).to_bytes(2, "big")),
     "Type of the reply must be one of [129, 130, 131, 132, 255], not 0"),
    (lambda: Identity.from_bytes(b""), "An identity must have 28 bytes, not 0"),
    (lambda: Identity.from_bytes(b"\2" + bytes(14)), "An identity must have 28 bytes, not 15"),
    (lambda: Identity.from_bytes(b"\1" + bytes(14)),
     "the device speaks version 1 of the protocol, this program version 2"),
])
def test_refusals(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()
