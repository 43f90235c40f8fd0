"""nginx from the system, on loopback, serving a folder of rasters; it writes down who asked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    types {{ image/tiff tif; text/html html; }}
    log_format said '$request_method $status $body_bytes_sent $uri "$http_user_agent"';
    access_log {folder}/access.log said;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location /old/ {{ rewrite ^/old/(.*)$ http://127.0.0.1:{port}/$1 permanent; }}
        location /undivided/ {{ alias {folder}/files/; max_ranges 0; }}
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
class Answer:
    """One line of the access log."""

    method: str
    status: int
    size: int
    path: str
    agent: str


@dataclass
class Nginx:
    """A server that runs: put files into `files`, ask at `url`."""

    folder: Path
    url: str
    read: int = 0

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def answers(self) -> list[Answer]:
        """What was answered since this was last asked."""
        log = self.folder / "access.log"
        mark = f"/mark-{self.read}"
        # A line is written when a request is over: once the mark is there, so are all before.
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(self.url + mark)  # noqa: S310  our own server
        while True:
            lines = log.read_text().splitlines()
            if any(mark in line for line in lines[self.read :]):
                break
            time.sleep(0.01)
        fresh, self.read = lines[self.read :], len(lines)
        split = (line.split(" ", 4) for line in fresh if mark not in line)
        return [Answer(m, int(s), int(n), p, a.strip('"')) for m, s, n, p, a in split]


def program() -> str:
    """Path of nginx; the test is skipped without it, or fails where CI says that it must run."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = "nginx is not installed; apt-get install nginx-light"
        if os.environ.get("GEOSITE_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def nginx(folder: Path) -> Iterator[Nginx]:
    """A server of the files below ``<folder>/files``, stopped at the end."""
    start = program()
    (folder / "files").mkdir(parents=True)
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(CONFIGURATION.format(folder=folder, port=port))
    running = subprocess.Popen(
        [start, "-p", folder, "-c", settings, "-e", folder / "error.log"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port, running, folder)
        yield Nginx(folder, f"http://127.0.0.1:{port}")
    finally:
        running.terminate()
        running.wait(10)


def _await(port: int, running: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(500):
        if running.poll() is not None:
            break
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nginx does not start: {(folder / 'error.log').read_text()[-1000:]}")
