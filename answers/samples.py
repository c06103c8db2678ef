"""The samples that a command is asked about."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitwright import ir
from bitwright.data.inputs import Inputs, read_inputs
from bitwright.errors import UsageError, UserError
from bitwright.ir.drawn import DEFAULT_COUNT, draw

__all__ = ["SamplesError", "choose"]

STDIN = "-"


class SamplesError(UserError):
    """There are no such samples."""


def choose(network: ir.Network, path: Path, args: argparse.Namespace) -> Inputs:
    """Samples for a network of a file. ``path`` of the result says what they are.

    Raises
    ------
    UsageError
        If more than one source is named.
    SamplesError
        If there are none, or fewer than asked for.
    DataError
        As of :func:`data.read_inputs`.
    """
    file = args.file or args.features
    if args.file is not None and (args.features or args.golden or args.random):
        raise UsageError("FILE does not go with --features, --golden or --random; --vectors "
                         "says how many")
    if args.integers and file is None:
        raise UsageError("--integers needs FILE")
    if file is not None:
        inputs = _read(file, network, args.integers)
    elif args.random:
        inputs = _numbered(f"vectors at random (seed {args.seed})",
                           draw(network, args.vectors or DEFAULT_COUNT, args.seed))
    else:
        inputs = _golden(network, path)
    if args.vectors is None:
        return inputs
    if args.vectors > len(inputs):
        raise SamplesError(f"{inputs.path}: there are {len(inputs)}, not {args.vectors}")
    return Inputs(inputs.path, inputs.features[: args.vectors],
                  None if inputs.labels is None else inputs.labels[: args.vectors],
                  inputs.places[: args.vectors])


def _read(file: str, network: ir.Network, integers: bool) -> Inputs:
    if file != STDIN:
        return _judged(read_inputs(Path(file), network, integers=integers), network)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "stdin.csv"
        copy.write_bytes(sys.stdin.buffer.read())
        try:
            inputs = _judged(read_inputs(copy, network, integers=integers), network)
        except UserError as error:
            raise SamplesError(str(error).replace(str(copy), "standard input")) from error
    return Inputs("standard input", inputs.features, inputs.labels, inputs.places, inputs.raw)


def _judged(inputs: Inputs, network: ir.Network) -> Inputs:
    """See, before a board is asked, that a number can be compared with every label there is."""
    if inputs.labels is not None and network.answer is not None and network.classes == 1:
        there = [row for row, label in enumerate(inputs.labels) if label]
        Inputs(inputs.path, inputs.features[there], [inputs.labels[row] for row in there],
               [inputs.places[row] for row in there]).targets(network)
    return inputs


def _golden(network: ir.Network, path: Path) -> Inputs:
    golden = network.golden
    if golden is None or not len(golden.features):
        raise SamplesError(f"{path}: the network stores no golden vectors; name a FILE, or draw "
                           "some with --random")
    if (network.evaluate(golden.features).scores != golden.scores).any():
        raise SamplesError(f"{path}: the network's golden scores are not those of the golden "
                           "evaluator")
    return _numbered("golden vectors", golden.features)


def _numbered(what: str, features: NDArray[np.int32]) -> Inputs:
    return Inputs(what, features, None, [f"vector {n}" for n in range(len(features))])
