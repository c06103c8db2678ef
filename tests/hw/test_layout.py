"""Bytes of samples and results."""

import re
from dataclasses import replace

import pytest

from bitwright.hw.layout import Layout
from tests.networks import network

NARROW = Layout(features=5, lanes=2, bits=8, signed=False, classes=3, score_bytes=1)
WIDE = Layout(features=2, lanes=1, bits=12, signed=True, classes=300, score_bytes=2)


def test_features_by_hand():
    assert NARROW.pack_features([1, 2, 3, 4, 255]) == [0x0201, 0x0403, 0x00FF]
    assert WIDE.pack_features([-2, 0x123]) == [0xFFFE, 0x0123]
    assert WIDE.sample([-2, 0x123]) == bytes.fromhex("feff2301")


def test_copies_by_hand():
    """Each begins with a beat of its own; the link carries one."""
    thrice = replace(NARROW, copies=3)
    assert thrice.pack_features([1, 2, 3, 4, 5]) == 3 * [0x0201, 0x0403, 0x0005]
    assert (thrice.beats, thrice.sample_bytes) == (9, 5)


def test_results_by_hand():
    assert NARROW.unpack_result(0xFF_02_01_02) == (2, (1, 2, -1))
    assert NARROW.unpack_result(bytes.fromhex("020102ff")) == (2, (1, 2, -1))
    assert NARROW.pack_result(2, (1, 2, -1)) == bytes.fromhex("020102ff")
    answer = 258, tuple(range(-150, 150))
    assert WIDE.unpack_result(WIDE.pack_result(*answer)) == answer
    assert WIDE.pack_result(*answer)[:4] == bytes.fromhex("02016aff")


def test_beats_of_results_by_hand():
    """Bytes of a beat, beats, bytes of the last, and whether it is told which bytes count."""
    def of(layout):
        return (layout.result_beat_bytes, layout.result_beats, layout.last_beat_bytes,
                layout.result_keep)

    def cut(size):
        return of(replace(NARROW, wanted_beat_bytes=size))

    assert (NARROW.result_bytes, WIDE.result_bytes) == (4, 602)
    assert of(NARROW) == (4, 1, 4, False)
    assert of(WIDE) == (64, 10, 26, True)
    assert of(replace(WIDE, classes=31)) == (63, 1, 63, False)
    assert [cut(size) for size in (1, 2, 3, 4, 5)] == [
        (1, 4, 1, True), (2, 2, 2, True), (3, 2, 1, True), (4, 1, 4, False), (5, 1, 4, True)]


def test_layout_of_a_network():
    subject = network(4, signed=True)
    layout = Layout.of(subject, lanes=3)
    low, high = subject.score_range
    assert -128 <= low <= high <= 127
    assert layout == Layout(subject.features, 3, subject.modulate.bits, True, subject.classes, 1)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: NARROW.sample([0] * 4), "A sample must have 5 features, not 4"),
    (lambda: NARROW.sample([0, 0, 0, 0, 256]), "Features must be between 0 and 255, not 256"),
    (lambda: WIDE.sample([0, -2049]), "Features must be between -2048 and 2047, not -2049"),
    (lambda: NARROW.unpack_result(b"abc"), "A result must have 4 bytes, not 3"),
])
def test_refusals(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()
