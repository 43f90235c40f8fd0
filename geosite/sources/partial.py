"""A file on its way to the disk: goes on where it broke, whole under its name or not there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

from geosite.disk import sync
from geosite.errors import FetchError, GeositeError
from geosite.sources.answers import RefusedError
from geosite.sources.dataset import one_line

_SURE = 64 * 2**20
"""After so many bytes what came is seen to the disk, and may be gone on from [bytes]."""
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a file of which a part may be here.

    Parameters
    ----------
    url : str
    etag, modified : str, optional
        What the server calls this version of it.
    size : int
        Bytes that are on the disk for sure.
    """

    url: str
    etag: str | None = None
    modified: str | None = None
    size: int = 0

    @property
    def version(self) -> str | None:
        """What tells versions of the file apart byte for byte, if the server says any."""
        # A weak tag only promises that the meaning is the same.
        strong = self.etag is not None and not self.etag.startswith("W/")
        return self.etag if strong else self.modified

    def contradicts(self, other: Begun) -> bool:
        """Whether this is another version of the file than the other."""
        both = ((self.etag, other.etag), (self.modified, other.modified))
        return next((one != two for one, two in both if one and two), False)

    @property
    def headers(self) -> dict[str, str]:
        """What a request for the rest says; of a file that is not begun, for all of it."""
        asked = {"Accept-Encoding": "identity"}
        if self.size and self.version:
            asked |= {"Range": f"bytes={self.size}-", "If-Range": self.version}
        return asked


class Part:
    """The unfinished file beside ``path``, and the note that says of what it is a part."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        self.path = path
        self.file = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.part.json")

    def begun(self, url: str) -> Begun:
        """How much of the file at an address is here."""
        try:
            said = Begun(**json.loads(self._note.read_text(encoding="utf-8")))
            there = self.file.stat().st_size
        except (OSError, ValueError, TypeError):
            return Begun(url)
        if said.url != url or said.version is None or not isinstance(said.size, int):
            return Begun(url)
        return replace(said, size=max(min(said.size, there), 0))

    def discard(self) -> None:
        """Begin anew next time."""
        self._note.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def written(self, begun: Begun, pieces: Iterable[bytes]) -> tuple[int, str]:
        """Size and SHA-256 of the part with these pieces after what was begun.

        Whatever ends it, what came until then is kept to go on from.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._say(begun)
        hashed, size, sure = hashlib.sha256(), begun.size, begun.size
        with self.file.open("r+b" if size else "wb") as file:
            if size:
                _read_again(file, size, hashed.update)
                file.truncate()
            try:
                for piece in pieces:
                    file.write(piece)
                    hashed.update(piece)
                    size += len(piece)
                    if size - sure >= _SURE:
                        sure = self._surely(file, begun)
            except BaseException:
                # Why it ended matters more than what can be kept of it.
                with suppress(OSError):
                    self._surely(file, begun)
                raise
            self._surely(file, begun)
        return size, hashed.hexdigest()

    def _surely(self, file: BinaryIO, begun: Begun) -> int:
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        self._say(replace(begun, size=size))
        return size

    def _say(self, begun: Begun) -> None:
        fresh = self._note.with_suffix(".tmp")
        fresh.write_text(json.dumps(asdict(begun)), encoding="utf-8")
        fresh.replace(self._note)

    def finish(self) -> None:
        """Give the part its name."""
        self.file.replace(self.path)
        sync(self.path.parent)
        self._note.unlink(missing_ok=True)


def _read_again(file: BinaryIO, size: int, take: Callable[[bytes], None]) -> None:
    while size and (held := file.read(min(size, _CHUNK))):
        take(held)
        size -= len(held)


def span(begun: Begun, status: int, headers: Mapping[str, str]) -> tuple[Begun, int | None]:
    """What an answer goes on from, and how large the file is in the end, if that is said.

    Raises
    ------
    RefusedError
        If the answer is neither the file nor the part of it that was asked for.
    """
    there = Begun(begun.url, headers.get("ETag"), headers.get("Last-Modified"))
    plain = headers.get("Content-Encoding", "identity").strip().lower() in ("", "identity")
    if status == 206:
        said = headers.get("Content-Range", "")
        found = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", said.strip())
        asked = f"bytes {begun.size}-" if begun.size else "the whole file"
        if not begun.size or not plain or not found or int(found[1]) != begun.size:
            words = f"sent the part {said!r} where {asked} was asked for"
            raise RefusedError(begun.url, words, again=True, status=status)
        if there.contradicts(begun):
            words = f"sent a part of {there.version}, but {begun.version} was begun"
            raise RefusedError(begun.url, words, again=True, status=status)
        return begun, None if found[2] == "*" else int(found[2])
    if status != 200:
        raise RefusedError(begun.url, f"answered {status}, expected a file", status=status)
    # Of what is sent packed, no byte can be asked for by its place in the file.
    return (there if plain else Begun(begun.url)), whole_size(status, headers)


def whole_size(status: int, headers: Mapping[str, str]) -> int | None:
    """Size of a file by the headers of it, or of a part of it [bytes]."""
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        return None
    said = headers.get("Content-Length" if status != 206 else "Content-Range", "")
    size = said.rpartition("/")[2].strip()
    return int(size) if re.fullmatch(r"[0-9]{1,18}", size) else None


@contextmanager
def room(path: Path) -> Iterator[None]:
    """Say in one message that the disk did not take a file.

    Raises
    ------
    FetchError
        If what is done inside cannot be written.
    """
    try:
        yield
    except GeositeError:
        raise
    except OSError as error:
        place = next(p for p in path.parents if p.exists())
        msg = (
            f"{path.parent}: {path.name} could not be written: {one_line(error)}; "
            f"{shutil.disk_usage(place).free / 1e9:.2f} GB are free there; make room, or name "
            "another folder with --cache; nothing half-written is taken for a layer, and the "
            "next fetch goes on from what came"
        )
        raise FetchError(msg) from None
