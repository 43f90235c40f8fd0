"""Tables with coordinate columns, and JSON lines: formats with no place for a CRS."""

from __future__ import annotations

import gzip
import json
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import shape

from geosite.errors import LayerDataError
from geosite.sources.dataset import Dataset, matched, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from geosite.model.source import FileSource

NO_GEOMETRY = "no geometry"
NOT_FINITE = "coordinates are not finite"
NOT_NUMBERS = "coordinates are not numbers"
MALFORMED = "geometry is malformed"


def read_csv(path: Path, source: FileSource, name: str) -> Dataset:
    """Points of a table, plain or gzipped; every attribute is text.

    Raises
    ------
    LayerDataError
        If the table cannot be parsed, or the columns of ``xy`` are not there.
    """
    # utf-8-sig reads plain UTF-8 too; spreadsheets like to write a byte order mark.
    encoding = "utf-8-sig" if source.encoding.lower() in ("utf-8", "utf8") else source.encoding
    try:
        with warnings.catch_warnings():
            # A row longer than the header is only a warning to pandas; it shifts columns.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, sep=source.delimiter, encoding=encoding, dtype=str, keep_default_na=False,
                index_col=False, low_memory=False,
                compression="gzip" if path.suffix.lower() == ".gz" else None,
            )  # fmt: skip
    except (UnicodeDecodeError, LookupError) as error:
        msg = (
            f"{name}: not text in the encoding {source.encoding!r}: {one_line(error)}; "
            "declare the right one with encoding, e.g. cp1252"
        )
        raise LayerDataError(msg) from None
    except (
        pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning,
        gzip.BadGzipFile, EOFError, zlib.error, ValueError,
    ) as error:  # fmt: skip
        msg = (
            f"{name}: cannot be read as a table with the delimiter {source.delimiter!r}: "
            f"{one_line(error)}; check delimiter and encoding, or get the file again"
        )
        raise LayerDataError(msg) from None
    return _points(frame, source, name)


def _points(frame: pd.DataFrame, source: FileSource, name: str) -> Dataset:
    x_text, y_text = _coordinate_columns(frame, source, name)
    x, y = (pd.to_numeric(t, errors="coerce").to_numpy(float) for t in (x_text, y_text))
    refused = np.full(len(frame), "", object)
    for text, number in ((x_text, x), (y_text, y)):
        refused[~np.isfinite(number)] = NOT_NUMBERS
        said = text.str.lower().str.lstrip("+-").isin(["nan", "inf", "infinity"]).to_numpy(bool)
        refused[said | np.isinf(number)] = NOT_FINITE
    refused[((x_text == "") | (y_text == "")).to_numpy(bool)] = NO_GEOMETRY
    if len(frame) and (refused == NOT_NUMBERS).all():
        first = f"{x_text.iloc[0]!r}, {y_text.iloc[0]!r}"
        msg = (
            f"{name}: no row has numbers in the coordinate columns {', '.join(source.xy or ())} "
            f"(first row: {first}); expected decimal degrees or metres; name the right "
            "columns with xy"
        )
        raise LayerDataError(msg)
    geometry = np.full(len(frame), None, object)
    good = refused == ""
    geometry[good] = shapely.points(x[good], y[good])
    return Dataset(frame, geometry, refused, None, can_carry_crs=False)


def _coordinate_columns(
    frame: pd.DataFrame, source: FileSource, name: str
) -> tuple[pd.Series[str], pd.Series[str]]:
    columns = list(frame.columns)
    there = ", ".join(map(str, columns))
    if source.xy is None:
        msg = (
            f"{name}: a table needs its coordinate columns named: declare xy: [x, y] in the "
            f"layer's source; columns: {there}"
        )
        raise LayerDataError(msg)
    found = [matched(column, columns) for column in source.xy]
    missing = [column for column, is_ in zip(source.xy, found, strict=True) if is_ is None]
    if missing:
        msg = (
            f"{name}: no column {', '.join(map(repr, missing))} for xy; columns: {there}; "
            "check xy and delimiter"
        )
        raise LayerDataError(msg)
    x, y = (frame[column] for column in found)
    return _plain(x), _plain(y)


def _plain(values: pd.Series[Any]) -> pd.Series[str]:
    if isinstance(values.dtype, pd.StringDtype):
        return values.fillna("").str.strip()
    return values.map(lambda value: "" if value is None or value != value else str(value).strip())  # noqa: PLR0124


def read_json_lines(path: Path, source: FileSource, name: str) -> Dataset:
    """Features of JSON lines, plain or gzipped; nested properties become JSON text.

    A line is a GeoJSON feature, or a flat record if ``xy`` names its coordinates.

    Raises
    ------
    LayerDataError
        If a line is not a JSON object, or the file cannot be unpacked.
    """
    features: list[dict[str, Any]] = []
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    number = 0
    try:
        with opened(path, "rt", encoding=source.encoding) as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007
                # A record separator may open a line (RFC 8142).
                text = line.strip().lstrip("\x1e")
                if text:
                    features.append(_object(text))
    except (ValueError, EOFError, OSError, zlib.error, LookupError) as error:
        msg = (
            f"{name}: line {number} or the next cannot be read: {one_line(error)}; expected one "
            "JSON object a line; get the file again"
        )
        raise LayerDataError(msg) from None
    if source.xy is not None:
        flat = pd.DataFrame([_flat(f.get("properties") or f) for f in features], dtype=object)
        return _points(flat, source, name)
    attributes = pd.DataFrame([_flat(f.get("properties") or {}) for f in features])
    attributes.index = pd.RangeIndex(len(features))
    geometry = np.full(len(features), None, object)
    refused = np.full(len(features), "", object)
    for row, feature in enumerate(features):
        geometry[row], refused[row] = _geometry(feature.get("geometry"))
    return Dataset(attributes, geometry, refused, None, can_carry_crs=False)


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        msg = f"a {type(found).__name__} where an object was expected"
        raise ValueError(msg)  # noqa: TRY004  caught with the parser's own errors
    return found


def _flat(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: _one_value(value) for key, value in properties.items()}


def _one_value(value: Any) -> Any:
    # A list of plain words is a list as people write one; what is nested stays JSON.
    if isinstance(value, list) and not any(isinstance(v, dict | list) for v in value):
        return "; ".join(str(v) for v in value if v is not None)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _geometry(found: Any) -> tuple[shapely.Geometry | None, str]:
    if not found:
        return None, NO_GEOMETRY
    try:
        return shape(found), ""
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, shapely.GEOSException):
        return None, MALFORMED


def unrefused(count: int) -> NDArray[np.object_]:
    """One empty reason a feature."""
    return np.full(count, "", object)
