"""How each host is asked: few requests at a time, with the pauses that it wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from geosite.catalog import load_yaml
from geosite.model.base import Spec, Text
from geosite.sources.answers import RefusedError, refusal

_LOOK = 0.2  # seconds after which who waits looks whether all is to stop


class _Host(Spec):
    pause: Annotated[float, Field(gt=0, le=600)]
    source: Text


class _Hosts(Spec):
    hosts: dict[Text, _Host]


@lru_cache(maxsize=1)
def pauses() -> dict[str, float]:
    """Least time between two requests to each host that asks for one [s]."""
    said = _Hosts.model_validate(load_yaml(Path(__file__).with_name("hosts.yaml")))
    return {name: host.pause for name, host in said.hosts.items()}


class Seats:
    """Seats at each host; who asks takes one until the answer is read.

    Parameters
    ----------
    per_host : int
    pauses : mapping of host to seconds
        A host stands for its subdomains too.
    stop : threading.Event
        Once it is set, nobody waits any longer.
    """

    def __init__(self, per_host: int, pauses: Mapping[str, float], stop: threading.Event) -> None:
        """Every seat is free."""
        self._per_host, self._pauses, self._stop = per_host, dict(pauses), stop
        self._lock = threading.Lock()
        self._seats: dict[str, threading.BoundedSemaphore] = {}
        self._due: dict[str, float] = {}
        self._mine = threading.local()

    @contextmanager
    def at(self, url: str) -> Iterator[None]:
        """A seat at the host of an address, when it is one's turn.

        Raises
        ------
        RefusedError
            If all is to stop, or the address is none.
        """
        if getattr(self._mine, "taken", False):
            # A thread that waited for a second seat could wait for itself.
            yield
            return
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise refusal(url, error) from None
        host = parts.netloc
        with self._lock:
            seat = self._seats.setdefault(host, threading.BoundedSemaphore(self._per_host))
        self._go_on(url)
        while not seat.acquire(timeout=_LOOK):
            self._go_on(url)
        self._mine.taken = True
        try:
            self._wait_turn(url, host, parts.hostname or "")
            yield
        finally:
            self._mine.taken = False
            seat.release()

    def _wait_turn(self, url: str, host: str, name: str) -> None:
        asked = (s for at, s in self._pauses.items() if name == at or name.endswith(f".{at}"))
        pause = max(asked, default=0.0)
        with self._lock:
            now = time.monotonic()
            due = max(self._due.get(host, now), now)
            self._due[host] = due + pause
        self._stop.wait(due - now)
        self._go_on(url)

    def _go_on(self, url: str) -> None:
        if self._stop.is_set():
            raise RefusedError(url, "stopped")
