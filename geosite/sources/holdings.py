"""The folder of what was fetched: objects named by their bytes, and a lock that says what they are.

Every process takes one lock to change it. The lock's text and every object are
written beside their place, seen to the disk and renamed, so that a process that
is killed leaves what was there before, or what is there now, and nothing between.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from geosite.disk import sync
from geosite.errors import FetchError, GeositeError, LayerDataError, faults
from geosite.model.base import Spec
from geosite.model.layer import Layer
from geosite.model.lock import Box, Entry, Held, contains
from geosite.model.source import ServiceSource
from geosite.sources import cache
from geosite.sources.asking import Ask, Got

VERSION = 1
"""Of the lock's text."""
LOCK = "layers.lock"
GRACE = 86_400.0
"""What nothing refers to any more is kept for so long [s]: a run may still be reading it."""
_DOWNLOADS = 7 * 86_400.0  # seconds that a broken download is kept, to go on with
_INDIFFERENT = {"count", "size", "note", "page_size"}
"""What a source may say without another byte being fetched."""


class _Lock(Spec):
    version: int
    layers: tuple[Entry, ...] = Field(default=())


@dataclass(frozen=True, slots=True)
class Kept:
    """What was put in its place, and what was known of the same layer and area before."""

    entry: Entry
    before: Entry | None

    @property
    def changed(self) -> bool:
        """Whether there were other bytes before."""
        return self.before is not None and self.before.sha256 != self.entry.sha256


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the folder that is not as the lock says."""

    kind: Literal["missing", "changed", "unreferenced"]
    path: Path
    layers: tuple[str, ...]
    """Those that the object belongs to."""

    @property
    def words(self) -> str:
        """It, on one line."""
        whose = f"layer {', '.join(self.layers)}: " if self.layers else ""
        said = {
            "missing": "is gone; fetch the layer again",
            "changed": "holds other bytes than were fetched; fetch the layer again",
            "unreferenced": "belongs to no layer any more",
        }
        return f"{whose}{self.path} {said[self.kind]}"


def holdings_root(named: Path | None = None) -> Path:
    """The folder of what was fetched, below a cache that is named or the user's own.

    Raises
    ------
    FetchError
        If the user wants no cache and names none.
    """
    if named is not None:
        return named.expanduser().absolute() / "fetched"
    own = cache.folder()
    if own is None:
        msg = (
            f"{cache.VARIABLE} is empty, so there is no cache, and what is fetched needs a place; "
            f"name a folder with --cache, or in {cache.VARIABLE}"
        )
        raise FetchError(msg)
    return own.absolute().parent / "fetched"


def asked_of(layer: Layer) -> str:
    """Digest of all in a layer's entry that decides which bytes are fetched.

    What it means, how often it is renewed or what was counted is not among it.
    """
    said = {
        "sources": [
            s.model_dump(mode="json", exclude=_INDIFFERENT)
            for s in layer.sources
            if isinstance(s, ServiceSource)
        ],
        "crs": layer.crs,
        "geometry": layer.geometry,
        "columns": sorted(
            (f.from_ or name).casefold() for name, f in layer.fields.items() if f.constant is None
        ),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


class Holdings:
    """What was fetched.

    Parameters
    ----------
    root : Path
        Made when something is kept; its file system must know locks.
    """

    def __init__(self, root: Path) -> None:
        """Nothing is read yet."""
        self.root = root.absolute()

    @property
    def downloads(self) -> Path:
        """Folder for publishers' files that several layers share, and for broken downloads."""
        return self._made("downloads")

    def entries(self) -> tuple[Entry, ...]:
        """What the lock says, in order of layer and area.

        Raises
        ------
        GeositeError
            If the lock cannot be read.
        """
        path = self.root / LOCK
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(said, dict) and _is_newer(said.get("version")):
                raise GeositeError(_newer(path, said["version"]))
            return _Lock.model_validate(said).layers
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, RecursionError) as error:
            if isinstance(error, GeositeError):
                raise
            raise GeositeError(_unreadable(path, error)) from None

    def find(self, layer: Layer, box: Box | None) -> Held | None:
        """The newest object of a layer that was asked as today and speaks for an area.

        An object that is gone or of another size is none.

        Parameters
        ----------
        box : west, south, east, north in degrees (WGS 84), optional
            Without it only all of the layer will do.
        """
        asked = asked_of(layer)
        fit = [e for e in self.entries() if e.layer == layer.id and e.asked == asked]
        for entry in sorted(fit, key=lambda e: e.retrieved, reverse=True):
            if contains(entry.box, box) and self._is_there(entry):
                return Held(self.path(entry), entry)
        return None

    def path(self, entry: Entry) -> Path:
        """Where the object of an entry is."""
        return self._objects / entry.sha256[:2] / f"{entry.sha256}{entry.ending}"

    def keep(self, layer: Layer, ask: Ask, got: Got) -> Kept:
        """Take a file from `scratch` into the folder, and what is known of it into the lock.

        Entries of the same question whose areas lie in this one's go; their objects
        stay for a while, see `sweep`.

        Raises
        ------
        LayerDataError
            If the file is empty, or no GeoParquet or GeoTIFF by its name.
        GeositeError
            If the lock cannot be read.
        """
        entry = _entry(layer, ask, got)
        with self._locked():
            old = self.entries()
            self._place(got.path, entry)
            same = [e for e in old if (e.layer, e.asked) == (entry.layer, entry.asked)]
            before = max(
                (e for e in same if e.box == entry.box), key=lambda e: e.retrieved, default=None
            )
            gone = [e for e in same if contains(entry.box, e.box)]
            for path in {self.path(e) for e in gone} - {self.path(entry)}:
                with suppress(OSError):
                    # From now on nothing refers to it: the time of grace begins.
                    os.utime(path)
            self._write([*(e for e in old if e not in gone), entry])
        return Kept(entry, before)

    def adopt(self, entry: Entry, path: Path) -> None:
        """Take an object that was fetched elsewhere, with its entry; `path` is in `scratch`.

        Raises
        ------
        LayerDataError
            If the bytes are not those of the entry.
        """
        sync(path)
        if _digest(path) != entry.sha256:
            msg = f"{path.name}: holds other bytes than were fetched for layer {entry.layer}"
            raise LayerDataError(msg)
        with self._locked():
            others = [e for e in self.entries() if e != entry]
            self._place(path, entry)
            self._write([*others, entry])

    def verify(self) -> list[Fault]:
        """What is missing, changed, or belongs to nothing; every object is hashed again."""
        owners: dict[Path, list[Entry]] = {}
        for entry in self.entries():
            owners.setdefault(self.path(entry), []).append(entry)
        found = []
        for path, entries in sorted(owners.items()):
            layers = tuple(dict.fromkeys(e.layer for e in entries))
            try:
                if path.stat().st_size != entries[0].size or _digest(path) != entries[0].sha256:
                    found.append(Fault("changed", path, layers))
            except OSError:
                found.append(Fault("missing", path, layers))
        loose = [p for p in sorted(self._objects.glob("*/*")) if p not in owners]
        return [*found, *(Fault("unreferenced", p, ()) for p in loose)]

    def sweep(self, grace: float = GRACE) -> None:
        """Delete objects that nothing refers to, broken downloads, and what was never finished.

        Parameters
        ----------
        grace : float
            Objects are kept for so long after the last reference has gone [s].
        """
        if not self.root.is_dir():
            return
        with self._locked():
            used = {self.path(e) for e in self.entries()}
            loose = [p for p in self._objects.glob("*/*") if p not in used]
            for path in [p for p in loose if _age(p) > grace]:
                path.unlink(missing_ok=True)
            for path in self.root.glob("downloads/**/*"):
                if path.is_file() and _age(path) > _DOWNLOADS:
                    path.unlink(missing_ok=True)
            for lock in self.root.glob("scratch/*.lock"):
                _sweep_scratch(lock)
            for path in self.root.glob(f"{LOCK}.*.part"):
                path.unlink(missing_ok=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for files that are not finished, on the file system of the objects."""
        home = self._made("scratch")
        with self._locked():
            folder = Path(tempfile.mkdtemp(dir=home))
            # Whoever is killed lets go of it, and then it may be swept.
            held = FileLock(folder.with_suffix(".lock"))
            held.acquire()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                Path(held.lock_file).unlink()
            held.release()

    @property
    def _objects(self) -> Path:
        return self.root / "objects"

    def _made(self, name: str) -> Path:
        folder = self.root / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = (
                f"{folder}: cannot be made ({error.strerror}), and what is fetched needs a place; "
                "name another folder with --cache"
            )
            raise FetchError(msg) from None
        return folder

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._made("objects")
        with FileLock(self.root / ".lock"):
            yield

    def _is_there(self, entry: Entry) -> bool:
        try:
            return self.path(entry).stat().st_size == entry.size
        except OSError:
            return False

    def _place(self, path: Path, entry: Entry) -> None:
        place = self.path(entry)
        place.parent.mkdir(exist_ok=True)
        sync(path)
        path.replace(place)
        sync(place.parent)
        sync(self._objects)

    def _write(self, entries: list[Entry]) -> None:
        said = [e.model_dump(mode="json") for e in sorted(entries, key=_order)]
        text = json.dumps({"version": VERSION, "layers": said}, indent=1, ensure_ascii=False)
        handle, part = tempfile.mkstemp(dir=self.root, prefix=f"{LOCK}.", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(self.root / LOCK)
        sync(self.root)


def _entry(layer: Layer, ask: Ask, got: Got) -> Entry:
    ending, size = got.path.suffix, got.path.stat().st_size
    if ending not in (".parquet", ".tif") or size == 0:
        msg = f"layer {layer.id}: {got.path.name} has {size} bytes, expected a .parquet or a .tif"
        raise LayerDataError(msg)
    source = ask.source
    # One file a state is a part as well.
    part = source.by_box or "{" in source.url
    return Entry(
        layer=layer.id,
        asked=asked_of(layer),
        box=ask.box if part else None,
        kind=source.kind,
        url=got.url,
        role=source.role,
        retrieved=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        edited=got.edited,
        count=got.count,
        server_count=got.server_count,
        size=size,
        sha256=_digest(got.path),
        ending=".parquet" if ending == ".parquet" else ".tif",
        source_sha256=got.source_sha256,
        notes=got.notes,
    )


def _order(entry: Entry) -> tuple[Any, ...]:
    return (entry.layer, entry.box or (), entry.asked, entry.retrieved)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _sweep_scratch(lock: Path) -> None:
    held = FileLock(lock, timeout=0)
    with suppress(Timeout, OSError), held:
        shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        lock.unlink(missing_ok=True)


def _is_newer(version: object) -> bool:
    return isinstance(version, int) and version > VERSION


def _newer(path: Path, version: int) -> str:
    return (
        f"{path}: is of version {version}, and this geosite knows {VERSION}: a newer one wrote it; "
        "use that one, or name another folder with --cache"
    )


def _unreadable(path: Path, error: Exception) -> str:
    lines = [" ".join(str(error).split())[:300]]
    if isinstance(error, ValidationError):
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
    fix = (
        "put a copy of it back; or move it away: what was fetched is then fetched again; "
        "or name another folder with --cache"
    )
    return faults(f"{path}: cannot be read as a list of what was fetched:", [*lines, fix])
