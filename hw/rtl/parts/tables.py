"""Small functions of a number as logic: what they are is known for every number."""

from amaranth.hdl import Cat, Const, Mux, Value

__all__ = ["among", "chosen", "looked_up"]


def among(number, wanted):
    """Whether ``wanted`` has a 1 at that place."""
    if all(wanted):
        return Const(1, 1)
    if not any(wanted):
        return Const(0, 1)
    return Const(sum(int(bool(one)) << place for place, one in enumerate(wanted)),
                 len(wanted)).bit_select(number, 1)


def looked_up(number, values):
    """``values[number]``, of a table of numbers that are not negative."""
    width = max(values).bit_length()
    return Cat(among(number, [value >> place & 1 for value in values]) for place in range(width))


def chosen(number, seen, values):
    """``values[seen[number]]``."""
    found = Value.cast(values[0])
    for kind in range(1, len(values)):
        found = Mux(among(number, [one == kind for one in seen]), values[kind], found)
    return found
