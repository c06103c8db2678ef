"""Boards, one file each."""

from bitwright.boards.board import Board, BoardError
from bitwright.boards.catalogue import BOARDS, get

__all__ = ["BOARDS", "Board", "BoardError", "get"]
