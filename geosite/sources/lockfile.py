"""``layers.lock``: what was fetched, as text that a person can read, and always whole."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from geosite.disk import sync
from geosite.errors import GeositeError, faults
from geosite.model.base import Spec
from geosite.model.lock import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

VERSION = 1
"""Of the text."""
LOCK = "layers.lock"
PART = f"{LOCK}.*.part"
"""Pattern of what a process that was killed has left."""


class _Lock(Spec):
    version: int
    layers: tuple[Entry, ...]


def parsed_lock(text: str, place: object) -> tuple[Entry, ...]:
    """Entries of a lock.

    Parameters
    ----------
    place : object
        Where the text is, in messages.

    Raises
    ------
    GeositeError
        If it is no such text, or a newer geosite wrote it.
    """
    try:
        said = json.loads(text)
        version = said.get("version") if isinstance(said, dict) else None
        if not isinstance(version, int) or version <= VERSION:
            return tuple(sorted(_Lock.model_validate(said).layers, key=_order))
    except (ValueError, RecursionError) as error:
        raise GeositeError(_unreadable(place, error)) from None
    msg = (
        f"{place}: is of version {version}, and this geosite knows {VERSION}: a newer one wrote "
        "it; use that one, or name another folder with --cache"
    )
    raise GeositeError(msg)


def read_lock(folder: Path) -> tuple[Entry, ...]:
    """Entries of the lock in a folder; none if there is no lock.

    Raises
    ------
    GeositeError
        If it cannot be read.
    """
    path = folder / LOCK
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise GeositeError(_unreadable(path, error)) from None
    return parsed_lock(text, path)


def lock_text(entries: Iterable[Entry]) -> str:
    """The text of a lock, in order of layer and area."""
    said = [e.model_dump(mode="json") for e in sorted(entries, key=_order)]
    return json.dumps({"version": VERSION, "layers": said}, indent=1, ensure_ascii=False) + "\n"


def write_lock(entries: Iterable[Entry], folder: Path) -> None:
    """Write the lock of a folder in one step: the one before stays until this one is on disk."""
    handle, part = tempfile.mkstemp(dir=folder, prefix=f"{LOCK}.", suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(lock_text(entries))
        file.flush()
        os.fsync(file.fileno())
    (folder / part).replace(folder / LOCK)
    sync(folder)


def _order(entry: Entry) -> tuple[Any, ...]:
    return (entry.layer, entry.box or (), entry.asked, entry.retrieved)


def _unreadable(place: object, error: Exception) -> str:
    lines = [" ".join(str(error).split())[:300]]
    if isinstance(error, ValidationError):
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
    fix = (
        "put a copy of it back; or move it away, and what it lists is fetched again; or name "
        "another folder with --cache"
    )
    return faults(f"{place}: cannot be read as a list of what was fetched:", [*lines, fix])
