"""Where a layer's file is, below the data root or fetched, and the fingerprint of its bytes."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from geosite.errors import CatalogError, LayerDataError, MissingLayerError
from geosite.model.source import FileSource, ManualSource, ServiceSource

if TYPE_CHECKING:
    from geosite.catalog import Catalog
    from geosite.model.layer import Layer
    from geosite.model.lock import Held

HAND_PLACED = (
    "gpkg", "fgb", "parquet", "geojson", "json", "csv", "csv.gz", "jsonl", "jsonl.gz", "zip",
    "shp", "tif", "tiff",
)  # fmt: skip
"""Endings under which ``<data>/<layer id>.<ending>`` is looked for, in this order."""

_SIDECARS = (".shx", ".dbf", ".prj", ".cpg", ".aux.xml", ".tfw", ".tif.aux.xml", ".tiff.aux.xml")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file that was read.

    Parameters
    ----------
    path : str
        Relative to the data root; ``fetched/<layer id>`` for what was fetched.
    sha256 : str
    size : int
        [bytes]
    url, retrieved, edited : str, optional
        Where and when it was fetched, and when the server's data was last edited.
    """

    path: str
    sha256: str
    size: int
    url: str | None = None
    retrieved: str | None = None
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The file of a layer, and how to read it.

    Parameters
    ----------
    path : Path
        Exists.
    source : FileSource
        As declared, or as inferred from the first service of a file placed by hand.
    by_hand : bool
        Whether the file was found under the layer's id and not under a declared path.
    name : str
        Of the file, in messages and records.
    held : Held, optional
        What is known of a file that was fetched.
    in_part : bool
        Whether only the features near some bounds are read.
    """

    path: Path
    source: FileSource
    by_hand: bool
    name: str
    held: Held | None = None
    in_part: bool = False

    @property
    def may_be_empty(self) -> bool:
        """Whether nothing in it is no mistake: a part of a layer, where the layer has nothing."""
        if self.in_part:
            return True
        entry = self.held.entry if self.held else None
        return entry is not None and entry.box is not None and entry.server_count != 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was remarked when it was fetched: simplified, not there, not counted."""
        return tuple(f"{self.name}: {n}" for n in self.held.entry.notes) if self.held else ()


def placed(layer: Layer, catalog: Catalog, data: Path) -> Placed | None:
    """The file of a layer, or None if it is nowhere.

    The declared file sources come first, in their order; then a file placed by
    hand at ``<data>/<layer id>.<ending>``; then what was fetched.

    Raises
    ------
    CatalogError
        If a declared path leaves the data root.
    """
    for source in layer.sources:
        if isinstance(source, FileSource):
            path = data / _inside(source.path, layer)
            if path.exists():
                return Placed(path, source, by_hand=False, name=path.relative_to(data).as_posix())
    for ending in HAND_PLACED:
        name = f"{layer.id}.{ending}"
        if (data / name).exists():
            return Placed(data / name, _as_file(layer, name), by_hand=True, name=name)
    if held := catalog.held.get(layer.id):
        name = f"fetched/{layer.id}"
        source = FileSource(kind="file", path=name)
        return Placed(held.path, source, by_hand=False, name=name, held=held)
    return None


def _inside(path: str, layer: Layer) -> str:
    normal = posixpath.normpath(path.replace("\\", "/"))
    windows = PureWindowsPath(path)
    if PurePosixPath(normal).is_absolute() or windows.drive or normal.split("/")[0] == "..":
        msg = (
            f"layer {layer.id}: sources.path {path!r} leaves the data root; write a path "
            "relative to the folder given by --data, without '..'"
        )
        raise CatalogError(msg)
    return normal


def _as_file(layer: Layer, path: str) -> FileSource:
    service = next((s for s in layer.sources if isinstance(s, ServiceSource)), None)
    if service is None:
        return FileSource(kind="file", path=path)
    # The name of a layer in a service says nothing about a file made from it.
    archive = service.kind in ("download", "sciencebase")
    return FileSource(
        kind="file",
        path=path,
        layer=service.layer if archive else None,
        member=service.member if archive and path.endswith(".zip") else None,
        xy=service.xy,
        delimiter=service.delimiter,
        encoding=service.encoding,
    )


def missing_reason(layer: Layer, catalog: Catalog, data: Path) -> str | None:
    """Why a layer cannot be read, with what would fix it; None if its files are in place.

    A union is in place when all of its parts are.
    """
    parts = [catalog[id_] for id_ in layer.union_of] or [layer]
    absent = [part for part in parts if placed(part, catalog, data) is None]
    reasons = [_nowhere(part, catalog, data) for part in absent]
    return "; ".join(reasons) if reasons else None


def _nowhere(layer: Layer, catalog: Catalog, data: Path) -> str:
    declared = ", ".join(s.path for s in layer.sources if isinstance(s, FileSource))
    looked = f" (looked for {declared})" if declared else ""
    said = [f"layer {layer.id}: no file in place in {data}{looked}", catalog.unfit.get(layer.id)]
    return "; ".join([*filter(None, said), _remedy(layer)])


def _remedy(layer: Layer) -> str:
    for source in layer.sources:
        if isinstance(source, ServiceSource):
            return f"geosite fetch --layer {layer.id} gets it from {urlsplit(source.url).netloc}"
        if isinstance(source, ManualSource):
            return " ".join(source.instructions.split())
    return "put the file there, or give the folder that holds it with --data"


def in_place(layer: Layer, catalog: Catalog, data: Path) -> Placed:
    """The file of a layer, below the data root or fetched.

    Raises
    ------
    MissingLayerError
        If it is nowhere.
    """
    found = placed(layer, catalog, data)
    if found is None:
        raise MissingLayerError(_nowhere(layer, catalog, data))
    return found


def records(found: Placed, data: Path) -> tuple[FileRecord, ...]:
    """Every file that a dataset consists of: the file and its sidecars, or a folder's files.

    Raises
    ------
    LayerDataError
        If what was fetched has changed since.
    """
    path = found.path
    if found.held:
        return (_fetched(found.name, found.held),)
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.is_file())
    else:
        files = [path, *(f for f in _sidecars(path) if f.is_file())]
    return tuple(FileRecord(f.relative_to(data).as_posix(), *_fingerprint(f)) for f in files)


def _fetched(name: str, held: Held) -> FileRecord:
    entry = held.entry
    try:
        digest, size = _fingerprint(held.path)
        wrong = "holds other bytes than were fetched" if digest != entry.sha256 else ""
    except OSError as error:
        wrong, size = f"cannot be read ({error.strerror})", 0
    if wrong:
        msg = (
            f"{name}: {held.path} {wrong}; run geosite fetch again with --layer {entry.layer}, or "
            "restore the cache"
        )
        raise LayerDataError(msg)
    return FileRecord(name, entry.sha256, size, entry.url, entry.retrieved, entry.edited)


def _fingerprint(file: Path) -> tuple[str, int]:
    stat = file.stat()
    return _sha256(str(file), stat.st_size, stat.st_mtime_ns, stat.st_ino), stat.st_size


def _sidecars(path: Path) -> list[Path]:
    if path.suffix.lower() not in (".shp", ".tif", ".tiff"):
        return []
    return [path.with_suffix(ending) for ending in _SIDECARS]


@lru_cache(maxsize=1024)
def _sha256(path: str, _size: int, _mtime_ns: int, _inode: int) -> str:
    # Size, time and inode are in the key: a file that changes within the process is hashed again.
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
