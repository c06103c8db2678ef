"""The share that is routed, as nextpnr tells it, and shown on terminals only."""

import io

import pytest

from bitwright.hw.flow import progress
from bitwright.hw.flow.place import Watcher
from bitwright.hw.flow.progress import routing

FIRST = """Info: Routing..
Info: Setting up routing queue.
Info: Routing 2000 arcs.
Info:            |   (re-)routed arcs  |   delta    | remaining|       time spent     |
Info:    IterCnt |  w/ripup   wo/ripup |  w/r  wo/r |      arcs| batch(sec) total(sec)|
Info:       1000 |       90        909 |   90   909 |      1124|       0.21       0.21|
"""
SECOND = """Info: Running router2...
Info:     iter=1 wires=4000 overused=3000 overuse=5000 archfail=NA
Info:     iter=2 wires=4100 overused=410 overuse=500 archfail=NA
"""


@pytest.mark.parametrize(("log", "share"), [
    ("", 0.0),
    ("Info: Packing constants..\n", 0.0),
    ("Info: Routing 2000 arcs.\n", 0.0),
    (FIRST, 1 - 1124 / 2000),
    (FIRST + "Info:       2500 |       90       2000 |   90   909 |         0|  0.2  0.4|\n", 1.0),
    (SECOND, 0.9),
    ("Info:     iter=3 wires=10 overused=11 overuse=12 archfail=NA\n", 0.0),
])
def test_share_that_is_routed(log, share):
    told = [0.0]
    watcher = Watcher(told.append)
    assert [watcher(line) for line in log.splitlines()] == [None] * log.count("\n")
    assert told[-1] == pytest.approx(share)


@pytest.mark.parametrize(("attempts", "left", "stuck"), [
    (1000, 1700, False), (1001, 1600, False), (1001, 1601, True), (20000, 1, False),
    (20001, 1, True)])
def test_first_router_is_given_up(attempts, left, stuck):
    watcher = Watcher(lambda share: None)
    log = (f"Info: Routing 2000 arcs.\n"
           f"Info: {attempts:>10} | 90 2000 |   90   909 | {left:>9}|  0.2  0.4|")
    assert [watcher(line) for line in log.splitlines()] == [None, "stuck" if stuck else None]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_no_bar_where_nobody_watches(monkeypatch):
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    with routing() as tell:
        tell(0.5)
    assert stderr.getvalue() == ""


def test_one_bar_over_all_that_run(monkeypatch):
    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr(progress, "_PERIOD_S", 0.0)
    with routing() as first:
        first(0.9)
        assert "| 90 % routed, 00:0" in stderr.getvalue()
        with routing() as second:
            second(0.5)
            assert stderr.getvalue().rpartition("| ")[2].startswith("70 % routed, ")
        first(1.0)
        assert stderr.getvalue().rpartition("| ")[2].startswith("100 % routed, ")
    assert stderr.getvalue().endswith("\r")  # and nothing is left of it
    with routing():
        assert "place and route |          | 0 % routed" in stderr.getvalue()


def test_a_bar_is_not_drawn_for_every_line(monkeypatch):
    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    with routing() as tell:
        drawn = len(stderr.getvalue())
        for share in range(10):
            tell(share / 10)
        assert len(stderr.getvalue()) == drawn
