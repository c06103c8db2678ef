"""Contents from the flash: whole and sealed, or no answers."""

import re
from dataclasses import replace

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from bitwright.hw.contents import Contents, as_built
from bitwright.hw.link.flash import FlashReader
from bitwright.hw.link.identity import IdentityMemory
from bitwright.hw.link.loader import Loader
from bitwright.hw.link.protocol import (
    IDENTITY_BYTES,
    ErrorCode,
    Identity,
    Request,
    commit_payload,
    short,
)
from bitwright.hw.link.record import OFFSET, SECTOR, TAIL_BYTES, half, load_s, record, seal
from bitwright.hw.link.serial_top import SerialTop
from bitwright.hw.plan import Plan, PlanError
from tests.hw.flash import Flash
from tests.hw.line import CYCLES, TIMEOUT, converse
from tests.hw.streams import simulate
from tests.hw.test_folded_lut import chain, writable
from tests.hw.test_link_load import CLOCK_HZ, Resettable, Talk, committed, error, loaded

FIRST, SECOND = (chain(seed, widths=(3, 6), fan_in=3) for seed in (0, 1))
PLAN = writable(FIRST, 18, large=True)
CONTENTS = Contents(FIRST, PLAN)
IMAGE = CONTENTS.image(FIRST)
RECORD = record(CONTENTS, FIRST)
LOAD_CYCLES = round(load_s(len(IMAGE), CLOCK_HZ) * CLOCK_HZ)


def talk(script, data, plan=PLAN):
    """Run ``script(talk, flash)`` with a device whose flash holds some data."""
    top = SerialTop(as_built(FIRST, plan), plan, CLOCK_HZ, CLOCK_HZ / CYCLES,
                    timeout_s=TIMEOUT / CLOCK_HZ, frozen=FIRST, flash=True)
    device, flash = Resettable(top), Flash(data, top.flash)

    async def run(drive, answer):
        await script(Talking(drive, answer, device), flash)

    converse(device, run, cycles=1_000_000, background=[device.obey, *flash.processes])


class Talking(Talk):
    async def wait(self, share=1.1):
        """For so much of the time that reading the flash takes."""
        await self._drive([1] * round(share * LOAD_CYCLES / CYCLES))


async def empty(talk):
    """Whether the device has no contents, and says so."""
    told = (await talk.identity()).complete
    found = await talk.answers_as(FIRST)
    return not told and found is None


def flipped(place):
    """The record with another bit."""
    data = bytearray(RECORD)
    data[place // 8] ^= 1 << place % 8
    return bytes(data)


@pytest.mark.slow
def test_a_device_loads_and_answers():
    """Not before; then the link can write others, which a reset leaves."""
    async def script(talk, flash):
        assert await talk.ask(Request.INFER, bytes(3)) == error(ErrorCode.EMPTY)
        await talk.wait()
        assert await talk.identity() == replace(Identity.of(FIRST, PLAN), complete=True)
        assert await talk.answers_as(FIRST)
        image = CONTENTS.image(SECOND)
        assert await talk.load(0, image) == loaded(len(image))
        commit = commit_payload(image, short(CONTENTS.digest(SECOND)))
        assert await talk.ask(Request.COMMIT, commit) == committed(len(image))
        await talk.reset()
        assert await talk.answers_as(SECOND)
        assert flash.reads == 1

    talk(script, RECORD)


@pytest.mark.slow
def test_another_network_of_the_structure_is_told_by_its_digest():
    async def script(talk, flash):
        await talk.wait()
        assert await talk.answers_as(SECOND)
        assert (await talk.identity()).contents == short(CONTENTS.digest(SECOND))

    talk(script, record(CONTENTS, SECOND))


@pytest.mark.slow
def test_contents_in_block_ram_come_from_the_flash_too():
    """Those that the bitstream brings along do not answer in between."""
    plan = writable(FIRST, 18)

    async def script(talk, flash):
        assert await talk.ask(Request.INFER, bytes(3)) == error(ErrorCode.EMPTY)
        await talk.wait()
        assert await talk.answers_as(SECOND)

    talk(script, record(Contents(FIRST, plan), SECOND), plan)


BAD = [
    pytest.param(b"", id="erased"),
    pytest.param(bytes(len(RECORD)), id="zeros"),
    pytest.param(flipped(3), id="image"),
    pytest.param(IMAGE + commit_payload(IMAGE, short(CONTENTS.digest(FIRST)))
                 + seal(bytes(8) + RECORD[:-4]).to_bytes(4, "big"), id="other structure"),
    pytest.param(flipped(8 * len(RECORD) - 50), id="digest"),
]


@pytest.mark.slow
@pytest.mark.parametrize("data", BAD)
def test_without_a_right_record_there_are_no_answers(data):
    """But the link can still write some."""
    async def script(talk, flash):
        await talk.wait()
        assert await empty(talk)
        assert await talk.load(0, IMAGE) == loaded(len(IMAGE))
        commit = commit_payload(IMAGE, short(CONTENTS.digest(FIRST)))
        assert await talk.ask(Request.COMMIT, commit) == committed(len(IMAGE))
        assert await talk.answers_as(FIRST)
        assert flash.reads == 1

    talk(script, data)


@pytest.mark.parametrize("share", [0.6, *(pytest.param(share, marks=pytest.mark.slow)
                                         for share in (0.2, 0.9, 0.97))])
def test_a_reset_in_the_middle_begins_anew(share):
    """Then with a record that is wrong at its end, then with the right one, which stays."""
    async def script(talk, flash):
        await talk.wait(share)
        flash.record = flipped(8 * len(RECORD) - 50)
        await talk.reset()
        await talk.wait()
        assert await empty(talk)
        flash.record = RECORD
        await talk.reset()
        assert await talk.ask(Request.INFER, bytes(3)) == error(ErrorCode.EMPTY)
        await talk.wait()
        await talk.reset()
        assert await talk.answers_as(FIRST)
        assert flash.reads == 3

    talk(script, RECORD)


@pytest.mark.slow
def test_a_host_that_writes_meanwhile_has_to_wait():
    async def script(talk, flash):
        await talk.wait(0.4)
        image = CONTENTS.image(SECOND)
        payload = (0).to_bytes(4, "little") + image
        talk._device.top.latency += LOAD_CYCLES  # it is patient
        assert await talk.ask(Request.LOAD, payload) == loaded(len(image))
        assert flash.reads == 1
        commit = commit_payload(image, short(CONTENTS.digest(SECOND)))
        assert await talk.ask(Request.COMMIT, commit) == committed(len(image))
        assert await talk.answers_as(SECOND)

    talk(script, RECORD)


class Both(wiring.Component):
    """Reader and loader, and nothing else."""

    def __init__(self, clock_hz):
        self.reader = FlashReader(short(CONTENTS.structure), clock_hz)
        self.loader = Loader(len(IMAGE), complete=False, sealed=True)
        super().__init__({"busy": Out(1), "complete": Out(1), "over": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader, m.submodules.loader = reader, loader = self.reader, self.loader
        connect(m, reader.o, loader.i)
        m.d.comb += [reader.complete.eq(loader.complete), reader.over.eq(loader.outcome.valid),
                     reader.final.eq(loader.o.payload.last), loader.commit.eq(reader.commit),
                     loader.seal.eq(reader.seal), loader.right.eq(reader.right),
                     loader.o.ready.eq(1), loader.outcome.ready.eq(1),
                     self.busy.eq(reader.busy), self.complete.eq(loader.complete)]
        return m


def read(data, clock_hz=CLOCK_HZ, wakes=30):
    """Whether the contents are complete, the bytes that were written, and the cycles it took."""
    both = Both(clock_hz)
    flash = Flash(data, both.reader.pins, wakes)
    written, found = [], []

    async def watch(ctx):
        async for *_, valid, byte in ctx.tick().sample(both.loader.o.valid,
                                                       both.loader.o.payload.data):
            if valid:
                written.append(byte)

    async def bench(ctx):
        cycles = 0
        while ctx.get(both.busy):
            await ctx.tick()
            cycles += 1
        found.extend([bool(ctx.get(both.complete)), bytes(written), cycles])

    simulate(both, bench, background=[*flash.processes, watch], cycles=100_000)
    return found


@pytest.mark.parametrize(("clock_hz", "cycles"), [(1e6, 1), (25.1e6, 2)])
def test_the_time_of_a_load_and_the_clock_of_the_flash(clock_hz, cycles):
    assert half(clock_hz) == cycles
    assert (half(25e6), half(60e6)) == (1, 3)
    complete, written, taken = read(RECORD, clock_hz, wakes=35e-6 * clock_hz)
    assert complete
    assert written == IMAGE
    assert 0 <= taken - load_s(len(IMAGE), clock_hz) * clock_hz < 20 * cycles


def test_an_identity_is_of_one_moment():
    """It tells that the contents are complete only if they were as it began."""
    identity = Identity.of(FIRST, PLAN)
    memory, found = IdentityMemory(identity), []

    async def bench(ctx):
        for before, after in ((0, 1), (1, 1), (1, 0)):
            told = bytearray()
            ctx.set(memory.complete, before)
            ctx.set(memory.place, 0)
            await ctx.tick().repeat(2)
            for place in range(1, IDENTITY_BYTES + 1):
                ctx.set(memory.complete, before if place < 3 else after)
                told.append(ctx.get(memory.byte))
                ctx.set(memory.place, place % IDENTITY_BYTES)
                await ctx.tick()
            found.append(Identity.from_bytes(bytes(told)).complete)
            assert bytes(told) == replace(identity, complete=found[-1]).to_bytes()

    simulate(memory, bench)
    assert found == [False, True, True]


@pytest.mark.parametrize("data", BAD)
def test_a_wrong_record_is_not_taken(data):
    assert not read(data)[0]


TAIL = 8 * (len(RECORD) - TAIL_BYTES)
PLACES = (0, TAIL - 1, TAIL + 3, TAIL + 40, TAIL + 8 * 8, TAIL + 8 * 16 - 1, TAIL + 8 * 20 - 1)


@pytest.mark.parametrize("place", [*PLACES, *(pytest.param(place, marks=pytest.mark.slow)
                                              for place in range(2, 8 * len(RECORD), 5))])
def test_every_bit_counts(place):
    assert not read(flipped(place))[0]


def test_the_seal_is_a_known_crc():
    """CRC-32/BZIP2 has the same polynomial, and inverts what it finds."""
    assert seal(b"123456789") ^ 0xFFFFFFFF == 0xFC891918


def test_where_a_record_lies():
    assert OFFSET % SECTOR == 0
    assert OFFSET > 135_180  # the longest bitstream of an iCE40
    # 24,000 bytes in 24 MHz: 16 ms.
    assert round(load_s(24_000, 24e6) * 1000, 1) == 16.1


def test_nothing_to_write_is_refused():
    message = ("Plan must have a node whose contents can be written (writable = true in its table) "
               "where contents come from a flash")
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        SerialTop(FIRST, Plan(), CLOCK_HZ, CLOCK_HZ / CYCLES, flash=True)
