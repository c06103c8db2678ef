"""Families of classes of which a recipe chooses one by name."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["Named"]


class Named:
    """Base of the classes of a family, each known by its ``kind``.

    The class at the root of a family has a dictionary ``kinds`` of its own; a subclass that is
    declared with ``kind="name"`` is entered there. One without is a base of several, which no
    recipe can choose.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is not None:
            assert kind not in cls.kinds, f"two classes of kind {kind!r}"
            cls.kind = kind
            cls.kinds[kind] = cls
