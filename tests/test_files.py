import tempfile

import pytest

from bitwright import files


def test_replaces_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b"
    files.write_atomic(path, "first")
    files.write_atomic(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_the_temporary_file_is_beside_the_target(tmp_path, monkeypatch):
    """Renaming is atomic within one file system only, and /tmp may be another."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    files.write_atomic(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "text"


def test_failure_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_atomic(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
