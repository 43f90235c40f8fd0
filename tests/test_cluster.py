"""A scheduler that is running already: reached or said why not, probed before it is relied on."""

from __future__ import annotations

import logging
import operator
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import dask
import distributed
import numpy as np
import pytest
from distributed.comm.core import CommClosedError

from geosite import cluster
from geosite.engine import Engine, mapped
from geosite.errors import SchedulerError
from geosite.runs import open_run
from tests.worlds import cli, earlier_run, tree


@pytest.fixture(scope="module")
def address():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as found:
        yield found.scheduler_address


def test_results_come_in_order_and_what_is_shared_is_filed_once(address, tmp_path):
    done = []
    found = mapped(
        operator.neg, range(9), Engine(address, 4, 2), desk=tmp_path, finished=done.append
    )
    assert found == [-n for n in range(9)]
    assert sorted(done) == list(range(9))
    assert not list(tmp_path.iterdir())


def test_an_error_in_a_window_is_the_error_of_the_run(address, tmp_path):
    with pytest.raises(ZeroDivisionError):
        mapped(reciprocal, [2, 1, 0], Engine(address, 4), desk=tmp_path)


def reciprocal(n):
    return 1 / n


def test_workers_that_see_everything_are_counted(address, hamlet):
    file = hamlet.data / "rail.fgb"
    found = cluster.probed(address, [(file, file.stat().st_size)], hamlet.outputs)
    assert (found.workers, found.threads) == (4, 2)
    assert found.memory > 0
    assert not list(hamlet.outputs.glob(".probe-*"))


def test_workers_that_do_not_see_the_data_are_named(address, tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    files = [(tmp_path / "a", 4), (tmp_path / "none", 1)]
    with pytest.raises(SchedulerError, match="workers cannot do this work") as caught:
        cluster.probed(address, files, tmp_path)
    said = str(caught.value)
    assert said.count("worker tcp://127.0.0.1:") == 4
    assert "5 bytes, expected 4" in said
    assert f"does not see {tmp_path / 'none'}; give a --data folder" in said


def elsewhere(files, folder, word):
    """A worker to which the outputs are another folder."""
    return cluster._seen(files, f"{folder}-not", word)


def mute(_files, _folder, _word):
    """A worker whose files nobody else sees."""
    return [], "never-written"


@pytest.mark.parametrize(
    ("probe", "words"),
    [(elsewhere, "does not see .*give an --outputs folder"), (mute, "does not appear here")],
)
def test_workers_that_do_not_share_the_outputs_are_named(
    address, tmp_path, monkeypatch, probe, words
):
    monkeypatch.setattr(cluster, "_seen", probe)
    monkeypatch.setattr(cluster, "_SETTLE_S", 0.2)
    with pytest.raises(SchedulerError, match=words):
        cluster.probed(address, [], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["geosite", "Python", "numpy", "GDAL"])
def test_workers_with_another_version_are_named(address, tmp_path, monkeypatch, name):
    ours = cluster._versions()
    monkeypatch.setattr(cluster, "_versions", lambda: ours | {name: "0.0"})
    with pytest.raises(SchedulerError, match=f"{name} {ours[name]} where this process has 0.0"):
        cluster.probed(address, [], tmp_path)


@dataclass
class Absent:
    """What a worker cannot load."""

    def __reduce__(self):
        return (__import__, ("a_module_that_is_nowhere",))


def test_workers_without_geosite_are_named(address, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_described", Absent())
    with pytest.raises(SchedulerError, match=r"cannot load geosite .*install the same environment"):
        cluster.probed(address, [], tmp_path)


def test_a_scheduler_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.5)
    with pytest.raises(SchedulerError, match=r"tcp://127\.0\.0\.1:1: no Dask scheduler answers"):
        cluster.probed("tcp://127.0.0.1:1", [], tmp_path)
    with pytest.raises(SchedulerError, match="TLS"):
        cluster.probed("tls://127.0.0.1:1", [], tmp_path)


def test_a_scheduler_without_a_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.5)
    with (
        distributed.LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as found,
        pytest.raises(SchedulerError, match="has no worker; start some with 'dask worker tcp"),
    ):
        cluster.probed(found.scheduler_address, [], tmp_path)


def test_a_window_that_kills_every_worker_is_named(tmp_path):
    patience = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    words = r"tile [12] of 3 .*out of memory.*less --memory"
    with patience, pytest.raises(SchedulerError, match=words):
        mapped(fatal, [0, 1, 2], Engine("processes", 1), desk=tmp_path)
    assert not list(tmp_path.iterdir())


def fatal(n):
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


@pytest.mark.parametrize("error", [distributed.CancelledError, CommClosedError])
def test_a_scheduler_that_is_lost_with_the_answer_is_said(error):
    class Lost:
        def result(self):
            raise error

    with pytest.raises(SchedulerError, match="the Dask scheduler is gone; start it again"):
        cluster._result(Lost(), 0, [0])


def test_a_file_that_is_another_is_not_called(tmp_path):
    call = cluster.filed(operator.neg, tmp_path / "shared.pickle")
    assert call(3) == -3
    (tmp_path / "shared.pickle").write_bytes(b"other")
    assert call(3) == -3  # read once a process
    cluster._opened.clear()
    with pytest.raises(SchedulerError, match="sees another file there"):
        call(3)


def test_plan_and_run_on_a_cluster(address, hamlet):
    before = tree(hamlet.root)
    planned = hamlet.cli("plan", "--scheduler", address, "--outputs", str(hamlet.root / "new"))
    assert planned.exit_code == 0, planned.stderr
    assert "every worker sees the data and the outputs" in planned.stdout
    assert tree(hamlet.root) == before
    result = hamlet.cli("run", "--scheduler", address)
    assert result.exit_code == 0, result.stderr
    first, other = earlier_run(hamlet), Path(result.stdout.strip())
    assert (other / "sites.csv").read_bytes() == (first / "sites.csv").read_bytes()
    one, two = (open_run(p) for p in (first, other))
    assert two.manifest["hash"] == one.manifest["hash"]
    assert two.manifest["engine"]["scheduler"] == "cluster"
    np.testing.assert_array_equal(*(r.store.read("suitability", r.store.grid) for r in (one, two)))


def test_a_cluster_that_is_not_there_is_said_before_anything_is_read(hamlet, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.5)
    before = tree(hamlet.root)
    for verb in ("plan", "run"):
        words = hamlet.words(verb)
        result = cli(verb, *words, "--scheduler", "tcp://127.0.0.1:1")
        assert result.exit_code == 1
        assert "no Dask scheduler answers there" in result.stderr
    assert tree(hamlet.root) == before
