"""Boards: those of amaranth-boards, those of ``platforms`` here, and one of one's own."""

from bitwright.boards.bare import bare
from bitwright.boards.board import Board, BoardError, Lines, Site, VendorBoard
from bitwright.boards.catalogue import BOARDS, DEFAULT, VENDOR_BOARDS, find, get, label
from bitwright.boards.uart import lines

__all__ = ["BOARDS", "DEFAULT", "VENDOR_BOARDS", "Board", "BoardError", "Lines", "Site",
           "VendorBoard", "bare", "find", "get", "label", "lines"]
