"""Options of commands, and the plans that they make."""

import argparse
import re

import pytest

from bitwright.hw.arguments import add_pictures, pictures
from bitwright.hw.plan import Plan, PlanError
from tests.hw.pixels.pictures import network


def planned(*options, plan=None):
    parser = argparse.ArgumentParser()
    add_pictures(parser)
    return pictures(parser.parse_args(options), plan or Plan(), network((3, 4, 2), frames=2))


def test_plans():
    assert planned() == Plan()
    assert planned("--video") == Plan(input="video", lanes=2)
    assert planned("--video", "4") == Plan(input="video", lanes=8)
    assert planned("--replay", "large", "--early-exit") == Plan(replay="large", early_exit=True)
    assert planned("--early-exit", "7") == Plan(early_exit=True, exit_lead=7)
    kept = Plan(lanes=4, input="video", replay="sent")
    assert planned(plan=kept) == kept


def test_what_does_not_go_together():
    message = ("Plan key 'early_exit' must be false where 'replay' is 'sent': whoever sends the "
               "pictures cannot know how many are wanted")
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        planned("--replay", "sent", "--early-exit")
