"""A Chromium that is already installed, for tests and screenshots."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["NAMES", "chromium", "found"]

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")


def found() -> str | None:
    """Path of the first one there is."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless one. Nothing is downloaded."""
    from playwright.sync_api import sync_playwright

    # Its sandbox wants rights that root in a container has not; it loads our own page alone.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found(),
                                       args=["--no-sandbox"] if root else [])
        try:
            yield browser
        finally:
            browser.close()
