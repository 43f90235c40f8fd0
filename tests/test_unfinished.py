"""An unfinished folder has one process, one question, and an end."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from geosite import unfinished
from geosite.errors import RunError

ASKED = {"scenario": {"title": "x"}, "as_of": "2026-01-02", "tile_cells": 512, "tiles": 4}
OTHER = ASKED | {"scenario": {"title": "y"}}


def stopped(root, asked=ASKED):
    folder = unfinished.begun(root, asked)
    folder.leave()
    return folder.path


def test_what_was_stopped_is_taken_up_by_the_same_question(tmp_path):
    assert unfinished.resumed(tmp_path, ASKED) is None
    path = stopped(tmp_path)
    found = unfinished.resumed(tmp_path, ASKED)
    assert (found.path, found.resumed, found.finished) == (path, True, 0)
    found.leave()


def test_what_may_be_half_written_is_made_again(tmp_path):
    path = stopped(tmp_path)
    for name in ("surfaces.zarr", "empty.zarr", "tiles"):
        (path / name).mkdir(exist_ok=True)
        (path / name / "it").touch()
    (path / "sites.gpkg").write_bytes(b"half")
    unfinished.resumed(tmp_path, ASKED).leave()
    assert {p.name for p in path.iterdir()} == {"asked.json", "lock", "surfaces.zarr", "tiles"}
    assert (path / "tiles/it").exists()


def test_the_newest_with_the_same_question_wins(tmp_path):
    paths = [stopped(tmp_path), stopped(tmp_path), stopped(tmp_path, OTHER)]
    found = unfinished.resumed(tmp_path, ASKED)
    assert found.path == paths[1]
    found.leave()


def test_another_question_is_refused_with_what_changed(tmp_path):
    path = stopped(tmp_path, OTHER)
    with pytest.raises(RunError, match=r"(?s)scenario: title was y, is x.*without --resume") as e:
        unfinished.resumed(tmp_path, ASKED)
    assert str(path) in str(e.value)
    assert path.is_dir()


def test_a_folder_that_is_worked_on_is_left_to_its_process(tmp_path):
    folder = unfinished.begun(tmp_path, ASKED)
    with pytest.raises(RunError, match=f"process {os.getpid()} on .* is working on this run"):
        unfinished.resumed(tmp_path, ASKED)
    unfinished.sweep(tmp_path, ASKED)
    assert folder.path.is_dir()
    folder.remove()
    assert not folder.path.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from geosite import unfinished
kept = unfinished.begun(Path(sys.argv[1]), {"as_of": "2026-01-02"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False, timeout=60)
    (path,) = tmp_path.iterdir()
    assert (path / "lock").read_text(encoding="utf-8")
    found = unfinished.resumed(tmp_path, {"as_of": "2026-01-02"})
    assert found.path == path
    found.leave()


def test_the_lock_of_another_machine_is_believed(tmp_path):
    path = stopped(tmp_path)
    (path / "lock").write_text("1@elsewhere", encoding="utf-8")
    with pytest.raises(RunError, match=r"process 1 on elsewhere.*if it is dead, delete .*lock"):
        unfinished.resumed(tmp_path, ASKED)
    unfinished.sweep(tmp_path, ASKED)
    assert path.is_dir()
    (path / "lock").unlink()
    unfinished.resumed(tmp_path, ASKED).leave()


def test_what_is_answered_is_swept_and_nothing_else(tmp_path):
    same, other = stopped(tmp_path), stopped(tmp_path, OTHER)
    strange = tmp_path / "20260101T000000Z-1.partial"
    strange.mkdir()
    unfinished.sweep(tmp_path, ASKED)
    assert not same.exists()
    assert other.is_dir()
    assert strange.is_dir()


def test_a_finished_run_keeps_nothing_of_it(tmp_path):
    folder = unfinished.begun(tmp_path, ASKED)
    folder.strip()
    assert not list(folder.path.iterdir())
    folder.close()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_question_is_no_question(tmp_path, text):
    path = stopped(tmp_path)
    (path / "asked.json").write_text(text, encoding="utf-8")
    assert unfinished.resumed(tmp_path, ASKED) is None
    assert unfinished.day_of(tmp_path) is None
    assert unfinished.tile_of(tmp_path) is None


def test_day_and_tile_are_those_of_the_newest(tmp_path):
    stopped(tmp_path)
    stopped(tmp_path, OTHER | {"as_of": "2027-01-02", "tile_cells": 1024})
    assert unfinished.day_of(tmp_path).isoformat() == "2027-01-02"
    assert unfinished.tile_of(tmp_path) == 1024
    assert json.loads((max(tmp_path.iterdir()) / "asked.json").read_text(encoding="utf-8"))
