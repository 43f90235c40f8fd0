"""Archives of tiles: PMTiles, one file that is read in pieces.

Written by protomaps' own library. The same tiles give the same bytes: no time stands in them
(in gzip's heads one does before pmtiles 3.8.1).
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pmtiles.tile import Compression, TileType
from pmtiles.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STEPS = 1e7
"""Of an archive's bounds in a degree."""


def gzipped(raw: bytes) -> bytes:
    """Bytes in gzip's form, without a time or a name."""
    return gzip.compress(raw, mtime=0)


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


def archived(
    levels: Sequence[Level],
    bounds: tuple[float, float, float, float],
    metadata: Mapping[str, Any],
) -> bytes:
    """An archive of some zooms; of no tile, one with an empty tile of the whole world.

    Parameters
    ----------
    bounds : (west, south, east, north) [degrees]
    metadata : JSON
        What a reader of the archive is told; ``vector_layers`` is in it by convention.
    """
    tiles = {i: t for level in levels for i, t in level.tiles.items()}
    file = io.BytesIO()
    writer = Writer(file)
    # In rising order, so that a reader finds neighbours beside each other.
    for number, tile in sorted(tiles.items() or {0: gzipped(b"")}.items()):
        writer.write_tile(number, tile)
    west, south, east, north = (round(v * _STEPS) for v in bounds)
    head = {
        "tile_type": TileType.MVT, "tile_compression": Compression.GZIP,
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north,
    }  # fmt: skip
    writer.finalize(head, dict(metadata))
    return file.getvalue()
