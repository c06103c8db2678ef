"""Operators of flip backpropagation: by hand, by brute force, and the fast path against them."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright.model.rules.flip import votes
from bitwright.model.thresholds import cuts
from tests.reference.flip import modules, operators
from tests.reference.flip.words import occupied, pack, popcount, random_words, unpack

PUBLISHED = {1: [0], 3: [-0.67, 0, 0.67], 7: [-1.15, -0.67, -0.32, 0, 0.32, 0.67, 1.15]}


def generator_of(seed):
    return torch.Generator().manual_seed(seed)


def bits_of(shape, seed):
    return torch.randint(2, shape, generator=generator_of(seed))


def test_words_by_hand():
    bits = torch.tensor([1, 0, 1, 1, 0, 0, 0, 0, 0, 1])
    assert pack(bits).tolist() == [0b1101, 0b10]
    assert unpack(torch.tensor([0b1101, 0b10], dtype=torch.uint8), 10).tolist() == bits.tolist()
    assert occupied(10).tolist() == [255, 3]
    assert popcount(torch.tensor([[255, 3], [0, 1]], dtype=torch.uint8)).tolist() == [10, 1]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 20])
def test_words_survive_packing(n):
    bits = bits_of((3, 2, n), n)
    words = pack(bits)
    assert words.shape == (3, 2, -(-n // 8))
    assert torch.equal(unpack(words, n).long(), bits)
    assert torch.equal(popcount(words), bits.sum(-1))


def test_random_words_are_ones_as_often_as_asked():
    torch.manual_seed(0)
    for suppressor in range(5):
        words = random_words((4000,), suppressor, torch.Generator())
        share = unpack(words, 32000).float().mean().item()
        assert share == pytest.approx(2.0**-suppressor, abs=0.01)


@pytest.mark.parametrize("depth", PUBLISHED)
def test_cuts_are_those_published(depth):
    assert cuts(depth).tolist() == pytest.approx(PUBLISHED[depth], abs=0.006)


def test_binarize_and_its_gradient_by_hand():
    x = torch.tensor([[-1.0, 0.5], [0.0, 2.0]])
    levels = torch.tensor([-0.5, 0.5])
    bits = operators.binarize(x, levels)
    # A value on a threshold is not above it.
    assert unpack(bits, 2).tolist() == [[[0, 1], [0, 0]], [[1, 1], [0, 1]]]
    flips = pack(torch.tensor([[[1, 1], [0, 1]], [[1, 0], [1, 0]]]))
    # Bit 0 that should be a 1: -1. Bit 1 that should be a 0: +1.
    pull = torch.tensor([[-1.0, 1 - 1], [1 - 1, 0.0]])
    gradient = operators.binarize_backward(flips, bits, 2)
    assert torch.allclose(gradient, pull / pull.std())
    assert gradient.std() == pytest.approx(1.0)


def test_gradient_of_no_flips_is_zero():
    bits = pack(bits_of((4, 3, 5), 0))
    assert operators.binarize_backward(torch.zeros_like(bits), bits, 5).abs().max() == 0
    assert operators.grad_of_flips(torch.tensor([[3.0]])).tolist() == [[3.0]]  # no deviation


def test_popcount_counts_no_pad_bits():
    h = pack(torch.ones(1, 3, 1, 4))
    assert operators.popcount_normalize(h, 4).item() == pytest.approx(6 / 3**0.5)
    x, w = pack(torch.zeros(4)), pack(torch.zeros(4))
    assert operators.xnor(x, w, 4).tolist() == [0b1111]


def test_popcount_backward_by_hand():
    h = pack(torch.tensor([1, 0, 1, 0, 0]).expand(1, 2, 3, 5))
    flips = operators.popcount_backward(torch.tensor([[-0.1, 2.0, 0.0]]), h, 5)
    # Falling loss where the count rises: all bits to 1; the other way round: to 0; none: as is.
    expected = [[0, 1, 0, 1, 1], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert unpack(flips, 5).tolist() == [[expected, expected]]


def test_pnb_by_brute_force():
    h = bits_of((6, 3, 5, 9), 1)
    levels = cuts(3)
    out = unpack(operators.pnb(pack(h), levels, 9), 5)
    flips = bits_of((6, 3, 5), 2)
    back = unpack(operators.pnb_backward(pack(flips), pack(out), pack(h), 9), 9)
    for b, o in itertools.product(range(6), range(5)):
        ones = int(h[b, :, o].sum())
        bits = [int(ones > 27 / 2 + float(level) * (27 / 4) ** 0.5) for level in levels]
        assert out[b, :, o].tolist() == bits
        pull = sum((2 * bit - 1) * int(flip) for bit, flip in zip(bits, flips[b, :, o],
                                                                 strict=True))
        for d, i in itertools.product(range(3), range(9)):
            wish = int(h[b, d, o, i]) if pull == 0 else int(pull < 0)
            assert back[b, d, o, i] == int(wish != h[b, d, o, i])


def test_xnor_backward_allows_for_the_other_operand():
    old, new = pack(torch.tensor([0, 0, 1, 1])), pack(torch.tensor([0, 1, 0, 1]))
    flips = pack(torch.tensor([1, 1, 0, 0]))
    assert torch.equal(operators.xnor_backward(flips), flips)
    assert unpack(operators.xnor_backward(flips, old, new), 4).tolist() == [1, 0, 1, 0]


GATES = [(operators.and_gate, operators.and_backward, min),
         (operators.or_gate, operators.or_backward, max)]


def rows_of_all(count):
    """Every combination of ``count`` bits: as many packed rows, and the combinations."""
    cases = list(itertools.product([0, 1], repeat=count))
    return [pack(torch.tensor(row)) for row in zip(*cases, strict=True)], cases


@pytest.mark.parametrize(("gate", "backward", "by_hand"), GATES)
def test_gates_wish_of_each_input_what_is_wished_of_the_output(gate, backward, by_hand):
    (x, y, flips), cases = rows_of_all(3)
    out, x_flips, y_flips = gate(x, y), backward(flips, x, y), backward(flips, y, x)
    assert unpack(out, 8).tolist() == [by_hand(a, b) for a, b, _ in cases]
    for (a, b, flip), x_flip, y_flip in zip(cases, unpack(x_flips, 8).tolist(),
                                            unpack(y_flips, 8).tolist(), strict=True):
        wish = by_hand(a, b) ^ flip
        assert (x_flip, y_flip) == ((a != wish, b != wish) if flip else (0, 0))
    # Together they do what was asked for.
    assert torch.equal(gate(x ^ x_flips, y ^ y_flips), out ^ flips)


@pytest.mark.parametrize(("gate", "backward", "by_hand"), GATES)
def test_gates_allow_for_the_other_operand(gate, backward, by_hand):
    (x, old, new, flips), cases = rows_of_all(4)
    left = operators.xnor_backward(flips, gate(x, old), gate(x, new))
    x_flips = unpack(backward(left, x, new), 16).tolist()
    for (a, before, after, flip), x_flip in zip(cases, x_flips, strict=True):
        wish = by_hand(a, before) ^ flip
        assert x_flip == (by_hand(a, after) != wish and a != wish)


@pytest.mark.parametrize(("gate", "backward", "by_hand"), GATES)
def test_gates_leave_pad_bits_alone(gate, backward, by_hand):
    ones, zeros = pack(torch.ones(5)), pack(torch.zeros(5))
    for x, y in itertools.product([ones, zeros], repeat=2):
        assert int(gate(x, y) | backward(ones, x, y)) < 32


@pytest.mark.parametrize(("least", "expected"), [(0.5, [0, 0, 1]), (0.02, [0, 1, 1])])
def test_vote_by_hand(least, expected):
    flips = pack(torch.tensor([[0, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1]]))
    # Votes 0, 2, 4 of 4: the mean is 2, as is half of them. Then 0, 2, 4 and a mean of 1.5.
    votes_for = unpack(operators.vote(flips, 0, 3, least), 3).tolist()
    assert votes_for == [0, 0, 1]
    more = pack(torch.tensor([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0]]))
    assert unpack(operators.vote(more, 0, 4, least), 4).tolist() == [*expected, 0]


def test_binary_tensor_collects_votes_and_flips():
    weight = modules.BinaryTensor(pack(torch.tensor([[0, 1, 0, 1, 1]])), 5)
    weight.backward(pack(torch.tensor([[1, 1, 0, 0, 0]])))
    weight.backward(pack(torch.tensor([[1, 0, 0, 0, 0]])))
    # 2, 1, 0, 0, 0 votes of 2: the mean is 0.6.
    assert unpack(weight.update(), 5).tolist() == [[1, 1, 0, 0, 0]]
    assert unpack(weight.forward(), 5).tolist() == [[1, 0, 0, 1, 1]]
    weight.backward(pack(torch.tensor([[1, 0, 0, 0, 0]])))
    weight.update(inverted=True)
    assert unpack(weight.forward(), 5).tolist() == [[1, 1, 1, 0, 0]]
    assert int(weight.forward()[0, 0]) < 32  # no pad bit has been flipped


def test_suppressor_permits_its_share():
    torch.manual_seed(1)
    flips = torch.ones(40, 1000)
    flips[:, ::2] = 0
    shares = []
    for suppressor in range(4):
        weight = modules.BinaryTensor(pack(torch.zeros(40, 1000)), 1000)
        weight.backward(pack(flips))
        shares.append(unpack(weight.update(suppressor), 1000).float().mean().item())
    assert shares == pytest.approx([0.5, 0.25, 0.125, 0.0625], abs=0.01)


def packed_weights(bits, depth):
    """Our rows of i * D + d to the report's (d, o, i)."""
    neurons = len(bits)
    return pack(bits.reshape(neurons, -1, depth).permute(2, 0, 1).contiguous())


def rows_of(words, n):
    """The report's (d, o, i) to our rows of i * D + d."""
    bits = unpack(words, n)
    return bits.permute(1, 2, 0).reshape(bits.shape[1], -1)


def signs_of(bits):
    return bits.float() * 2 - 1


def columns(words, n):
    """Packed bits (b, d, i) to ours, shape (i * D + d, b)."""
    return unpack(words, n).permute(2, 1, 0).reshape(-1, len(words))


@pytest.mark.parametrize("seed", range(5))
def test_votes_of_a_weight_are_those_of_the_packed_flips(seed):
    depth, n, neurons, batch = 1 + seed % 3, 11, 6, 17
    bits = bits_of((neurons, n * depth), seed)
    module = modules.XnorWeight(packed_weights(bits, depth), n)
    x_old = pack(bits_of((batch, depth, n), seed + 10))
    x_new = pack(bits_of((batch, depth, n), seed + 20))
    gradient = torch.randint(-1, 2, (batch, neurons), generator=generator_of(seed + 30)).float()
    flips = operators.popcount_backward(gradient, module.forward(x_old), n)
    targets, weights = -gradient.T, signs_of(bits)
    old, new = signs_of(columns(x_old, n)), signs_of(columns(x_new, n))

    passed_on = module.backward(flips, x_old)
    fast = operators.over_threshold(votes.flips_of_inputs(targets, weights, old), neurons, 0.5)
    assert torch.equal(columns(passed_on, n).bool(), fast)

    module.update(x_new)
    count = votes.flips_of_weights(targets, weights, new, old)
    mask = operators.over_threshold(count, batch, 0.5)
    assert mask.any()
    assert not mask.all()
    assert torch.equal(rows_of(module.weight.words, n).long(), bits ^ mask.long())


@pytest.mark.parametrize("seed", range(5))
def test_what_is_left_to_do_after_the_weights_have_changed(seed):
    depth, n, neurons, batch = 1 + seed % 3, 9, 7, 12
    bits = bits_of((neurons, n * depth), seed)
    module = modules.XnorWeight(packed_weights(bits, depth), n)
    x = pack(bits_of((batch, depth, n), seed + 10))
    gradient = torch.randint(-1, 2, (batch, neurons), generator=generator_of(seed + 30)).float()
    flips = operators.popcount_backward(gradient, module.forward(x), n)
    passed_on = module.backward_weight_first(flips, x)
    after = rows_of(module.weight.words, n)
    assert not torch.equal(after.long(), bits)
    count = votes.flips_of_inputs(-gradient.T, signs_of(after), signs_of(columns(x, n)),
                                  signs_of(bits))
    assert torch.equal(columns(passed_on, n).bool(),
                       operators.over_threshold(count, neurons, 0.5))


def test_wishes_by_brute_force():
    weights = signs_of(bits_of((5, 8), 0))
    x = signs_of(bits_of((8, 13), 1))
    targets = torch.randint(-1, 2, (5, 13), generator=generator_of(2)).float()
    wishes = votes.wishes_of_inputs(targets, weights).sign()
    count = votes.wishes_of_weights(targets, weights, x, centred=False)
    for i, b in itertools.product(range(8), range(13)):
        wanted = [float(weights[o, i] * targets[o, b]) for o in range(5) if targets[o, b]]
        assert wishes[i, b] == np.sign(sum(wanted))
    for o, i in itertools.product(range(5), range(8)):
        flip = sum(targets[o, b] == -weights[o, i] * x[i, b] for b in range(13))
        keep = sum(targets[o, b] == weights[o, i] * x[i, b] for b in range(13))
        assert count[o, i] == flip - keep


def test_centred_wishes_leave_out_a_constant_input():
    weights, x = signs_of(bits_of((5, 8), 0)), signs_of(bits_of((8, 13), 1))
    x[3] = 1
    targets = torch.randint(-1, 2, (5, 13), generator=generator_of(2)).float()
    plain = votes.wishes_of_weights(targets, weights, x, centred=False)
    centred = votes.wishes_of_weights(targets, weights, x, centred=True)
    assert plain[:, 3].abs().max() > 0
    assert centred[:, 3].abs().max() < 1e-4
    mean, deviation = x.mean(1, keepdim=True), x.std(1, unbiased=False) + votes.FLOOR
    expected = -weights * (targets @ (x - mean).T) / deviation
    assert torch.allclose(centred, expected, atol=1e-5)


def test_highest_takes_at_most_its_share():
    counts = torch.tensor([[5.0, 1.0, 4.0, 9.0], [2.0, 0.0, 3.0, 7.0]])
    assert votes.highest(counts, 0.25).tolist() == [[False, False, False, True],
                                                    [False, False, False, True]]
    assert votes.highest(counts, 1.0).all()
    assert not votes.highest(torch.ones(3, 4), 0.5).any()  # a draw: nobody is above the quantile


def test_modules_agree_with_each_other():
    n, depth, neurons = 10, 3, 8
    words = packed_weights(bits_of((neurons, n * depth), 0), depth)
    x = pack(bits_of((20, depth, n), 1))
    counts = modules.BMA(words, n)
    bits = modules.BMAB(words, n, 3)
    z = counts.forward(x)
    assert torch.equal(bits.forward(x), operators.binarize(z, cuts(3)))
    # A flip of every bit of an output is a gradient of its count that pushes it to the middle.
    everything = pack(torch.ones(20, 3, neurons))
    pull = (2 * unpack(bits.forward(x), neurons).float() - 1).sum(1)
    assert torch.equal(bits.backward(everything, x), counts.backward(pull, x))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 77])
def test_permitted_flips_are_the_bits_of_random_words(n):
    generators = [torch.Generator().manual_seed(n) for _ in range(2)]
    words = random_words((5, -(-n // 8)), 2, generators[0])
    permitted = votes.permitted((5, n), 2, generators[1])
    assert permitted.dtype == torch.bool
    assert torch.equal(permitted, unpack(words, n).bool())
