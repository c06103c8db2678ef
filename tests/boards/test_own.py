"""A board of one's own: a TOML file, a Platform class, pins on the command line, a part alone."""

import dataclasses
import re

import pytest
from amaranth.build import Platform

from bitwright import boards
from bitwright.boards import Lines
from bitwright.errors import UsageError
from bitwright.hw import families
from bitwright.hw.families import FAMILIES, PartError

GOOD = {
    "part": '"LFE5U-25F-6BG381C"',
    "clock": '{ pin = "P3", mhz = 25 }',
    "uart": '{ rx = "H18", tx = "J17" }',
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes a file with some keys instead of, or beside, those of a good one, and loads it."""
    monkeypatch.chdir(tmp_path)

    def load(**changes):
        lines = [f"{key} = {value}" for key, value in {**GOOD, **changes}.items()
                 if value is not None]
        (tmp_path / "my.toml").write_text("\n".join(lines), "utf-8")
        return boards.get("my.toml")
    return load


def refused(message, error=boards.BoardError):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_a_file_is_a_board(own):
    board = own()
    assert (board.name, board.title) == ("my", "my, LFE5U-25F-6BG381C")
    assert (board.family, board.part) == (FAMILIES["ecp5"], boards.get("ulx3s-25f").part)
    assert (board.clock_hz, board.baud) == (25_000_000, 1_000_000)
    assert board.program == ("openFPGALoader", "{bitstream}")
    platform = board.platform()
    assert isinstance(platform, Platform)
    assert (platform.device, platform.package, platform.speed) == ("LFE5U-25F", "BG381", "6")
    assert platform.default_clk_frequency == 25e6
    assert str(platform.lookup("clk", 0)) == (
        "(resource clk 0 (pins i P3) (clock 25000000.0) (attrs IO_TYPE='LVCMOS33'))")
    assert str(platform.lookup(*board.uart_resource)) == (
        "(resource serial 0 (subsignal rx (pins i H18)) (subsignal tx (pins o J17)) "
        "(attrs IO_TYPE='LVCMOS33'))")
    assert platform.default_rst is None


def test_all_that_a_file_may_say(own):
    board = own(name='"i5"', part='"LFE5U-45F"', package='"BG256"', speed='"7"', baud="115200",
                reset='{ pin = "K18", low = true }', program='["load", "{bitstream}", "-f"]',
                io='{ standard = "LVCMOS25", attributes = { PULLMODE = "UP", DRIVE = 8 } }')
    assert (board.name, board.part.name, board.baud) == ("i5", "LFE5U-45F-7BG256C", 115_200)
    assert board.program == ("load", "{bitstream}", "-f")
    platform = board.platform()
    assert platform.default_rst == "rst"
    assert str(platform.lookup("rst", 0)) == (
        "(resource rst 0 (pins-n i K18) (attrs IO_TYPE='LVCMOS25' PULLMODE='UP' DRIVE=8))")
    assert dict(board.uart.attributes) == {"IO_TYPE": "LVCMOS25", "PULLMODE": "UP", "DRIVE": 8}


def test_ice40_needs_no_standard(own):
    board = own(part='"iCE40HX8K-CT256"', clock='{ pin = "J3", mhz = 12 }',
                uart='{ rx = "B10", tx = "B12" }')
    assert board.program == ("iceprog", "{bitstream}")
    assert board.uart == Lines("B10", "B12")
    assert str(board.platform().lookup("clk", 0)) == (
        "(resource clk 0 (pins i J3) (clock 12000000.0))")


@pytest.mark.parametrize(("changes", "message"), [
    ({"part": None}, "key 'part' is missing"),
    ({"part": '"LFE5U-26F"'},
     "key 'part': LFE5U-26F: no part that the open tools place; the nearest are "),
    ({"part": '"LFE5U-25F"', "package": '"BG554"'},
     "key 'part': LFE5U-25F has no package 'BG554'; there are BG381, BG256, MG285, TG144"),
    ({"part": '"LFE5U-25F"', "speed": '"9"'},
     "key 'part': LFE5U-25F has no speed grade '9'; there are 6, 7, 8"),
    ({"clock": '{ pin = "P3" }'}, "key 'clock.mhz' is missing"),
    ({"clock": '"P3"'}, "key 'clock' must be a table, not 'P3'"),
    ({"clock": '{ pin = "P3", mhz = "25" }'},
     "key 'clock.mhz' must be a frequency in MHz, from 0.001 to 1000, not '25'"),
    ({"clock": '{ pin = "P3", mhz = 25000000 }'},
     "key 'clock.mhz' must be a frequency in MHz, from 0.001 to 1000, not 25000000"),
    ({"clock": '{ pin = "P3", mhz = 0.01 }'},
     ("key 'clock.mhz': Clock of 10000 Hz makes none of the usual rates, from 9,600 to 1,000,000 "
     "baud")),
    ({"clock": '{ pin = "P 3", mhz = 25 }'},
     "key 'clock.pin' must be a pin, such as \"A4\", not 'P 3'"),
    ({"clock": '{ pin = 3, mhz = 25 }'}, "key 'clock.pin' must be a pin, such as \"A4\", not 3"),
    ({"clock": '{ pim = "P3", mhz = 25 }'},
     "key 'clock.pim' is unknown; the nearest are 'clock.pin' and 'clock.mhz'"),
    ({"uart": '{ rx = "H18" }'}, "key 'uart.tx' is missing"),
    ({"uart": '{ rx = "H18", tx = "P3" }'},
     "keys 'clock.pin' and 'uart.tx' name the same pin 'P3'"),
    ({"reset": '{ low = true }'}, "key 'reset.pin' is missing"),
    ({"reset": '{ pin = "A4", low = 1 }'}, "key 'reset.low' must be true or false, not 1"),
    ({"baud": "7000000"},
     ("key 'baud': Baud rate must be a fraction of the clock of 2.5e+07 Hz, at most a quarter and "
     "within 2 %, not 7e+06")),
    ({"baud": "0"}, "key 'baud' must be an integer above 0, not 0"),
    ({"name": '"a/b"'},
     "key 'name' must be a name of letters, digits and any of . _ + -, not 'a/b'"),
    ({"program": '"iceprog"'},
     "key 'program' must be a list of texts, one of them \"{bitstream}\", not 'iceprog'"),
    ({"io": "{ attributes = [1] }"},
     "key 'io.attributes' must be a table of names and integers, not [1]"),
    ({"io": '{ attributes = { PULL = "UP\\nOFF" } }'},
     "key 'io.attributes' must be a table of names and integers, not {'PULL': 'UP\\nOFF'}"),
    ({"io": '{ standard = "FOO BAR" }'},
     "key 'io.standard' must be a name, such as \"LVCMOS33\", not 'FOO BAR'"),
    ({"clock": '{ pin = "Ä1", mhz = 25 }'},
     "key 'clock.pin' must be a pin, such as \"A4\", not 'Ä1'"),
])
def test_what_is_wrong_is_named(own, changes, message):
    """One line each, with file and key. Of names of parts the nearest follow, whatever they are."""
    end = ".*" if message.endswith("are ") else ""
    with pytest.raises(boards.BoardError, match=f"^my\\.toml: {re.escape(message)}{end}$") as error:
        own(**changes)
    assert isinstance(error.value, UsageError)
    assert "\n" not in str(error.value)


def test_what_is_no_toml(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"part =\n")
    with pytest.raises(boards.BoardError, match=f"^{re.escape(str(path))}: not TOML: Invalid value "
                       r"\(at line 1, column 7\)$"):
        boards.get(str(path))
    path.write_bytes(b"\xff")
    with pytest.raises(boards.BoardError, match=f"^{re.escape(str(path))}: not TOML: 'utf-8' codec "
                       "can't decode byte 0xff in position 0: invalid start byte$"):
        boards.get(str(path))


CLASS = '''
import subprocess
from amaranth.build import Clock, Pins, Resource
from amaranth_boards.icestick import ICEStickPlatform

class MineV2Platform(ICEStickPlatform):
    resources = [Resource("clk", 0, Pins("21", dir="i"), Clock(16e6))]
    default_clk = "clk"

    def toolchain_program(self, products, name):
        with products.extract("{}.bin".format(name)) as file:
            subprocess.check_call(["loader", "-x", file])

class RaisesPlatform(ICEStickPlatform):
    def __init__(self):
        raise RuntimeError("no\\nidea")

class NumberPlatform(MineV2Platform):
    device = 5

class NoClockPlatform(ICEStickPlatform):
    resources = []
    default_clk = None
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # put back at the end, as what is put in by the code
    (tmp_path / "mine.py").write_text(CLASS, "utf-8")
    return tmp_path / "mine.py"


def test_a_class_is_a_board(module):
    (module.parent / "broken.py").write_text("1 / 0\n", "utf-8")
    (module.parent / "quits.py").write_text("raise SystemExit(3)\n", "utf-8")
    (module.parent / "needs.py").write_text("import nowhere\n", "utf-8")
    board = boards.get("mine:MineV2Platform")
    assert (board.name, board.title) == ("minev2", "MineV2, iCE40HX1K-TQ144")
    assert (board.clock_hz, board.uart, board.program) == (
        16_000_000, None, ("loader", "-x", "{bitstream}"))
    assert board.source.sources == (module,)
    assert board.platform().default_clk_frequency == 16e6
    for name, message in (
            ("mine:MineV3Platform", ("mine:MineV3Platform: mine has no Platform class "
             "'MineV3Platform'; there are MineV2Platform, RaisesPlatform, NumberPlatform, "
             "NoClockPlatform")),
            ("mine:RaisesPlatform", "mine:RaisesPlatform: RuntimeError: no idea"),
            ("broken:X",
             "broken:X: broken cannot be imported: ZeroDivisionError: division by zero"),
            ("quits:X", "quits:X: quits cannot be imported: SystemExit: 3"),
            ("needs:X", ("needs:X: needs cannot be imported: ModuleNotFoundError: No module named "
             "'nowhere'")),
            ("mine:NumberPlatform", "mine:NumberPlatform: its 'device' must be a text"),
            *((text, f"--board must be a Platform class as MODULE:CLASS, not {text!r}")
              for text in (":", "mine:", ":X", "./mine:X", "a..b:X", "a:b:c")),
            ("mine:NoClockPlatform", ("mine:NoClockPlatform: AttributeError: Platform "
             "'NoClockPlatform' does not define a default clock")),
            ("nowhere.mine:X", ("nowhere.mine:X: there is no module 'nowhere' in "
             f"{module.parent} or where Python looks"))):
        with refused(message):
            boards.get(name)


@pytest.mark.parametrize(("text", "found"), [
    ("rx=A2,tx=B1", Lines("A2", "B1", (("IO_TYPE", "LVCMOS33"),))),
    ("tx=B1, rx=A2, standard=LVCMOS18", Lines("A2", "B1", (("IO_TYPE", "LVCMOS18"),))),
    ("rx=gpio_0:1,tx=gpio_0:2+", Lines("gpio_0:1", "gpio_0:2+", (("IO_TYPE", "LVCMOS33"),))),
])
def test_pins_on_the_command_line(text, found):
    assert boards.lines(text, FAMILIES["ecp5"].io) == found


@pytest.mark.parametrize("text", ["", "A2,B1", "rx=A2", "rx=A2,tx=A2", "rx=A2,tx=",
                                  "rx=A2,tx=B1,x=1", "rx=A 2;,tx=B1", "rx=Ä2,tx=B1",
                                  "rx=A2,tx=B1,standard="])
def test_other_words_are_no_pins(text):
    with refused("--uart must be rx=PIN,tx=PIN or rx=PIN,tx=PIN,standard=NAME, with two pins as "
                 f"seen from the device, not {text!r}"):
        boards.lines(text, FAMILIES["ecp5"].io)


def test_a_board_without_a_serial_port_says_how_to_name_its_pins():
    with refused("tinyfpga-bx: it has no serial port; name the pins that yours is on, as seen from "
                 "the device, with --uart rx=PIN,tx=PIN, or under [uart] in a file of your own "
                 "board (docs/boards.md)"):
        _ = boards.get("tinyfpga-bx").uart_resource


def test_pins_that_are_taken():
    board = dataclasses.replace(boards.get("icebreaker"), uart=Lines("35", "9"))
    with refused("icebreaker: a pin of the serial line is taken: Resource component serial_0.rx "
                 "uses physical pin 35, but it is already used by resource component clk12_0 that "
                 "was requested earlier"):
        board.platform()


def test_pins_of_a_connector(own):
    board = boards.get("icebreaker")
    named = dataclasses.replace(board, uart=Lines("pmod_0:1", "pmod_0:2"))
    pins = named.platform().request("serial", 0, dir="-")
    assert [pins.rx.io.metadata[0].name, pins.tx.io.metadata[0].name] == ["4", "2"]
    for known, pin, hint in (
            (board, "pmod_9:1", "the nearest are 'pmod_0:1' and 'pmod_0:10'"),
            (own(), "pmod_0:1", "the platform has no connectors")):
        wrong = dataclasses.replace(known, uart=Lines(pin, "pmod_0:2"))
        message = f"{known.name}: no pin {pin!r}; "
        with pytest.raises(boards.BoardError, match=f"^{re.escape(message)}") as error:
            wrong.platform()
        assert hint.split("'")[0] in str(error.value)


@pytest.mark.parametrize("name", ["iCE40UP5K-SG48", "ice40up5k", "LFE5U-25F-6BG381C",
                                  "LFE5U-25F-6BG381I", "lfe5u-25f"])
def test_a_part_alone(name):
    board = boards.bare(name, boards.BOARDS.values())
    assert board.estimate
    assert board.part.name.lower().startswith(name.lower()[:9])
    board.platform()


def test_the_names_of_parts_are_told_apart():
    parts = [part for family in FAMILIES.values() if family.parts for part in family.parts]
    for part in parts:
        assert families.part(part.name)[1].name == part.name
    with pytest.raises(PartError, match=r"^LFE5U-99F: no part that the open tools place; the "
                       r"nearest are '.*' and '.*'$"):
        families.part("LFE5U-99F")


@pytest.mark.parametrize("name", ["", "  "])
def test_a_part_without_a_name(name):
    with pytest.raises(PartError, match=rf"^'{name}': no part; name one as its maker does, such as "
                                        r"LFE5U-25F-6BG381C$"):
        families.part(name)
