"""What has declared fields: made, checked, compared, copied, written and read in one way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.fields import Field, Size
from bitwright.ir.fields import check as check_fields
from bitwright.ir.fields import read as read_fields
from bitwright.ir.fields import write as write_fields

__all__ = ["Declared"]


class Declared:
    """A part of a frozen network, whose concrete classes are final frozen dataclasses.

    Each of its :attr:`fields` is an argument of the constructor or a property of the same name.
    It checks itself on construction; arrays are copied to where nobody can write to them.
    """

    fields: ClassVar[tuple[Field, ...]]
    """What it holds, attributes before tensors."""

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name)
                 for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        for name, value in check_fields(self.fields, given).items():
            object.__setattr__(self, name, value)
        self.validate()

    def validate(self) -> None:
        """Check what no field can check alone.

        Raises
        ------
        ValueError
            If the fields do not fit each other.
        """

    def values(self) -> dict[str, Any]:
        """What it holds, by the names of its stored :attr:`fields`."""
        return {field.name: getattr(self, field.name) for field in self.fields
                if not isinstance(field, Size)}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Make one of :meth:`values`."""
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        return cls(**{name: values[name] for name in names})

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, and what comes from another process, is made by the constructor like any other.
        return type(self).from_values, (self.values(),)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Form of the file: attributes for the header, and tensors."""
        return write_fields(self.fields, self.values())

    @classmethod
    def from_parts(cls, attributes: Mapping[str, Any],
                   tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild one from its :meth:`parts`.

        Raises
        ------
        ValueError
            If a field is missing, unknown, or not what is declared for it.
        """
        return cls.from_values(read_fields(cls.fields, attributes, tensors))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Declared)
        mine, theirs = self.values(), other.values()
        return all(np.array_equal(value, theirs[name]) if isinstance(value, np.ndarray)
                   else value == theirs[name] for name, value in mine.items())

    __hash__ = None  # type: ignore[assignment]  # arrays inside: compared, never hashed
