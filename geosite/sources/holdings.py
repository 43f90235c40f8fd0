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
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from geosite.disk import sync
from geosite.errors import FetchError, LayerDataError
from geosite.model.layer import Layer
from geosite.model.lock import Box, Entry, Held, contains, words_of
from geosite.model.source import ServiceSource
from geosite.sources import cache
from geosite.sources.asking import Ask, Got
from geosite.sources.lockfile import PART, read_lock, write_lock

GRACE = 86_400.0
"""What nothing refers to any more is kept for so long [s]: a run may still be reading it."""
_DOWNLOADS = 7 * 86_400.0  # seconds that a broken download is kept, to go on with
_FIX = "and what is fetched needs a place; name another folder with --cache"
_INDIFFERENT = {"count", "size", "note", "page_size"}
"""What a source may say without another byte being fetched."""


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
        named = " ".join(f"--layer {layer}" for layer in self.layers)
        again = f"geosite fetch {named} --refresh with the --aoi of before brings it again"
        said = {
            "missing": f"is gone; {again}",
            "changed": f"holds other bytes than were fetched; {again}",
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
    root = root_if_any(named)
    if root is None:
        msg = (
            f"{cache.VARIABLE} is empty, so there is no cache, and what is fetched needs a place; "
            f"name a folder with --cache, or in {cache.VARIABLE}"
        )
        raise FetchError(msg)
    return root


def root_if_any(named: Path | None = None) -> Path | None:
    """The folder of what was fetched as `holdings_root` says it; None if there is no cache.

    For `planning.plan`, which can do without.
    """
    if named is not None:
        return named.expanduser().absolute() / "fetched"
    own = cache.folder()
    return None if own is None else own.absolute().parent / "fetched"


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
        return read_lock(self.root)

    def find(self, layer: Layer, box: Box | None) -> Held | None:
        """The newest object of a layer that was asked as today and speaks for an area.

        An object that is gone or of another size is none.

        Parameters
        ----------
        box : west, south, east, north in degrees (WGS 84), optional
            Without it only all of the layer will do.
        """
        return self._held([e for e in self.entries() if e.layer == layer.id], layer, box)

    def fit(
        self, layers: Mapping[str, Layer], box: Box | None, whole: Container[str] = ()
    ) -> tuple[dict[str, Held], dict[str, str]]:
        """Of some layers what `find` gives, and why what was fetched of others does not do.

        Parameters
        ----------
        whole : container of layer ids
            Those of which a part is of no use.
        """
        found: dict[str, Held] = {}
        unfit: dict[str, str] = {}
        by_layer = groupby(self.entries(), key=lambda e: e.layer)
        for id_, entries in ((i, list(some)) for i, some in by_layer if i in layers):
            wanted = None if id_ in whole else box
            if held := self._held(entries, layers[id_], wanted):
                found[id_] = held
            else:
                unfit[id_] = self._why_not(entries, layers[id_], wanted)
        return found, unfit

    def _held(self, entries: Iterable[Entry], layer: Layer, box: Box | None) -> Held | None:
        asked = asked_of(layer)
        for entry in sorted(entries, key=lambda e: e.retrieved, reverse=True):
            if entry.asked == asked and contains(entry.box, box) and self._is_there(entry):
                return Held(self.path(entry), entry)
        return None

    def _why_not(self, entries: Sequence[Entry], layer: Layer, box: Box | None) -> str:
        asked = asked_of(layer)
        same = [e for e in entries if e.asked == asked]
        if not same:
            return "what was fetched of it is what another catalogue entry of this name asked for"
        if any(contains(e.box, box) for e in same):
            return f"what was fetched of it is damaged or gone from {self.root}"
        areas = " and ".join(words_of(e.box) for e in same)
        return f"it was fetched for {areas} (degrees), but is needed {words_of(box)}"

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
            write_lock([*(e for e in old if e not in gone), entry], self.root)
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
            write_lock([*others, entry], self.root)

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
            # Whoever makes a folder locks it before it lets go of ours.
            for lock in {p.with_suffix(".lock") for p in self.root.glob("scratch/*")}:
                _sweep_scratch(lock)
            for path in self.root.glob(PART):
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
            msg = f"{folder}: cannot be made ({error.strerror}), {_FIX}"
            raise FetchError(msg) from None
        return folder

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._made("objects")
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire()
        except OSError as error:
            msg = f"{self.root}: cannot be written ({error.strerror}), {_FIX}"
            raise FetchError(msg) from None
        try:
            yield
        finally:
            lock.release()

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


def _entry(layer: Layer, ask: Ask, got: Got) -> Entry:
    ending, size = got.path.suffix, got.path.stat().st_size
    if ending not in (".parquet", ".tif") or size == 0:
        msg = f"layer {layer.id}: {got.path.name} has {size} bytes, expected a .parquet or a .tif"
        raise LayerDataError(msg)
    source = ask.source
    return Entry(
        layer=layer.id,
        asked=asked_of(layer),
        box=ask.box if ask.is_part else None,
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
