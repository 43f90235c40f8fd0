"""A command, run and measured: wall time, processor time, peak memory of its process tree, laps."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PERIOD = 0.1
"""Seconds between two looks at the process tree."""
_FOLDER = re.compile(r"(?<![\w./…])/(?:[\w.+-]+/)+")
_HELD = re.compile(r"^Vm(RSS|HWM):\s*(\d+) kB$", re.MULTILINE)
_LAP = re.compile(r"^([a-z][\w -]*): (\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a command took.

    Attributes
    ----------
    wall_s, cpu_s : float
        From start to end, children included; processor time of the waited-for tree.
    peak_bytes : int
        Largest sum of resident memory over the processes of the tree, sampled, or the
        kernel's own peak of one of them if that is more. A page that two processes
        share counts twice, so that the sum is never too low.
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
    return Measured(wall, own, peak[0], max(busy - own, 0.0) / wall, output)


def apart(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a function gives, run in a process of its own: its memory is gone afterwards."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *given, **named).result()


def busy_s() -> float:
    """Seconds that all cores have been busy so far, with what a host took from them."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


def _watch(pid: int, peak: list[int], ended: threading.Event) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        while not ended.wait(PERIOD):
            held = [_memory(p.pid) for p in (root, *root.children(recursive=True))]
            peak[0] = max(peak[0], sum(now for now, _ in held), *(most for _, most in held))


def _memory(pid: int) -> tuple[int, int]:
    # Resident now, and at most so far. Not ru_maxrss: that begins with what the parent held.
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0, 0  # one that has just ended holds nothing
    found = dict(_HELD.findall(status))
    return 1024 * int(found.get("RSS", 0)), 1024 * int(found.get("HWM", 0))
