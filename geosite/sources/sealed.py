"""Zip files that say the hash of every member: written whole, unpacked only as they say."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING, Annotated, Any

from filelock import FileLock
from pydantic import Field, ValidationError

from geosite.disk import flush, sync
from geosite.errors import GeositeError, LayerDataError, RunError, faults
from geosite.model.base import Spec, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SEAL = "bundle.json"
VERSION = 1
RATIO = 200
"""Most bytes that a packed byte of a large member may become."""
_SMALL = 2**28  # below this no ratio is looked at: a small file of zeros is not a bomb
_LARGEST_SEAL = 2**26
_PACKED = (".gz", ".parquet", ".tif", ".tiff", ".zip")
_STEP = 2**20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class Member(Spec):
    """A file of the zip."""

    name: Text
    """Relative, with forward slashes."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]


class Seal(Spec):
    """What a zip says of itself, in ``bundle.json``."""

    version: int
    about: dict[str, Any]
    files: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be written: a file, or text.

    Parameters
    ----------
    sha256 : str, optional
        That the bytes must have.
    """

    name: str
    file: Path | None = None
    text: str = ""
    sha256: str | None = None


def seal(parts: Iterable[Part], about: Mapping[str, Any], target: Path) -> None:
    """Write parts to a zip file, in one step; the same parts make the same bytes.

    Raises
    ------
    LayerDataError
        If a file has not the bytes that it must have.
    RunError
        If the zip cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
        part = Path(name)
        try:
            with zipfile.ZipFile(part, "w", allowZip64=True) as archive:
                files = [_written(p, archive) for p in sorted(parts, key=lambda p: p.name)]
                said = Seal(version=VERSION, about=dict(about), files=tuple(files))
                _written(Part(SEAL, text=said.model_dump_json(indent=1)), archive)
            sync(part)
            # Others may read what this process writes.
            part.chmod(0o644)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(error, target, "name another file") from None


def _written(part: Part, archive: zipfile.ZipFile) -> Member:
    # One time for all, so that the same parts make the same bytes.
    info = zipfile.ZipInfo(part.name, (1980, 1, 1, 0, 0, 0))
    packed = part.name.lower().endswith(_PACKED)
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=True) as target:
        if part.file is None:
            content = part.text.encode()
            target.write(content)
            digest, size = hashlib.sha256(content).hexdigest(), len(content)
        else:
            with part.file.open("rb") as source:
                digest, size = _copied(source, target)
    if part.sha256 not in (None, digest):
        msg = f"{part.file}: has changed since it was fetched or looked at; bring the layer again"
        raise LayerDataError(msg)
    return Member(name=part.name, sha256=digest, size=size)


def _copied(source: IO[bytes], target: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := source.read(_STEP):
        digest.update(block)
        size += len(block)
        target.write(block)
    return digest.hexdigest(), size


def unsealed(path: Path, home: Path) -> Path:
    """The folder, below another, that a zip is unpacked in.

    The folder is named by the bytes of the zip, and is there whole or not at all.

    Raises
    ------
    LayerDataError
        If it is no such zip, is damaged, or would write outside of its folder.
    RunError
        If the folder cannot be written.
    """
    try:
        with path.open("rb") as file:
            folder = home / hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}), expected a file of geosite bundle"
        raise LayerDataError(msg) from None
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / f".{folder.name}.lock"), _archive(path) as archive:
            said = _checked(archive, path)
            if not _is_whole(folder, said):
                _unpack(archive, said, folder, path)
    except OSError as error:
        raise _unwritable(error, folder, "name another folder with --cache") from None
    return folder


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except GeositeError:
        raise
    except _BROKEN as error:
        words = " ".join(str(error).split()) or type(error).__name__
        msg = f"{path}: is damaged or no zip file ({words}); copy it again from where it was made"
        raise LayerDataError(msg) from None


def _checked(archive: zipfile.ZipFile, path: Path) -> Seal:
    """What the zip says of itself, once that is known to be all that is in it, and safe."""
    infos = {info.filename: info for info in archive.infolist()}
    seal = infos.get(SEAL)
    if seal is None or seal.file_size > _LARGEST_SEAL:
        msg = f"{path}: holds no {SEAL}, expected a file of geosite bundle"
        raise LayerDataError(msg)
    try:
        said = Seal.model_validate_json(archive.read(SEAL))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
        raise LayerDataError(faults(f"{path}: its {SEAL} cannot be read:", lines)) from None
    if said.version > VERSION:
        msg = (
            f"{path}: is of version {said.version}, and this geosite knows {VERSION}: a newer one "
            "wrote it; use that one"
        )
        raise LayerDataError(msg)
    found = [w for m in said.files if (w := _wrong(m, infos.get(m.name)))]
    if len(infos) != len(archive.infolist()) or {*infos} - {SEAL} != {m.name for m in said.files}:
        found.append(f"its members are not those that its {SEAL} lists")
    if found:
        title = f"{path}: is damaged, or no file of geosite bundle; nothing of it was unpacked:"
        raise LayerDataError(faults(title, found[:10]))
    return said


def _wrong(member: Member, info: zipfile.ZipInfo | None) -> str | None:
    name = member.name
    posix, windows = PurePosixPath(name.replace("\\", "/")), PureWindowsPath(name)
    # A zip that is read cuts a name at a null byte; one from Windows may have backslashes.
    plain = posix.as_posix() == name and "\0" not in name and not windows.drive
    if posix.is_absolute() or ".." in posix.parts or not plain or name == SEAL:
        return f"member {name!r} would be written outside of its folder"
    if info is None:
        return f"member {name!r} is not there"
    if info.flag_bits & 1:
        return f"member {name!r} is encrypted"
    if info.file_size != member.size:
        return f"member {name!r} has {info.file_size:,} bytes, expected {member.size:,}"
    if info.file_size > _SMALL and info.file_size > RATIO * max(info.compress_size, 1):
        return f"member {name!r} unpacks from {info.compress_size:,} to {info.file_size:,} bytes"
    return None


def _is_whole(folder: Path, said: Seal) -> bool:
    there = ((folder / m.name, m.size) for m in said.files)
    return all(p.is_file() and p.stat().st_size == size for p, size in there)


def _unpack(archive: zipfile.ZipFile, said: Seal, folder: Path, path: Path) -> None:
    total = sum(m.size for m in said.files)
    if total > (free := shutil.disk_usage(folder.parent).free):
        msg = (
            f"{folder.parent}: {path.name} needs {total / 1e9:.2f} GB there, and {free / 1e9:.2f} "
            "GB are free; make room, or name another folder with --cache"
        )
        raise RunError(msg)
    part = folder.with_name(f".{folder.name}.part")
    # Under the lock: it is what a killed process has left.
    shutil.rmtree(part, ignore_errors=True)
    try:
        for member in said.files:
            target = part / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member.name) as packed, target.open("xb") as plain:
                digest, _ = _copied(packed, plain)
            if digest != member.sha256:
                msg = f"{path}: member {member.name!r} is damaged; copy the file again"
                raise LayerDataError(msg)
        flush(part)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _unwritable(error: OSError, place: Path, fix: str) -> GeositeError:
    if isinstance(error, GeositeError):
        return error
    msg = f"{place}: cannot be written ({error.strerror or error}); make room, or {fix}"
    return RunError(msg)
