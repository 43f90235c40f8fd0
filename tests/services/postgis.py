"""PostGIS, from the system: a server of the test's own, on a Unix socket in a temporary folder.

It is asked through psql, so that no driver is needed. PostgreSQL refuses to run as root, which
continuous checks often are: it is then run as the user that Debian's package made for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_USER = "postgres"
_SETTINGS = (
    "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c autovacuum=off -c jit=off"
)


@dataclass(frozen=True, slots=True)
class PostGIS:
    """A running server."""

    psql: Path
    folder: Path

    def asked(self, sql: str, given: str = "") -> list[list[str]]:
        """Rows of the answer; `given` is what COPY … FROM STDIN reads."""
        command = [
            self.psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
            "--set=ON_ERROR_STOP=1", f"--host={self.folder}", f"--username={_USER}",
            "--dbname=postgres", f"--command={sql}",
        ]  # fmt: skip
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            pytest.fail(f"psql: {done.stderr.strip()}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def table(self, name: str, columns: str, rows: Iterable[Iterable[Any]]) -> None:
        """Make a table, and fill it."""
        self.asked(f"CREATE TABLE {name} ({columns})")
        lines = ("\t".join(str(value) for value in row) for row in rows)
        self.asked(f"COPY {name} FROM STDIN", "\n".join([*lines, "\\.", ""]))


def programs() -> Path | None:
    """Folder of a PostgreSQL that has PostGIS; None without one."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists() and (folder.parent / "lib/postgis-3.so").exists():
            return folder
    found = shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


@contextmanager
def running(programs: Path) -> Iterator[PostGIS]:
    """A server with an empty database that knows PostGIS; it is gone afterwards."""
    # Not in pytest's folder: that is closed to other users. A socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
        as_user = ["runuser", "-u", _USER, "--"]

    def run(program: str, *words: object) -> None:
        log = folder.with_suffix(".log")
        with log.open("w", encoding="utf-8") as printed:
            done = subprocess.run(
                [*as_user, programs / program, "-D", folder / "data", *map(str, words)],
                cwd="/", stdout=printed, stderr=printed, check=False, timeout=120,
            )  # fmt: skip
        said = log.read_text(encoding="utf-8")
        log.unlink()
        if done.returncode:
            pytest.fail(f"{program}: {said}")

    try:
        run("initdb", f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N")
        run("pg_ctl", "start", "-w", "-l", folder / "log", "-o", f"-k {folder} {_SETTINGS}")
        try:
            server = PostGIS(programs / "psql", folder)
            server.asked("CREATE EXTENSION postgis")
            yield server
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgis() -> Iterator[PostGIS]:
    """PostGIS, one for all tests of a worker."""
    found = programs()
    if found is None:
        reason = "PostGIS is not installed; apt-get install postgresql-15-postgis-3"
        if os.environ.get("GEOSITE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with running(found) as server:
        yield server
