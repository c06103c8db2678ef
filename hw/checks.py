"""Refusals that every component shares."""

__all__ = ["expect"]


def expect(noun: str, value: object, cls: type) -> None:
    """Refuse a value of another type.

    Raises
    ------
    TypeError
        As "Plan must be a Plan, not ...".
    """
    if not isinstance(value, cls) or (cls is int and isinstance(value, bool)):
        raise TypeError(f"{noun} must be of the type {cls.__name__}, not {value!r}")
