"""Asking servers politely: one pool a host, few requests at a time, patience with an end."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter

from geosite.sources.asking import Told
from geosite.sources.dataset import one_line

AGENT = f"geosite/{version('geosite')} (site screening on US public land; Python requests)"
"""Who asks. Some official hosts refuse clients that do not say."""
MOST_BODY = 256 * 2**20
"""Largest answer that is held in memory, unpacked [bytes]."""
MOST_FILE = 64 * 2**30
"""Largest file that is downloaded [bytes]."""
T = TypeVar("T")
_CHUNK = 2**18
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, and how often asked again.

    Parameters
    ----------
    connect, read : float
        For the connection, and between two pieces of an answer [s].
    whole : float
        For one answer that is held in memory [s].
    slowest : float
        Least pace of a download over a minute [bytes/s].
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
    attempts: int = 5
    first: float = 1.0
    longest: float = 60.0
    redirects: int = 5


class RefusedError(Exception):
    """A server did not give what was asked.

    Not for users: who fetches a layer says it as a `FetchError` that names the layer.

    Parameters
    ----------
    url : str
    words : str
        What the server said or did, on one line.
    again : bool
        Whether the same request may succeed later.
    status : int, optional
        HTTP status, if there was one.
    """

    def __init__(
        self, url: str, words: str, *, again: bool = False, status: int | None = None,
        wait: float | None = None,
    ) -> None:  # fmt: skip
        """Remember what was said."""
        super().__init__(f"{url}: {words}")
        self.url, self.words, self.again, self.status, self.wait = url, words, again, status, wait


@dataclass(frozen=True, slots=True)
class Body:
    """An answer held in memory, unpacked; `url` after every redirect."""

    content: bytes
    url: str
    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that came whole."""

    path: Path
    url: str
    sha256: str
    size: int
    etag: str | None
    modified: str | None


class Client:
    """A client that every layer of one `geosite fetch` shares.

    Parameters
    ----------
    patience : Patience
    per_host : int
        Most requests at a time to one host.
    pauses : mapping of host to seconds
        Least time between two requests, where a host asks for it.
    stop : threading.Event, optional
        Once it is set, every request ends with `RefusedError`.
    """

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        per_host: int = 4,
        pauses: Mapping[str, float] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Open no connection yet."""
        self.patience = patience or Patience()
        self.stop = stop or threading.Event()
        self._per_host = per_host
        self._pauses = dict(pauses or {})
        self._lock = threading.Lock()
        self._seats: dict[str, threading.BoundedSemaphore] = {}
        self._due: dict[str, float] = {}
        self._session = requests.Session()
        self._session.headers["User-Agent"] = AGENT
        adapter = HTTPAdapter(pool_connections=32, pool_maxsize=per_host)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Self:
        """The client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._session.close()

    def body(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        post: bool = False,
        most: int = MOST_BODY,
    ) -> Body:
        """The answer to one request, asked again while that may help.

        Raises
        ------
        RefusedError
            If it cannot be had.
        """

        def once() -> Body:
            return self._body(url, params, post=post, most=most)

        return self.again(once)

    def json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        post: bool = False,
        most: int = MOST_BODY,
    ) -> dict[str, Any]:
        """An answer that is a JSON object and no error, asked again while that may help.

        ArcGIS says errors with status 200: ``{"error": {…}}`` is one.

        Raises
        ------
        RefusedError
            If it cannot be had.
        """

        def once() -> dict[str, Any]:
            return decoded(self._body(url, params, post=post, most=most))

        return self.again(once)

    def again(self, once: Callable[[], T]) -> T:
        """What `once` gives, tried while it is refused in a way that may pass.

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
            stop=tenacity.stop_after_attempt(p.attempts),
            wait=wait,
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, RefusedError) and e.again and not self.stop.is_set()
            ),
            sleep=self._waited,
            reraise=True,
        )(once)

    def _waited(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def _body(self, url: str, params: Mapping[str, str] | None, *, post: bool, most: int) -> Body:
        ends = time.monotonic() + self.patience.whole
        with self._response("POST" if post else "GET", url, params) as response:
            parts, size = [], 0
            for part in self._parts(response, url):
                size += len(part)
                if size > most:
                    msg = f"the answer is larger than {most:,} bytes"
                    raise RefusedError(url, msg, again=False)
                if time.monotonic() > ends:
                    msg = f"the answer took more than {self.patience.whole:g} s"
                    raise RefusedError(url, msg, again=True)
                parts.append(part)
            return Body(b"".join(parts), response.url, response.status_code, response.headers)

    def _parts(self, response: requests.Response, url: str) -> Iterator[bytes]:
        try:
            for part in response.iter_content(_CHUNK):
                if self.stop.is_set():
                    raise RefusedError(url, "stopped")
                yield part
        except requests.RequestException as error:
            raise _refused(url, error) from None

    @contextmanager
    def _response(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """An answer that is no error, after every redirect, whose body is not read yet."""
        where, left = url, self.patience.redirects
        while True:
            with self._seat(where):
                try:
                    response = self._session.request(
                        method, where,
                        params=None if method == "POST" else params,
                        data=params if method == "POST" else None,
                        headers=headers, stream=True, allow_redirects=False,
                        timeout=(self.patience.connect, self.patience.read),
                    )  # fmt: skip
                except (requests.RequestException, ValueError) as error:
                    raise _refused(url, error) from None
                with response:
                    if response.status_code not in _REDIRECTS:
                        _refuse_status(url, response)
                        yield response
                        return
                    target = urljoin(where, response.headers.get("Location", ""))
            if left == 0:
                msg = f"redirects more than {self.patience.redirects} times, last to {target}"
                raise RefusedError(url, msg)
            if urlsplit(target).scheme not in ("http", "https"):
                raise RefusedError(url, f"redirects to {target!r}, which is no web address")
            # Where a redirect points says all of its query itself.
            where, params, left = target, None, left - 1
            method = "POST" if response.status_code in (307, 308) and method == "POST" else "GET"

    @contextmanager
    def _seat(self, url: str) -> Iterator[None]:
        host = urlsplit(url).netloc
        with self._lock:
            seat = self._seats.setdefault(host, threading.BoundedSemaphore(self._per_host))
        with seat:
            pause = self._pauses.get(urlsplit(url).hostname or "", 0.0)
            with self._lock:
                now = time.monotonic()
                due = max(self._due.get(host, now), now)
                self._due[host] = due + pause
            if self.stop.is_set() or self.stop.wait(due - now):
                raise RefusedError(url, "stopped")
            yield

    def download(
        self, url: str, path: Path, told: Told | None = None, *, most: int = MOST_FILE
    ) -> Downloaded:
        """A file, written to `path` whole or not at all; goes on with a broken download.

        What came so far stays in ``<path>.part`` beside ``<path>.part.json``, which says of
        what; a server that gives parts is asked for the rest, if the file has not changed.

        Raises
        ------
        RefusedError
            If it cannot be had.
        """
        raise NotImplementedError

    def head(self, url: str) -> tuple[int | None, Mapping[str, str], str]:
        """Size [bytes] of a file, if the server says, its headers, and its address at last.

        Raises
        ------
        RefusedError
            If it cannot be had.
        """
        raise NotImplementedError


def decoded(body: Body) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises
    ------
    RefusedError
        If it is none, or says an error.
    """
    try:
        found = json.loads(body.content)
    except (ValueError, RecursionError):
        words = f"answered {_glimpse(body.content)}, expected JSON"
        raise RefusedError(body.url, words, again=True, status=body.status) from None
    if not isinstance(found, dict):
        raise RefusedError(body.url, f"answered {type(found).__name__}, expected an object")
    error = found.get("error")
    if error is not None:
        said = error if isinstance(error, dict) else {"message": error}
        code = said.get("code")
        details = said.get("details")
        parts = [said.get("message"), *(details if isinstance(details, list) else [details])]
        words = "; ".join(one_line(str(p)) for p in parts if p) or one_line(json.dumps(error))
        # 498 and 499: a token is wanted, and asking again brings none.
        again = code not in (403, 404, 498, 499)
        number = code if isinstance(code, int) else None
        msg = f"said error {code}: {words[:300]}" if code is not None else f"said: {words[:300]}"
        raise RefusedError(body.url, msg, again=again, status=number)
    return found


def _refuse_status(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status < 400:
        return
    try:
        start = next(response.iter_content(2048), b"")
    except requests.RequestException:
        start = b""
    after = response.headers.get("Retry-After", "")
    wait = float(after) if after.isdigit() else None
    words = f"answered {status} {response.reason or ''}".strip()
    glimpse = _glimpse(start)
    raise RefusedError(
        url, f"{words}: {glimpse}" if start else words, again=status in _BUSY, status=status,
        wait=wait,
    )  # fmt: skip


def _glimpse(content: bytes) -> str:
    text = one_line(content[:2000].decode("utf-8", "replace"))
    kind = (
        "a web page" if text[:200].lower().lstrip().startswith(("<!doctype html", "<html")) else ""
    )
    short = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:120])
    return f"{kind} ({short!r})" if kind else repr(short)


def _refused(url: str, error: Exception) -> RefusedError:
    words = one_line(error)[:300]
    again = isinstance(error, requests.ConnectionError | requests.Timeout
                       | requests.exceptions.ChunkedEncodingError)  # fmt: skip
    return RefusedError(url, words, again=again)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
