"""Asking servers politely: one pool a host, few requests at a time, patience with an end."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock, Timeout

from geosite.errors import FetchError
from geosite.sources.answers import Body, RefusedError, decoded
from geosite.sources.archive import RATIO, SMALL
from geosite.sources.asking import Told
from geosite.sources.exchange import AGENT, Exchange, Patience
from geosite.sources.partial import Begun, Part, room, span, whole_size

__all__ = [
    "AGENT", "MOST_BODY", "MOST_FILE", "Body", "Client", "Downloaded", "Patience", "RefusedError",
    "decoded", "digest",
]  # fmt: skip

MOST_BODY = 256 * 2**20
"""Largest answer that is held in memory, unpacked [bytes]."""
MOST_FILE = 64 * 2**30
"""Largest file that is downloaded [bytes]."""
_LOOK = 0.2  # seconds after which who waits looks whether all is to stop


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that came whole."""

    path: Path
    url: str
    sha256: str
    size: int
    etag: str | None
    modified: str | None


class Client(Exchange):
    """A client that every layer of one `geosite fetch` shares.

    Parameters
    ----------
    patience : Patience
    per_host : int
        Most requests at a time to one host.
    pauses : mapping of host to seconds
        Least time between two requests, where a host asks for it.
        A host stands for its subdomains too.
    stop : threading.Event, optional
        Once it is set, every request ends with `RefusedError`.
    downloads : Path, optional
        Folder of the files that several layers are made from (`stored`).
    """

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        per_host: int = 4,
        pauses: Mapping[str, float] | None = None,
        stop: threading.Event | None = None,
        downloads: Path | None = None,
    ) -> None:
        """Open no connection yet."""
        super().__init__(patience, per_host, pauses, stop)
        self.downloads = downloads

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
        return self.again(lambda: self.once(url, params, post=post, most=most))

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
        return self.again(lambda: decoded(self.once(url, params, post=post, most=most)))

    def once(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        post: bool = False,
        most: int = MOST_BODY,
    ) -> Body:
        """The answer to one request, asked once: what may pass is for `again`."""
        ends = time.monotonic() + self.patience.whole
        with self.answer("POST" if post else "GET", url, params) as response:
            parts, size = [], 0
            for part in self.pieces(response, url):
                size += len(part)
                if size > most:
                    raise RefusedError(url, f"the answer is larger than {most:,} bytes")
                if time.monotonic() > ends:
                    msg = f"the answer took more than {self.patience.whole:g} s"
                    raise RefusedError(url, msg, again=True)
                parts.append(part)
            return Body(b"".join(parts), response.url, response.status_code, response.headers)

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
        FetchError
            If the disk does not take it.
        """
        part = Part(path)

        def once() -> Downloaded:
            try:
                return self._downloaded(url, part, told, most)
            except RefusedError as error:
                # What is here is no part of what is there, or cannot be gone on from.
                other = error.status in (206, 416)
                if other or not part.begun(url).size:
                    part.discard()
                if not other:
                    raise
                raise RefusedError(url, error.words, again=True, status=error.status) from None

        with room(path):
            return self.again(once)

    def _downloaded(self, url: str, part: Part, told: Told | None, most: int) -> Downloaded:
        asked = part.begun(url)
        with self.answer("GET", url, headers=asked.headers) as response:
            begun, total = span(asked, response.status_code, response.headers)
            if total is not None and total > most:
                raise RefusedError(url, f"the file has {total:,} bytes, expected at most {most:,}")
            pieces = self._watched(response, begun, total, most, told)
            size, sha256 = part.written(begun, pieces)
        if size == 0 or size != (total or size):
            msg = f"sent {size:,} bytes" + (f" of {total:,}" if total else ", expected a file")
            if size > (total or size):
                part.discard()
            raise RefusedError(url, msg, again=True)
        part.finish()
        return Downloaded(part.path, url, sha256, size, begun.etag, begun.modified)

    def _watched(
        self, response: requests.Response, begun: Begun, total: int | None, most: int,
        told: Told | None,
    ) -> Iterator[bytes]:  # fmt: skip
        p, size = self.patience, begun.size
        since, had = time.monotonic(), size
        for piece in self.pieces(response, begun.url):
            size += len(piece)
            if size > most:
                raise RefusedError(begun.url, f"the file is larger than {most:,} bytes")
            if size - begun.size > max(SMALL, RATIO * response.raw.tell()):
                raise RefusedError(begun.url, "what comes packed unpacks to far too much")
            yield piece
            if told is not None:
                told(size, total)
            now = time.monotonic()
            if now - since >= p.window:
                if size - had < p.slowest * (now - since):
                    msg = f"sends less than {p.slowest:g} bytes a second"
                    raise RefusedError(begun.url, msg, again=True)
                since, had = now, size

    def stored(self, url: str, told: Told | None = None, *, most: int = MOST_FILE) -> Downloaded:
        """A file below `downloads`, for every layer that is made from it.

        Asked for anew if the server says that it has changed, or nothing of its version.

        Raises
        ------
        RefusedError
            If it cannot be had.
        FetchError
            If there is no folder for it, or the disk does not take it.
        """
        if self.downloads is None:
            msg = f"{url}: there is no folder for downloads"
            raise FetchError(msg)
        home = self.downloads / hashlib.sha256(url.encode()).hexdigest()[:24]
        path, note = home / "file", home / "file.json"
        with room(path):
            home.mkdir(parents=True, exist_ok=True)
            with self._locked(home, url):
                kept = _noted(note, path)
                if kept is None or not self._same(kept):
                    note.unlink(missing_ok=True)
                    kept = self.download(url, path, told, most=most)
                    note.write_text(json.dumps(asdict(kept) | {"path": ""}), encoding="utf-8")
                # Who is to read it now has as long as if it had just come: see `Holdings.sweep`.
                for file in (path, note):
                    os.utime(file)
        return kept

    @contextmanager
    def _locked(self, home: Path, url: str) -> Iterator[None]:
        # Another process, or another thread, may be at it: what it gets is for all.
        lock = FileLock(home / "lock")
        while not lock.is_locked:
            if self.stop.is_set():
                raise RefusedError(url, "stopped")
            with suppress(Timeout):
                lock.acquire(timeout=_LOOK)
        try:
            yield
        finally:
            lock.release()

    def _same(self, kept: Downloaded) -> bool:
        size, headers, _ = self.head(kept.url)
        there = Begun(kept.url, headers.get("ETag"), headers.get("Last-Modified"))
        here = Begun(kept.url, kept.etag, kept.modified)
        said = bool((there.etag and here.etag) or (there.modified and here.modified))
        return said and not there.contradicts(here) and size in (None, kept.size)

    def head(self, url: str) -> tuple[int | None, Mapping[str, str], str]:
        """Size [bytes] of a file, if the server says, its headers, and its address at last.

        Raises
        ------
        RefusedError
            If it cannot be had.
        """

        def asked(method: str, headers: Mapping[str, str]) -> requests.Response:
            with self.answer(method, url, headers=headers) as response:
                return response

        plain = {"Accept-Encoding": "identity"}
        try:
            found = self.again(lambda: asked("HEAD", plain))
        except RefusedError as error:
            if error.status is None or error.again:
                raise
            # Some servers, and every signed address, know GET only.
            found = self.again(lambda: asked("GET", plain | {"Range": "bytes=0-0"}))
        return whole_size(found.status_code, found.headers), found.headers, found.url


def _noted(note: Path, path: Path) -> Downloaded | None:
    try:
        found = Downloaded(**json.loads(note.read_text(encoding="utf-8")) | {"path": path})
        return found if path.stat().st_size == found.size else None
    except (OSError, ValueError, TypeError):
        return None


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
