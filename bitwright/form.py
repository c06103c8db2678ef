"""The form of a design: how all nodes are built, in the words of the options of ``build``."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Form"]


@dataclass(frozen=True)
class Form:
    """How nodes are built; by default with lanes, unrolled, and with a parallel head.

    Each field is the option of ``bitwright build`` of that name. What does not go together, or
    with a network, is refused where a plan is made of it: :func:`hw.rtl.layers.formed`.

    Parameters
    ----------
    fold : int or None
        Cycles of a frame.
    large : bool
    streamed : bool
    parallel : bool
    serial_head : int or None
        Bits that the head counts at a time.

    Raises
    ------
    ValueError
        If a number is below 1.
    """

    fold: int | None = None
    large: bool = False
    streamed: bool = False
    parallel: bool = False
    serial_head: int | None = None

    def __post_init__(self) -> None:
        for name in ("fold", "serial_head"):  # else told of a key of a plan that nobody wrote
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")

    @property
    def given(self) -> dict[str, int | bool]:
        """What is not as it is by default."""
        return {field.name: getattr(self, field.name) for field in fields(self)
                if getattr(self, field.name) != field.default}

    @property
    def options(self) -> list[str]:
        """Options of ``bitwright build``, which mean it."""
        words = []
        for name, value in self.given.items():
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        return words

    def __str__(self) -> str:
        return ", ".join(name if value is True else f"{name} = {value}"
                         for name, value in self.given.items())
