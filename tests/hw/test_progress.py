"""The share that is routed, as nextpnr tells it, and shown on terminals only."""

import io

import pytest

from bitwright.hw.flow import progress
from bitwright.hw.flow.progress import routed, routing

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
])
def test_share_that_is_routed(log, share):
    assert routed(log) == pytest.approx(share)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_no_bar_where_nobody_watches(monkeypatch, tmp_path):
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    with routing(tmp_path / "log"):
        (tmp_path / "log").write_text(FIRST)
    assert stderr.getvalue() == ""


def test_one_bar_over_all_that_run(monkeypatch, tmp_path):
    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr(progress, "_PERIOD_S", 0.01)
    shown = []
    monkeypatch.setattr(progress.tqdm, "refresh", lambda bar, *rest, **more: shown.append(bar.n))
    (tmp_path / "old").write_text(SECOND)  # of the last time
    with routing(tmp_path / "old"), routing(tmp_path / "other"):
        (tmp_path / "old").write_text(FIRST)
        (tmp_path / "other").write_text(SECOND)
        while len(shown) < 1000 and 100 * (0.9 + 0.438) / 2 not in [round(one, 6) for one in shown]:
            pass
    assert round(shown[-1], 6) <= 90
    assert 66.9 in [round(one, 6) for one in shown]
    assert "90 %" not in stderr.getvalue()[:40]
    assert not progress._bar._logs
