"""What is written is whole, or the error says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from geosite.disk import placed, writing
from geosite.errors import RunError


def test_two_runs_in_one_second_have_two_folders(tmp_path):
    path = tmp_path / "run"
    for n, name in enumerate(("run", "run-2", "run-3")):
        folder = tmp_path / f"{n}.partial"
        folder.mkdir()
        (folder / "file").touch()
        assert placed(folder, path) == tmp_path / name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run-2", "run-3"]


def test_a_name_that_another_run_takes_in_between_is_left_to_it(tmp_path, monkeypatch):
    folder, path = tmp_path / "a.partial", tmp_path / "run"
    for p in (folder, path):
        p.mkdir()
        (p / "file").touch()
    seen = iter([False])
    there = Path.exists
    monkeypatch.setattr(Path, "exists", lambda p: next(seen, None) or (p != path and there(p)))
    assert placed(folder, path) == tmp_path / "run-2"


def _half_written(folder):
    with writing(folder):
        folder.mkdir(exist_ok=True)
        (folder / "half").write_text("half", encoding="utf-8")
        raise PermissionError(13, "Permission denied")


def test_a_failure_to_write_takes_a_new_folder_away_and_keeps_an_old_one(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.mkdir()
    for folder, said in ((new, "nothing half-written"), (old, "may be incomplete")):
        with pytest.raises(RunError, match=said):
            _half_written(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
