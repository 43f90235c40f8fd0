"""Archives of tiles: PMTiles, one file that is read in pieces.

Format: PMTiles specification, version 3. The same tiles give the same bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.map.vector_tiles import varint, varints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_HEADER = 127
_ROOT = 16_384 - _HEADER
"""Most bytes of the first directory: a reader asks for this much at first."""
_LEAF = 4096
"""Entries of a directory below it."""
_GZIP, _VECTOR = 2, 1
Entry = tuple[int, int, int, int]
"""Tile, offset, length, how many tiles in a row are the same; 0 for a directory."""


def gzipped(raw: bytes) -> bytes:
    """Bytes in gzip's form, without a time or a name."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31)
    return made.compress(raw) + made.flush()


def tile_ids(zoom: int, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of each tile: all coarser tiles, then its place on the Hilbert curve.

    Examples
    --------
    >>> tile_ids(1, np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0]))
    array([1, 2, 3, 4])
    """
    x, y = x.astype(np.int64), y.astype(np.int64)
    found = np.full(len(x), (4**zoom - 1) // 3, np.int64)
    for k in range(zoom - 1, -1, -1):
        half = 1 << k
        right, down = (x & half) > 0, (y & half) > 0
        found += half * half * ((3 * right) ^ down)
        # The quarter is turned so that the curve goes on.
        turned = ~down
        flipped = turned & right
        x, y = np.where(flipped, half - 1 - x, x), np.where(flipped, half - 1 - y, y)
        x, y = np.where(turned, y, x) & (half - 1), np.where(turned, x, y) & (half - 1)
    return found


@dataclass(frozen=True, slots=True)
class Level:
    """The tiles of one zoom.

    Attributes
    ----------
    tiles
        Number of a tile → its compressed bytes.
    """

    zoom: int
    tiles: Mapping[int, bytes]

    @property
    def size(self) -> int:
        """Bytes that its tiles take."""
        return sum(map(len, self.tiles.values()))


def pmtiles(
    levels: Sequence[Level],
    bounds: tuple[float, float, float, float],
    metadata: Mapping[str, Any],
) -> bytes:
    """An archive of some zooms.

    Parameters
    ----------
    bounds : (west, south, east, north) [degrees]
    metadata : JSON
        What a reader of the archive is told; ``vector_layers`` is in it by convention.
    """
    tiles = {i: t for level in levels for i, t in level.tiles.items()}
    entries: list[Entry] = []
    places: dict[bytes, int] = {}
    data: list[bytes] = []
    end = 0
    for number in sorted(tiles):
        tile = tiles[number]
        if tile not in places:
            places[tile] = end
            data.append(tile)
            end += len(tile)
        if entries and (last := entries[-1])[1] == places[tile] and last[0] + last[3] == number:
            entries[-1] = (*last[:3], last[3] + 1)
        else:
            entries.append((number, places[tile], len(tile), 1))
    root, leaves = _directories(entries)
    told = gzipped(json.dumps(metadata, ensure_ascii=True, separators=(",", ":")).encode())
    lengths = [len(root), len(told), len(leaves), end]
    offsets = np.cumsum([_HEADER, *lengths])[:4].tolist()
    zooms = [level.zoom for level in levels] or [0]
    west, south, east, north = (round(v * 1e7) for v in bounds)
    places_of = (v for pair in zip(offsets, lengths, strict=True) for v in pair)
    header = struct.pack(
        "<7sB8Q3Q6B4iB2i", b"PMTiles", 3, *places_of,
        len(tiles), len(entries), len(places), 1, _GZIP, _GZIP, _VECTOR, min(zooms), max(zooms),
        west, south, east, north, min(zooms), (west + east) // 2, (south + north) // 2,
    )  # fmt: skip
    return b"".join([header, root, told, leaves, *data])


def _directories(entries: list[Entry]) -> tuple[bytes, bytes]:
    root = _directory(entries)
    size = _LEAF
    leaves = b""
    while len(root) > _ROOT:
        parts = [entries[i : i + size] for i in range(0, len(entries), size)]
        packed = [_directory(part) for part in parts]
        at = np.cumsum([0, *map(len, packed)]).tolist()
        root = _directory([(p[0][0], at[i], len(packed[i]), 0) for i, p in enumerate(parts)])
        leaves, size = b"".join(packed), 2 * size
    return root, leaves


def _directory(entries: list[Entry]) -> bytes:
    rows = np.array(entries, np.int64).reshape(-1, 4)
    number, offset, length, run = rows.T
    follows = np.r_[False, offset[1:] == offset[:-1] + length[:-1]][: len(rows)]
    columns = (np.diff(number, prepend=0), run, length, np.where(follows, 0, offset + 1))
    body = b"".join(varints(c)[0].tobytes() for c in columns)
    return gzipped(varint(len(rows)) + body)
