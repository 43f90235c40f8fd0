"""Files of ScienceBase items, whose metadata says where they are and what they hash to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from geosite.errors import FetchError
from geosite.sources.answers import glimpse, is_web_page
from geosite.sources.asking import Estimate, Finding, Got
from geosite.sources.client import RefusedError
from geosite.sources.conversion import made
from geosite.sources.download import edited, raw, received, refuse_other_bytes, sized
from geosite.sources.partial import room

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.sources.asking import Ask, Told
    from geosite.sources.client import Client, Downloaded

_PERSON = (
    "a person has to log in or solve a captcha: get {file} by hand from {url} and put it below "
    "the data root as {layer}.<its ending>"
)


_CLOSED = (401, 403)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file as its item lists it; the digest as (algorithm, hexadecimal digits)."""

    name: str
    url: str
    size: int | None
    digest: tuple[str, str] | None
    edited: str | None


def fetched(ask: Ask, client: Client, folder: Path, told: Told) -> Got:
    """The layer, from one file of its item.

    Raises
    ------
    RefusedError
        If ScienceBase did not give it, or not the bytes that it says, or only to a person.
    LayerDataError, CRSMismatchError
        If the file cannot be read, or its CRS is not the declared one.
    FetchError
        If it is not what the catalogue says.
    """
    try:
        listed = _listed(ask, client)
        file = received(client, listed.url, folder / "raw", told)
        _refuse_page(file)
    except RefusedError as error:
        if error.status in _CLOSED or (error.status == 200 and "a web page" in error.words):
            fix = _PERSON.format(file=ask.source.file, url=ask.source.url, layer=ask.layer.id)
            raise RefusedError(error.url, f"{error.words}; {fix}", status=error.status) from None
        raise
    if listed.size is not None and listed.size != file.size:
        file.path.unlink(missing_ok=True)
        msg = f"sent {file.size:,} bytes, the item says {listed.size:,}"
        raise RefusedError(listed.url, msg)
    _refuse_other_digest(file.path, listed)
    refuse_other_bytes(ask, file)
    with room(folder / "layer"):
        found = made(ask, [raw(ask, file, listed.name)], folder)
    return Got(
        found.path,
        found.count,
        listed.url,
        server_count=found.read if ask.layer.geometry != "raster" else None,
        edited=listed.edited or edited(file.modified),
        source_sha256=file.sha256,
        notes=found.notes,
    )


def estimated(ask: Ask, client: Client) -> Estimate:
    """Bytes of the file, as its item says.

    Raises
    ------
    RefusedError
        If ScienceBase does not answer.
    FetchError
        If the item does not hold the file.
    """
    return Estimate(ask.source.count, _listed(ask, client).size)


def probed(ask: Ask, client: Client) -> Finding:
    """How the item is: whether it still lists the file, and of what size."""
    try:
        listed = _listed(ask, client)
    except RefusedError as error:
        return Finding("dead", f"{error.url}: {error.words}")
    except FetchError as error:
        return Finding("schema changed", str(error))
    if ask.source.url in client.moved:
        return Finding("moved", f"moved for good to {client.moved[ask.source.url]}")
    return Finding(*sized(listed.size, ask.source.size))


def _listed(ask: Ask, client: Client) -> _Listed:
    url, wanted = ask.source.url, ask.source.file or ""
    item = client.json(url, {"format": "json"})
    files = [f for f in _files(item) if isinstance(f.get("name"), str)]
    found = _named(files, wanted)
    if found is None:
        there = ", ".join(sorted({str(f["name"]) for f in files})) or "none"
        msg = f"{url}: the item holds no single file {wanted!r}; it lists {there}"
        raise FetchError(msg)
    where = found.get("url") or found.get("downloadUri")
    if not isinstance(where, str):
        raise RefusedError(url, f"says no address of {found['name']}")
    provenance = item.get("provenance")
    said = provenance.get("lastUpdated") if isinstance(provenance, dict) else None
    size = found.get("size")
    return _Listed(
        found["name"],
        where,
        size if isinstance(size, int) and size > 0 else None,
        _digest(found.get("checksum")),
        said if isinstance(said, str) else None,
    )


def _files(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Files of the item, and those of which ScienceBase has made a service."""
    facets = item.get("facets")
    homes = (
        [item, *(f for f in facets if isinstance(f, dict))] if isinstance(facets, list) else [item]
    )
    lists = [home["files"] for home in homes if isinstance(home.get("files"), list)]
    return [file for files in lists for file in files if isinstance(file, dict)]


def _named(files: list[dict[str, Any]], wanted: str) -> dict[str, Any] | None:
    plain = wanted.casefold()
    exactly = [f for f in files if f["name"] == wanted]
    same = exactly or [f for f in files if f["name"].casefold() == plain]
    same = same or [f for f in files if fnmatchcase(f["name"].casefold(), plain)]
    return same[0] if len({f["name"] for f in same}) == 1 else None


def _digest(said: Any) -> tuple[str, str] | None:
    if not isinstance(said, dict):
        return None
    kind, value = (str(said.get(key) or "").strip().lower() for key in ("type", "value"))
    kind = kind.replace("-", "")
    return (kind, value) if kind in ("md5", "sha1", "sha256", "sha512") and value else None


def _refuse_page(file: Downloaded) -> None:
    with file.path.open("rb") as opened:
        start = opened.read(2048)
    if is_web_page(start):
        file.path.unlink(missing_ok=True)
        raise RefusedError(file.url, f"sent {glimpse(start)}", status=200)


def _refuse_other_digest(path: Path, listed: _Listed) -> None:
    if listed.digest is None:
        return
    kind, value = listed.digest
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    if found.hexdigest() != value:
        path.unlink(missing_ok=True)
        msg = f"the {kind.upper()} of what it sent is {found.hexdigest()}, the item says {value}"
        raise RefusedError(listed.url, msg)
