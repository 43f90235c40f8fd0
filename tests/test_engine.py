import operator
import threading
import time

import numpy as np
import pytest

from geosite.engine import Engine, Peak, mapped, peak, summed_peaks
from geosite.errors import SchedulerError
from geosite.store import Store
from tests.toyworld import toygrid

GRID = toygrid(7, 10, row=-31, column=-17, resolution=90.0)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_windows(workers):
    windows = list(GRID.tiles(2))

    def slow_first(window):
        time.sleep(0.02 if window == windows[0] else 0)
        return window.row, window.column

    found = mapped(slow_first, windows, Engine("threads", workers))
    assert found == [(w.row, w.column) for w in windows]


def test_no_more_windows_at_once_than_workers():
    now, most, lock = 0, 0, threading.Lock()

    def counted(_):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    mapped(counted, list(GRID.tiles(2)), Engine("threads", 2))
    assert most == 2


def test_equal_windows_are_not_done_once_for_all():
    done = []
    mapped(done.append, [GRID, GRID, GRID], Engine("threads", 2))
    assert len(done) == 3


def test_an_error_in_a_tile_is_the_error_of_the_run():
    def fails(_):
        msg = "a tile failed"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="a tile failed"):
        mapped(fails, list(GRID.tiles(5)), Engine("threads", 2))


def test_two_workers_write_what_one_writes(tmp_path):
    written = np.random.default_rng(0).integers(0, 2**31 - 1, GRID.shape, dtype="i4")

    def store_of(workers):
        store = Store.create(
            tmp_path / f"{workers}.zarr", GRID, {"piece": (None, "i4", 0)}, chunk=2
        )

        def work(window):
            store.write(window, {"piece": written[GRID.window(window)]})

        mapped(work, list(GRID.tiles(2)), Engine("threads", workers))
        return store.read("piece", GRID).tobytes()

    assert store_of(1) == store_of(2) == written.tobytes()


@pytest.mark.parametrize("scheduler", ["serial", "threads", "processes"])
def test_every_scheduler_gives_the_same_and_tells_of_each_window(scheduler, tmp_path):
    done = []
    found = mapped(
        operator.neg, range(5), Engine(scheduler, 2), desk=tmp_path, finished=done.append
    )
    assert found == [0, -1, -2, -3, -4]
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert not list(tmp_path.iterdir())


def test_nothing_to_do_starts_no_process():
    assert mapped(operator.neg, [], Engine("processes", 2)) == []


def test_after_an_error_no_window_is_begun(tmp_path):
    begun = []

    def fails(window):
        begun.append(window)
        time.sleep(0.01)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 -- which one is what the next line says
        mapped(fails, range(50), Engine("threads", 2))
    count = len(begun)
    time.sleep(0.1)
    assert len(begun) == count < 50


@pytest.mark.parametrize("workers", [0, -1])
def test_no_worker_is_no_engine(workers):
    with pytest.raises(SchedulerError, match="--workers"):
        Engine("threads", workers)


def test_memory_of_a_process_counts_once():
    found = [Peak("a", 1, 5), Peak("a", 1, 7), Peak("a", 2, 3), Peak("b", 1, 1)]
    assert summed_peaks(found) == 11
    assert peak().bytes > 10_000_000
