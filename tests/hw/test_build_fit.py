"""A design that does not fit is told by how much, because of what, and what helps."""

import re

import pytest

from bitwright import boards
from bitwright.hw.families import FAMILIES, Resources
from bitwright.hw.report import capacity
from bitwright.hw.report.resources import count, logic_cells
from bitwright.hw.report.results import Synthesised

BOARD = boards.get("icebreaker")
ICE40, ECP5 = FAMILIES["ice40"], FAMILIES["ecp5"]


def larger(cells, memories=0):
    """End of the message: the smallest boards with a serial port that hold it with some room."""
    names = [board.name for board in boards.BOARDS.values() if board.uart
             and 0.8 * board.part.luts >= cells and board.part.memories >= memories]
    return (f"boards that would hold it: {', '.join(names[:4])} and others (see `bitwright "
            "boards`)")


def parts(encoder=0, core=0, head=0, link=0, other=0, **of_core):
    return {"encoder": Resources(luts=encoder), "core": Resources(luts=core, **of_core),
            "head": Resources(luts=head), "link": Resources(luts=link),
            "other": Resources(luts=other)}


def check(name, cells, split, foldable=False):
    found = Synthesised("abc9", {}, split, sum(split.values(), Resources()), cells, "", "")
    capacity.check_fit(name, found, BOARD, foldable)


def refused(message):
    return pytest.raises(capacity.FitError, match=f"^{re.escape(message)}$")


def test_what_fits_is_let_through():
    check("n", 5280, parts(core=5280))


def test_core_is_too_large():
    with refused("mnist does not fit icebreaker: it needs 6,500 logic cells, there are 5,280 "
                 "(124 %); the largest part is the core (5,000 of 6,400 LUTs): train with fewer or "
                 "narrower layers, or fewer inputs a node; " + larger(6500)):
        check("mnist", 6500, parts(encoder=200, core=5000, head=1200))


def test_head_is_too_large():
    with refused("n does not fit icebreaker: it needs 5,281 logic cells, there are 5,280 (101 %); "
                 "the largest part is the head (5,000 of 5,281 LUTs): train with fewer bits a "
                 "class (a narrower last layer); " + larger(5281)):
        check("n", 5281, parts(core=281, head=5000))


def test_what_can_be_folded():
    with refused("n does not fit icebreaker: it needs 6,500 logic cells, there are 5,280 (124 %); "
                 "the largest part is the core (6,500 of 6,500 LUTs): fold what can be folded "
                 "(--fold CYCLES), or train with fewer or narrower layers, or fewer inputs a node; "
                 + larger(6500)):
        check("n", 6500, parts(core=6500), foldable=True)
    # Folded, it would need even more of these.
    with refused("n does not fit icebreaker: it needs 31 block RAMs, there are 30 (104 %); the "
                 "largest part is the core (31 of 31 block RAMs): train with fewer or narrower "
                 "layers, or fewer inputs a node; " + larger(120, 31)):
        check("n", 120, parts(core=20, memories=31), foldable=True)


def test_encoder_has_too_many_memories():
    split = parts(core=100)
    split["encoder"] = Resources(luts=20, memories=31)
    with refused("n does not fit icebreaker: it needs 31 block RAMs, there are 30 (104 %); the "
                 "largest part is the encoder (31 of 31 block RAMs): train with a lower depth, or "
                 "fewer features; " + larger(120, 31)):
        check("n", 120, split)


def test_flip_flops_are_blamed_where_they_are_the_cause():
    with refused("n does not fit icebreaker: it needs 9,000 logic cells, there are 5,280 (171 %); "
                 "the largest part is the core (9,000 of 9,000 flip-flops): train with fewer or "
                 "narrower layers, or fewer inputs a node; " + larger(9000)):
        check("n", 9000, parts(head=100, flip_flops=9000))


def test_no_board_is_large_enough():
    with refused("n does not fit icebreaker: it needs 100,000 logic cells, there are 5,280 "
                 "(1894 %); the largest part is the core (100,000 of 100,000 LUTs): train with "
                 "fewer or narrower layers, or fewer inputs a node; no board here is large "
                 "enough"):
        check("n", 100_000, parts(core=100_000))


def cell(kind, label=None, **connections):
    directions = {port: "output" if port in ("O", "Q") else "input" for port in connections}
    return {"type": kind, "attributes": {} if label is None else {"p": f"{label:032b}"},
            "connections": {port: [bit] for port, bit in connections.items()},
            "port_directions": directions}


def test_cells_are_counted_by_part():
    cells = {"a": cell("SB_LUT4", 1), "b": cell("SB_LUT4", 2), "c": cell("SB_DFFESR", 2),
             "d": cell("SB_CARRY", 2), "e": cell("SB_RAM40_4K", 1), "f": cell("SB_DFF"),
             "g": cell("SB_IO"), "h": cell("$scopeinfo")}
    assert count(cells, ICE40, "p", ("one", "two")) == {
        "one": Resources(luts=1, memories=1, memory_kbit=4),
        "two": Resources(luts=1, flip_flops=1, carries=1),
        "other": Resources(flip_flops=1)}


def test_unknown_cell_is_refused_rather_than_left_out():
    message = "Cell 'x' has the type 'SB_MAC16', which cannot be counted for ice40"
    with pytest.raises(ValueError, match=f"^{message}$"):
        count({"x": cell("SB_MAC16")}, ICE40, "p", ())


def test_flip_flop_shares_the_cell_of_its_lut():
    shared = {"lut": cell("SB_LUT4", I0=2, O=3), "ff": cell("SB_DFF", D=3, Q=4)}
    assert logic_cells(shared, ICE40) == 1
    # A LUT that drives something else as well cannot take the flip-flop in.
    assert logic_cells(shared | {"other": cell("SB_LUT4", I0=3, O=5)}, ICE40) == 3
    assert logic_cells({"ff": cell("SB_DFF", D=2, Q=4)}, ICE40) == 1


def test_ecp5_counts_carry_cells_as_luts():
    cells = {"a": cell("CCU2C"), "b": cell("LUT4"), "c": cell("TRELLIS_FF"), "d": cell("PFUMX")}
    assert logic_cells(cells, ECP5) == 3
