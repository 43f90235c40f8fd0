"""A command, run and measured: wall time, processor time, peak memory of its process tree, laps."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PERIOD = 0.1
"""Seconds between two looks at the process tree."""
_FOLDER = re.compile(r"(?<![\w./…])/(?:[\w.+-]+/)+")
_LAP = re.compile(r"^([a-z][\w -]*): (\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a command took.

    Attributes
    ----------
    wall_s, cpu_s : float
        From start to end, children included; processor time of the waited-for tree.
    peak_bytes : int
        Largest sum of resident memory over the processes of the tree, sampled; never
        less than the exact peak of the largest single process. A page that two
        processes share counts twice, so that the sum is never too low.
    elsewhere : float
        Cores that everything else on the machine kept busy meanwhile.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    elsewhere: float
    output: str

    @property
    def laps(self) -> dict[str, float]:
        """Lines such as ``distance: 9.41`` of what the command printed."""
        return {name: float(seconds) for name, seconds in _LAP.findall(self.output)}

    def said(self) -> dict[str, Any]:
        """For the results: everything but the text."""
        return {k: round(v, 3) for k, v in asdict(self).items() if k != "output"}


class FailedCommandError(Exception):
    """A measured command ended badly."""


def measured(
    command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a command in a folder and measure it.

    Raises
    ------
    FailedCommandError
        With the end of what the command printed.
    """
    busy = busy_s()
    log = folder / "printed.txt"
    with log.open("wb") as printed:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        peak, ended = [0], threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peak, ended), daemon=True)
        watch.start()
        try:
            # wait4 and not wait: it says what the process and its children used.
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            ended.set()
        wall = time.perf_counter() - started
        busy = busy_s() - busy
    watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        # The results are for everyone: no folder of this machine is in them.
        end = " / ".join(_FOLDER.sub("…/", output).strip().splitlines()[-8:])
        msg = f"ended with {process.returncode}: {end}"
        raise FailedCommandError(msg)
    own = used.ru_utime + used.ru_stime
    return Measured(
        wall, own, max(peak[0], used.ru_maxrss * 1024), max(busy - own, 0.0) / wall, output
    )


def busy_s() -> float:
    """Seconds that all cores have been busy so far, with what a host took from them."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


def _watch(pid: int, peak: list[int], ended: threading.Event) -> None:
    root = psutil.Process(pid)
    while not ended.wait(PERIOD):
        with contextlib.suppress(psutil.Error):
            total = 0
            for process in (root, *root.children(recursive=True)):
                # One that has just ended holds nothing.
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
            peak[0] = max(peak[0], total)
