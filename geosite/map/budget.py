"""How large the page may be: tiles and pictures packed into what room there is."""

from __future__ import annotations

import base64
import struct
import zlib
from importlib import resources
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite import assets
from geosite.map.tiles import Pyramid
from geosite.report.text import script_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geosite.map.entries import Entry, Layers
    from geosite.map.tiles import Seen

PICTURES = 0.5
"""Share of the room that pictures may take before they are made coarser."""
FIRST = {"base": 5}
"""Zooms of tiles that an archive has before any other has one: without them nobody knows where
anything lies."""
ENOUGH = {"base": 7}
"""Zooms of tiles from which on an archive waits for finer ones of the others."""
LATER = {"deposits": 1, "infrastructure": 3}
"""By how many zooms an archive lags behind the land and the sites: dots need fewer, and what
is not shown at first too."""
_WAIT = 3
_SURE = 0.75
"""Share of what a zoom is reckoned to take at which it is not even tried."""
_SMALLEST = 200
"""Columns below which a picture is not made coarser."""
_URL = "data:image/png;base64,"
_SHELL = 60_000
"""Characters of the panels and of Folium's own words, at most."""
_GREY_OR_PALETTE = (0, 3)
_BYTE = 8


def packed(
    layers: Layers, room: float, *, beside: str = ""
) -> tuple[dict[str, str], dict[str, Any], list[str]]:
    """Blobs of all tiles and pictures, what is said of each archive, and what was simplified.

    Parameters
    ----------
    room : float
        Characters that all blobs together may take.
    beside : str
        Folder beside the page with an archive of full detail a name; none if empty.

    Returns
    -------
    blobs : name → text
        ``tiles-NAME``: a PMTiles archive in base64. ``picture-NAME``: JSON of its address and
        corners.
    archives : name → facts
        ``layers``, ``min_zoom`` and ``max_zoom`` (of tiles of 512 pixels: zoom z of a tile is
        zoom z + 1 of the map), ``bytes``, and ``simplified_m``: detail that the finest zoom does
        not draw [m].
        ``file`` is the archive beside the page, if there is one.
    notes : sentences
        What was made coarser or left out.

    Notes
    -----
    The quiet base has its first zooms before all others (`FIRST`). Then zooms are added from the
    coarsest on, to each archive in turn, until the next one of an archive does not fit; so every
    layer has its outlines before any has fine ones.
    """
    pictures, notes = _pictures(layers.pictures, room)
    if room < 0:
        notes.append(
            f"Page: its sites, their cards and its scripts alone take {-room / 1e6:,.1f} MB more "
            "than it was to take, so it is larger, and no layer is drawn"
        )
    left = room - _size(pictures)
    drawn = attributes_drawn(layers.entries)
    seen = zooms_drawn(layers.entries)
    pyramids = [
        Pyramid(t, drawn=drawn.get(t.name, ()), seen=seen.get(t.name)) for t in layers.tiles
    ]
    blobs, archives = {}, {}
    for name, (pyramid, text) in _fitted([p for p in pyramids if p.layers], left).items():
        if not text:
            notes.append(f"{_title(name)}: not drawn, for want of room in the page")
            continue
        blobs[f"tiles-{name}"] = text
        archives[name] = {
            "layers": pyramid.layers, "min_zoom": 0, "max_zoom": pyramid.zoom - 1,
            "bytes": len(text) * 3 // 4, "simplified_m": round(pyramid.simplified_m, 1),
            **({"file": f"{beside}/{name}.pmtiles"} if beside else {}),
        }  # fmt: skip
        if pyramid.zoom <= pyramid.finest:
            notes.append(
                f"{_title(name)}: drawn to zoom {pyramid.zoom} of the map, detail below about "
                f"{pyramid.simplified_m:,.0f} m is not; the run's own files have it all"
            )
    return {**blobs, **pictures}, archives, notes


def page_frame() -> int:
    """Bytes of a page that holds nothing: what it is drawn with, our scripts, its panels."""
    ours = resources.files("geosite.map") / "static"
    return (
        len(assets.markup(assets.MAP).encode())
        + sum(len(file.read_bytes()) for file in ours.iterdir() if file.is_file())
        + _SHELL
    )


def attributes_drawn(entries: Iterable[Entry]) -> dict[str, set[str]]:
    """Attributes that decide how features are drawn, by the name of their `Tiles`."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        if entry.kind == "tiles":
            names = found.setdefault(entry.source, set())
            if entry.match:
                names.add(entry.match[0])
            if label := entry.style.get("label"):
                names.add(label)
    return found


def zooms_drawn(entries: Iterable[Entry]) -> dict[str, dict[str, list[Seen]]]:
    """What is drawn of each layer from which zoom of the map on, by the name of its `Tiles`."""
    found: dict[str, dict[str, list[Seen]]] = {}
    for entry in entries:
        if entry.kind == "tiles":
            zoom = int(entry.style.get("from_zoom") or 0)
            of = found.setdefault(entry.source, {})
            of.setdefault(entry.layer, []).append((entry.match, zoom))
    return found


def _turn(name: str, zoom: int) -> tuple[bool, int]:
    # The archive of the least one has its next zoom first.
    if zoom <= FIRST.get(name, -1):
        return False, zoom
    wait = _WAIT if zoom > ENOUGH.get(name, zoom) else 0
    return True, zoom + wait + LATER.get(name, 0)


def _title(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def _size(blobs: Mapping[str, str]) -> int:
    return sum(len(name) + len(text) + 60 for name, text in blobs.items())


def _fitted(pyramids: list[Pyramid], room: float) -> dict[str, tuple[Pyramid, str]]:
    # What an archive costs beside its tiles is known only when it is written.
    used = sum(_cost(len(p.archive)) for p in pyramids)
    growing = list(pyramids)
    while growing:
        pyramid = min(growing, key=lambda p: _turn(p.name, p.zoom))
        level = pyramid.made() if used + _SURE * _reckoned(pyramid) <= room else None
        cost = 0 if level is None else _cost(level.size + 4 * len(level.tiles))
        if level is None or used + cost > room:
            growing.remove(pyramid)
            continue
        pyramid.take(level)
        used += cost
    for pyramid in pyramids:
        pyramid.end()
    found = {p.name: (p, _text(p)) for p in pyramids}
    while sum(len(text) for _, text in found.values()) > max(room, 0):
        # The zoom that came last goes first; where no zoom is left, what stands beside them does.
        last, _ = max(
            found.values(), key=lambda pair: (bool(pair[1]), _turn(pair[0].name, pair[0].zoom - 1))
        )
        if last.levels:
            last.drop()
        found[last.name] = (last, _text(last))
    return found


def _reckoned(pyramid: Pyramid) -> float:
    """Characters of the next zoom, by its vertices and by what those of the one before took."""
    zoom = pyramid.zoom
    if not 0 < zoom <= pyramid.finest:
        return 0.0
    before = pyramid.weight(zoom - 1)
    return _cost(pyramid.levels[-1].size) * pyramid.weight(zoom) / before if before else 0.0


def _cost(size: int) -> int:
    return 4 * ceil(size / 3) + 80


def _text(pyramid: Pyramid) -> str:
    return base64.b64encode(pyramid.archive).decode("ascii") if pyramid.levels else ""


def _pictures(pictures: Mapping[str, Any], room: float) -> tuple[dict[str, str], list[str]]:
    urls = {name: picture.url for name, picture in pictures.items()}
    first = dict(urls)

    def blobs() -> dict[str, str]:
        return {
            f"picture-{name}": script_json({"url": url, "corners": pictures[name].corners})
            for name, url in urls.items()
        }

    while urls and _size(blobs()) > PICTURES * room:
        name = max(urls, key=lambda n: len(urls[n]))
        smaller = halved(urls[name])
        if smaller is None:
            del urls[name]
        else:
            urls[name] = smaller
    notes = [
        f"{_title(name)}: its picture is not shown, for want of room in the page"
        if name not in urls
        else f"{_title(name)}: its picture is coarser than the surface; the run's own files have "
        "every cell"
        for name in first
        if urls.get(name) != first[name]
    ]
    return blobs(), notes


def halved(url: str) -> str | None:
    """A PNG with every other row and column; None if it is small, or no PNG we know.

    Parameters
    ----------
    url : str
        Data address of a PNG with a palette whose rows are written as they are.
    """
    if not url.startswith(_URL):
        return None
    chunks = _chunks(base64.b64decode(url[len(_URL) :]))
    columns, rows, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if columns < 2 * _SMALLEST or depth != _BYTE or colour not in _GREY_OR_PALETTE or interlaced:
        return None
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    lines = np.frombuffer(data, np.uint8).reshape(rows, columns + 1)
    if lines[:, 0].any():
        return None
    # Every other cell as it is: a palette has no colours between two others.
    cells = lines[::2, 1::2]
    down, across = cells.shape
    fewer = np.zeros((down, across + 1), np.uint8)
    fewer[:, 1:] = cells
    head = struct.pack(">IIBBBBB", across, down, depth, colour, 0, 0, 0)
    kept = [c for c in chunks if c[0] in (b"PLTE", b"tRNS")]
    made = [(b"IHDR", head), *kept, (b"IDAT", zlib.compress(fewer, 6)), (b"IEND", b"")]
    raw = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*c) for c in made)
    return _URL + base64.b64encode(raw).decode("ascii")


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at + 12 <= len(png):
        (size,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
