"""What every room's errors have in common."""

from __future__ import annotations

__all__ = ["UsageError", "UserError"]


class UserError(Exception):
    """Something that a user can put right.

    The message is one line: the thing, the rule, the offending value. A command prints it and ends
    with status 1; see :func:`bitwright.command.guarded`.
    """


class UsageError(UserError):
    """Arguments that do not go together. A command ends with status 2."""
