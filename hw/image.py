"""The network that an image of contents makes: what a device computes once it was written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.hw.contents import Contents, ContentsError, settings_of
from bitwright.hw.descriptors import Descriptors
from bitwright.hw.folding import Folded, Folding, Table, bias_width, tables

__all__ = ["read_image"]


def read_image(contents: Contents, image: bytes) -> ir.Network:
    """The inverse of :meth:`hw.contents.Contents.image`, without provenance or golden vectors.

    Raises
    ------
    ContentsError
        If no network has that image.
    """
    if len(image) != contents.bytes:
        raise ContentsError(f"Image must have {contents.bytes} bytes, not {len(image)}")
    left = memoryview(image)
    entries = []
    for entry in contents.network.entries:
        if entry.name in contents.nodes:
            own = settings_of(entry.name, contents.plan)
            words, left = _words(tables(entry.node, own), left)
            try:
                entry = dataclasses.replace(entry, node=_filled(entry.node, own, iter(words)))
            except ValueError as error:
                raise ContentsError(f"Image of node {entry.name!r}: {error}") from error
        entries.append(entry)
    network = ir.Network(tuple(entries), answer=contents.network.answer)
    if contents.image(network) != image:
        raise ContentsError("Image must be 0 where a word is filled up, and its weights 1")
    return network


def _words(forms: tuple[Table, ...], left: memoryview) -> tuple[list[list[int]], memoryview]:
    """Words of tables of a form, and the bytes behind them."""
    found = []
    for form in forms:
        size = form.word_bytes
        found.append([int.from_bytes(left[at : at + size], "little") & (1 << form.width) - 1
                      for at in range(0, size * form.depth, size)])
        left = left[size * form.depth :]
    return found, left


def _filled(node: ir.Node, settings: Folded, words: Iterator[list[int]]) -> ir.Node:
    """A node with the contents of its tables, taken as :func:`hw.folding.tables` makes them."""
    if isinstance(node, ir.Convolution):
        body = tuple(part if own is None or isinstance(part, ir.Lut) or not tables(part, own)
                     else _filled(part, own, words)
                     for part, own in zip(node.body, settings.body(node), strict=True))
        return dataclasses.replace(node, body=body)  # type: ignore[arg-type]
    if isinstance(node, ir.Lut):
        return Descriptors.within(node, settings.cycles).read(words)
    assert isinstance(node, ir.Xnor | ir.Scores)
    folding = settings.folding(*node.weights.shape)
    weights = _weights(folding, next(words), node.weights.shape)
    if isinstance(node, ir.Xnor):
        width = (node.in_width + 1).bit_length()
        thresholds = _numbers(folding, next(words), node.thresholds.shape, width)
        return dataclasses.replace(node, weights=weights, thresholds=thresholds)
    width = bias_width(node)
    biases = _numbers(folding, next(words), (len(node.biases), 1), width)[:, 0]
    biases -= (biases >> width - 1) << width  # two's complement
    return dataclasses.replace(node, weights=weights, biases=biases)


def _weights(folding: Folding, words: list[int], shape: tuple[int, ...]) -> ir.Bits:
    bits = ir.unpack(words, folding.word_bits)
    cut = bits.reshape(folding.groups, folding.words, folding.bits, folding.neurons)
    rows = cut.transpose(0, 3, 1, 2).reshape(folding.groups * folding.neurons, -1)
    return rows[: shape[0], : shape[1]]


def _numbers(folding: Folding, words: list[int], shape: tuple[int, ...], width: int
             ) -> NDArray[np.int32]:
    """Numbers that are not negative."""
    neurons, columns = shape
    bits = ir.unpack(words, folding.neurons * columns * width)
    rows = bits.reshape(folding.groups * folding.neurons, columns, width)
    values: NDArray[np.int32] = (rows * (1 << np.arange(width))).sum(axis=2).astype(np.int32)
    return values[:neurons]
