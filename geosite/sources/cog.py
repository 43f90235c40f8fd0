"""Windows of Cloud Optimized GeoTIFFs, of one file or of a set with one file a degree.

Nothing is resampled: what is written has the cells, the CRS and the grid of what is on the
server, cut out in whole cells. The reading is in `sheets`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.dtypes import in_dtype_range
from rasterio.windows import Window

from geosite.crs import WGS84, projected_bounds
from geosite.disk import UNWRITABLE
from geosite.errors import FetchError, GeositeError, LayerDataError, faults
from geosite.sources.asking import Ask, Estimate, Finding, Got, Told
from geosite.sources.client import MOST_FILE, Client, RefusedError
from geosite.sources.dataset import one_line
from geosite.sources.sheets import Sheet, piece, sheet, unchanged
from geosite.sources.spans import Span, around, both, corner, filled, moved, pieces, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetWriter

    from geosite.model.lock import Box

_MOST_PIECE = 32 * 2**20
"""Most cells that are read at once [bytes]."""
_KNOWN = "n40w117"
"""A tile that every national set has, in Nevada: the one that is looked at without a box."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is read of one raster.

    Parameters
    ----------
    sheet : Sheet
    at : (column, row)
        Where the raster's first cell lies on the common grid.
    span : left, top, right, bottom
        The window, on the common grid.
    """

    sheet: Sheet
    at: tuple[int, int]
    span: Span


@dataclass(frozen=True, slots=True)
class Mosaic:
    """What an area needs of the rasters of a source.

    Parameters
    ----------
    first : Sheet
        Its grid is the common one; every other has its type and nodata value.
    span : left, top, right, bottom
        Of the whole, on that grid.
    parts : tuple of Part
        Where two overlap, the earlier one counts.
    notes : tuple of str
    """

    first: Sheet
    span: Span
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole."""
        left, top, right, bottom = self.span
        return bottom - top, right - left

    @property
    def size(self) -> int:
        """Bytes of the whole unpacked."""
        return math.prod(self.shape) * np.dtype(self.first.dtype).itemsize


def fetched(ask: Ask, client: Client, folder: Path, told: Told) -> Got:
    """The cells of a raster, or of a set of tiles, that meet the box of an ask.

    A tile that is not there is sea or foreign land and becomes nodata; one that cannot be had
    at the moment is refused. `told` hears of bytes unpacked.

    Raises
    ------
    RefusedError
        If a server does not give them.
    LayerDataError
        If they cannot be read.
    FetchError
        If they contradict the catalogue or each other, or do not meet the box.
    """
    found = _mosaic(ask, client)
    if found.size > MOST_FILE:
        msg = (
            f"{ask.source.url}: {found.shape[1]:,} × {found.shape[0]:,} cells are "
            f"{found.size:,} bytes, expected at most {MOST_FILE:,}; ask for a smaller area"
        )
        raise FetchError(msg)
    nodata = _nodata(found, ask.source.url)
    path = folder / "layer.tif"
    with _writing(folder):
        _write(found, nodata, path, client, told)
    rasters = list(dict.fromkeys(part.sheet for part in found.parts))
    for raster in rasters:
        unchanged(raster, client)
    return Got(
        path,
        math.prod(found.shape),
        ask.source.url,
        edited=max((r.edited for r in rasters if r.edited), default=None),
        notes=tuple(dict.fromkeys((*found.notes, *(n for r in rasters for n in r.notes)))),
    )


def estimated(ask: Ask, client: Client) -> Estimate:
    """Cells of one raster, or number of tiles; and bytes unpacked, which is an upper bound.

    Raises
    ------
    RefusedError
        If the server does not give a header.
    LayerDataError
        If it cannot be read.
    FetchError
        If it contradicts the catalogue, or does not meet the box.
    """
    if ask.source.kind == "cog":
        found = _mosaic(ask, client)
        return Estimate(math.prod(found.shape), found.size)
    boxes = _boxes(ask)
    names = tile_names(boxes)
    tile = next((t for t in (_tile(ask, name, client) for name in names) if t), None)
    if tile is None:
        raise FetchError(_no_tile(ask, names))
    return Estimate(len(names), Mosaic(tile, around(_wanted(boxes, tile))).size)


def probed(ask: Ask, client: Client) -> Finding:
    """How the raster is, or one tile of the set: there, in the declared CRS, of one band."""
    url = _tile_url(ask, _KNOWN)
    try:
        found = sheet(url, ask.layer, client)
    except RefusedError as error:
        return Finding("dead", error.words)
    except (LayerDataError, FetchError) as error:
        return Finding("schema changed", one_line(error))
    rows, columns = found.shape
    words = f"{columns} × {rows} cells of {found.dtype}"
    if found.at != url:
        return Finding("moved", f"redirects to {found.at}; {words}")
    return Finding("ok", words, None if ask.source.kind == "cog-tiles" else rows * columns)


def tile_name(west: int, north: int) -> str:
    """Name of a tile of one degree in the 3D Elevation Program: that of its north-west corner.

    Attested: n38w123 (it holds 37.75, -122.45), n52e177 (Aleutians), n14e144 (Guam), s14w171
    (Samoa, from 15 to 14 degrees south). To be confirmed: what begins on the equator or on
    the prime meridian, where the United States have no land.

    Examples
    --------
    >>> tile_name(-123, 38), tile_name(177, 52), tile_name(-171, -14)
    ('n38w123', 'n52e177', 's14w171')
    """
    down = f"{'s' if north < 0 else 'n'}{abs(north):02d}"
    return f"{down}{'w' if west < 0 else 'e'}{abs(west):03d}"


def tile_names(boxes: Sequence[Box]) -> tuple[str, ...]:
    """Names of the tiles that meet boxes of degrees, from north to south and west to east."""
    corners = {
        (-north, west)
        for w, s, e, n in boxes
        for north in range(math.floor(s) + 1, max(math.ceil(n), math.floor(s) + 1) + 1)
        for west in range(math.floor(w), max(math.ceil(e), math.floor(w) + 1))
    }
    return tuple(tile_name(west, -north) for north, west in sorted(corners))


def _mosaic(ask: Ask, client: Client) -> Mosaic:
    if ask.source.kind == "cog-tiles":
        return _tiled(ask, client)
    found = sheet(ask.source.url, ask.layer, client)
    rows, columns = found.shape
    whole = (0, 0, columns, rows)
    wanted: list[Span] = [whole]
    if ask.box is not None and ask.source.scope == "aoi":
        every = (s for box in _boxes(ask) for s in spans(box, found.crs, found.transform))
        wanted = [inside for s in every if (inside := both(s, whole))]
    if not wanted:
        raise FetchError(_apart(found, ask))
    # On a map, the two sides of the antimeridian are neighbours; in degrees they are far apart.
    wanted = wanted if found.crs.is_geographic else [around(wanted)]
    return Mosaic(found, around(wanted), tuple(Part(found, (0, 0), s) for s in wanted))


def _tiled(ask: Ask, client: Client) -> Mosaic:
    boxes = _boxes(ask)
    names = tile_names(boxes)
    every = {name: _tile(ask, name, client) for name in names}
    tiles = [t for t in every.values() if t]
    if not tiles:
        raise FetchError(_no_tile(ask, names))
    wanted = _wanted(boxes, tiles[0])
    parts = tuple(
        Part(tile, (column, row), inside)
        for tile, (column, row) in zip(tiles, _corners(tiles), strict=True)
        for span in wanted
        if (inside := both(span, (column, row, column + tile.shape[1], row + tile.shape[0])))
    )
    if not parts:
        raise FetchError(_apart(tiles[0], ask))
    away = ", ".join(name for name, tile in every.items() if tile is None)
    notes = (f"no such tile on the server, nothing is known there: {away}",) if away else ()
    return Mosaic(tiles[0], around(wanted), parts, notes)


def _boxes(ask: Ask) -> list[Box]:
    boxes = [box for box in ask.boxes if box is not None]
    if not boxes:
        msg = f"{ask.source.url}: tiles can be had for an area only; name one with --aoi"
        raise FetchError(msg)
    return boxes


def _wanted(boxes: Sequence[Box], tile: Sheet) -> list[Span]:
    found = [s for box in boxes for s in spans(box, tile.crs, tile.transform)[:1]]
    if not found:
        msg = f"{tile.url}: {_degrees(boxes)} has no place in its CRS {tile.crs.name}"
        raise FetchError(msg)
    return found


def _tile_url(ask: Ask, name: str) -> str:
    return ask.source.url.replace("{tile}", name)


def _tile(ask: Ask, name: str, client: Client) -> Sheet | None:
    """A tile's header; None if the server says that there is no such tile."""
    try:
        return sheet(_tile_url(ask, name), ask.layer, client)
    except RefusedError as error:
        if not absent(error):
            raise
        return None


def absent(error: RefusedError) -> bool:
    """Whether a server said that a file does not exist, which is not: cannot be had now.

    Amazon's S3 says 403 of what is not there where a bucket does not list its files; of any
    other server that is a refusal.
    """
    host = urlsplit(error.url).hostname or ""
    return error.status in (404, 410) or (error.status == 403 and host.endswith(".amazonaws.com"))


def _corners(tiles: Sequence[Sheet]) -> list[tuple[int, int]]:
    """Where each tile begins on the grid of the first."""
    first, found, wrong = tiles[0], [], []
    for tile in tiles:
        at = corner(tile.transform, tile.shape, first.transform)
        if at is None:
            wrong.append(
                f"{tile.url}: cells of {tile.transform.a:.12g} × {-tile.transform.e:.12g} that "
                f"begin at {tile.transform.c:.12g}, {tile.transform.f:.12g}"
            )
        if (tile.dtype, repr(tile.nodata)) != (first.dtype, repr(first.nodata)):
            wrong.append(f"{tile.url}: cells of {tile.dtype} with nodata {tile.nodata}")
        found.append(at or (0, 0))
    if wrong:
        title = (
            f"tiles do not fit together, expected whole cells of {first.transform.a:.12g} × "
            f"{-first.transform.e:.12g} from {first.transform.c:.12g}, {first.transform.f:.12g} "
            f"on, {first.dtype} with nodata {first.nodata}, as {first.url} has:"
        )
        raise FetchError(faults(title, wrong))
    return found


def _nodata(found: Mosaic, url: str) -> float | None:
    """The value of cells that nothing is known of; None if there are none and it is not said."""
    first, offset = found.first, (-found.span[0], -found.span[1])
    said = first.nodata
    if said is not None and in_dtype_range(said, first.dtype):
        return said
    whole = moved(found.span, *offset)
    if filled(whole, [moved(part.span, *offset) for part in found.parts]):
        return None
    if np.issubdtype(np.dtype(first.dtype), np.floating):
        return math.nan
    msg = (
        f"{url}: has no cells in a part of the area, and its cells of {first.dtype} declare no "
        "nodata value that could say so; ask for an area inside it"
    )
    raise FetchError(msg)


def _write(found: Mosaic, nodata: float | None, path: Path, client: Client, told: Told) -> None:
    """Write the cells to a plain GeoTIFF, piece by piece, and that one to a COG."""
    first, raw = found.first, path.with_name("cells.tif")
    left, top, _, _ = found.span
    item = np.dtype(first.dtype).itemsize
    total = sum((s[2] - s[0]) * (s[3] - s[1]) for s in (part.span for part in found.parts))
    done = 0
    with rasterio.open(
        raw, "w+", driver="GTiff", height=found.shape[0], width=found.shape[1], count=1,
        dtype=first.dtype, crs=first.wkt, nodata=nodata,
        transform=first.transform * Affine.translation(left, top),
        tiled=True, blockxsize=512, blockysize=512, compress="DEFLATE", zlevel=1,
        bigtiff="IF_SAFER", sparse_ok=True,
    ) as target:  # fmt: skip
        target.scales, target.offsets = (first.scale,), (first.offset,)
        for part in found.parts:
            columns, rows = part.at
            own = moved(part.span, -columns, -rows)
            for span in pieces(own, part.sheet.blocks, _MOST_PIECE // item):
                cells = piece(part.sheet, span, client)
                _paste(cells, moved(span, columns - left, rows - top), target)
                done += cells.size
                told(done * item, total * item)
    # Overviews are averages or picks of cells, and nothing reads them.
    rasterio.shutil.copy(
        raw, path, driver="COG", compress="DEFLATE", predictor="YES", bigtiff="IF_SAFER",
        overviews="NONE", sparse_ok=True, num_threads="ALL_CPUS",
    )  # fmt: skip
    raw.unlink()


def _paste(cells: NDArray[np.generic], span: Span, target: DatasetWriter) -> None:
    """Write cells where no earlier raster has any."""
    left, top, right, bottom = span
    window = Window(left, top, right - left, bottom - top)
    nodata = target.nodata
    if nodata is not None:
        there = target.read(1, window=window)
        free = np.isnan(there) if math.isnan(nodata) else there == nodata
        cells = np.where(free, cells, there)
    target.write(cells, 1, window=window)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except GeositeError:
        raise
    except UNWRITABLE as error:
        free = shutil.disk_usage(folder).free / 1e9
        msg = f"{folder}: could not be written: {one_line(error)}; {free:.2f} GB are free there"
        raise FetchError(msg) from None


def _apart(found: Sheet, ask: Ask) -> str:
    rows, columns = found.shape
    left, top = found.transform.c, found.transform.f
    right, bottom = found.transform * (columns, rows)
    bounds = projected_bounds((left, bottom, right, top), found.crs, WGS84)
    return (
        f"{found.url}: covers {_degrees([bounds])}, nothing of {_degrees(_boxes(ask))}; "
        "ask for an area inside it"
    )


def _no_tile(ask: Ask, names: Sequence[str]) -> str:
    return (
        f"{ask.source.url}: none of the {len(names)} tiles of {_degrees(_boxes(ask))} is on the "
        f"server ({', '.join(names[:10])}{', …' if len(names) > 10 else ''}); if the area is on "
        "land in the United States, the address or the naming of tiles has changed"
    )


def _degrees(boxes: Sequence[Box]) -> str:
    """Boxes in words, in degrees (WGS 84)."""
    return " and ".join(f"{w:.4f}, {s:.4f} to {e:.4f}, {n:.4f}" for w, s, e, n in boxes)
