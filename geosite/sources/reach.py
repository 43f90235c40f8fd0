"""Which hosts can be reached, so that nobody waits for one that cannot, or without a network."""

from __future__ import annotations

import errno
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from geosite.sources.answers import RefusedError, refusal

ATTEMPTS = 2
"""To reach a host that was never reached."""
HOSTS = 3
"""So many that cannot be reached, and none that can: there is no network."""
_AWAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


class Reach:
    """What is known of the way to each host; for several threads."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._lock = threading.Lock()
        self._reached: set[str] = set()
        self._missed: Counter[str] = Counter()

    @property
    def offline(self) -> str:
        """That there seems to be no network, in words; empty if there may be one."""
        with self._lock:
            lost = sorted(h for h, times in self._missed.items() if times >= ATTEMPTS)
            if self._reached or len(lost) < HOSTS:
                return ""
        names = ", ".join(lost[:HOSTS])
        return f"there seems to be no network: none of {names} can be reached"

    def look(self, url: str) -> None:
        """Refuse what cannot be reached.

        Raises
        ------
        RefusedError
            If there is no network, or the host was tried often enough.
        """
        if words := self.offline:
            raise RefusedError(url, words)
        host = urlsplit(url).netloc
        with self._lock:
            lost = host not in self._reached and self._missed[host] >= ATTEMPTS
        if lost:
            raise RefusedError(url, f"{host} cannot be reached; is there a network?")

    def reached(self, url: str) -> None:
        """Take note that a host has answered."""
        with self._lock:
            self._reached.add(urlsplit(url).netloc)

    def refused(self, url: str, where: str, error: Exception) -> RefusedError:
        """What an error on the way to a host means for who asked; taken note of.

        Parameters
        ----------
        url, where : str
            What was asked for, and the address after redirects.
        """
        found = refusal(url, error)
        if not is_out_of_reach(error):
            return found
        host = urlsplit(where).netloc
        with self._lock:
            self._missed[host] += 1
            again = host in self._reached or self._missed[host] < ATTEMPTS
        return RefusedError(url, f"{found.words}; is there a network?", again=again)


def is_out_of_reach(error: Exception) -> bool:
    """Whether no machine was found: no such name, no way there, or silence at the door."""
    return isinstance(error, requests.ConnectTimeout) or any(
        isinstance(e, socket.gaierror) or (isinstance(e, OSError) and e.errno in _AWAY)
        for e in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it wraps, which the libraries do in three ways."""
    while error is not None:
        yield error
        inner = (a for a in (getattr(error, "reason", None), *error.args) if a is not error)
        error = next((a for a in inner if isinstance(a, BaseException)), error.__cause__)
