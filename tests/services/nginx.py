"""nginx on loopback: archives, ranges, COGs and whatever else lies in a folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS = """
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format told '$request_method|$request_uri|$status|$body_bytes_sent|$http_range|'
                  '$http_user_agent';
  access_log {home}/access.log told;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  default_type application/octet-stream;
  types {{ text/html html; application/json json; image/tiff tif; application/zip zip; }}
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location /slowly/ {{ alias {root}/; limit_rate 1m; }}
    location /old/ {{ rewrite ^/old/(.*)$ http://127.0.0.1:{port}/$1 permanent; }}
    location /undivided/ {{ alias {root}/; max_ranges 0; }}
    location /403/ {{ return 403; }}
    location /500/ {{ return 500; }}
    location /login/ {{
      types {{}}
      default_type text/html;
      return 200 "<html>please log in</html>";
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Request:
    """A request as nginx has logged it: bytes of the body, and the range asked for or ``-``."""

    method: str
    path: str
    status: int
    sent: int
    range: str
    agent: str


@dataclass(frozen=True)
class Nginx:
    """A server of the files in ``root``; ``url`` ends without a slash."""

    root: Path
    url: str
    access: Path

    def log(self) -> list[Request]:
        """Every request so far, the last one last; one is logged once it was answered."""
        lines = self.access.read_text(encoding="utf-8").splitlines()
        split = [line.split("|", 5) for line in lines]
        return [Request(m, p, int(s), int(b), r, a) for m, p, s, b, r, a in split]

    def settled(self) -> list[Request]:
        """Every request so far; none is on its way to the log any more."""
        # A line is written when a request is over: once the mark is there, so are all before.
        mark = f"/mark-{uuid.uuid4().hex}"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(self.url + mark)  # noqa: S310 -- our own server
        self.asked(mark)
        return [r for r in self.log() if not r.path.startswith("/mark-")]

    def asked(self, path: str, *, at_least: int = 1) -> list[Request]:
        """Requests for a path, of which so many are known to have been answered."""
        for _ in range(200):
            found = [r for r in self.log() if r.path == path]
            if len(found) >= at_least:
                return found
            # The answer reaches the client before the log.
            time.sleep(0.01)
        return found


def program() -> str | None:
    """nginx, which Debian keeps where only the administrator looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(home: Path, root: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A running nginx and its port; another one may take a free port first."""
    for _ in range(5):
        port = free_port()
        settings = home / "nginx.conf"
        settings.write_text(_SETTINGS.format(home=home, root=root, port=port), encoding="utf-8")
        errors = home / "error.log"
        server = subprocess.Popen(
            [program(), "-e", str(errors), "-p", str(home), "-c", str(settings)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(500):
            if server.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return server, port
        server.kill()
        server.wait()
    pytest.fail(f"nginx does not start: {errors.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One nginx for all; every test puts its files in a folder of its own below ``root``."""
    if program() is None:
        reason = "nginx is not installed; apt-get install nginx-light"
        if os.environ.get("GEOSITE_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("nginx")
    root = home / "files"
    root.mkdir()
    server, port = started(home, root)
    yield Nginx(root, f"http://127.0.0.1:{port}", home / "access.log")
    server.terminate()
    server.wait(timeout=10)
