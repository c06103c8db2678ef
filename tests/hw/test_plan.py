"""The plan file: what it says, and what it refuses."""

import re

import pytest

from bitwright.hw.plan import Plan, PlanError


def test_toml_round_trip():
    plan = Plan(lanes=4, levels_per_register=3, lut_size=6,
                fold_cycles=77,
                realisations={"b": "unrolled", "a": "folded"})
    assert Plan.from_toml(plan.to_toml()) == plan
    assert Plan.from_toml(Plan().to_toml()) == Plan()
    assert Plan.from_toml("") == Plan()


def test_digest_follows_the_content():
    plan = Plan(realisations={"b": "unrolled", "a": "unrolled"})
    assert plan.digest == Plan(realisations={"a": "unrolled", "b": "unrolled"}).digest
    assert len({plan.digest, Plan().digest, Plan(lanes=2).digest, Plan(lut_size=6).digest,
                Plan(levels_per_register=1).digest, Plan(fold_cycles=2).digest}) == 6


@pytest.mark.parametrize(("text", "message"), [
    ("lane = 2", "Plan key 'lane' is unknown; the nearest is 'lanes'"),
    ("lanes = 0", "Plan key 'lanes' must be at least 1, not 0"),
    ("levels_per_register = -1", "Plan key 'levels_per_register' must be at least 1, not -1"),
    ("lanes = 1.5", "Plan key 'lanes' must be an integer, not 1.5"),
    ("lanes = true", "Plan key 'lanes' must be an integer, not True"),
    ("lut_size = 3", "Plan key 'lut_size' must be one of (4, 5, 6), not 3"),
    ("realisations = 1", "Plan key 'realisations' must be a table, not 1"),
    ("fold_cycles = 0", "Plan key 'fold_cycles' must be at least 1, not 0"),
    ("[realisations]\nlut0 = 'rolled'",
     "Plan key 'realisations.lut0' must be one of ('unrolled', 'folded'), not 'rolled'"),
])
def test_refusals(text, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        Plan.from_toml(text)


def test_text_that_is_not_toml():
    with pytest.raises(PlanError, match=r"^Plan is not TOML: .*line 1.*$"):
        Plan.from_toml("lanes 2")


def test_levels_of_a_table():
    assert [Plan().levels(k) for k in (1, 4, 5, 6, 8)] == [1, 1, 2, 3, 5]
    assert [Plan(lut_size=6).levels(k) for k in (1, 6, 8)] == [1, 1, 3]
