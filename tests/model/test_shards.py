"""Data that do not fit the memory: written as shards, read a few at a time, trained on."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitwright import data, ir
from bitwright.data.shards import ShardError, Shards
from bitwright.model import train
from bitwright.model.recipe import load_recipe
from bitwright.model.training.stream import TOGETHER, Stream
from bitwright.model.training.trainer import Trainer

SMALL = ["epochs=3", "patience=3", "layers.0.width=60", "layers.1.width=40"]


@pytest.fixture
def digits(tmp_path):
    """Digits, and the same as shards of 100 samples."""
    whole = data.load("digits")
    with data.ShardWriter(tmp_path / "set", shape=whole.shape, classes=whole.classes,
                          bits=whole.bits, full_scale=whole.full_scale, size=6400) as writer:
        for start in range(0, len(whole.labels), 77):
            part = slice(start, start + 77)
            writer.add(whole.features[part], whole.labels[part])
        writer.test(whole.x_test, whole.y_test)
    return whole, data.load(str(tmp_path / "set"))


def test_shards_are_what_was_written(digits):
    whole, sharded = digits
    shards = sharded.shards
    assert isinstance(shards, Shards)
    assert np.diff(shards.bounds).tolist() == [100] * 13 + [47]
    assert (sharded.features[:] == whole.features).all()
    assert (sharded.features[np.array([1300, 5, 99, 100])]
            == whole.features[[1300, 5, 99, 100]]).all()
    assert (sharded.features[250] == whole.features[250]).all()
    for name in ("labels", "x_test", "y_test"):
        assert (getattr(sharded, name) == getattr(whole, name)).all()
    assert sharded.few.features.shape == (1000, 64)
    assert sharded.digest == replace(sharded).digest


def test_the_digest_is_of_every_value(tmp_path):
    digests = set()
    for value in (0, 1):
        features = np.zeros((3, 4), np.int64)
        features[2, 3] = value
        with data.ShardWriter(tmp_path / str(value), shape=(4,), classes=("a", "b")) as writer:
            writer.add(features, np.array([0, 1, 1]))
            writer.test(np.zeros((1, 4), np.int64), np.zeros(1, np.int64))
        digests.add(data.load(str(tmp_path / str(value))).digest)
    assert len(digests) == 2


def test_an_epoch_sees_every_sample_once_and_shuffles_neighbouring_shards(digits):
    _, sharded = digits
    train_rows = np.delete(np.arange(1347), np.arange(0, 1347, 7))
    stream = Stream(sharded.shards, train_rows, torch.int16, torch.device("cpu"))
    orders = [stream.order(torch.Generator().manual_seed(seed)) for seed in (0, 1, 0)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(len(train_rows)))
    assert torch.equal(orders[0], orders[2])
    assert not torch.equal(orders[0], orders[1])
    at = torch.from_numpy(train_rows[orders[2].numpy()] // 100)
    first = [set(part.tolist()) for part in at[:300].split(100)]
    assert all(len(shards) == TOGETHER for shards in first)
    assert first[0] == first[1] == first[2]
    for part in orders[2].split(90):
        expected = sharded.features[train_rows[part.numpy()]]
        assert (stream[part].numpy() == expected).all()
        assert len(stream._held) <= 2 * TOGETHER


def test_training_sees_the_same_as_in_memory(digits, monkeypatch):
    whole, sharded = digits
    recipe = load_recipe("digits", SMALL)
    trainers = [Trainer(recipe, source) for source in (whole, sharded)]
    stream = trainers[1]._features
    monkeypatch.setattr(stream, "order", lambda generator: torch.randperm(
        len(stream), generator=generator))
    entries = []
    for trainer in trainers:
        entry = trainer.run_epoch(lambda *_: None)
        entries.append({key: value for key, value in entry.items() if key != "samples_per_second"})
    assert entries[0] == entries[1]


def test_a_stopped_training_on_shards_goes_on_to_the_same_bytes(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["digits", "--data", "./set", *(word for one in SMALL for word in ("--set", one))]
    assert train.main([*words, "--out", "whole"]) == 0
    from bitwright.model.training import folder

    def first_only(trainer, out, step=lambda *_: None):
        trainer.run_epoch(step)
        trainer.save(out / "checkpoint.pt")
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr(train, "epochs", first_only)
        assert train.main([*words, "--out", "stopped"]) == 1
    assert train.main(["--resume", "--out", "stopped"]) == 0
    first, second = (ir.load(Path(out, folder.NETWORK)) for out in ("whole", "stopped"))
    assert first.entries == second.entries


def refused(message):
    return pytest.raises(ShardError, match=f"^{re.escape(message)}$")


def test_damaged_shards(digits, tmp_path):
    _, sharded = digits
    path = tmp_path / "set" / "features-00001.npy"
    np.save(path, np.zeros((99, 64), np.uint8))
    with refused(f"{path}: must be integers of the shape (100, 64), not uint8 of (99, 64)"):
        sharded.features[np.array([100])]
    np.save(path, np.full((100, 64), 99, np.uint8))
    with refused(f"{path}: values must be from 0 to 31, not from 99 to 99"):
        sharded.features[np.array([100])]
    path.write_bytes(b"nothing")
    with refused(f"{path}: cannot be read as a shard"):
        sharded.features[np.array([100])]
    (tmp_path / "set" / "set.json").write_text("{}")
    with refused(f"{tmp_path / 'set' / 'set.json'}: cannot be read as a set of shards"):
        data.load(str(tmp_path / "set"))


def test_what_a_writer_refuses(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "something").touch()
    with refused(f"{folder}: must be a new folder, or an empty one"):
        data.ShardWriter(folder, shape=(4,))
    folder = tmp_path / "other"
    labels = np.zeros(2, np.int64)
    with (refused(f"{folder}: a set must have samples to train on, and a test part"),
          data.ShardWriter(folder, shape=(4,)) as writer):
        with refused(f"{folder}: features must be from 0 to 255, not from 256 to 256"):
            writer.add(np.full((2, 4), 256), labels)
        with refused(f"{folder}: features must be integers of the shape (2, 4), not int64 of "
                     "(2, 3)"):
            writer.add(np.zeros((2, 3), np.int64), labels)
        writer.add(np.zeros((2, 4), np.int64), labels)


def test_a_teacher_is_refused(digits):
    recipe = load_recipe("digits", [*SMALL, "distill.teacher='runs/none'"])
    with pytest.raises(ValueError, match=r"^distill must be left out where samples are read from "
                                         r"shards$"):
        Trainer(recipe, digits[1])
