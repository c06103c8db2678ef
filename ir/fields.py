"""Declarations of what a node holds.

Each kind of node declares its fields once, as a tuple of the classes below. The reader, the writer,
the check of a node made in Python, the tables of docs/format.md and the tests come from there.

A field is an attribute (a JSON value of the header) or a tensor. Sizes have names: an attribute of
that name, or the first tensor with it in its shape, says how large it is, and every later one must
agree. Limits are checked as soon as a number is known, before memory is taken for it.
"""

from __future__ import annotations

import ast
import operator
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitwright.ir.bits import pack_rows, unpack_rows

__all__ = ["MAX_ELEMENTS", "MAX_WIDTH", "Array", "BitArray", "Field", "Flag", "Integer", "Reals",
           "Size", "Sizes", "check", "frozen", "left_out", "read", "shown", "taken", "title",
           "write"]

MAX_WIDTH = (1 << 24) - 1
"""Bits that a node may read or drive. float32 counts up to here exactly, see
:mod:`bitwright.ir.signs`."""

MAX_ELEMENTS = 1 << 28
"""Elements of one array."""

Parts = dict[str, Any]
"""Attributes or tensors by name. A field that is read takes its own out."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def shown(value: object) -> str:
    """A value as an error message shows it: on one line, and no longer than that."""
    return " ".join(_SHORT.repr(value).split())


def title(name: str) -> str:
    """A name of a field at the beginning of a sentence: ``fan_in`` is "Fan-in"."""
    return name.replace("_", "-").capitalize()


class Field(ABC):
    """One thing that a node holds."""

    name: str

    @abstractmethod
    def check(self, value: Any, sizes: Sizes) -> Any:
        """Return a value given in Python in the form that a node keeps: exact and read-only.

        Raises
        ------
        ValueError
            If it is of another type, shape or range.
        """

    @abstractmethod
    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        """Add the form that the file has."""

    @abstractmethod
    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> Any:
        """Take the form that the file has out of the parts, and return the value for Python.

        Raises
        ------
        ValueError
            If it is missing, or of another type than the file must have.
        """

    @abstractmethod
    def describe(self) -> tuple[str, str, str]:
        """Type on file, shape and range, in words of docs/format.md."""


class Sizes:
    """Numbers of a node that are known, each checked as it becomes known."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._declared = {field.name: field for field in fields if isinstance(field, Integer)}
        self._known: dict[str, int] = {}

    def learn(self, name: str, value: int) -> None:
        """Note a number.

        Raises
        ------
        ValueError
            If it is out of the range that is declared for it.
        """
        self._declared[name].check_range(value)
        self._known[name] = value

    def note(self, name: str, *, flag: bool) -> None:
        self._known[name] = flag

    def value(self, formula: int | str) -> int | None:
        """The number that a formula gives, or None if it is a size that is not known yet."""
        if isinstance(formula, int):
            return formula
        return self._known.get(formula) if formula.isidentifier() else _evaluate(
            _parsed(formula), self._known)

    def fit(self, name: str, declared: tuple[str, ...], shape: tuple[int, ...]) -> None:
        """Learn the sizes of a shape.

        Raises
        ------
        ValueError
            If it disagrees with what is declared, or with what is known.
        """
        wanted = [self.value(text) for text in declared]
        if len(shape) != len(declared) or any(
                size not in (None, given) for size, given in zip(wanted, shape, strict=True)):
            texts = [text if size is None else str(size)
                     for text, size in zip(declared, wanted, strict=True)]
            comma = "," if len(texts) == 1 else ""
            raise ValueError(f"{title(name)} must have shape ({', '.join(texts)}{comma}), "
                             f"not {shape}")
        for text, size, given in zip(declared, wanted, shape, strict=True):
            if size is None:
                self.learn(text, given)


@dataclass(frozen=True)
class Integer(Field):
    """A whole number of the header, both ends of the range inclusive.

    Parameters
    ----------
    name : str
    low, high : int
    default : int, optional
        Number that is never written: a file without the attribute has it.
    """

    name: str
    low: int
    high: int
    default: int | None = None

    def check_range(self, value: int) -> None:
        if not self.low <= value <= self.high:
            raise ValueError(f"{title(self.name)} must be between {self.low} and {self.high}, "
                             f"not {value}")

    def check(self, value: Any, sizes: Sizes) -> int:
        if type(value) is not int:
            raise ValueError(f"{title(self.name)} must be an integer, not {shown(value)}")
        sizes.learn(self.name, value)
        return value

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        if value != self.default:
            attributes[self.name] = value

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> int:
        return self.check(taken(self.name, attributes, self.default), sizes)

    def describe(self) -> tuple[str, str, str]:
        return "integer", "", f"{self.low} … {self.high}{left_out(self.default)}"


@dataclass(frozen=True)
class Size(Integer):
    """A size that only the shapes of tensors say."""

    def describe(self) -> tuple[str, str, str]:
        return "a size, not stored", "", f"{self.low} … {self.high}"


@dataclass(frozen=True)
class Flag(Field):
    """True or false. 1 in a formula if true."""

    name: str

    def check(self, value: Any, sizes: Sizes) -> bool:
        if type(value) is not bool:
            raise ValueError(f"{title(self.name)} must be true or false, not {shown(value)}")
        sizes.note(self.name, flag=value)
        return value

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        attributes[self.name] = value

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> bool:
        return self.check(taken(self.name, attributes), sizes)

    def describe(self) -> tuple[str, str, str]:
        return "true or false", "", ""


@dataclass(frozen=True)
class Array(Field):
    """Whole numbers.

    Parameters
    ----------
    name : str
    shape : tuple of str
        A size a dimension: a name, or a formula of names.
    low, high : int or str, optional
        Both inclusive: numbers, or formulas of names. Left out: what the type can hold.
    dtype : NumPy type
        On file. In Python any integer type will do whose values are in range.
    """

    name: str
    shape: tuple[str, ...]
    low: int | str | None = None
    high: int | str | None = None
    dtype: type[np.signedinteger[Any]] = np.int32

    def check(self, value: Any, sizes: Sizes) -> NDArray[Any]:
        array = _array(self.name, value)
        if not np.issubdtype(array.dtype, np.integer):
            raise ValueError(f"{title(self.name)} must hold integers, not {array.dtype}")
        sizes.fit(self.name, self.shape, array.shape)
        limits = np.iinfo(self.dtype)
        low = limits.min if self.low is None else sizes.value(self.low)
        high = limits.max if self.high is None else sizes.value(self.high)
        assert low is not None
        assert high is not None
        if array.size and (array.min() < low or array.max() > high):
            raise ValueError(f"{title(self.name)} must be between {low} and {high}, not between "
                             f"{array.min()} and {array.max()}")
        return frozen(array, np.dtype(self.dtype))

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        tensors[self.name] = value

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> NDArray[Any]:
        return _typed(self.name, tensors, np.dtype(self.dtype))

    def describe(self) -> tuple[str, str, str]:
        low, high = (None if end is None else _written(str(end)) for end in (self.low, self.high))
        kind = "I32" if self.dtype is np.int32 else "I64"
        return kind, _written_shape(self.shape), f"{low} … {high}" if low else ""


@dataclass(frozen=True)
class Reals(Field):
    """Numbers of binary32, all finite.

    Parameters
    ----------
    name : str
    shape : tuple of str
        As of :class:`Array`.
    positive : bool
        Whether all must be above 0.
    """

    name: str
    shape: tuple[str, ...]
    positive: bool = False

    def check(self, value: Any, sizes: Sizes) -> NDArray[np.float32]:
        array = _array(self.name, value)
        if array.dtype != np.float32:
            raise ValueError(f"{title(self.name)} must hold float32, not {array.dtype}")
        sizes.fit(self.name, self.shape, array.shape)
        wrong = array[~np.isfinite(array) | (array <= 0)] if self.positive else (
            array[~np.isfinite(array)])
        if wrong.size:
            rule = "finite and above 0" if self.positive else "finite"
            raise ValueError(f"{title(self.name)} must be {rule}, not {wrong.flat[0]}")
        return frozen(array, np.dtype(np.float32))

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        tensors[self.name] = value

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> NDArray[np.float32]:
        return _typed(self.name, tensors, np.dtype(np.float32))

    def describe(self) -> tuple[str, str, str]:
        return "F32", _written_shape(self.shape), "above 0" if self.positive else ""


@dataclass(frozen=True)
class BitArray(Field):
    """Rows of bits: bool in Python, packed rows on file. The columns must be known before."""

    name: str
    shape: tuple[str, str]

    def check(self, value: Any, sizes: Sizes) -> NDArray[np.bool_]:
        array = _array(self.name, value)
        if array.dtype != np.bool_:
            raise ValueError(f"{title(self.name)} must hold bool, not {array.dtype}")
        sizes.fit(self.name, self.shape, array.shape)
        return frozen(array, np.dtype(bool))

    def write(self, value: Any, attributes: Parts, tensors: Parts) -> None:
        tensors[self.name] = pack_rows(value)

    def read(self, attributes: Parts, tensors: Parts, sizes: Sizes) -> NDArray[np.bool_]:
        packed = _typed(self.name, tensors, np.dtype(np.uint8))
        columns = sizes.value(self.shape[1])
        assert columns is not None
        if len(packed.shape) == 2:
            _check_elements(self.name, len(packed) * columns)
        try:
            return unpack_rows(packed, columns)
        except ValueError as error:
            raise ValueError(f"{title(self.name)}: {error}") from error

    def describe(self) -> tuple[str, str, str]:
        return "packed rows", _written_shape(self.shape), ""


def check(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values given in Python, by name, in the form that a node keeps.

    Fields without a value are left to the shapes of the others.

    Raises
    ------
    ValueError
        If one is not what its field allows.
    """
    sizes = Sizes(fields)
    return {field.name: field.check(values[field.name], sizes)
            for field in fields if field.name in values}


def write(fields: tuple[Field, ...], values: Mapping[str, Any]) -> tuple[Parts, Parts]:
    """Attributes and tensors of checked values."""
    attributes: Parts = {}
    tensors: Parts = {}
    for field in fields:
        if not isinstance(field, Size):
            field.write(values[field.name], attributes, tensors)
    return attributes, tensors


def read(fields: tuple[Field, ...], attributes: Mapping[str, Any],
         tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Values for Python by name, from attributes and tensors.

    Raises
    ------
    ValueError
        If a part is missing, unknown, or of another type than the file must have, or an attribute
        is out of range.
    """
    sizes = Sizes(fields)
    own, arrays = dict(attributes), dict(tensors)
    values = {field.name: field.read(own, arrays, sizes)
              for field in fields if not isinstance(field, Size)}
    for name in (*own, *arrays):
        raise ValueError(f"field {shown(name)} is unknown")
    return values


def frozen(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The array in memory that nobody can write to: a copy, unless it is there already."""
    root: object = array
    while isinstance(root, np.ndarray):
        root = root.base
    if isinstance(root, bytes) and array.dtype == dtype and array.flags.c_contiguous:
        return array
    return np.frombuffer(array.astype(dtype).tobytes(), dtype).reshape(array.shape)


def taken(name: str, parts: Parts, default: Any = None) -> Any:
    """A part, taken out, or the default of one that is left out.

    Raises
    ------
    ValueError
        If it is missing and has no default, or is there and is the default: equal networks have
        equal files.
    """
    if name not in parts:
        if default is None:
            raise ValueError(f"field {name!r} is missing")
        return default
    value = parts.pop(name)
    if default is not None and type(value) is type(default) and value == default:
        raise ValueError(f"field {name!r} must be left out where it is {value!r}")
    return value


def left_out(default: Any) -> str:
    """What a range says of a field with a default."""
    return "" if default is None else f"; left out if {default}"


def _typed(name: str, tensors: Parts, dtype: np.dtype[Any]) -> NDArray[Any]:
    array: NDArray[Any] = taken(name, tensors)
    if array.dtype != dtype:
        raise ValueError(f"{title(name)} must hold {dtype} on file, not {array.dtype}")
    return array


def _array(name: str, value: Any) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{title(name)} must be an array, not {shown(value)}")
    _check_elements(name, value.size)
    return value


def _check_elements(name: str, count: int) -> None:
    if count > MAX_ELEMENTS:
        raise ValueError(f"{title(name)} must have at most {MAX_ELEMENTS} elements, not {count}")


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Pow: operator.pow}


@cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _evaluate(node: ast.expr, names: Mapping[str, int]) -> int:
    match node:
        case ast.Name(id=name):
            return names[name]
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluate(left, names), _evaluate(right, names))
    raise TypeError(f"Formula may have names, numbers, + - * and **, not {ast.unparse(node)}")


def _written_shape(shape: tuple[str, ...]) -> str:
    return f"({', '.join(map(_written, shape))}{',' if len(shape) == 1 else ''})"


def _written(formula: str) -> str:
    """A formula as docs/format.md writes it."""
    return formula.replace("**", "^").replace("*", "·")
