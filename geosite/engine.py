"""A function over tiles on Dask: one by one, on threads, on processes or on a cluster.

Knows nothing of land or law.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import rasterio

from geosite.errors import SchedulerError

R = TypeVar("R")
W = TypeVar("W")

Kind = Literal["serial", "threads", "processes", "cluster"]
_ADDRESS = re.compile(r"(tcp|tls)://[^\s/]+:\d+")
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
"""Numbers of these parameters in malloc.h."""
_CACHE_MB = 64
"""GDAL would keep a twentieth of the machine's memory for decoded blocks."""


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Engine:
    """Where tiles are worked on.

    Parameters
    ----------
    scheduler : str
        ``serial``, ``threads``, ``processes``, or the address of a Dask scheduler.
    workers : int
        Tiles that are worked on at once.
    threads : int
        Those of them that share one process of a cluster.

    Raises
    ------
    SchedulerError
        If there is no such scheduler.
    """

    scheduler: str = "threads"
    workers: int = field(default_factory=processors)
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse a scheduler that is none."""
        local = self.scheduler in ("serial", "threads", "processes")
        if not local and not _ADDRESS.fullmatch(self.scheduler):
            msg = (
                f"--scheduler {self.scheduler}: expected serial, threads, processes, or the "
                "address of a Dask scheduler such as tcp://10.0.0.5:8786"
            )
            raise SchedulerError(msg)
        if self.workers < 1:
            msg = f"--workers {self.workers}: expected a number from 1 on"
            raise SchedulerError(msg)

    @property
    def kind(self) -> Kind:
        """Scheduler, all clusters being alike."""
        return "cluster" if "://" in self.scheduler else self.scheduler  # type: ignore[return-value]

    @property
    def most(self) -> int:
        """Tiles that are worked on at once."""
        return 1 if self.kind == "serial" else self.workers


def keep_less_memory() -> None:
    """Let the threads of this process share what they have freed, where the C library is GNU's.

    It would give each thread an arena of its own, and keep what was freed in all of them:
    a quarter more memory, and more time for pages that are new. Dask's nannies ask for the
    opposite, every page given back at once, which nearly doubles the time of a tile.
    """
    with suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 2)
        if "MALLOC_TRIM_THRESHOLD_" in os.environ:
            library.mallopt(_MMAP_THRESHOLD, 2**25)
            library.mallopt(_TRIM_THRESHOLD, 2**26)


@dataclass(frozen=True, slots=True)
class Peak:
    """Most memory that a process has taken so far [bytes]."""

    host: str
    process: int
    bytes: int


def peak() -> Peak:
    """Most memory that this process has taken so far."""
    return Peak(socket.gethostname(), os.getpid(), _resident())


def summed_peaks(peaks: Iterable[Peak]) -> int:
    """Most memory of several processes at once, at worst [bytes]."""
    most: dict[tuple[str, int], int] = {}
    for p in peaks:
        key = (p.host, p.process)
        most[key] = max(most.get(key, 0), p.bytes)
    return sum(most.values())


def _resident() -> int:
    try:
        # A new process inherits the other figure from the one that began it.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def mapped(
    function: Callable[[W], R],
    windows: Sequence[W],
    engine: Engine,
    *,
    desk: Path | None = None,
    finished: Callable[[int], None] | None = None,
) -> list[R]:
    """Results of a function of each window, in the order of the windows.

    The function writes what is large itself and returns what is small. Tiles under way
    when an error or Ctrl-C ends the work are finished on threads, and dropped elsewhere.

    Parameters
    ----------
    function : callable
        Can be pickled, if the work is done in other processes.
    desk : Path, optional
        Folder that all processes see, for what they share.
    finished : callable, optional
        Told the number of each window that is finished, in this thread.

    Raises
    ------
    SchedulerError
        If workers or their scheduler are lost for good.
    """
    told = finished or (lambda _: None)
    if not windows:
        return []
    if engine.kind in ("serial", "threads"):
        return _mapped_here(function, windows, engine, told)
    from geosite import cluster  # noqa: PLC0415 -- takes half a second, and few runs need it

    if desk is None:
        msg = "processes need a desk: a folder for what they share"
        raise TypeError(msg)
    file = desk / "shared.pickle"
    call = cluster.filed(_Thrifty(function), file)
    count = min(engine.workers, len(windows))
    opened = (
        cluster.local(count) if engine.kind == "processes" else cluster.remote(engine.scheduler)
    )
    try:
        with opened as client:
            return cluster.mapped_on(client, call, windows, workers=count, finished=told)
    finally:
        file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Thrifty:
    # A function that lets GDAL keep few blocks, in whatever process it is called.
    function: Callable[[Any], Any]

    def __call__(self, window: Any) -> Any:
        keep_less_memory()
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
            return self.function(window)


def _mapped_here(
    function: Callable[[W], R],
    windows: Sequence[W],
    engine: Engine,
    told: Callable[[int], None],
) -> list[R]:
    from dask import compute, delayed  # noqa: PLC0415
    from dask.callbacks import Callback  # noqa: PLC0415

    number = {f"tile-{k}": k for k in range(len(windows))}
    work = delayed(_Thrifty(function), pure=False, traverse=False)
    tasks = [work(w, dask_key_name=name) for name, w in zip(number, windows, strict=True)]

    def after(key: str, *_: Any) -> None:
        if key in number:
            told(number[key])

    with Callback(posttask=after), rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
        if engine.kind == "serial":
            return list(compute(*tasks, scheduler="sync"))
        pool = ThreadPoolExecutor(engine.workers)
        try:
            return list(compute(*tasks, scheduler="threads", pool=pool))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
