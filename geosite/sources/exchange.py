"""Answers over the network, one at a time: pools, redirects, stopping, trying again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Self, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
import urllib3

from geosite.sources.answers import RefusedError, refusal, refusal_of_status
from geosite.sources.hosts import Seats
from geosite.sources.reach import Reach
from geosite.sources.sockets import CutAdapter, Sockets

AGENT = f"geosite/{version('geosite')} (site screening on US public land; Python requests)"
"""Who asks. Some official hosts refuse clients that do not say."""
T = TypeVar("T")
_CHUNK = 2**16
_REDIRECTS = (301, 302, 303, 307, 308)
_FOR_GOOD = (301, 308)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, and how often asked again.

    Parameters
    ----------
    connect, read : float
        For the connection, and between two pieces of an answer [s].
    whole : float
        For one answer that is held in memory [s].
    slowest, window : float
        Least pace of a download [bytes/s], on average over so long [s].
    attempts : int
        In all, of one request.
    first, longest : float
        Waiting before the second attempt, and at most [s]; it doubles, with chance added.
    redirects : int
        Most that are followed.
    """

    connect: float = 10.0
    read: float = 60.0
    whole: float = 300.0
    slowest: float = 1024.0
    window: float = 60.0
    attempts: int = 5
    first: float = 1.0
    longest: float = 60.0
    redirects: int = 5


class Exchange:
    """What `Client` asks through.

    Parameters
    ----------
    patience : Patience
    per_host : int
        Most requests at a time to one host.
    pauses : mapping of host to seconds
        Least time between two requests, where a host asks for it.
    stop : threading.Event, optional

    Attributes
    ----------
    reach : Reach
        What is known of the way to each host.
    moved : mapping of address to address
        What was asked for → where another host keeps it for good, as its server said.
    """

    def __init__(
        self, patience: Patience | None, per_host: int, pauses: Mapping[str, float] | None,
        stop: threading.Event | None,
    ) -> None:  # fmt: skip
        """Open no connection yet."""
        self.patience = patience or Patience()
        self.stop = stop or threading.Event()
        self.moved: dict[str, str] = {}
        self.reach = Reach()
        self._seats = Seats(per_host, pauses or {}, self.stop)
        self._sockets = Sockets()
        self._session = requests.Session()
        # Redirects are followed in `answer`: even unasked, requests would read their bodies.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign] # noqa: ARG005
        self._session.headers["User-Agent"] = AGENT
        adapter = CutAdapter(self._sockets, pool_connections=32, pool_maxsize=per_host)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Self:
        """The client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._session.close()

    def end(self) -> None:
        """Stop all that is asked: whoever waits for a server stops waiting."""
        self.stop.set()
        self._sockets.cut()

    def again(self, once: Callable[[], T], attempts: int | None = None) -> T:
        """What `once` gives, tried while it is refused in a way that may pass.

        Fewer attempts than usual are for those who can ask for less instead.

        Raises
        ------
        RefusedError
            The last one.
        """
        p = self.patience
        grows = tenacity.wait_exponential(p.first, p.longest) + tenacity.wait_random(0, p.first)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = getattr(error, "wait", None)
            return grows(state) if asked is None else min(float(asked), p.longest)

        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(min(attempts or p.attempts, p.attempts)),
            wait=wait,
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, RefusedError) and e.again and not self.stop.is_set()
            ),
            sleep=self._waited,
            reraise=True,
        )(once)

    def _waited(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def pieces(self, response: requests.Response, url: str) -> Iterator[bytes]:
        """The body, unpacked, as it comes: the usual way of reading waits until a piece is full."""
        try:
            while part := response.raw.read1(_CHUNK, decode_content=True):
                if self.stop.is_set():
                    raise RefusedError(url, "stopped")
                yield part
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise refusal(url, error) from None

    @contextmanager
    def answer(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """An answer that is no error, after every redirect, whose body is not read yet."""
        where, form = url, params if method == "POST" else None
        params, for_good = None if method == "POST" else params, True
        for _ in range(self.patience.redirects + 1):
            with self._seats.at(where), self._sent(
                url, method, where, params=params, data=form, headers=headers
            ) as response:  # fmt: skip
                if response.status_code not in _REDIRECTS:
                    self._refuse_status(url, response)
                    yield response
                    return
                target = self._target(url, where, response)
            for_good = for_good and response.status_code in _FOR_GOOD
            if for_good and urlsplit(url).hostname != urlsplit(target).hostname:
                self.moved[url] = target
            # Where a redirect points says all of its query itself; what was posted is sent again.
            where, params = target, None
            if response.status_code == 303:
                method, form = "GET" if method == "POST" else method, None
        msg = f"redirects more than {self.patience.redirects} times, last to {where}"
        raise RefusedError(url, msg)

    def _sent(self, url: str, method: str, where: str, **said: Any) -> requests.Response:
        self.reach.look(where)
        try:
            response = self._session.request(
                method, where, stream=True, allow_redirects=False,
                timeout=(self.patience.connect, self.patience.read), **said,
            )  # fmt: skip
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise self.reach.refused(url, where, error) from None
        self.reach.reached(where)
        return response

    def _target(self, url: str, where: str, response: requests.Response) -> str:
        try:
            # Headers are read as Latin-1, and addresses are written as UTF-8.
            said = response.headers.get("Location", "").encode("latin-1").decode()
            target = urljoin(where, said)
            scheme = urlsplit(target).scheme
        except ValueError:
            target, scheme = response.headers.get("Location", ""), ""
        if scheme not in ("http", "https"):
            raise RefusedError(url, f"redirects to {target!r}, which is no web address")
        if scheme == "http" and where.startswith("https:"):
            raise RefusedError(url, f"redirects to {target!r}, which nothing protects on its way")
        return target

    def _refuse_status(self, url: str, response: requests.Response) -> None:
        if 200 <= response.status_code < 300:
            return
        try:
            start = next(self.pieces(response, url), b"")
        except RefusedError:
            start = b""
        raise refusal_of_status(url, response, start)
