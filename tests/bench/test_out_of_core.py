"""The bench of sets that lie on disk, on a small one."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from bench import out_of_core
from bitwright import data

SHARD = 20_000_000 // 16 // 3072
"""Samples of a shard: a sixteenth of the set."""


def test_a_part_is_trained_on_from_disk_and_in_memory(tmp_path, capsys):
    assert out_of_core.main(["--gigabytes", "0.02", "--memory", "3000", "--batch", "64", "--json",
                             "--out", str(tmp_path)]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    rows = json.loads(last)
    assert [row["where"] for row in rows] == ["shards", "shards", "memory"]
    whole, some, held = (row["samples"] for row in rows)
    assert some == held < 7 * SHARD < 3000 < whole
    assert all(row["rate"] > 0 and row["peak"] >= row["before"] > 0 for row in rows)
    assert all(row["accuracy"] > 0.2 for row in rows)  # by chance 0.1
    assert [line.split(" | ")[2] for line in table[-3:]] == ["shards", "shards", "memory"]
    found = data.load(str(tmp_path / "0.02"))
    total = len(found.labels)
    for most, samples in ((1, SHARD), (SHARD, SHARD), (3000, 7 * SHARD), (total, total)):
        few = out_of_core.part(found, most)
        assert len(few.features) == len(few.labels) == samples
    assert (few.features[samples - 3 :] == found.features[samples - 3 :]).all()
