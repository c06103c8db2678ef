"""Candidates of learned wiring that are renewed: what is surveyed, what gives way, what stays."""

import pytest

torch = pytest.importorskip("torch")

from bitwright.model.layers import LutLayer
from bitwright.model.layers.lut import Settings
from bitwright.model.lookup import renewal, slope_matrix
from bitwright.model.wiring import Geometry


@pytest.fixture(autouse=True)
def _all_at_once(monkeypatch):
    monkeypatch.setattr(renewal, "PERIOD", 1)
    monkeypatch.setattr(renewal, "SHARE", 4)


def layer_of(seed=0, *, width=8, offered=8, **settings):
    generator = torch.Generator().manual_seed(seed)
    settings = Settings(width=width, fan_in=3, wiring="learnable", offered=offered, **settings)
    layer = LutLayer(Geometry.of((5, 4)), settings, generator=generator)
    x = torch.randint(2, (20, 13), generator=generator).double()
    weights = torch.randn(width, 13, generator=generator, dtype=torch.float64)
    return layer.double(), x, weights


def gains(layer, x, weights):
    """How much the loss would fall, by the definition, shape (nodes, fan_in, bits)."""
    slopes = slope_matrix(3, "efd").float().double()
    hits = (x[layer.sources].long() << torch.arange(3)[:, None]).sum(1)
    slope = torch.einsum("lab,nb->nla", slopes, layer.tables.detach() / 2)
    of_slots = slope.gather(2, hits.unsqueeze(1).expand(-1, 3, -1)) * weights.unsqueeze(1)
    return -of_slots @ (2 * (x - x.mean(1, keepdim=True))).T


def step(layer, x, weights):
    (layer(x) * weights).sum().backward()
    layer.constrain()


@pytest.mark.parametrize("cost", [0.0, 50.0])
@pytest.mark.parametrize("window", [0, 12])
@pytest.mark.parametrize("seed", range(2))
def test_the_least_preferred_give_way_to_what_helps_most(seed, window, cost):
    layer, x, weights = layer_of(seed, window=window, wire_cost=cost)
    allowed = ([set(row) for row in layer.renewal.allowed.tolist()] if window
               else [set(range(20))] * 8)
    sources, before = layer.sources, layer.candidates.tolist()
    liked = layer.preferences.detach().clone()
    behind = (liked - liked.amax(2, keepdim=True)).amax(1)
    gain = gains(layer, x, weights).amax(1)
    if cost:
        gain -= layer.costs
    step(layer, x, weights)
    assert torch.equal(layer.sources, sources)
    for node, (old, new) in enumerate(zip(before, layer.candidates.tolist(), strict=True)):
        gone = sorted(behind[node].argsort()[:2].tolist())
        assert [place for place in range(8) if old[place] != new[place]] == gone
        better = sorted(allowed[node] - set(old), key=lambda bit: -gain[node, bit])[:2]
        assert [new[place] for place in behind[node].argsort()[:2].tolist()] == better
        fresh = layer.preferences[node][:, gone]
        expected = liked[node].amax(1, keepdim=True) - renewal.BEHIND
        assert torch.equal(fresh, expected.expand(-1, 2))


def test_no_more_than_there_are():
    layer, x, weights = layer_of(offered=19)
    step(layer, x, weights)
    assert (layer.candidates.sort(1).values.diff(dim=1) > 0).all()


@pytest.mark.parametrize(("period", "expected"), [
    (3, [[0, 1], [2, 3, 4], [5, 6, 7]]),
    (10, [[], [0], [1], [2], [3], [], [4], [5], [6], [7]]),
])
def test_nodes_take_turns(period, expected, monkeypatch):
    monkeypatch.setattr(renewal, "PERIOD", period)
    layer, x, weights = layer_of()
    turns = []
    for _ in range(period):
        before = layer.candidates.clone()
        step(layer, x, weights)
        turns.append((layer.candidates != before).any(1).nonzero().flatten().tolist())
    assert turns == expected
    assert layer.renewal.turn == 0


@pytest.mark.parametrize("part", [1, 3])
def test_parts_of_a_layer_are_the_whole(part, monkeypatch):
    whole, x, weights = layer_of()
    step(whole, x, weights)
    layer, _, _ = layer_of()
    monkeypatch.setattr("bitwright.model.lookup.trees._CACHED", part * 13)
    step(layer, x, weights)
    assert torch.equal(layer.candidates, whole.candidates)


def test_only_a_step_renews():
    layer, x, weights = layer_of()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    with torch.no_grad():
        layer(x)
    layer.constrain()
    layer.eval()
    step(layer, x, weights)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_the_one_bit_that_tells_is_found(monkeypatch):
    monkeypatch.setattr(renewal, "PERIOD", 32)
    layer, _, _ = layer_of(offered=6)
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    assert (layer.candidates != 17).all(1).any()
    for _ in range(120):
        x = torch.randint(2, (20, 64), generator=generator).double()
        optimizer.zero_grad()
        (layer(x) - x[17]).square().sum().backward()
        optimizer.step()
        layer.constrain()
    assert (layer.sources == 17).any(1).all()
    x = torch.randint(2, (20, 64), generator=generator).double()
    assert torch.equal(layer(x), x[17].expand(8, -1))


def test_all_bits_are_offered_where_they_are_few():
    generator = torch.Generator().manual_seed(0)
    few, many = (LutLayer(Geometry.line(width), Settings(5, wiring="learnable"),
                          generator=generator) for width in (64, 65))
    assert few.renewal is None
    assert few.candidates is None
    assert many.renewal is not None
    assert many.candidates.shape == (5, 64)


@pytest.mark.parametrize(("settings", "message"), [
    ({"wiring": "random", "offered": 9}, r"^offered must be 0 where wiring is 'random', not 9$"),
    ({"offered": 5}, r"^offered must be at least 6, twice fan_in, not 5$"),
    ({"offered": -1}, r"^offered must be at least 6, twice fan_in, not -1$"),
])
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**{"width": 5, "fan_in": 3, "wiring": "learnable", **settings})
