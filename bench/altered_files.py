"""Alter frozen files, sign them again, and see what the reader does with them.

Networks at random are saved; one to three things of each are then altered: fields of the header,
attributes, types, shapes and values of tensors, the graph, what is around it (preparation, answer,
names), tokens of the JSON, bytes of the file.
The digests are computed anew, so that it is for the checks to refuse. Each file must be

* refused with an ArtifactError in one line of at most 500 characters that begins with the path, if
  a second, naive reader (tests/reference/format.py) finds that docs/format.md forbids it, or
* accepted, if it does not. Then the network is evaluated as the naive evaluator does, before and
  after simplification, and saved again to a file that is read to the same network.

Every eighth file is one of format 1, of which the naive reader knows nothing: it may be refused in
one line, or accepted with all that follows from it. Nothing may take more than ten seconds, or
4 GiB of memory. Exit status 1 if any file fails.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np
from tqdm import tqdm

from bitwright import ir
from tests.networks import features, labelled, network, raw_samples, surrounded
from tests.reference import nodes
from tests.reference import preparation as surroundings
from tests.reference.format import allowed
from tests.stored import contents, version_1, write

__all__ = ["altered", "main", "verdict"]

JUNK = [None, True, False, 0, 1, 2, 3, 7, 8, 9, 16, 17, -1, 255, 1 << 15, (1 << 15) + 1, 1 << 24,
        (1 << 24) - 1, 1 << 31, 10**12, 1 << 63, 1 << 64, 0.5, 1.0, 1e300, "", "1", "lut", "xnor",
        "scores", "modulate", "input", "head", "line\nbreak", "affine", "picture", " a",
        "b\u202e", [], {}, [1], ["modulate"], {"a": 1}, [[]], "\ud800"]
TOKENS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000, "1" * 21, "-0", "1.0",
          "1E2", '"\\ud800"', '{"a":1,"a":1}', "[" * 40 + "]" * 40, "[" * 200 + "]" * 200,
          "[" * 100_000 + "]" * 100_000, "", "{", "tru", "'a'", "1" * 19, "18446744073709551615",
          "18446744073709551616", "0.1e-400"]
TYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
         "float32", "float64", "bool"]
MARK = "\u2603"
"""Text in place of which a token is put into the JSON."""


class _TooSlow(BaseException):
    """No exception that anything could catch."""


def altered(path, rng):
    """Write an altered file, and tell what is in it.

    Returns
    -------
    text : str
        Header.
    tensors : dict
    whole : bool
        Whether it is a safetensors file with right digests.
    """
    seed = int(rng.integers(1 << 32))
    net = (labelled(seed, classes=2) if rng.random() < 0.1
           else network(seed, frames=int(rng.integers(1, 3)), signed=bool(rng.integers(2))))
    older = rng.random() < 0.125
    if not older:  # format 1 had nothing around the nodes
        net = surrounded(net, seed)
    golden = None
    if rng.random() < 0.5:
        x = features(net, 3, seed)
        golden = ir.Golden(x, net.evaluate(x).scores)
    ir.save(path, dataclasses.replace(net, golden=golden, provenance={
        "recipe": {"name": "a"}, "curve": [0.5, 1]}))
    header, tensors = contents(path)
    if older:
        header, tensors = version_1(header, tensors)
    tokens = []
    for _ in range(int(rng.integers(1, 4))):
        draw = rng.random()
        if draw < 0.35:
            _alter_json(header, rng)
        elif draw < 0.8 and tensors:
            _alter_tensors(tensors, rng)
        elif draw < 0.9:
            _alter_graph(header, tensors, rng)
        elif draw < 0.95:
            tokens.append(str(rng.choice(TOKENS)))
            _replace(header, rng, MARK)

    def edit(text):
        for token in tokens:
            text = text.replace(json.dumps(MARK), token, 1)
        return text

    text = write(path, header, tensors, edit=edit)
    whole = True
    if rng.random() < 0.05:
        whole = False
        content = bytearray(path.read_bytes())
        place = int(rng.integers(len(content)))
        if rng.random() < 0.5:
            content[place] ^= 1 << int(rng.integers(8))
        else:
            del content[place:]
        path.write_bytes(content)
    return text, tensors, whole


def _places(value, found=None):
    """Every (container, key) inside a JSON value."""
    found = [] if found is None else found
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            _places(value[key], found)
    return found


def _replace(header, rng, value):
    places = _places(header)
    container, key = places[int(rng.integers(len(places)))]
    container[key] = value


def _alter_json(header, rng):
    places = [place for place in _places(header) if rng.random() < 0.9 or place[0] is not header]
    if not places:
        return
    container, key = places[int(rng.integers(len(places)))]
    draw = rng.random()
    if draw < 0.2:
        del container[key]
    elif draw < 0.3:
        if isinstance(container, dict):
            container["more"] = 1
        else:
            container.append(container[key])
    elif draw < 0.6 and type(container[key]) is int:
        container[key] += int(rng.integers(-2, 3))
    else:
        container[key] = JUNK[int(rng.integers(len(JUNK)))]


def _alter_tensors(tensors, rng):
    name = sorted(tensors)[int(rng.integers(len(tensors)))]
    value = tensors[name]
    match int(rng.integers(8)):
        case 0:
            with np.errstate(all="ignore"):
                tensors[name] = value.astype(rng.choice(TYPES))
        case 1:
            del tensors[name]
        case 2:
            tensors[f"{name.partition('.')[0]}.more" if rng.integers(2) else "other.x"] = value
        case 3:
            tensors[name] = _reshaped(value, rng)
        case 4 if value.size and value.dtype.kind in "iu":
            limits = np.iinfo(value.dtype)
            value.flat[int(rng.integers(value.size))] = rng.choice([limits.min, limits.max])
        case _ if value.size and value.dtype.kind == "f":
            value.flat[int(rng.integers(value.size))] = rng.choice(
                [np.nan, np.inf, 0.5, -0.0, -1, 1e-45, 3e38, 9])
        case _ if value.size and value.dtype.kind in "iu":
            place = int(rng.integers(value.size))
            small = int(rng.integers(-3, 4))
            value.flat[place] = (value.flat[place].astype(np.int64) + small).astype(value.dtype)


def _reshaped(value, rng):
    axis = int(rng.integers(max(1, value.ndim)))
    ways = [value.reshape(-1), value[None], value[..., None], value[:0] if value.ndim else value,
            np.zeros((0, 1 << 40), value.dtype), value.T]
    if value.ndim and value.size:
        ways += [np.concatenate([value, value], axis), np.delete(value, 0, axis),
                 np.concatenate([value, value], 0), np.delete(value, -1, 0)]
    return np.ascontiguousarray(ways[int(rng.integers(len(ways)))])


def _alter_graph(header, tensors, rng):
    items = header.get("nodes")
    if not isinstance(items, list) or len(items) < 2:
        return
    one, two = (int(index) for index in rng.integers(len(items), size=2))
    match int(rng.integers(4)):
        case 0:
            items[one], items[two] = items[two], items[one]
        case 1:
            items.insert(one, items[two])
        case 2 if isinstance(items[one], dict) and isinstance(items[two], dict):
            items[one]["name"] = items[two].get("name")
        case 3 if isinstance(items[one], dict) and isinstance(items[two], dict):
            items[one]["inputs"] = [items[two].get("name")]


def verdict(path, text, tensors, *, whole):
    """What the reader did: "accepted" or "refused".

    Raises
    ------
    AssertionError
        If that is not what it should do.
    """
    should = whole and allowed(text, tensors)
    older = whole and '"format": 1' in text
    try:
        net = ir.load(path)
    except ir.ArtifactError as error:
        message = str(error)
        assert not should, f"refused what docs/format.md allows: {message}"
        assert message.startswith(f"{path}: "), message
        assert message.isprintable(), message
        assert len(message) <= 500 + len(str(path)), message
        return "refused"
    assert should or older or not whole, "accepted what docs/format.md forbids"
    assert whole, "accepted a damaged file"
    x = features(net, 3, 0)
    expected = [nodes.scores(net, row) for row in x.tolist()]
    assert net.evaluate(x).scores.tolist() == expected, "evaluates to other scores"
    simple = ir.simplify(net)
    assert simple.evaluate(x).scores.tolist() == expected, "simplifies to other scores"
    _check_surroundings(net, expected)
    again = path.with_name("again.safetensors")
    ir.save(again, net)
    copy = ir.load(again)
    for field in ("entries", "provenance", "preparation", "answer", "names"):
        assert getattr(copy, field) == getattr(net, field), f"is saved with another {field}"
        if field not in ("entries", "provenance"):
            assert getattr(simple, field) == getattr(net, field), f"simplifies to another {field}"
    assert (ir.digest(copy), ir.record_digest(copy)) == (ir.digest(net), ir.record_digest(net))
    ir.save(path, copy)
    assert path.read_bytes() == again.read_bytes(), "is saved to other bytes"
    return "accepted"


def _check_surroundings(net, scores):
    """What is before and after the nodes does what the naive one does."""
    if net.preparation is not None:
        raw = raw_samples(net.preparation, 3, 0)
        expected = [surroundings.features(net.preparation, sample) for sample in raw.tolist()]
        found = net.preparation.apply(raw)
        assert found.tolist() == expected, "prepares other features"
        net.evaluate(found)
    if net.answer is not None:
        expected = [surroundings.answers(net.answer, row) for row in scores]
        assert net.answer.apply(np.array(scores)).tolist() == expected, "answers other numbers"


def limited(work):
    """Do something, for ten seconds at most."""
    def stop(number, frame):
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(10)
    try:
        return work()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def little_memory():
    """Let this process have 4 GiB, for as long as that is wanted."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def counted(seeds, prepare, title=""):
    """Try a file a seed.

    Parameters
    ----------
    seeds : range
    prepare : callable
        Writes the file of a seed, and returns what is to be done with it in little memory and ten
        seconds: a callable that says what came of it.
    title : str
        Of the seed of a file that fails, in the log.

    Returns
    -------
    Counter, float
        How often each thing came of it, ``failed`` for an exception; and the slowest, in seconds.
    """
    counts, slowest = collections.Counter(), 0.0
    with little_memory():
        for seed in tqdm(seeds, disable=None):
            work = prepare(seed)
            start = time.perf_counter()
            try:
                found = limited(work)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                found = "failed"
                print(f"{title}seed {seed}:", file=sys.stderr)
                traceback.print_exc()
            counts[found] += 1
            slowest = max(slowest, time.perf_counter() - start)
    return counts, slowest


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.altered_files", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", metavar="N", type=int, default=10_000,
                        help="files to alter (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=int, default=0,
                        help="of the first file, the others follow (default: %(default)s)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"

        def prepare(seed):
            text, tensors, whole = altered(path, np.random.default_rng(seed))
            return lambda: verdict(path, text, tensors, whole=whole)

        counts, slowest = counted(range(args.seed, args.seed + args.files), prepare)
    print("| files | refused in one line | accepted, equal to the naive evaluator | failed | "
          "slowest, s |")
    print("|---|---|---|---|---|")
    print(f"| {args.files:,} | {counts['refused']:,} | {counts['accepted']:,} | "
          f"{counts['failed']:,} | {slowest:.2f} |")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
