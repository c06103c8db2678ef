"""The report of a build, written whatever became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bitwright.hw.report.page import render
from bitwright.hw.report.results import Written

__all__ = ["Write"]


@dataclass(frozen=True)
class Write:
    """Write ``report.json`` and ``report.html``.

    Parameters
    ----------
    report : mapping
        JSON values.
    """

    name: ClassVar[str] = "report"
    Result: ClassVar[type[Written]] = Written

    report: Mapping[str, Any]

    def run(self, folder: Path, logs: Path) -> Written:
        """See :class:`hw.flow.cache.Stage`."""
        text = json.dumps(self.report, indent=2) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(render(self.report), encoding="utf-8")
        return Written()
