"""A member of a zip archive, unpacked where it can do no harm."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from geosite.errors import GeositeError, LayerDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA = {
    ".shp", ".gpkg", ".fgb", ".geojson", ".json", ".topojson", ".csv", ".gz", ".jsonl", ".ndjson",
    ".geojsonl", ".parquet", ".geoparquet", ".kml", ".gml", ".tif", ".tiff", ".img", ".xlsx",
}  # fmt: skip
LARGEST = 32 * 2**30
"""Most bytes that one dataset may unpack to."""
SMALL = 256 * 2**20
"""Below this no ratio is looked at: a small file of zeros is not a bomb."""
RATIO = 200
"""Most bytes that one packed byte may become in a large member."""
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip


@contextmanager
def unpacked(path: Path, member: str | None, name: str) -> Iterator[Path]:
    """The file to read: the path itself, or a member of a zip in a folder that goes away.

    Raises
    ------
    LayerDataError
        If the archive is corrupt, holds names that leave it, would unpack to
        too much, or does not hold the member.
    """
    if path.suffix.lower() != ".zip":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="geosite-") as folder:
        yield extracted(path, member, Path(folder), name)


def extracted(path: Path, member: str | None, folder: Path, name: str) -> Path:
    """The path, in the folder, of one dataset of a zip archive with its sidecar files.

    Raises
    ------
    LayerDataError
        As `unpacked` does, or if the disk does not take it.
    """
    with _opened(path, name) as archive:
        chosen, wanted = _wanted(archive, name, member)
        for info in wanted:
            target = folder / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 2**20)
    return folder / chosen


def chosen_member(path: Path, member: str | None, name: str) -> str:
    """Name of the dataset to read in a zip archive, after every check of the archive."""
    with _opened(path, name) as archive:
        return _wanted(archive, name, member)[0]


def refuse_unsafe(path: Path, name: str) -> None:
    """Check every member of a zip archive that a library will unpack by itself.

    Raises
    ------
    LayerDataError
        If it is no zip archive, or one that may do harm.
    """
    with _opened(path, name) as archive:
        infos = archive.infolist()
        _refuse_unsafe_names(infos, name)
        _refuse_bombs(infos, name, path.stat().st_size)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except GeositeError:
        raise
    except _UNREADABLE as error:
        msg = f"{name}: not a readable zip archive: {_one_line(error)}; get the file again"
        raise LayerDataError(msg) from None
    except OSError as error:
        msg = f"{name}: cannot be unpacked: {_one_line(error)}; make room, or unpack it by hand"
        raise LayerDataError(msg) from None


def _wanted(
    archive: zipfile.ZipFile, place: str, member: str | None
) -> tuple[str, list[zipfile.ZipInfo]]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _refuse_unsafe_names(infos, place)
    chosen = _chosen([info.filename for info in infos], place, member)
    wanted = [info for info in infos if _belongs(info.filename, chosen)]
    _refuse_bombs(wanted, place, Path(str(archive.filename)).stat().st_size)
    return chosen, wanted


def _refuse_unsafe_names(infos: list[zipfile.ZipInfo], place: str) -> None:
    for info in infos:
        # orig_filename: zipfile itself cuts a name at a null byte.
        name = info.orig_filename
        posix, windows = PurePosixPath(name.replace("\\", "/")), PureWindowsPath(name)
        if posix.is_absolute() or windows.drive or ".." in posix.parts or "\0" in name:
            msg = (
                f"{place}: member {name!r} of this zip archive would be written outside of it; "
                "expected relative names without '..'; do not trust it, get the file from its "
                "official source"
            )
            raise LayerDataError(msg)
        if stat.S_ISLNK(info.external_attr >> 16):
            msg = (
                f"{place}: member {name!r} of this zip archive is a link to another file, "
                "expected files only; do not trust it, get the file from its official source"
            )
            raise LayerDataError(msg)


def _chosen(names: list[str], place: str, member: str | None) -> str:
    folders = {_gdb(name) for name in names} - {None}
    known = sorted(
        {n for n in names if PurePosixPath(n).suffix.lower() in _DATA and _gdb(n) is None}
        | {f for f in folders if f is not None}
    )
    if member is not None:
        if member in names or member in folders:
            return member
        same = _meant(member, [*names, *sorted(f for f in folders if f is not None)])
        if len(same) == 1:
            return same[0]
        found = f"no member {member!r} in this zip archive"
    elif len(known) == 1:
        return known[0]
    else:
        found = f"{len(known)} datasets in this zip archive"
    msg = f"{place}: {found}; name one with member: it holds {', '.join(known[:20]) or 'none'}"
    raise LayerDataError(msg)


def _meant(member: str, names: list[str]) -> list[str]:
    """Names that a member may mean: in any letter case, in any folder; * is any letters."""
    wanted = member.casefold()
    plain = {n: n.casefold() for n in names}
    same = [n for n, p in plain.items() if p == wanted]
    return same or [
        n for n, p in plain.items()
        if fnmatchcase(p, wanted) or fnmatchcase(PurePosixPath(p).name, wanted)
    ]  # fmt: skip


def _gdb(name: str) -> str | None:
    parts = PurePosixPath(name).parts
    for index, part in enumerate(parts[:-1]):
        if part.lower().endswith(".gdb"):
            return "/".join(parts[: index + 1])
    return None


def _belongs(name: str, chosen: str) -> bool:
    if chosen.lower().endswith(".gdb"):
        return name.startswith(f"{chosen}/")
    stem = chosen[: len(chosen) - len(PurePosixPath(chosen).suffix)]
    if not chosen.lower().endswith((".shp", ".tif", ".tiff")):
        return name == chosen
    return name == chosen or name.casefold().startswith(f"{stem}.".casefold())


def _refuse_bombs(infos: list[zipfile.ZipInfo], place: str, packed: int) -> None:
    total = sum(info.file_size for info in infos)
    if total > LARGEST:
        msg = (
            f"{place}: would unpack to {total / 2**30:.0f} GiB, expected at most "
            f"{LARGEST / 2**30:.0f} GiB; unpack it by hand and declare the file itself"
        )
        raise LayerDataError(msg)
    for info in infos:
        if info.flag_bits & 1:
            msg = f"{place}: member {info.filename!r} is encrypted; unpack it by hand"
            raise LayerDataError(msg)
        if info.file_size > SMALL and info.file_size > RATIO * max(info.compress_size, 1):
            msg = (
                f"{place}: member {info.filename!r} unpacks from {info.compress_size} to "
                f"{info.file_size} bytes, expected at most {RATIO} for one; if you trust it, "
                "unpack it by hand and declare the file itself"
            )
            raise LayerDataError(msg)
    # Members that overlap are packed once and unpacked many times.
    if total > SMALL and total > RATIO * packed:
        msg = (
            f"{place}: unpacks from {packed} to {total} bytes, expected at most {RATIO} for one; "
            "if you trust it, unpack it by hand and declare the file itself"
        )
        raise LayerDataError(msg)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
