"""Where tables lie: constants, a memory with contents, or one that can be written too."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from bitwright.hw.checks import expect
from bitwright.hw.folding import Table
from bitwright.hw.rtl.realisation import Memory, Resources

__all__ = ["Loader", "Store", "fill", "load_signature", "one_address", "read_later",
           "rewritten", "write_signature"]


def rewritten(large):
    """Attributes of a memory that is also written, and read by :func:`read_later`.

    Parameters
    ----------
    large : bool
        Whether it shall be one of the large ones of a device that has such, with a single port.
    """
    return {"no_rw_check": 1, **({"ram_style": "huge"} if large else {})}


def one_address(writes, written, read):
    """Address of a memory with a single port: ``written`` where ``writes`` is 1, else ``read``.

    No multiplexer: Yosys would know which of its ways a write goes, and see two addresses.
    """
    writes = writes.replicate(len(read))
    return written & writes | read & ~writes


def read_later(m, store, address, name, enable=1):
    """Read a memory that is also written: the answer comes a cycle later.

    A word that is written in the very cycle in which it is read comes as anything. Amaranth's own
    port would promise the word of before, for which many devices need logic around their memories.

    Parameters
    ----------
    m : Module
    store : memory.Memory
        With the attribute ``no_rw_check``.
    address : Value
    name : str
    enable : Value
        Whether it is read in this cycle. The answer stays until it is.
    """
    port = store.read_port(domain="comb")
    answer = Signal(store.shape, name=name, reset_less=True)
    m.d.comb += port.addr.eq(address)
    with m.If(enable):
        m.d.sync += answer.eq(port.data)
    return answer


class Store(wiring.Component):
    """Words of a table, read by their addresses.

    Where there is one word only and it cannot be written, it is a constant and takes nothing.

    Parameters
    ----------
    table : Table
        What it holds at first.
    writable : bool
        Whether it has a load port.
    large : bool
        Whether it lies in the large memories of a device that has such. It is writable then, holds
        anything at first, and is not read in a cycle in which it is written.

    Members
    -------
    address : ``In(range(table.depth))``
    enable : ``In(1)``
        Whether it is read in this cycle, 1 unless it is driven.
    word : ``Out(table.width)``
        What is at the address that was there in the cycle before, or the last one in which it was
        read. Anything, when that was written in the same cycle.
    write : ``In(write_signature(table))``
        Only if it is writable.
    """

    @staticmethod
    def measure(width, depth, writable=False, large=False):
        """Resources of so many words."""
        if depth == 1 and not writable:
            return Resources()
        return Resources(memories=(Memory(width, depth, writable, style="huge" if large else ""),))

    def __init__(self, table, writable=False, large=False):
        expect("Table", table, Table)
        self._table = table
        self._writable, self._large = writable, large
        members = {"address": In(range(table.depth)), "enable": In(1, init=1),
                   "word": Out(table.width)}
        if writable:
            members["write"] = In(write_signature(table))
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        table = self._table
        if table.depth == 1 and not self._writable:
            m.d.comb += self.word.eq(table.words[0])
            return m
        if not self._writable:
            m.submodules.memory = store = memory.Memory(shape=table.width, depth=table.depth,
                                                        init=table.words)
            port = store.read_port()
            m.d.comb += [port.addr.eq(self.address), port.en.eq(self.enable),
                         self.word.eq(port.data)]
            return m
        m.submodules.memory = store = memory.Memory(
            shape=table.width, depth=table.depth, init=[] if self._large else table.words,
            attrs=rewritten(self._large))
        port, address, enable = store.write_port(), self.address, self.enable
        if self._large:
            address = one_address(self.write.enable, self.write.address, address)
            enable = enable & ~self.write.enable
        m.d.comb += [port.en.eq(self.write.enable),
                     port.addr.eq(address if self._large else self.write.address),
                     port.data.eq(self.write.word),
                     self.word.eq(read_later(m, store, address, "answer", enable))]
        return m


def write_signature(table):
    """Load port of a table: a word, where it goes, and whether it is written in this cycle."""
    return wiring.Signature({"enable": Out(1), "address": Out(range(table.depth)),
                             "word": Out(table.width)})


def load_signature():
    """Stream of the bytes of an image: ``data``, and whether it is the ``first``."""
    return stream.Signature(data.StructLayout({"data": 8, "first": 1}))


class Loader(wiring.Component):
    """Bytes of an image, made into words for the tables that they belong to.

    The tables are filled in their order, from address 0 up; after the last word of the last one the
    next byte begins again with the first. There is no check: whatever comes is written.

    Parameters
    ----------
    tables : tuple of Table
        At least one.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"data": 8, "first": 1})))``
        Bytes. One with ``first`` is the first of an image, whatever came before. Always ready; a
        word can be read two cycles after its last byte was taken.
    o : ``Out(wiring.Signature({"t0": Out(write_signature(tables[0])), ...}))``
        Load ports.
    """

    def __init__(self, tables):
        for table in tables:
            expect("Table", table, Table)
        self._tables = tables
        super().__init__({
            "i": In(load_signature()),
            "o": Out(wiring.Signature({f"t{index}": Out(write_signature(table))
                                       for index, table in enumerate(tables)})),
        })

    def elaborate(self, platform):
        m = Module()
        tables = self._tables
        longest = max(table.word_bytes for table in tables)
        arrived, byte = Signal(), Signal(8, reset_less=True)
        before = Signal(8 * (longest - 1), reset_less=True)  # the bytes of a word but the last
        number = Signal(range(len(tables)))
        place, address = Signal(range(longest)), Signal(range(max(t.depth for t in tables)))
        final, end = Signal(), Signal()  # byte of a word, word of a table
        lasts = Array([table.word_bytes - 1 for table in tables])
        ends = Array([table.depth - 1 for table in tables])
        m.d.comb += [self.i.ready.eq(1), final.eq(place == lasts[number]),
                     end.eq(address == ends[number])]
        m.d.sync += [arrived.eq(self.i.valid), byte.eq(self.i.payload.data)]
        with m.If(arrived):
            m.d.sync += [before.eq(Cat(before, byte)[8:]), place.eq(place + 1)]
            with m.If(final):
                m.d.sync += [place.eq(0), address.eq(address + 1)]
                with m.If(end):
                    m.d.sync += [address.eq(0), number.eq(number + 1)]
                    with m.If(number == len(tables) - 1):
                        m.d.sync += number.eq(0)
        with m.If(self.i.valid & self.i.payload.first):
            m.d.sync += [place.eq(0), address.eq(0), number.eq(0)]
        for index, table in enumerate(tables):
            port = getattr(self.o, f"t{index}")
            start = len(before) - 8 * (table.word_bytes - 1)
            m.d.comb += [port.enable.eq(arrived & final & (number == index)),
                         port.address.eq(address), port.word.eq(Cat(before[start:], byte))]
        return m


def fill(m, load, tables, stores):
    """Lead the words of an image to the memories that they belong in.

    Parameters
    ----------
    m : Module
    load : stream
        Of :func:`load_signature`: bytes of the image.
    tables : tuple of Table
    stores : list of tuple
        Load ports of each table, of which there may be several.
    """
    m.submodules.loader = loader = Loader(tables)
    connect(m, load, loader.i)
    for index, ports in enumerate(stores):
        word = getattr(loader.o, f"t{index}")
        for port in ports:
            m.d.comb += [port.enable.eq(word.enable), port.address.eq(word.address),
                         port.word.eq(word.word)]
