"""Boards, one file each."""

from .board import Board, BoardError
from .catalogue import BOARDS, get

__all__ = ["BOARDS", "Board", "BoardError", "get"]
