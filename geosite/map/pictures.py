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
    from collections.abc import Sequence

    from affine import Affine
    from numpy.typing import NDArray

    from geosite.report.content import Content

WIDEST = 3600
"""Columns of a picture of a large area; what a page can carry."""
NARROWEST = 1000
"""Columns of a picture of a small one, so that the hatch is finer than a cell."""
STEPS = 24
"""Steps of suitability from 0 to 1; a palette of them still compresses well."""
_HATCH = 6
"""Width of a stroke of the hatch and its gap [pixels of a picture of `NARROWEST`]."""

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
    """Suitability 0–1 in steps of blue that the eye runs into each other; transparent off it."""
    values, edges = _warped(content, content.suitability, content.transform)
    there = np.isfinite(values)
    step = np.clip(np.nan_to_num(values) * STEPS, 0, STEPS - 1).astype(np.uint8) + 1
    colours: list[Rgba] = [(*c, 222) for c in ramp(palette.SUITABILITY, STEPS)]
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
    # As wide on the screen whatever the picture's size, when all of it is seen.
    period = _HATCH * max(1, round(across / NARROWEST))
    stroke = np.add.outer(np.arange(down), np.arange(across)) % period < period // 3
    unknown = np.where(code == UNKNOWN, np.where(stroke, 2, 1), 0).astype(np.uint8)
    return (
        Picture(_data_url((code == EXCLUDED).astype(np.uint8), grey), *edges),
        Picture(_data_url(unknown, [(*ink, 22), (*ink, 190)]), *edges),
    )


def mask_picture(content: Content, mask: NDArray[np.bool_], colour: str) -> Picture:
    """Cells of `Content.status` in one colour, no larger than the land that has it.

    Parameters
    ----------
    mask : (rows, columns) bool
        Some cell is true.
    colour : str
        ``#rrggbb``; land below shines through.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=k)) for k in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    here = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    there = np.where(here, np.float32(1), np.float32(np.nan))
    at = content.transform * content.transform.translation(left, top)
    code, edges = _warped(content, there, at, whole=content.status.shape[1])
    return Picture(
        _data_url(np.isfinite(code).astype(np.uint8), [(*palette.rgb(colour), 120)]), *edges
    )


def ramp(colours: Sequence[str], steps: int) -> list[tuple[int, int, int]]:
    """Colours from the first to the last in so many equal steps.

    Examples
    --------
    >>> ramp(("#000000", "#ffffff"), 3)
    [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    """
    known = np.array([palette.rgb(c) for c in colours], float)
    at = np.linspace(0, len(known) - 1, steps)
    parts = [np.rint(np.interp(at, np.arange(len(known)), known[:, k])) for k in range(3)]
    return [(int(r), int(g), int(b)) for r, g, b in zip(*parts, strict=True)]


def _warped(
    content: Content, values: NDArray[np.float32], transform: Affine, *, whole: int = 0
) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """On Web Mercator, with as many columns a cell as a picture of `whole` columns has."""
    columns = values.shape[1]
    whole = whole or columns
    width = min(ceil(columns * min(ceil(NARROWEST / whole), WIDEST / whole)), WIDEST)
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
