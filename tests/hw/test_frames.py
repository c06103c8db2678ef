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
    crc,
    decode_reply,
    encode_reply,
    encode_request,
)

REPLY = Reply(ReplyType.RESULT, 7, b"\x01\x02\x03")
FRAME = encode_reply(REPLY)


def test_crc_check_value():
    """The check value that the catalogue of CRCs gives for CRC-16/IBM-3740."""
    assert crc(b"123456789") == 0x29B1


def test_a_request_by_hand():
    body = bytes.fromhex("01 07 0200 aabb")
    assert encode_request(Request.INFER, 7, b"\xaa\xbb") == (
        b"\xa5\x5a" + body + crc(body).to_bytes(2, "big"))


def test_reply_round_trip():
    assert decode_reply(FRAME) == REPLY


def test_every_flipped_bit_of_a_reply_is_noticed():
    for place in range(8 * len(FRAME)):
        damaged = bytearray(FRAME)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"^(Reply|CRC of the reply) must .*$"):
            decode_reply(bytes(damaged))


def test_parser_takes_any_slicing_and_skips_damage():
    error = Reply(ReplyType.ERROR, 1, bytes([ErrorCode.CRC]))
    damaged = FRAME[:-1] + b"\x00"
    line = b"noise\x5a" + FRAME + damaged + encode_reply(error) + FRAME[:5]
    for step in (1, 3, len(line)):
        parser = Parser()
        found = [reply for start in range(0, len(line), step)
                 for reply in parser.feed(line[start : start + step])]
        assert found == [REPLY, error]


def test_identity_round_trip():
    identity = Identity(b"12345678", 784, 12, True, 300, 2)
    assert Identity.from_bytes(identity.to_bytes()) == identity


@pytest.mark.parametrize(("call", "message"), [
    (lambda: encode_request(1, 256), "Sequence number must be between 0 and 255, not 256"),
    (lambda: encode_request(1, 0, bytes(65536)),
     "Payload must have at most 65535 bytes, not 65536"),
    (lambda: decode_reply(b"abc"), "Reply must have at least 8 bytes, not 3"),
    (lambda: decode_reply(b"\xa5\x5a" + FRAME[2:]), "Reply must begin with 5aa5, not a55a"),
    (lambda: decode_reply(FRAME + b"x"), "Reply must have 11 bytes, not 12"),
    (lambda: decode_reply(b"\x5a\xa5" + bytes(4) + crc(bytes(4)).to_bytes(2, "big")),
     "Type of the reply must be one of [129, 130, 255], not 0"),
    (lambda: Identity.from_bytes(b"x"), "An identity must have 15 bytes, not 1"),
])
def test_refusals(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()
