"""What each file is for."""

from __future__ import annotations

from bitwright.hw.interface import Interface
from bitwright.hw.ip.library import LIBRARY, VENDOR
from bitwright.hw.ip.litex import class_name
from bitwright.hw.ip.text import fill

__all__ = ["readme"]

_TEXT = """\
# @name@

A network whose every inner value is a bit, as a block with AXI4-Stream ports. Nothing here needs
Python but the wrapper for LiteX, which is written in it.

```
make icarus       # the self-checking bench in Icarus Verilog: PASS or FAIL
make verilator    # the same in Verilator (5 or later)
make lint         # its warnings, but those that @name@.vlt has a reason for
```

Icarus takes its time with a large network: `make icarus ARGS=+vectors=4` does no more than the
first four samples, and Verilator does all of them in seconds once it has compiled.

| file | what it is |
|---|---|
| `@name@.v` | the block: Verilog-2001, one file, the text that was proven |
| `@name@.vlt` | what Verilator's lint is told to leave out, with the reasons |
| `@name@_instance.v`, `@name@_instance.vhd` | to paste into a design in Verilog or VHDL |
| `@name@.h` | C: features into the bytes of a sample, the bytes of a result into scores |
| `@name@_bench.v`, `Makefile` | the bench that checks itself, and how to run it |
| `@name@_samples.hex`, `@name@_results.hex` | its vectors: @vectors@ samples, and what is right |
@contents@\
| `@name@_ooc.xdc`, `@name@.sdc` | the clock of the block by itself: Vivado, and all others |
| `package_ip.tcl` | Vivado: `vivado -mode batch -source package_ip.tcl` packs an IP |
| `component.xml` | IP-XACT, IEEE 1685-2014 |
| `@name@.core` | FuseSoC: `fusesoc --cores-root . run --target=sim @vendor@:@library@:@name@` |
| `@name@_litex.py` | LiteX: the class `@class@`, with streams and registers |

## Ports

| port | direction | bits | |
|---|---|---|---|
@ports@

## Bytes

A sample is @features@ feature(s) from @low@ to @high@, each @feature_bytes@ byte(s), @signed@ and
little endian. A beat carries @lanes@ of them, the first one lowest. @beats@

A result is the class in @decision_bytes@ byte(s), then @classes@ score(s) of @score_bytes@ byte(s),
two's complement and little endian: @result_bytes@ byte(s) in @result_beats@ beat(s) of
@result_beat_bytes@, `tlast` with the last one.

## Timing

The result comes @latency@ cycles after the first beat of its sample when nothing stalls, and at
full speed a sample can begin every @interval@ cycles. `tvalid` never waits for `tready`.
"""


_CONTENTS = """\
| `@name@_contents.hex` | the bytes that go to `s_load_axis` before the first sample: the block \
brings no contents along, and until they are written its results mean nothing |
"""


def readme(interface: Interface, vectors: int, contents: bool = False) -> str:
    """The file ``README.md``.

    Parameters
    ----------
    interface : Interface
    vectors : int
        Samples of the bench.
    contents : bool
        Whether contents are written first.
    """
    layout = interface.layout
    low = -(1 << layout.bits - 1) if layout.signed else 0
    return fill(
        _TEXT, name=interface.naming.module, vendor=VENDOR, library=LIBRARY,
        ports="\n".join(f"| `{port.name}` | {port.direction} | {port.width} | {port.meaning} |"
                        for port in interface.ports),
        low=low, high=low + (1 << layout.bits) - 1, features=layout.features,
        feature_bytes=layout.feature_bytes, lanes=layout.lanes, beats=_beats(interface),
        signed="two's complement" if layout.signed else "unsigned",
        decision_bytes=layout.decision_bytes, classes=layout.classes,
        score_bytes=layout.score_bytes, result_bytes=layout.result_bytes,
        result_beats=layout.result_beats, result_beat_bytes=layout.result_beat_bytes,
        latency=interface.latency, interval=interface.interval, vectors=vectors,
        contents=fill(_CONTENTS, name=interface.naming.module) if contents else "",
        **{"class": class_name(interface.naming.module)})


_SAMPLES = """A sample takes @beats@ beat(s),
`tlast` with the last one. What is left over in it is ignored. A sample with too few or too many
beats is dropped, and `sample_error` is 1 for a cycle."""

_VIDEO = """Samples are AXI4-Stream
video: a picture is @height@ line(s) of @width@ pixel(s), a line takes @line@ beat(s), `tuser` comes
with the first beat of a picture and `tlast` with the last one of each line. A picture whose lines
are too short, too long, too few or too many is dropped, and `sample_error` is 1 for a cycle; lines
behind a whole picture are skipped, which costs it nothing. The next picture begins with `tuser`."""

_COPIES = """

The sample is sent @copies@ times, one after the other, for one result."""


def _beats(interface: Interface) -> str:
    """In what beats a sample comes."""
    layout, video = interface.layout, interface.video
    text = fill(_SAMPLES, beats=layout.beats) if video is None else fill(
        _VIDEO, height=video.height, width=video.width, line=video.line_beats)
    return text + (fill(_COPIES, copies=layout.copies) if layout.copies > 1 else "")
