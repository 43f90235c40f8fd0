"""A run's folder served to this machine alone, so that its map can read tiles in pieces.

Only files of the folder can be had, only by their names, and only from this machine: the
server listens on the loopback address, and a page of another site that asks through the
reader's browser is refused by the name it asks for.
"""

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from geosite.errors import RunError

if TYPE_CHECKING:
    from typing import BinaryIO

LOOPBACK = "127.0.0.1"
FRONT = "map.html"
"""What the root shows."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""Types of what a browser can show; all else is bytes to be saved."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_PIECE = 1 << 18


class Viewer(ThreadingHTTPServer):
    """Serves the files of one folder on the loopback address.

    Parameters
    ----------
    folder : Path
        With a ``map.html``.
    port : int
        0 for any that is free.

    Raises
    ------
    RunError
        If the folder has no map, or the port is taken.
    """

    daemon_threads = True
    # Two servers on one port would answer by turns.
    allow_reuse_address = False

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder.resolve()
        if not (self.folder / FRONT).is_file():
            msg = f"{folder}: there is no {FRONT} in it; geosite map {folder} draws it"
            raise RunError(msg)
        try:
            super().__init__((LOOPBACK, port), _Request)
        except (OSError, OverflowError) as error:
            msg = (
                f"port {port} of {LOOPBACK} cannot be used: {error}; give another --port, or "
                "none for one that is free"
            )
            raise RunError(msg) from None

    @property
    def url(self) -> str:
        """Where the map is."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/{FRONT}"

    def file(self, asked: str) -> Path | None:
        """The file of the folder that a path of a request means; None if there is none."""
        names = unquote(urlsplit(asked).path).lstrip("/") or FRONT
        if not names.isprintable() or any(not n or n[0] == "." for n in names.split("/")):
            return None
        try:
            # A link may lead out of the folder.
            found = (self.folder / names).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        return found if found.is_relative_to(self.folder) and found.is_file() else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who went away is no fault."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    server: Viewer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "geosite", ""
    timeout = 60

    def do_GET(self) -> None:
        self._answer(whole=True)

    def do_HEAD(self) -> None:
        self._answer(whole=False)

    def log_message(self, *_args: object) -> None:
        """Nothing: what a reader looks at is theirs."""

    def _answer(self, *, whole: bool) -> None:
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, whole=whole)
            return
        path = self.server.file(self.path)
        if path is None and self.path == "/favicon.ico":
            # Browsers ask for one unasked, and call its absence a fault of the page.
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
            return
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND, whole=whole)
            return
        try:
            with path.open("rb") as file:
                self._send(path, file, whole=whole)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, whole=whole)

    def _send(self, path: Path, file: BinaryIO, *, whole: bool) -> None:
        state = path.stat()
        size = state.st_size
        tag = f'"{size:x}-{state.st_mtime_ns:x}"'
        first, last = 0, size - 1
        asked = _RANGE.fullmatch(self.headers.get("Range", "").replace(" ", ""))
        # Who asks for the rest of another version gets the whole of this one.
        part = bool(asked and any(asked.groups())) and self.headers.get("If-Range", tag) == tag
        if asked and part:
            begin, end = asked.groups()
            first = int(begin) if begin else max(0, size - int(end))
            last = min(int(end), size - 1) if begin and end else size - 1
            if first > last:
                self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, whole=whole, size=size)
                return
        self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
        self._head(TYPES.get(path.suffix.lower(), "application/octet-stream"), last - first + 1)
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        file.seek(first)
        left = last - first + 1 if whole else 0
        while left > 0 and (piece := file.read(min(_PIECE, left))):
            self.wfile.write(piece)
            left -= len(piece)

    def _refuse(self, status: HTTPStatus, *, whole: bool, size: int | None = None) -> None:
        body = f"{status.phrase}\n".encode()
        self.send_response(status)
        self._head("text/plain; charset=utf-8", len(body))
        if size is not None:
            self.send_header("Content-Range", f"bytes */{size}")
        self.end_headers()
        if whole:
            self.wfile.write(body)

    def _head(self, kind: str, length: int) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
