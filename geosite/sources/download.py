"""Layers that are offered as files: one archive or table, or one for each state."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from geosite.errors import FetchError
from geosite.sources.asking import Estimate, Finding, Got, State
from geosite.sources.client import RefusedError
from geosite.sources.content import said_ending, said_name
from geosite.sources.conversion import Raw, made
from geosite.sources.partial import room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geosite.sources.asking import Ask, Health, Told
    from geosite.sources.client import Client, Downloaded

_SOME_STATE = State("NV", "32")
"""Whose file stands for those of all states when only its headers are looked at."""
_GREW = 0.2


def fetched(ask: Ask, client: Client, folder: Path, told: Told) -> Got:
    """The layer, from every file that its address stands for.

    Raises
    ------
    RefusedError
        If a server did not give a file.
    LayerDataError, CRSMismatchError
        If a file cannot be read, or its CRS is not the declared one.
    FetchError
        If it is not what the catalogue says.
    """
    addresses = _addresses(ask)
    raws: list[Raw] = []
    came: list[Downloaded] = []
    for k, (url, state) in enumerate(addresses):
        before = sum(file.size for file in came)
        one = _told_after(told, before, whole=len(addresses) == 1)
        file = received(client, url, folder / f"raw-{k}", one)
        refuse_other_bytes(ask, file)
        came.append(file)
        raws.append(raw(ask, file, said_name(url), state))
    with room(folder / "layer"):
        found = made(ask, raws, folder)
    dates = sorted(filter(None, (edited(file.modified) for file in came)))
    return Got(
        found.path,
        found.count,
        came[0].url if len(came) == 1 else ask.source.url,
        server_count=found.read if ask.layer.geometry != "raster" else None,
        edited=dates[-1] if dates else None,
        source_sha256=came[0].sha256 if len(came) == 1 else None,
        notes=(
            *found.notes,
            *(f"{file.url}: sha256 {file.sha256}" for file in came if len(came) > 1),
        ),
    )


def estimated(ask: Ask, client: Client) -> Estimate:
    """Bytes of every file, as the servers say.

    Raises
    ------
    RefusedError
        If a server does not answer.
    FetchError
        If no state is known for an address that needs one.
    """
    sizes = [client.head(url)[0] for url, _ in _addresses(ask)]
    size = None if None in sizes else sum(s for s in sizes if s is not None)
    return Estimate(ask.source.count, size)


def probed(ask: Ask, client: Client) -> Finding:
    """How the file is by its headers; that of one state where there is one for each."""
    state = next(iter(ask.states), _SOME_STATE)
    url = filled(ask.source.url, state)
    try:
        size, headers, _ = client.head(url)
    except RefusedError as error:
        return Finding("dead", f"{error.url}: {error.words}")
    if _is_page(headers, url):
        kind = headers.get("Content-Type")
        return Finding("dead", f"{url}: answers {kind}, which is a page and no data")
    if url in client.moved:
        return Finding("moved", f"{url}: moved for good to {client.moved[url]}")
    attested = ask.source.size if "{" not in ask.source.url else None
    return Finding(*sized(size, attested))


def sized(size: int | None, attested: int | None) -> tuple[Health, str]:
    """Health by a size, against the one of the catalogue [bytes]."""
    if size is None:
        return "ok", "in place; its size is not said"
    if attested and abs(size - attested) > _GREW * attested:
        return "count changed", f"size {size:,} bytes, attested {attested:,}"
    return "ok", f"in place, {size:,} bytes"


def received(client: Client, url: str, path: Path, told: Told) -> Downloaded:
    """A publisher's file, shared with other layers if the client has a folder for that.

    Raises
    ------
    RefusedError
        If it cannot be had.
    FetchError
        If the disk does not take it.
    """
    if client.downloads is not None:
        return client.stored(url, told)
    return client.download(url, path, told)


def refuse_other_bytes(ask: Ask, file: Downloaded) -> None:
    """Refuse a file whose digest is not the one that the catalogue attests.

    Raises
    ------
    FetchError
        If it is not.
    """
    attested = ask.source.sha256
    if attested is not None and attested != file.sha256:
        file.path.unlink(missing_ok=True)
        msg = (
            f"{file.url}: its SHA-256 is {file.sha256}, the catalogue attests {attested}; the "
            "publisher has changed the file, or what came is not the publisher's"
        )
        raise FetchError(msg)


def raw(ask: Ask, file: Downloaded, name: str, state: State | None = None) -> Raw:
    """A file that came, and what of it is the layer."""
    member, layer = (
        text if text is None or state is None else filled(text, state)
        for text in (ask.source.member, ask.source.layer)
    )
    return Raw(file.path, file.url, name, member, layer)


def filled(text: str, state: State) -> str:
    """An address, or a name, with the state in its place."""
    for key, value in (
        ("{ST}", state.code.upper()),
        ("{st}", state.code.lower()),
        ("{FIPS}", state.fips),
    ):
        text = text.replace(key, value)
    return text


def edited(modified: str | None) -> str | None:
    """A date of HTTP as ISO 8601."""
    try:
        return parsedate_to_datetime(modified or "").isoformat()
    except ValueError:
        return None


def _told_after(told: Told, before: int, *, whole: bool) -> Told:
    def one(count: int, total: int | None) -> None:
        told(before + count, total if whole else None)

    return one


def _addresses(ask: Ask) -> list[tuple[str, State | None]]:
    url = ask.source.url
    if filled(url, _SOME_STATE) == url:
        return [(url, None)]
    if not ask.states:
        msg = (
            f"{url}: is one file a state, but the area that is asked for meets none; if the "
            "states are not there yet, geosite fetch --layer aoi/states brings them"
        )
        raise FetchError(msg)
    return [(filled(url, state), state) for state in ask.states]


def _is_page(headers: Mapping[str, str], url: str) -> bool:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") and said_ending(said_name(url)) != ".html"
