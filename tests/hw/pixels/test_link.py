"""Networks that take pictures pixel by pixel, behind the serial line."""

import re

import pytest

from bitwright.hw.link.emulator import Emulator
from bitwright.hw.link.protocol import Request, encode_request
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.link.simulated import Simulated
from bitwright.hw.plan import Plan, PlanError
from tests.hw.pixels.pictures import network, pictures, sure

STREAMED = {"conv": {"way": "streamed"}}


@pytest.mark.parametrize(("subject", "plan"), [
    (network(frames=3), Plan(lanes=2, replay="sent", nodes=STREAMED)),
    (sure(), Plan(lanes=1, early_exit=True, nodes=STREAMED)),
])
def test_the_design_answers_like_the_emulator(subject, plan):
    """Where pictures are sent again, the memory of the link does that, and the host nothing."""
    x = pictures(subject, 3)
    layout = plan.layout(subject)
    data = b"".join(encode_request(Request.INFER, number, layout.sample(row))
                    for number, row in enumerate(x.tolist()))
    assert len(data) == 3 * (8 + subject.features)
    wanted = Emulator(subject, plan).receive(data)
    assert len(wanted) == 3 * (8 + layout.result_bytes)
    assert Simulated(subject, plan).receive(data) == wanted


def test_video_is_for_no_line():
    message = ("Plan key 'input' must be 'samples' behind a serial line, which carries no video; a "
               "build with --stop-after verilog makes the block alone")
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        SerialTop(network(), Plan(input="video", lanes=2), 1e6, 1e5)
