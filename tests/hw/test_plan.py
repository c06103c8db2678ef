"""The plan file: what it says, and what it refuses."""

import re

import numpy as np
import pytest

from bitwright import ir
from bitwright.hw.folding import Folded
from bitwright.hw.plan import Plan, PlanError
from bitwright.hw.rtl.layers import choose


def test_toml_round_trip():
    plan = Plan(lanes=4, levels_per_register=3, lut_size=6, result_beat_bytes=5,
                nodes={"b": {"way": "unrolled"}, "a": {"way": "folded", "cycles": 77}})
    assert Plan.from_toml(plan.to_toml()) == plan
    assert Plan.from_toml(Plan().to_toml()) == Plan()
    assert Plan.from_toml("") == Plan()


def test_text_by_hand():
    plan = Plan(nodes={"b": {"writable": True, "cycles": 3, "way": "folded"}, "a": {}})
    assert plan.to_toml() == """\
lanes = 1  # features in each beat of the input
levels_per_register = 2  # LUTs between two registers
lut_size = 4  # inputs of a LUT of the device
result_beat_bytes = 0  # bytes in each beat of a result; 0: all of it, or 64 of a longer one

[nodes.a]
way = "unrolled"

[nodes.b]
way = "folded"
cycles = 3
writable = true
"""
    assert plan.writable == {"b"}
    assert [plan.way(name) for name in ("a", "b", "c")] == ["unrolled", "folded", "unrolled"]


def test_digest_follows_the_content():
    plan = Plan(nodes={"b": {"way": "unrolled"}, "a": {"cycles": 3, "way": "folded"}})
    assert plan.digest == Plan(nodes={"a": {"way": "folded", "cycles": 3}, "b": {}}).digest
    assert plan == Plan(nodes={"a": {"way": "folded", "cycles": 3}, "b": {}})
    assert len({plan.digest, Plan().digest, Plan(lanes=2).digest, Plan(lut_size=6).digest,
                Plan(levels_per_register=1).digest, Plan(result_beat_bytes=1).digest,
                Plan(nodes={"a": {"way": "folded"}}).digest}) == 7


def test_pictures_keep_their_keys():
    """What is the default is left out, so that digests from before these keys hold."""
    plan = Plan(input="video", replay="large", request="large", early_exit=True, exit_lead=3)
    assert Plan.from_toml(plan.to_toml()) == plan
    assert plan.to_toml().splitlines()[4:] == [
        'input = "video"  # what ends with last: a sample, or a line of video',
        'replay = "large"  # where a picture comes from for all frames but the first',
        'request = "large"  # where a request of the serial line waits until it was found right',
        "early_exit = true  # whether a sample ends with the frame that decides",
        "exit_lead = 3  # lead that decides; 0: what all frames would decide"]
    assert len(Plan().to_toml().splitlines()) == 4


def test_byte_order_mark(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text("lanes = 3\n", encoding="utf-8-sig")
    assert Plan.load(path) == Plan(lanes=3)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_bytes(b"lanes = 3 # \xff\n")
    message = ("Plan is not TOML: 'utf-8' codec can't decode byte 0xff in position 12: invalid "
               "start byte")
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        Plan.load(path)


OLDER = ("is of an older form; write a table for each node instead, such as [nodes.xnor0] with "
         'way = "folded" and cycles = 1024')


@pytest.mark.parametrize(("text", "message"), [
    ("lane = 2", "Plan key 'lane' is unknown; the nearest is 'lanes'"),
    ("lanes = 0", "Plan key 'lanes' must be at least 1, not 0"),
    ("levels_per_register = -1", "Plan key 'levels_per_register' must be at least 1, not -1"),
    ("result_beat_bytes = -1", "Plan key 'result_beat_bytes' must be at least 0, not -1"),
    ("result_beat_bytes = 4097",
     "Plan key 'result_beat_bytes' must be at most 4096, not 4097"),
    ("lanes = 1.5", "Plan key 'lanes' must be an integer, not 1.5"),
    ("lanes = true", "Plan key 'lanes' must be an integer, not True"),
    ("lut_size = 3", "Plan key 'lut_size' must be one of (4, 5, 6), not 3"),
    ("fold_cycles = 0", f"Plan key 'fold_cycles' {OLDER}"),
    ("[realisations]\nlut0 = 'folded'", f"Plan key 'realisations' {OLDER}"),
    ("input = 'vide'", ("Plan key 'input' must be one of ('samples', 'video'), not 'vide'; the "
                        "nearest is 'video'")),
    ("replay = 3", ("Plan key 'replay' must be one of ('block', 'large', 'sent'), not 3; the "
                    "nearest is 'sent'")),
    ("request = 'sent'", ("Plan key 'request' must be one of ('block', 'large'), not 'sent'; the "
                          "nearest is 'large'")),
    ("early_exit = 1", "Plan key 'early_exit' must be true or false, not 1"),
    ("early_exit = true\nreplay = 'sent'", (
        "Plan key 'early_exit' must be false where 'replay' is 'sent': whoever sends the pictures "
        "cannot know how many are wanted")),
    ("exit_lead = 2", "Plan key 'exit_lead' must be 0 where 'early_exit' is false, not 2"),
    ("early_exit = true\nexit_lead = -1", "Plan key 'exit_lead' must be at least 0, not -1"),
    ("nodes = 1", "Plan key 'nodes' must be a table, not 1"),
    ("nodes.a = 1", "Plan key 'nodes.a' must be a table, not 1"),
    ("nodes.B.way = 'folded'", ("Plan key 'nodes' must have names of nodes, which match "
                               "[a-z][a-z0-9_]*, not 'B'")),
    ("nodes.a.way = 1", "Plan key 'nodes.a.way' must be a string, not 1"),
    ("nodes.a.cycles = 1.5", ("Plan key 'nodes.a.cycles' must be an integer, true, false or a "
                             "string, not 1.5")),
])
def test_refusals(text, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        Plan.from_toml(text)


XNOR = ir.Entry("xnor0", ir.Xnor(np.ones((2, 3), bool), np.ones((2, 1), np.int32)), ("modulate",))


@pytest.mark.parametrize(("table", "message"), [
    ("way = 'foldd'", ("Plan key 'nodes.xnor0.way' must be one of ('folded', 'unrolled') for a "
                      "'xnor' node, not 'foldd'; the nearest is 'folded'")),
    ("way = 'folded'\ncycle = 3", ("Plan key 'nodes.xnor0.cycle' is unknown to the way 'folded'; "
                                  "the nearest is 'cycles'")),
    ("cycles = 3", "Plan key 'nodes.xnor0.cycles' is unknown to the way 'unrolled'"),
    ("way = 'folded'\ncycles = true", "Plan key 'nodes.xnor0.cycles' must be an integer, not True"),
    ("way = 'folded'\nwritable = 1", ("Plan key 'nodes.xnor0.writable' must be true or false, "
                                     "not 1")),
    ("way = 'folded'\ncycles = 0", "Plan key 'nodes.xnor0.cycles' must be at least 1, not 0"),
])
def test_refusals_of_a_node(table, message):
    plan = Plan.from_toml(f"[nodes.xnor0]\n{table}\n")
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        choose(XNOR, plan)


def test_settings_of_a_node():
    plan = Plan.from_toml("[nodes.xnor0]\nway = 'folded'\ncycles = 7\n")
    assert choose(XNOR, plan).settings == Folded(cycles=7, writable=False)


def test_a_table_for_no_node_is_refused():
    plan = Plan(nodes={"xnor1": {"way": "folded"}})
    with pytest.raises(PlanError, match=r"^Plan key 'nodes\.xnor1' names no node; the nearest is "
                                        r"'xnor0'$"):
        plan.check(["modulate", "xnor0"])


def test_text_that_is_not_toml():
    with pytest.raises(PlanError, match=r"^Plan is not TOML: .*line 1.*$"):
        Plan.from_toml("lanes 2")


def test_levels_of_a_table():
    assert [Plan().levels(k) for k in (1, 4, 5, 6, 8)] == [1, 1, 2, 3, 5]
    assert [Plan(lut_size=6).levels(k) for k in (1, 6, 8)] == [1, 1, 3]
