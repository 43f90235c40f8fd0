"""Tiles fit the memory they are given, with the least work; what cannot fit says so at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geosite import capacity
from geosite.capacity import Means, _files, arranged, layout
from geosite.catalog import open_catalog
from geosite.engine import Engine
from geosite.errors import CapacityError, RunError, SchedulerError
from geosite.model.prospectivity import Prospectivity
from geosite.sources.holdings import Holdings
from tests.stores import fetched
from tests.worlds import tree


@pytest.fixture
def fine(hamlet):
    """A plan of 2,400 cells a side with a halo of 1,800."""
    hamlet.ask(rules=[])
    found = hamlet.plan(resolution=5.0)
    assert (found.grid.shape, found.halo) == ((2400, 2400), 1800)
    return found


def least(plan, scheduler="serial"):
    with pytest.raises(CapacityError) as caught:
        layout(plan, Engine(scheduler, 1), memory=1)
    return caught.value


def test_more_memory_never_means_more_work(fine):
    found = [
        layout(fine, Engine("threads", 4), memory=m * 1e9, limit=10**12)
        for m in (0.7, 0.8, 1, 2, 5, 20)
    ]
    for laid, memory in zip(found, (0.7, 0.8, 1, 2, 5, 20), strict=True):
        assert laid.bytes <= memory * 1e9
        assert laid.tile in capacity.SIZES
    work = [capacity._work(fine, f) for f in found]
    assert work == sorted(work, reverse=True)
    assert work[-1] < work[0]


def test_processes_take_more_than_threads_and_those_more_than_one(fine):
    serial, threads, processes = (
        layout(fine, Engine(s, 2), memory=1e12, tile=1024, limit=10**12)
        for s in ("serial", "threads", "processes")
    )
    assert serial.bytes < threads.bytes < processes.bytes
    assert serial.tiles == threads.tiles == 9


def test_idle_workers_take_no_memory(hamlet):
    one, eight = (
        layout(hamlet.plan(), Engine("threads", n), tile=64, limit=10**12) for n in (1, 8)
    )
    assert one.tiles == eight.tiles == 1
    assert one.bytes == eight.bytes


def test_what_does_not_fit_says_what_would_and_how_to_shrink(fine, hamlet):
    error = least(fine)
    for word in ("at least", "--memory '", "coarser --resolution", "smaller --aoi", "9 km"):
        assert word in str(error)
    needed = float(str(error).partition("--memory '")[2].partition(" GB")[0])
    assert layout(fine, Engine("serial"), memory=needed * 1e9, limit=10**12)
    before = tree(hamlet.root)
    result = hamlet.cli("run", "--resolution", "5 m", "--memory", "600 MB")
    assert result.exit_code == 1
    assert "preparing" not in result.stderr
    assert tree(hamlet.root) == before


def test_the_machine_is_a_limit_too(fine):
    with pytest.raises(CapacityError, match=r"this machine has 0\.5 GB; give a coarser"):
        layout(fine, Engine("threads"), memory=1e12, limit=5 * 10**8)
    with pytest.raises(CapacityError, match=r"a worker has 0\.5 GB"):
        layout(fine, Engine("tcp://127.0.0.1:1", 4, 2), memory=1e12, limit=5 * 10**8)


def test_a_worker_of_a_cluster_holds_a_tile_for_each_of_its_threads(fine):
    one, two, three = (
        layout(fine, Engine("tcp://127.0.0.1:1", 8, n), memory=1e12, tile=1024).bytes
        for n in (1, 2, 3)
    )
    assert two - one == three - two > 1024**2 * capacity.BYTES_A_CELL


def test_layers_and_reasons_take_memory_too(hamlet):
    few = layout(hamlet.plan(), Engine("serial"), limit=10**12)
    with (hamlet.data / "rail.fgb").open("ab") as file:
        file.write(bytes(1000))
    more = layout(hamlet.plan(), Engine("serial"), limit=10**12)
    assert more.bytes - few.bytes == 1000 * capacity.BYTES_A_LAYER_BYTE
    hamlet.ask(rules=[])
    assert layout(hamlet.plan(), Engine("serial"), limit=10**12).bytes < more.bytes


def test_the_evidence_surface_is_counted_once_where_the_run_is_begun(hamlet):
    plan = hamlet.plan()
    evidence = plan.scenario.evidence
    none, some = (
        replace(plan, scenario=plan.scenario.model_copy(update={"evidence": e}))
        for e in (
            evidence.model_copy(update={"surface": None}),
            evidence.model_copy(update={"surface": Prospectivity(cell=plan.grid.resolution / 10)}),
        )
    )
    rows, columns = plan.grid.shape
    there = rows * columns * 100 * capacity.BYTES_A_SURFACE_CELL
    for kind, times in (("serial", 1), ("threads", 1), ("processes", 1), ("tcp://127.0.0.1:1", 0)):
        how = {"memory": 1e12, "tile": 64, "limit": 10**12}
        few, more = (layout(p, Engine(kind, 2), **how).bytes for p in (none, some))
        assert more - few == times * there
    heavy = evidence.model_copy(update={"surface": Prospectivity(cell=plan.grid.resolution / 100)})
    error = least(replace(plan, scenario=plan.scenario.model_copy(update={"evidence": heavy})))
    for word in ("the evidence surface needs about", "--memory '", "evidence.surface.cell"):
        assert word in str(error)


def test_a_layer_that_is_a_folder_weighs_what_its_files_weigh(tmp_path):
    (tmp_path / "land.gdb" / "inner").mkdir(parents=True)
    for name in ("a", "inner/b"):
        (tmp_path / "land.gdb" / name).write_bytes(bytes(700))
    assert capacity._size(tmp_path / "land.gdb") == 1400
    assert capacity._size(tmp_path / "land.gdb" / "a") == 700


def test_layers_too_large_for_the_memory_are_named(hamlet, monkeypatch):
    monkeypatch.setattr(capacity, "BYTES_A_LAYER_BYTE", 10**4)
    error = least(hamlet.plan())
    for word in ("the files of the layers need about", "keep of the largest", "--memory '"):
        assert word in str(error)


@pytest.mark.parametrize("scheduler", ["dask", "tcp://", "tcp://host", "http://host:80", ""])
def test_a_scheduler_that_is_none(hamlet, scheduler):
    with pytest.raises(SchedulerError, match="expected serial, threads, processes"):
        arranged(hamlet.plan(), Means(scheduler=scheduler), hamlet.outputs)


def test_outputs_that_cannot_be_written_are_said_before_a_cluster_is_asked(hamlet):
    (hamlet.root / "file").touch()
    with pytest.raises(RunError, match="name another folder with --outputs"):
        arranged(
            hamlet.plan(), Means(scheduler="tcp://127.0.0.1:1"), hamlet.root / "file" / "outputs"
        )


def test_files_that_workers_open_are_probed_first_also_fetched_ones(hamlet):
    root = hamlet.root / "cache" / "fetched"
    boxes = {"terrain/elevation": None, "land/dod": None}
    fetched(hamlet, open_catalog(hamlet.layers), Holdings(root), boxes)
    plan = hamlet.plan(fetched=root)
    files = _files(plan)
    held = plan.catalog.held
    assert files[0] == (held["terrain/elevation"].path, held["terrain/elevation"].entry.size)
    assert held["land/dod"].path in {path for path, _ in files[1:]}
    assert len(files) == 9
