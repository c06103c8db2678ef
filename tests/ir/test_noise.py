"""Numbers of a register, and thresholds that are made of them."""

import dataclasses

import numpy as np
import pytest

from bitwright import ir
from bitwright.ir.noise import STATE_BITS


def by_hand(noise, count):
    """The same, bit by bit, as docs/format.md has it."""
    bits = [noise.start >> place & 1 for place in range(STATE_BITS)]
    while len(bits) < count * noise.bits * noise.summands:
        bits.append(bits[-64] ^ bits[-63] ^ bits[-61] ^ bits[-60])
    words = [sum(bit << place for place, bit in enumerate(bits[start : start + noise.bits]))
             for start in range(0, count * noise.bits * noise.summands, noise.bits)]
    return [sum(words[start : start + noise.summands])
            for start in range(0, len(words), noise.summands)]


@pytest.mark.parametrize("noise", [ir.Noise(0, 1), ir.Noise(1, 8), ir.Noise((1 << 31) - 1, 5, 4),
                                   ir.Noise(7, 16, 16)])
def test_numbers_are_those_of_the_page(noise):
    for count in (1, 3, 500):
        assert noise.numbers(count).tolist() == by_hand(noise, count)
    assert noise.numbers(500).max() <= noise.highest


def test_the_start_is_that_of_splitmix():
    """Its published first number for the seed 0."""
    assert ir.Noise(0, 1).start == 0xE220A8397B1DCDAF


def test_numbers_are_even_or_about_normal():
    even = ir.Noise(3, 4).numbers(32_000)
    assert np.abs(np.bincount(even, minlength=16) - 2000).max() < 200
    near = ir.Noise(3, 6, 4).numbers(32_000)
    assert abs(near.mean() - 4 * 31.5) < 1
    assert abs(near.std() - (4 * (64**2 - 1) / 12) ** 0.5) < 1
    assert abs(np.corrcoef(even[:-1], even[1:])[0, 1]) < 0.02


def modulator():
    return ir.Modulate.drawn(ir.Noise(5, 3), np.array([0, 4, 8]), 2, 6, 4)


def test_thresholds_and_their_file(tmp_path):
    node = modulator()
    numbers = node.noise.numbers(12).reshape(2, 6)
    for d, offset in enumerate((0, 4, 8)):
        assert (node.thresholds[:, :, d] == numbers + offset).all()
    assert node.offsets.tolist() == [0, 4, 8]
    network = ir.Network((ir.Entry("modulate", node, ("input",)),
                          ir.Entry("head", ir.GroupSum(18, 2), ("modulate",))))
    ir.save(tmp_path / "noise.safetensors", network)
    again = ir.load(tmp_path / "noise.safetensors")
    assert again.modulate == node
    assert again.modulate.noise == node.noise
    plain = dataclasses.replace(node, noise=None)
    assert plain != node
    assert "noise_bits" not in plain.parts()[0]


def test_thresholds_of_another_noise():
    changed = modulator().thresholds.copy()
    wanted = changed[1, 2, 1]
    changed[1, 2, 1] ^= 1
    with pytest.raises(ValueError, match=rf"^Threshold of frame 1, feature 2, depth 1 must be "
                                         rf"{wanted}, as the noise has it, not {wanted ^ 1}$"):
        dataclasses.replace(modulator(), thresholds=changed)
    with pytest.raises(ValueError, match=r"^Noise must be an ir.Noise, not 5$"):
        dataclasses.replace(modulator(), noise=5)


def test_numbers_out_of_range():
    for seed, bits, summands, message in (
            (-1, 1, 1, "Noise-seed must be between 0 and 2147483647, not -1"),
            (0, 0, 1, "Noise-bits must be between 1 and 16, not 0"),
            (0, 1, 17, "Noise-summands must be between 1 and 16, not 17")):
        with pytest.raises(ValueError, match=f"^{message}$"):
            ir.Noise(seed, bits, summands)
