"""A folder of layers as they are after reading, so that each source is read once and for all.

What is kept is named by all that made it: the bytes of the source, the layer's
entry, the program and the libraries that read it. So nothing in the folder is
ever out of date, and any of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import platformdirs
import pyarrow as pa
import pyogrio
import pyproj
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 5_000_000_000
"""Size of the folder [bytes]; beyond it, what was not used for longest goes."""
VARIABLE = "GEOSITE_CACHE"
_STALE = 86_400.0  # seconds after which an unfinished file belongs to nobody
_UNREADABLE = (OSError, pa.ArrowException, ValueError, KeyError, TypeError, shapely.GEOSException)

T = TypeVar("T")


def folder() -> Path | None:
    """Where layers are kept; None if the user wants no cache."""
    named = os.environ.get(VARIABLE)
    if named is None:
        return platformdirs.user_cache_path("geosite") / "layers"
    return Path(named).expanduser() / "layers" if named else None


@lru_cache(maxsize=1)
def _makers() -> list[str]:
    """What else a layer depends on: the code that reads it, and its libraries."""
    here = Path(__file__).parent
    code = hashlib.sha256()
    for module in [here.parent / "crs.py", *sorted(here.glob("*.py"))]:
        code.update(module.read_bytes())
    return [
        version("geosite"), code.hexdigest(), pd.__version__, pyproj.proj_version_str,
        pyogrio.__gdal_version_string__, shapely.geos_version_string,
    ]  # fmt: skip


def fingerprint(origin: Any) -> str:
    """Name of what is read from some origin, by this code with these libraries."""
    said = json.dumps([_makers(), origin], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:40]


def kept(name: str, read: Callable[[Path], T]) -> T | None:
    """What is kept under a name; None if nothing is, or nothing that is whole.

    A damaged file is deleted.
    """
    home = folder()
    if home is None:
        return None
    for path in sorted(home.glob(f"{name}-*.parquet")):
        try:
            if _seal(path) == path.stem.rpartition("-")[2]:
                found = read(path)
                # The folder says what was used last, whatever its file system does about it.
                os.utime(path)
                return found
        except FileNotFoundError:
            # Another process made room.
            continue
        except _UNREADABLE:
            pass
        with suppress(OSError):
            path.unlink()
    return None


def keep(name: str, write: Callable[[Path], bool]) -> None:
    """Keep what `write` writes, unless it says that it could not; in one step, and never in vain.

    A folder that cannot be written is no error, nor is what Parquet cannot hold: the next run
    reads the source again.
    """
    home = folder()
    if home is None:
        return
    with suppress(*_UNREADABLE):
        home.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=home, suffix=".part")
        os.close(handle)
        part = Path(unfinished)
        try:
            if write(part) and part.stat().st_size <= LIMIT:
                part.replace(home / f"{name}-{_seal(part)}.parquet")
        finally:
            part.unlink(missing_ok=True)
        _make_room(home)


def _seal(path: Path) -> str:
    """Digest of a file, which is part of its name: damage of any byte shows."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _make_room(home: Path) -> None:
    """Delete what was used least lately until the folder is within its limit."""
    used = []
    for path in home.iterdir():
        with suppress(FileNotFoundError):
            stat = path.stat()
            if path.suffix == ".parquet":
                used.append((stat.st_mtime_ns, stat.st_size, path))
            elif path.suffix == ".part" and time.time() - stat.st_mtime > _STALE:
                path.unlink(missing_ok=True)
    room = LIMIT - sum(size for _, size, _ in used)
    for _, size, path in sorted(used):
        if room >= 0:
            return
        path.unlink(missing_ok=True)
        room += size
