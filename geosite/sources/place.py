"""Where a layer's file is, and the fingerprint of its bytes."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from geosite.errors import CatalogError, MissingLayerError
from geosite.model.source import FileSource, ManualSource, ServiceSource

if TYPE_CHECKING:
    from geosite.catalog import Catalog
    from geosite.model.layer import Layer

HAND_PLACED = (
    "gpkg", "fgb", "parquet", "geojson", "json", "csv", "csv.gz", "jsonl", "jsonl.gz", "zip",
    "shp", "tif", "tiff",
)  # fmt: skip
"""Endings under which ``<data>/<layer id>.<ending>`` is looked for, in this order."""

_SIDECARS = (".shx", ".dbf", ".prj", ".cpg", ".aux.xml", ".tfw", ".tif.aux.xml", ".tiff.aux.xml")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file that was read: path relative to the data root, SHA-256, size [bytes]."""

    path: str
    sha256: str
    size: int


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
    """

    path: Path
    source: FileSource
    by_hand: bool


def placed(layer: Layer, data: Path) -> Placed | None:
    """The file of a layer below the data root, or None if it is nowhere.

    The declared file sources come first, in their order; then a file placed by
    hand at ``<data>/<layer id>.<ending>``.

    Raises
    ------
    CatalogError
        If a declared path leaves the data root.
    """
    for source in layer.sources:
        if isinstance(source, FileSource):
            path = data / _inside(source.path, layer)
            if path.exists():
                return Placed(path, source, by_hand=False)
    for ending in HAND_PLACED:
        path = data / f"{layer.id}.{ending}"
        if path.exists():
            return Placed(path, _as_file(layer, f"{layer.id}.{ending}"), by_hand=True)
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
    reasons = [_nowhere(part, data) for part in parts if placed(part, data) is None]
    return "; ".join(reasons) if reasons else None


def _nowhere(layer: Layer, data: Path) -> str:
    looked = [s.path for s in layer.sources if isinstance(s, FileSource)]
    looked.append(f"{layer.id}.({'|'.join(HAND_PLACED)})")
    return (
        f"layer {layer.id}: no file in place in {data}; looked for {', '.join(looked)}; "
        f"{_remedy(layer)}"
    )


def _remedy(layer: Layer) -> str:
    for source in layer.sources:
        if isinstance(source, ServiceSource):
            return f"get it from {source.url} and put it there"
        if isinstance(source, ManualSource):
            return " ".join(source.instructions.split())
    return "put the file there, or give the folder that holds it with --data"


def in_place(layer: Layer, data: Path) -> Placed:
    """The file of a layer below the data root.

    Raises
    ------
    MissingLayerError
        If it is nowhere.
    """
    found = placed(layer, data)
    if found is None:
        raise MissingLayerError(_nowhere(layer, data))
    return found


def records(path: Path, data: Path) -> tuple[FileRecord, ...]:
    """Every file that a dataset consists of: the file and its sidecars, or a folder's files."""
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.is_file())
    else:
        files = [path, *(f for f in _sidecars(path) if f.is_file())]
    found = []
    for file in files:
        stat = file.stat()
        digest = _sha256(str(file), stat.st_size, stat.st_mtime_ns, stat.st_ino)
        found.append(FileRecord(file.relative_to(data).as_posix(), digest, stat.st_size))
    return tuple(found)


def _sidecars(path: Path) -> list[Path]:
    if path.suffix.lower() not in (".shp", ".tif", ".tiff"):
        return []
    return [path.with_suffix(ending) for ending in _SIDECARS]


@lru_cache(maxsize=1024)
def _sha256(path: str, _size: int, _mtime_ns: int, _inode: int) -> str:
    # Size, time and inode are in the key: a file that changes within the process is hashed again.
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
