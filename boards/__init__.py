"""Boards, one file each."""

from bitwright.boards.board import Board, BoardError
from bitwright.boards.catalogue import BOARDS, DEFAULT, get

__all__ = ["BOARDS", "DEFAULT", "Board", "BoardError", "get"]
