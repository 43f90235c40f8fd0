"""A run that is stopped, however, goes on from its finished tiles to the same answer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from geosite import runs
from geosite.capacity import Means
from geosite.errors import CoverageError, RunError, SchedulerError
from geosite.runs import Interrupted, execute
from tests.worlds import copied, edited_criteria, make_hamlet, tree, write_towns

MEANS = Means("serial", tile=25)
TILES = 9
SITES = {"unit": "patch", "threshold": "0.2", "min_area": "1 ha"}
NAMES = ("status", "planes", "parcel", "suitability", "effective", "measures")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    found = make_hamlet(tmp_path_factory.mktemp("undisturbed") / "village")
    found.ask(sites=SITES)
    return found


@pytest.fixture
def village(first, tmp_path):
    found = copied(first, tmp_path / "village")
    shutil.rmtree(found.outputs, ignore_errors=True)
    return found


@pytest.fixture(scope="module")
def undisturbed(first):
    return execute(first.plan(), first.outputs, means=MEANS)


def going_on(village, **more):
    return execute(village.plan(), village.outputs, means=MEANS, resume=True, **more)


def unfinished_of(village):
    return sorted(village.outputs.glob("*/*.partial"))


def stopped_at(village, number, error=KeyboardInterrupt, **more):
    """A run that is stopped when so many tiles are finished."""

    def told(stage, done, _total):
        if (stage, done) == ("tiles", number):
            raise error

    try:
        execute(village.plan(), village.outputs, means=MEANS, told=told, **more)
    except (Interrupted, KeyboardInterrupt, RunError, SchedulerError) as stopped:
        return str(stopped)
    raise AssertionError(number)


def same(run, other):
    one, two = run.store, other.store
    for name in NAMES:
        a, b = one.read(name, one.grid), two.read(name, two.grid)
        np.testing.assert_array_equal(a, b, err_msg=name)
    for table in ("sites.csv", "removed.csv", "inventory.csv", "deposits.csv"):
        assert (run.path / table).read_bytes() == (other.path / table).read_bytes()
    assert run.sites.geometry.to_wkb().tolist() == other.sites.geometry.to_wkb().tolist()
    assert {p.name for p in run.path.iterdir()} == {p.name for p in other.path.iterdir()}
    assert run.manifest["hash"] == other.manifest["hash"]


# ── kill ──────────────────────────────────────────────────────────────────────────────────────
KILLED = """
import os, signal, sys
from pathlib import Path
from geosite import catalog
from geosite.capacity import Means
from geosite.runs import execute
from geosite.pipeline import plan
root = Path(sys.argv[1])
moments = [("tiles", 2), ("tiles", 6), ("joining", 0), ("saving", 0)]

def told(stage, done, total):
    if (stage, done) == moment:
        os.kill(os.getpid(), signal.SIGKILL)

for moment in moments:
    child = os.fork()
    if not child:
        asked = plan(
            catalog.open_scenario(str(root / "scenario.yaml")),
            catalog.open_catalog(root / "layers"),
            catalog.open_rulebook(),
            root / "data",
        )
        execute(asked, root / "outputs", means=Means("threads", 2, tile=25), resume=True, told=told)
    _, status = os.waitpid(child, 0)
    print(os.WTERMSIG(status), len(list(root.glob("outputs/*/*.partial/tiles/*.tile"))))
"""


def test_a_run_killed_again_and_again_goes_on_to_the_same_answer(village, undisturbed):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, village.root],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    killed = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert [number for number, _ in killed] == [signal.SIGKILL] * 4, done.stderr
    tiles = [count for _, count in killed]
    assert 2 <= tiles[0] <= 4
    assert 6 <= tiles[1] <= 8
    assert tiles[2] == tiles[3] == TILES
    assert len(unfinished_of(village)) == 1
    run = going_on(village)
    same(run, undisturbed)
    assert run.manifest["engine"]["resumed_tiles"] == TILES
    assert not unfinished_of(village)


# ── stops that can be told of ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), OSError(28, "No space left on device"), SchedulerError("lost")],
    ids=["Ctrl-C", "full disk", "lost workers"],
)
def test_finished_tiles_outlive_a_stop(village, undisturbed, error):
    said = stopped_at(village, 5, error)
    assert f"5 of {TILES} tiles are finished; the same command with --resume goes on" in said
    run = going_on(village)
    assert run.manifest["engine"]["resumed_tiles"] == 5
    same(run, undisturbed)


def test_before_the_first_tile_nothing_is_kept(village):
    assert stopped_at(village, 0) == ""
    assert not village.outputs.exists() or not list(village.outputs.rglob("*"))


def test_what_going_on_cannot_mend_leaves_nothing(village):
    def told(stage, _done, _total):
        if stage == "joining":
            msg = "wrong data"
            raise CoverageError(msg)

    with pytest.raises(CoverageError):
        execute(village.plan(), village.outputs, means=MEANS, told=told)
    assert not list(village.outputs.rglob("*"))


def test_without_resume_a_run_begins_anew_and_sweeps_what_it_answers(village, undisturbed):
    stopped_at(village, 5)
    run = execute(village.plan(), village.outputs, means=MEANS)
    assert run.manifest["engine"]["resumed_tiles"] == 0
    same(run, undisturbed)
    assert not unfinished_of(village)


def test_nothing_to_go_on_with_is_a_new_run(village, undisturbed):
    same(going_on(village), undisturbed)


# ── what is damaged or changed ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("what", ["tile", "chunk", "metadata", "tiles"])
def test_what_is_damaged_is_worked_on_again(village, undisturbed, what):
    stopped_at(village, 5)
    (folder,) = unfinished_of(village)
    chunks = sorted((folder / "surfaces.zarr/status/c").rglob("*"))
    victim = {
        "tile": min((folder / "tiles").glob("*.tile")),
        "chunk": next(p for p in chunks if p.is_file()),
        "metadata": folder / "surfaces.zarr/status/zarr.json",
        "tiles": folder / "tiles",
    }[what]
    if victim.is_dir():
        shutil.rmtree(victim)
    else:
        victim.write_bytes(victim.read_bytes()[:-3])
    run = going_on(village)
    assert run.manifest["engine"]["resumed_tiles"] == (4 if what in {"tile", "chunk"} else 0)
    same(run, undisturbed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"criteria": edited_criteria("rail", weight="20")}, "criterion rail: weight was"),
        ({"sites": {**SITES, "threshold": "0.3"}}, "scenario: sites.threshold was 0.2, is 0.3"),
        ("file", "layer infrastructure/towns: towns.csv has changed"),
        ("entry", "layer infrastructure/rail: vintage was 2026, is 1999"),
    ],
)
def test_another_question_is_refused_in_words(village, change, words):
    stopped_at(village, 5)
    before = tree(village.outputs)
    if change == "file":
        write_towns(village, [(5000, 5000, "Middletown", 701)])
    elif change == "entry":
        village.declare("infrastructure/rail", vintage="1999")
    else:
        village.ask(**{"sites": SITES, **change})
    with pytest.raises(RunError, match="cannot be resumed") as caught:
        going_on(village)
    assert words in str(caught.value)
    assert tree(village.outputs) == before


def test_tiles_of_another_size_are_refused_and_the_old_size_is_kept(village, undisturbed):
    stopped_at(village, 5)
    other = Means("serial", tile=20)
    with pytest.raises(RunError, match="the side of a tile was 25, is 20"):
        execute(village.plan(), village.outputs, means=other, resume=True)
    run = execute(village.plan(), village.outputs, means=Means("serial"), resume=True)
    assert run.manifest["engine"]["tile_cells"] == 25
    same(run, undisturbed)


# ── the command ───────────────────────────────────────────────────────────────────────────────
STOPPED = """
import os, signal, sys
from geosite import capacity, progress
from geosite.cli import main
capacity.SIZES = (25,)

class Stop(progress.Silence):
    def __call__(self, stage, done, total):
        if (stage, done) == ("tiles", 2):
            os.killpg(0, signal.Signals[os.environ["SIGNAL"]])

progress.drawn = lambda **_: Stop()
if __name__ == "__main__":
    main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("name", "scheduler", "code"),
    [("SIGTERM", "threads", 143), ("SIGINT", "processes", 130)],
)
def test_ctrl_c_says_in_a_line_how_to_go_on(village, undisturbed, name, scheduler, code):
    words = ["run", *village.words("run"), "--scheduler", scheduler, "--workers", "2"]
    program = village.root / "stopped.py"
    program.write_text(STOPPED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, *words],
        env={**os.environ, "SIGNAL": name, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("geosite: stopped: ")
    assert f"of {TILES} tiles are finished; the same command with --resume goes on" in line
    result = village.cli("run", "--resume", "--scheduler", "serial")
    assert result.exit_code == 0, result.stderr
    run = runs.open_run(Path(result.stdout.strip()))
    assert run.manifest["engine"]["resumed_tiles"] >= 2
    same(run, undisturbed)


def test_the_rules_are_read_on_the_day_that_the_run_began(village):
    village.ask(sites=SITES, as_of=None)
    asked = village.plan(today=date(2026, 3, 4))

    def told(stage, done, _total):
        if (stage, done) == ("tiles", 2):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        execute(asked, village.outputs, means=MEANS, told=told)
    result = village.cli("run", "--resume", "--scheduler", "serial")
    assert result.exit_code == 0, result.stderr
    assert "going on with rules as of 2026-03-04" in result.stderr
    said = runs.open_run(Path(result.stdout.strip())).manifest
    assert said["as_of"] == "2026-03-04"
    assert said["engine"]["resumed_tiles"] == 2
