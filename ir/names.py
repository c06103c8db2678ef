"""What people call what goes in and comes out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from bitwright.ir.fields import shown

__all__ = ["Names", "sound"]

MAX_LETTERS = 1000
"""Characters of a name."""

JOINERS = "\u200c\u200d"
"""Characters that cannot be seen and belong to words: Persian and Hindi are written with them."""

LISTS = ("classes", "columns", "answers")


@dataclass(frozen=True)
class Names:
    """Names, each list in the order of the numbers, none twice. Empty where nobody has named them.

    Parameters
    ----------
    classes : tuple of str
        Of a network that decides: a name a class.
    columns : tuple of str
        Of a table: a name a column of numbers.
    answers : tuple of str
        Of a network that answers numbers: a name, with its unit, a score.

    Raises
    ------
    ValueError
        If a name is no printable text of 1 to 1,000 characters, begins or ends with a space, or is
        there twice in its list.
    """

    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in LISTS:
            names = getattr(self, field)
            if not isinstance(names, tuple):
                raise ValueError(f"Names of {field} must be a tuple, not {shown(names)}")
            seen: set[str] = set()
            for name in names:
                if not sound(name):
                    raise ValueError(f"Names of {field} must be 1 to {MAX_LETTERS} printable "
                                     f"characters with no space at either end, not {shown(name)}")
                if name in seen:
                    raise ValueError(f"Names of {field} must differ, not be {shown(name)} twice")
                seen.add(name)

    def plain(self) -> dict[str, list[str]]:
        """As JSON has them."""
        return {field: list(getattr(self, field)) for field in LISTS}

    @classmethod
    def of(cls, values: Any) -> Names:
        """Read what :meth:`plain` gives.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        if not isinstance(values, dict) or values.keys() != set(LISTS):
            raise ValueError(f"field 'names' must be an object of {', '.join(LISTS)}, "
                             f"not {shown(values)}")
        for field in LISTS:
            if not isinstance(values[field], list):
                raise ValueError(f"Names of {field} must be a list, not {shown(values[field])}")
        return cls(**{field: tuple(values[field]) for field in LISTS})


def sound(name: object) -> bool:
    """Whether a name is one: 1 to 1,000 printable characters, with no space at either end.

    A character that a later Unicode may know is allowed: what one reader accepts all must.
    """
    return (isinstance(name, str) and 0 < len(name) <= MAX_LETTERS and name == name.strip(" ")
            and (name.isprintable() or all(map(_printable, name))))


def _printable(letter: str) -> bool:
    return (letter == " " or letter in JOINERS
            or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs"))
