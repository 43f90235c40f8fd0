"""Folders of runs that are not finished: what they ask, who works on them, and going on with one.

A folder is named ``<time>-<process>.partial``. It holds what is asked in
``asked.json``, and a lock that its process keeps to the end, so that no two
processes work on one folder; a lock that a killed process has left is free.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosite.checkpoints import count
from geosite.errors import RunError, faults
from geosite.question import differences

if TYPE_CHECKING:
    from typing import TextIO

_ENDING = ".partial"
_LOCK, _ASKED, _TILES, _SURFACES = "lock", "asked.json", "tiles", "surfaces.zarr"
_NAMED = 8
"""Differences that a message names."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The folder of a run that is under way, locked by this process.

    Attributes
    ----------
    asked : mapping
        What the run asks, and how its tiles lie.
    resumed : bool
        Whether another process began it.
    """

    path: Path
    asked: Mapping[str, Any]
    resumed: bool
    _lock: TextIO

    @property
    def tiles(self) -> Path:
        """Folder of the finished tiles."""
        return self.path / _TILES

    @property
    def finished(self) -> int:
        """Tiles that are finished."""
        return count(self.tiles)

    def strip(self) -> None:
        """Remove what a finished run does not keep; from here on it cannot be resumed."""
        shutil.rmtree(self.tiles, ignore_errors=True)
        (self.path / _ASKED).unlink()
        (self.path / _LOCK).unlink()

    def leave(self) -> None:
        """Keep the folder as it is; another process may go on with it."""
        with suppress(OSError):
            self._lock.truncate(0)
        self._lock.close()

    def close(self) -> None:
        """Let go of the folder, which has another name by now."""
        self._lock.close()

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def begun(root: Path, asked: Mapping[str, Any]) -> Unfinished:
    """Make a new folder.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = root / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z-{os.getpid()}{_ENDING}"
    path.mkdir(parents=True)
    folder = None
    try:
        folder = Unfinished(path, asked, resumed=False, _lock=_locked(path, new=True))
        folder.tiles.mkdir()
        (path / _ASKED).write_text(json.dumps(asked, indent=1), encoding="utf-8")
    except OSError:
        if folder:
            folder.close()
        shutil.rmtree(path, ignore_errors=True)
        raise
    return folder


def resumed(root: Path, asked: Mapping[str, Any]) -> Unfinished | None:
    """The newest unfinished folder that asks the same; None if there is no unfinished folder.

    Raises
    ------
    RunError
        If every unfinished folder asks something else, naming what; or if another
        process works on the one that asks the same.
    """
    refuse_changed(root, asked)
    same = [f for f in _folders(root) if _said(f) and not differences(_said(f), asked)]
    taken = None
    for path in same:
        try:
            lock = _locked(path, new=True)
        except RunError as error:
            taken = taken or error
            continue
        _clear(path)
        return Unfinished(path, asked, resumed=True, _lock=lock)
    if taken:
        raise taken
    return None


def refuse_changed(root: Path, asked: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that asked something else; `asked` may be a part of it.

    Raises
    ------
    RunError
        If there are unfinished folders and none asks the same, naming what changed.
    """
    folders = [(f, _said(f)) for f in _folders(root)]
    changed = [(f, differences(said, asked)) for f, said in folders if said]
    if not changed or not all(found for _, found in changed):
        return
    path, found = changed[0]
    more = [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
    title = f"{path}: this unfinished run cannot be resumed, because it asked something else:"
    fix = "ask as before, or begin a new run without --resume; that folder may then be deleted"
    raise RunError(faults(title, [*found[:_NAMED], *more, fix]))


def day_of(root: Path) -> date | None:
    """Day on which the newest unfinished run reads its rules; None if there is no such run."""
    for path in _folders(root):
        with suppress(KeyError, ValueError, TypeError):
            return date.fromisoformat(_said(path)["as_of"])
    return None


def tile_of(root: Path) -> int | None:
    """Side of the tiles of the newest unfinished run [cells]; None if there is no such run."""
    for path in _folders(root):
        size = _said(path).get("tile_cells")
        if isinstance(size, int) and size > 0:
            return size
    return None


def sweep(root: Path, asked: Mapping[str, Any]) -> None:
    """Remove unfinished folders that asked what is answered now, and that nobody works on.

    Those that were killed before they had asked anything go as well.
    """
    for path in _folders(root):
        said = _said(path)
        if said and differences(said, asked):
            continue
        if not (path / _LOCK).exists():  # just being made, or not by us
            continue
        with suppress(RunError, OSError), _locked(path):
            shutil.rmtree(path, ignore_errors=True)


def _clear(path: Path) -> None:
    # Tiles are known to be whole or not; anything else may be half-written, and is made again.
    for there in path.iterdir():
        if there.name in {_LOCK, _ASKED, _TILES, _SURFACES}:
            continue
        if there.is_dir():
            shutil.rmtree(there)
        else:
            there.unlink()
    (path / _TILES).mkdir(exist_ok=True)
    for draft in path.rglob("*.draft"):
        draft.unlink()


def _folders(root: Path) -> Sequence[Path]:
    return sorted(root.glob(f"*{_ENDING}"), reverse=True)


def _said(path: Path) -> dict[str, Any]:
    try:
        said = json.loads((path / _ASKED).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _locked(path: Path, *, new: bool = False) -> TextIO:
    """The lock of a folder, held; it is let go when it is closed, or with this process.

    A folder that has none any more is being finished, or its lock was deleted by hand.

    Raises
    ------
    RunError
        If another process holds it.
    """
    try:
        lock = (path / _LOCK).open("a+" if new else "r+", encoding="utf-8")
    except FileNotFoundError:
        msg = f"{path}: this run is being finished by another process; wait for it"
        raise RunError(msg) from None
    try:
        _hold(lock, path)
    except BaseException:
        lock.close()
        raise
    return lock


def _hold(lock: TextIO, path: Path) -> None:
    here = socket.gethostname()
    lock.seek(0)
    pid, _, host = lock.read().strip().partition("@")
    busy = f"{path}: process {pid} on {host} is working on this run; wait for it or stop it"
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(busy) from None
    if not _is_same(lock, path / _LOCK):
        msg = f"{path}: another process has just finished or removed this run"
        raise RunError(msg)
    # A lock of another machine may be invisible from here, so its word is taken.
    if pid and host != here:
        msg = f"{busy}; if it is dead, delete {path / _LOCK}"
        raise RunError(msg)
    lock.truncate(0)
    lock.write(f"{os.getpid()}@{here}")
    lock.flush()


def _is_same(lock: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False
