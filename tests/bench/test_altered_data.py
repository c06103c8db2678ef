"""The bench that alters tables, arrays and pictures: it passes, and sees what is planted."""

import pytest

pytest.importorskip("PIL")

from bench import altered_data
from bitwright.data import arrays, picture, table


@pytest.mark.parametrize("kind", altered_data.KINDS)
def test_altered_files(tmp_path, kind):
    found = [altered_data.tried(kind, tmp_path, seed) for seed in range(40)]
    assert min(found.count("read"), found.count("refused")) > 4


@pytest.mark.parametrize(("kind", "module", "name", "wrong"), [
    ("table", table, "_SEPARATORS", None),
    ("pictures", picture, "_TURNED", {}),
    ("arrays", arrays, "numbers", lambda place, rows, source: (rows + 1, rows[:, 0, 0] == rows[0])),
])
def test_planted_faults_are_seen(tmp_path, monkeypatch, kind, module, name, wrong):
    if kind == "table":
        monkeypatch.setattr(table._Reader, "_separator", lambda self, line: ",")
    else:
        monkeypatch.setattr(module, name, wrong)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        _try_all(kind, tmp_path)


def _try_all(kind, folder):
    for seed in range(80):
        altered_data.tried(kind, folder, seed)
