"""Worker processes of Dask: some on this machine, or those of a scheduler that is running already.

What all windows share travels once, as a file that every worker reads; with a
task go only the name of that file and a window.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import platform
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosite.errors import SchedulerError, faults

if TYPE_CHECKING:
    from distributed import Client, Worker

PATIENCE_S = 10.0
"""How long a scheduler or its first worker is waited for [s]."""
ALONE_S = 120.0
"""How long a run waits for workers after it has lost all of them [s]."""
_SETTLE_S = 5.0
"""How long a shared file system may take to show a new file to another machine [s]."""
_AHEAD = 2
"""Windows sent ahead for each that is being worked on, so that no worker waits for the next."""
_GONE = "the Dask scheduler is gone; start it again"
_NAMED = 5
"""Workers that a message names."""


@dataclass(frozen=True, slots=True)
class Census:
    """Workers of a scheduler.

    Attributes
    ----------
    workers : int
        Windows that all of them work on at once.
    threads : int
        The most that one of them works on at once.
    memory : int or None
        The least that one of them may use [bytes]; None if they are not limited.
    """

    workers: int
    threads: int
    memory: int | None


@dataclass(frozen=True, slots=True)
class Filed:
    """A function kept in a file: small enough to travel with every task.

    Each process reads the file once, whatever the number of windows.
    """

    path: Path
    token: str

    def __call__(self, window: Any) -> Any:
        """What the function gives."""
        return _function(self.path, self.token)(window)


def filed(function: Callable[[Any], Any], path: Path) -> Filed:
    """Write a function to a file that the workers can see."""
    with path.open("wb") as file:
        pickle.dump(function, file, protocol=5)
    with path.open("rb") as file:
        return Filed(path.absolute(), hashlib.file_digest(file, "sha256").hexdigest())


_opened: dict[str, Callable[[Any], Any]] = {}
_opening = threading.Lock()


def _function(path: Path, token: str) -> Callable[[Any], Any]:
    with _opening:
        if token not in _opened:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != token:
                    msg = (
                        f"{path}: a worker sees another file there than this process wrote; give "
                        "an --outputs folder that all workers share"
                    )
                    raise SchedulerError(msg)
                file.seek(0)
                # Written by the run that asks, moments ago; the sum says that it is the same.
                found: Callable[[Any], Any] = pickle.load(file)  # noqa: S301
            _opened.clear()  # a worker serves one run at a time; what another shared may be large
            _opened[token] = found
        return _opened[token]


# ── connecting ────────────────────────────────────────────────────────────────────────────────
@contextmanager
def local(workers: int) -> Iterator[Client]:
    """Worker processes of our own, each with one thread; one that is lost is started again."""
    import distributed  # noqa: PLC0415 -- takes half a second, and few runs need it

    with (
        _quiet(),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            # The plan has reckoned the memory; to pause or to spill would only hide a mistake.
            memory_limit=0,
            # Ctrl-C reaches them too; this process ends them in good order.
            preload=["import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"],
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def remote(address: str) -> Iterator[Client]:
    """A scheduler that is running already.

    Raises
    ------
    SchedulerError
        If nothing answers there, or it has no worker.
    """
    import distributed  # noqa: PLC0415

    with _quiet():
        try:
            client = distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
        except (OSError, TimeoutError, TypeError, ValueError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            msg = (
                f"--scheduler {address}: no Dask scheduler answers there ({why}); start one with "
                "'dask scheduler' and its workers with 'dask worker', and give the address that it "
                "prints; or leave --scheduler out to work on this machine"
            )
            raise SchedulerError(msg) from None
        try:
            try:
                client.wait_for_workers(1, timeout=PATIENCE_S)
            except TimeoutError:
                msg = (
                    f"--scheduler {address}: the scheduler has no worker; start some with "
                    f"'dask worker {address}'"
                )
                raise SchedulerError(msg) from None
            yield client
        finally:
            client.close(timeout=PATIENCE_S)


@contextmanager
def _quiet() -> Iterator[None]:
    # What a user must know of the workers is said in our own errors, not in Dask's log.
    loud = {
        name: logging.getLogger(name).level
        for name in ("distributed", *logging.root.manager.loggerDict)
        if name == "distributed" or name.startswith("distributed.")
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="distributed")
        for name in loud:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for name, level in loud.items():
                logging.getLogger(name).setLevel(level)


# ── mapping ───────────────────────────────────────────────────────────────────────────────────
def mapped_on(
    client: Client,
    function: Filed,
    windows: Sequence[Any],
    *,
    workers: int,
    finished: Callable[[int], None],
) -> list[Any]:
    """Results of a function of each window, in the order of the windows.

    Raises
    ------
    SchedulerError
        If a window costs one worker after another its life, if all workers are gone,
        or if the scheduler is.
    """
    results: list[Any] = [None] * len(windows)
    waiting = list(enumerate(windows))[::-1]
    running: dict[Any, int] = {}
    seen = time.monotonic()
    run = uuid.uuid4().hex
    # One tile ahead for each worker, where all of them work for us; else no more than was asked.
    ahead = (_AHEAD if workers >= sum(client.nthreads().values()) else 1) * workers
    while waiting or running:
        while waiting and len(running) < ahead:
            k, window = waiting.pop()
            future = client.submit(function, window, key=f"tile-{run}-{k}", pure=False, priority=-k)
            running[future] = k
        seen = _awaited(client, running, seen)
        for future in [f for f in running if f.done()]:
            k = running.pop(future)
            results[k] = _result(future, k, windows)
            finished(k)
    return results


def _awaited(client: Client, running: Mapping[Any, int], seen: float) -> float:
    # Returns when something is finished, or now and then to look after the workers; the time at
    # which there was one.
    from distributed import wait  # noqa: PLC0415

    try:
        with client.as_current():
            wait(list(running), timeout=1.0, return_when="FIRST_COMPLETED")
    except TimeoutError:
        if client.status != "running":
            raise SchedulerError(_GONE) from None
        now = time.monotonic()
        try:
            there = bool(client.nthreads())
        except OSError:
            raise SchedulerError(_GONE) from None
        if there:
            return now
        if now - seen > ALONE_S:
            msg = f"the Dask scheduler has lost all its workers {ALONE_S:g} s ago; start some again"
            raise SchedulerError(msg) from None
        return seen
    return time.monotonic()


def _result(future: Any, k: int, windows: Sequence[Any]) -> Any:
    from distributed import CancelledError, KilledWorker  # noqa: PLC0415
    from distributed.comm.core import CommClosedError  # noqa: PLC0415

    try:
        return future.result()
    except (CancelledError, CommClosedError):
        raise SchedulerError(_GONE) from None
    except KilledWorker:
        msg = (
            f"tile {k + 1} of {len(windows)} ({_place(windows[k])}): one worker after another died "
            "of it or of the one beside it, most likely because the machine has run out of "
            "memory; give less --memory (smaller tiles) or fewer --workers"
        )
        raise SchedulerError(msg) from None


def _place(window: Any) -> str:
    row, column = getattr(window, "row", None), getattr(window, "column", None)
    return f"row {row}, column {column} of the grid"


# ── probing ───────────────────────────────────────────────────────────────────────────────────
def probed(address: str, files: Sequence[tuple[Path, int]], outputs: Path) -> Census:
    """Workers of a scheduler, after each has proved that it can do the work.

    Parameters
    ----------
    files : sequence of (path, size [bytes])
        Files of the data; each worker must see them with these sizes.
    outputs : Path
        Folder that exists; each worker must read what is written here and be able to write.

    Raises
    ------
    SchedulerError
        Naming each worker, and what is wrong there.
    """
    with remote(address) as client:
        here, said = _versions(), client.run(_described, on_error="return")
        wrong = [f"worker {w}: {d}" for w, a in said.items() if (d := _differences(here, a))]
        if wrong := wrong or _unseen(client, files, outputs):
            more = [f"and {len(wrong) - _NAMED} more"] if len(wrong) > _NAMED else []
            title = f"--scheduler {address}: workers cannot do this work:"
            raise SchedulerError(faults(title, [*wrong[:_NAMED], *more]))
        limits = [int(a["memory"]) for a in said.values() if a["memory"]]
        threads = [int(a["threads"]) for a in said.values()]
        return Census(sum(threads), max(threads), min(limits, default=None))


def _versions() -> dict[str, str]:
    import numpy as np  # noqa: PLC0415
    import pyproj  # noqa: PLC0415
    import rasterio  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    return {
        "geosite": version("geosite"),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "GDAL": rasterio.__gdal_version__,
        "PROJ": pyproj.proj_version_str,
        "GEOS": shapely.geos_version_string,
        "numba": version("numba"),
        "distributed": version("distributed"),
    }


def _described(dask_worker: Worker) -> dict[str, Any]:
    return {
        "versions": _versions(),
        "threads": dask_worker.state.nthreads,
        "memory": dask_worker.memory_manager.memory_limit,
    }


def _differences(here: Mapping[str, str], answer: Any) -> str:
    if isinstance(answer, BaseException):
        return (
            f"cannot load geosite {here['geosite']} ({type(answer).__name__}: {answer}); install "
            "the same environment there"
        )
    found = [
        f"{name} {answer['versions'].get(name)} where this process has {ours}"
        for name, ours in here.items()
        if answer["versions"].get(name) != ours
    ]
    return f"{', '.join(found)}; install the same environment there" if found else ""


def _unseen(client: Client, files: Sequence[tuple[Path, int]], outputs: Path) -> list[str]:
    word = uuid.uuid4().hex
    folder = outputs.absolute() / f".probe-{word}"
    folder.mkdir()
    try:
        (folder / "asked").write_text(word, encoding="ascii")
        paths = [(str(p.absolute()), size) for p, size in files]
        said = client.run(_seen, paths, str(folder), word, on_error="return")
        wrong = []
        for worker, answer in said.items():
            if isinstance(answer, BaseException):
                found = [f"{type(answer).__name__}: {answer}"]
            else:
                found, name = answer
                if not found and not _appears(folder / name, word):
                    found = [f"what it writes to {outputs} does not appear here"]
            wrong += [f"worker {worker}: {fault}" for fault in found]
        return wrong
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def _seen(files: Sequence[tuple[str, int]], folder: str, word: str) -> tuple[list[str], str]:
    # What a worker does not see, and the name of a file that it has written.
    wrong = []
    for path, size in files:
        there = Path(path)
        if not there.exists():
            shared = (
                "give a --data folder, and a --cache for what is fetched, that all workers share"
            )
            wrong.append(f"does not see {path}; {shared}")
        elif there.is_file() and there.stat().st_size != size:
            found = there.stat().st_size
            wrong.append(f"sees another file at {path}: {found:,} bytes, expected {size:,}")
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
    if not _appears(Path(folder) / "asked", word):
        outputs = Path(folder).parent
        wrong.append(f"does not see {outputs}; give an --outputs folder that all workers share")
        return wrong, name
    try:
        (Path(folder) / name).write_text(word, encoding="ascii")
    except OSError as error:
        wrong.append(f"cannot write to {Path(folder).parent}: {error.strerror}")
    return wrong, name


def _appears(path: Path, word: str) -> bool:
    until = time.monotonic() + _SETTLE_S
    while True:
        try:
            if path.read_text(encoding="ascii") == word:
                return True
        except OSError:
            pass
        if time.monotonic() > until or not path.parent.exists():
            return False
        time.sleep(0.1)
