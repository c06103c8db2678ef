"""How a command ends: the one place where errors become one line and an exit status."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from bitwright.errors import UsageError, UserError

__all__ = ["guarded"]

logger = logging.getLogger(__name__)


def guarded(work: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Run the work of a command.

    Logs go to stderr, a line each.

    Parameters
    ----------
    work : callable
        Returns the exit status, or None for 0.
    interrupted : str
        What to say after Ctrl-C: how to go on.

    Returns
    -------
    int
        0 done, 1 failed with one line that a user can act on, 2 arguments that do not go together.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return work() or 0
    except UserError as error:
        logger.error("%s", error)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        logger.error("%s%s", name, error.strerror or error)
        return 1
    except KeyboardInterrupt:
        logger.error("%s", interrupted)
        return 1
