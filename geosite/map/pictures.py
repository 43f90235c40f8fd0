"""Surfaces as pictures: grid CRS → Web Mercator → PNG with a palette, as a data address."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from geosite.constraints import EXCLUDED, UNKNOWN
from geosite.crs import warped_to_web_mercator
from geosite.report import palette

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

    from geosite.report.content import Content

WIDEST = 2400
"""Columns of a picture of a large area; what a page can carry."""
NARROWEST = 1000
"""Columns of a picture of a small one, so that the hatch is finer than a cell."""
_HATCH = 6

Rgba = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and where it lies."""

    url: str
    west: float
    south: float
    east: float
    north: float

    @property
    def corners(self) -> list[list[float]]:
        """[[south, west], [north, east]] [degrees], as Leaflet wants them."""
        return [[self.south, self.west], [self.north, self.east]]


def suitability_picture(content: Content) -> Picture:
    """Suitability 0–1 in eight steps of blue; transparent where there is none."""
    values, edges = _warped(content, content.suitability, content.transform)
    steps = len(palette.SUITABILITY)
    there = np.isfinite(values)
    step = np.clip(np.nan_to_num(values) * steps, 0, steps - 1).astype(np.uint8) + 1
    colours: list[Rgba] = [(*palette.rgb(c), 222) for c in palette.SUITABILITY]
    return Picture(_data_url(np.where(there, step, np.uint8(0)), colours), *edges)


def likelihood_picture(content: Content) -> Picture | None:
    """Classes of the evidence surface by the land below; transparent below them all.

    None if the run has no evidence surface.
    """
    if content.likelihood is None or content.likelihood_transform is None:
        return None
    values, edges = _warped(content, content.likelihood, content.likelihood_transform)
    least = [least for least, _, _ in palette.LIKELIHOOD]
    step = np.searchsorted(least, np.nan_to_num(values, nan=-1.0), "right").astype(np.uint8)
    colours: list[Rgba] = [(*palette.rgb(c), 200) for _, c, _ in palette.LIKELIHOOD]
    return Picture(_data_url(step, colours), *edges)


def status_pictures(content: Content) -> tuple[Picture, Picture]:
    """Excluded land in plain grey, and unknown land in a diagonal hatch."""
    code, edges = _warped(content, content.status.astype(np.float32), content.transform)
    grey: list[Rgba] = [(*palette.rgb(palette.EXCLUDED), 150)]
    ink = palette.rgb(palette.UNKNOWN)
    down, across = code.shape
    stroke = np.add.outer(np.arange(down), np.arange(across)) % _HATCH < _HATCH // 3
    unknown = np.where(code == UNKNOWN, np.where(stroke, 2, 1), 0).astype(np.uint8)
    return (
        Picture(_data_url((code == EXCLUDED).astype(np.uint8), grey), *edges),
        Picture(_data_url(unknown, [(*ink, 22), (*ink, 190)]), *edges),
    )


def _warped(
    content: Content, values: NDArray[np.float32], transform: Affine
) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    columns = values.shape[1]
    width = min(max(columns * ceil(NARROWEST / columns), columns), WIDEST)
    return warped_to_web_mercator(values, content.crs, transform, width=width)


def _data_url(index: NDArray[np.uint8], colours: list[Rgba]) -> str:
    return "data:image/png;base64," + base64.b64encode(png(index, colours)).decode("ascii")


def png(index: NDArray[np.uint8], colours: list[Rgba]) -> bytes:
    """A PNG with a palette; index 0 is transparent, index i is the i-th colour.

    Written here because a palette makes a national picture four times smaller
    than RGBA, and because the same cells then give the same bytes everywhere.
    """
    rows, columns = index.shape
    lines = np.zeros((rows, columns + 1), np.uint8)
    lines[:, 1:] = index
    table = bytes(3) + bytes(part for c in colours for part in c[:3])
    alpha = bytes(1) + bytes(c[3] for c in colours)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", table),
            _chunk(b"tRNS", alpha),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
