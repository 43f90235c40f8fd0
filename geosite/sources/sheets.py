"""One raster behind a web address: its header, and pieces of its cells by HTTP range requests.

GDAL's ``/vsicurl`` does the reading. What it does well: it asks for the header and for the
blocks that a window meets and for nothing else, joins blocks that lie side by side into one
request, and knows every layout and compression of TIFF. What it does not, and is done here:

- it does not say what a server answered once a file is open, only that bytes are missing;
- it remembers for the life of the process that a file was not there (``NON_CACHED``);
- it would read whatever is sent, a VRT that points to a file of the reader among it (only
  the GeoTIFF driver may open);
- it does not notice that a file is shorter than its index says, or is replaced between two
  requests (`unchanged`);
- its parallel requests know no bound and are not repeated (``SERIAL``), and none of its
  requests keeps `Client`'s pauses for a host: one connection a layer is its politeness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from pyproj import CRS
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geosite.crs import parsed_crs
from geosite.errors import CRSMismatchError, FetchError, LayerDataError
from geosite.sources.client import AGENT, Client, Patience, RefusedError
from geosite.sources.dataset import one_line
from geosite.sources.declared_crs import checked_crs
from geosite.sources.spans import Span

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from geosite.model.layer import Layer

MOST_BLOCK = 64 * 2**20
"""Largest block of cells that is read [bytes]; those of a COG have about one hundredth."""
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_STATUS = re.compile(r"HTTP response code\D*(\d{3})")
_BROKE_OFF = re.compile(r"got \d+ bytes, expected \d+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A raster on a server, as its header says.

    Parameters
    ----------
    url, at : str
        What was asked for, and where it is after every redirect.
    crs : pyproj.CRS
        The declared one, which the file carries too.
    wkt : str
        The CRS in the file's own words.
    shape, blocks : (rows, columns)
        Of the raster, and of one block of it.
    scale, offset : float
        Value = cell × scale + offset; cells are handed on as they are.
    size : int or None
        Of the file [bytes].
    state : tuple of str
        What tells this edition of the file from another.
    edited : str or None
        When the server says that it was last edited, as ISO 8601.
    notes : tuple of str
        Remarks on the CRS.
    """

    url: str
    at: str
    crs: CRS
    wkt: str
    transform: Affine
    shape: tuple[int, int]
    blocks: tuple[int, int]
    dtype: str
    nodata: float | None
    scale: float
    offset: float
    size: int | None
    state: tuple[str, ...]
    edited: str | None
    notes: tuple[str, ...]


def sheet(url: str, layer: Layer, client: Client) -> Sheet:
    """A raster's header, checked against its layer's declaration.

    Raises
    ------
    RefusedError
        If the server does not give it, or not in parts.
    LayerDataError
        If it is no raster on a map.
    FetchError
        If it has another CRS than declared, or several bands.
    """
    size, headers, at = client.head(url)

    def once() -> Sheet:
        with _opened(url, at, headers, client.patience) as opened:
            carried, notes = _checked(opened, layer, url)
            return Sheet(
                url, at, carried, opened.crs.to_wkt(), opened.transform,
                (int(opened.height), int(opened.width)), opened.block_shapes[0],
                opened.dtypes[0], opened.nodata, opened.scales[0], opened.offsets[0],
                size, _state(size, headers), _edited(headers), notes,
            )  # fmt: skip

    return client.again(once)


def piece(sheet: Sheet, span: Span, client: Client) -> NDArray[np.generic]:
    """Cells (rows, columns) of a window of a raster, asked again while that may help.

    Raises
    ------
    RefusedError
        If the server does not give them.
    LayerDataError
        If the file is cut short or damaged.
    """
    left, top, right, bottom = span

    def once() -> NDArray[np.generic]:
        if client.stop.is_set():
            raise RefusedError(sheet.url, "stopped")
        with _opened(sheet.url, sheet.at, {}, client.patience) as opened:
            _refuse_cut_short(opened, sheet, span)
            cells: NDArray[np.generic] = opened.read(
                1, window=Window(left, top, right - left, bottom - top)
            )
            return cells

    return client.again(once)


def unchanged(sheet: Sheet, client: Client) -> None:
    """Refuse a file that was replaced while its pieces were read.

    Raises
    ------
    RefusedError
        If it was.
    """
    size, headers, _ = client.head(sheet.url)
    if _state(size, headers) != sheet.state:
        msg = "the file was replaced on the server while it was read"
        raise RefusedError(sheet.url, msg, again=True)


def options(patience: Patience) -> dict[str, Any]:
    """GDAL's settings for reading over the network."""
    return {
        "GDAL_HTTP_USERAGENT": AGENT,
        "GDAL_HTTP_CONNECTTIMEOUT": max(1, round(patience.connect)),
        "GDAL_HTTP_TIMEOUT": max(1, round(patience.whole)),
        "GDAL_HTTP_LOW_SPEED_TIME": max(1, round(patience.read)),
        "GDAL_HTTP_LOW_SPEED_LIMIT": 1,
        "GDAL_HTTP_MAX_RETRY": patience.attempts - 1,
        "GDAL_HTTP_RETRY_DELAY": patience.first,
        "GDAL_HTTP_RETRY_CODES": ",".join(map(str, _BUSY)),
        "GDAL_HTTP_MULTIRANGE": "SERIAL",
        # No neighbour of the file is looked for: no .aux.xml, .ovr, .msk, .tfw.
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_PAM_ENABLED": False,
        "CPL_VSIL_CURL_USE_HEAD": True,
        # What was not there a moment ago may be there now.
        "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/",
    }


@contextmanager
def _opened(
    url: str, at: str, headers: Mapping[str, str], patience: Patience
) -> Iterator[DatasetReader]:
    try:
        with (
            rasterio.Env(**options(patience)),
            rasterio.open(f"/vsicurl/{at}", driver="GTiff", sharing=False) as opened,
        ):
            yield opened
    except RasterioError as error:
        raise _fault(url, error, headers) from None


def _fault(
    url: str, error: RasterioError, headers: Mapping[str, str]
) -> RefusedError | LayerDataError:
    """What GDAL's words mean: the server's doing, or the file's."""
    words = _chain(error)
    whole = "; ".join(words)
    status = _STATUS.search(whole)
    if status:
        code = int(status[1])
        return RefusedError(url, f"answered {code}", again=code in _BUSY, status=code)
    if "CURL error" in whole:
        return RefusedError(url, words[-1].removeprefix("CURL error: "), again=True)
    if _BROKE_OFF.search(whole):
        return RefusedError(url, f"the answer broke off ({words[-1]})", again=True)
    if "not recognized" in whole:
        return _not_a_raster(url, headers)
    return LayerDataError(f"{url}: its cells cannot be read: {words[-1][:300]}")


def _not_a_raster(url: str, headers: Mapping[str, str]) -> RefusedError:
    found = headers.get("Content-Type", "").lower()
    if "html" in found:
        return RefusedError(url, f"answered a web page ({found}), expected a GeoTIFF")
    parts = "Content-Range" in headers or headers.get("Accept-Ranges", "").lower() == "bytes"
    if headers and not parts:
        msg = (
            "does not offer parts of files (no 'Accept-Ranges: bytes'), or the file is no "
            "GeoTIFF; expected a Cloud Optimized GeoTIFF on a server that answers range requests"
        )
        return RefusedError(url, msg)
    # The first piece may have been refused: GDAL says the same then.
    return RefusedError(url, "sent no beginning of a GeoTIFF", again=True)


def _chain(error: BaseException) -> list[str]:
    """What GDAL said, from its last words to the cause."""
    found: list[str] = []
    now: BaseException | None = error
    while now is not None:
        found.append(one_line(now))
        now = now.__cause__ or now.__context__
    return found


def _checked(opened: DatasetReader, layer: Layer, url: str) -> tuple[CRS, tuple[str, ...]]:
    if opened.count != 1:
        msg = f"{url}: has {opened.count} bands, expected one"
        raise FetchError(msg)
    declared = parsed_crs(layer.crs or "", f"layer {layer.id}: crs")
    try:
        carried = CRS.from_wkt(opened.crs.to_wkt()) if opened.crs else None
        notes = checked_crs(carried, declared, layer, url)
    except CRSMismatchError as error:
        raise FetchError(str(error)) from None
    t = opened.transform
    if t.is_identity or t.b or t.d or t.a <= 0 or t.e >= 0:
        msg = f"{url}: has no georeference, or is not north up; expected a raster on a map"
        raise LayerDataError(msg)
    dtype = opened.dtypes[0]
    if dtype.startswith("complex"):
        msg = f"{url}: its cells are {dtype}, expected real numbers"
        raise LayerDataError(msg)
    rows, columns = opened.block_shapes[0]
    block = rows * columns * np.dtype(dtype).itemsize
    if block > MOST_BLOCK:
        msg = (
            f"{url}: is stored in blocks of {columns} × {rows} cells ({block:,} bytes), expected "
            f"at most {MOST_BLOCK:,} bytes, as a Cloud Optimized GeoTIFF has"
        )
        raise LayerDataError(msg)
    return declared, notes


def _refuse_cut_short(opened: DatasetReader, sheet: Sheet, span: Span) -> None:
    """Refuse blocks that lie beyond the end of the file, which GDAL asks for all the same."""
    left, top, right, bottom = span
    rows, columns = sheet.blocks
    for r in range(top // rows, -(-bottom // rows)):
        for c in range(left // columns, -(-right // columns)):
            offset = opened.get_tag_item(f"BLOCK_OFFSET_{c}_{r}", "TIFF", bidx=1)
            size = opened.get_tag_item(f"BLOCK_SIZE_{c}_{r}", "TIFF", bidx=1)
            end = int(offset or 0) + int(size or 0)
            if sheet.size is not None and end > sheet.size:
                msg = (
                    f"{sheet.url}: is cut short on the server: its cells reach to byte {end}, "
                    f"but it has {sheet.size}"
                )
                raise LayerDataError(msg)


def _state(size: int | None, headers: Mapping[str, str]) -> tuple[str, ...]:
    return (str(size), headers.get("ETag", ""), headers.get("Last-Modified", ""))


def _edited(headers: Mapping[str, str]) -> str | None:
    try:
        return parsedate_to_datetime(headers.get("Last-Modified", "")).date().isoformat()
    except ValueError:
        return None
