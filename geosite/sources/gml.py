"""Features of GML answers as tables, and several answers as one without doublets."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyogrio
from pyproj import CRS

from geosite.errors import LayerDataError
from geosite.sources.dataset import one_line
from geosite.sources.pages import GEOMETRY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from geosite.sources.wfs_xml import Field

ID = "gml_id"
"""Column of the ids of features (``gml:id``, or ``fid`` in GML 2); '' where there is none."""
_TYPES = {"integer": pa.int64(), "number": pa.float64()}
# Filters of warnings are the whole program's: one at a time.
_READING = threading.Lock()


def features(
    content: bytes, name: str, *, schema: Path | None, authority_order: bool
) -> tuple[pa.Table, CRS | None]:
    """Features of one answer, WKB under ``geometry``, and the CRS that they say.

    Parameters
    ----------
    content : bytes
        GML with one feature at least.
    name : str
        In messages.
    schema : Path, optional
        XSD of the type.
    authority_order : bool
        Whether EPSG:4326 means latitude first, as the URN of it always does. Coordinates come
        out with x first.

    Raises
    ------
    LayerDataError
        If GDAL cannot read it.
    """
    options = {"XSD": str(schema)} if schema else {}
    options |= {
        "DOWNLOAD_SCHEMA": "NO", "WRITE_GFS": "NO", "EXPOSE_GML_ID": "YES",
        "FORCE_SRS_DETECTION": "YES", "CONSIDER_EPSG_AS_URN": "YES" if authority_order else "NO",
    }  # fmt: skip
    try:
        with _READING, warnings.catch_warnings():
            # What the driver remarks on one page it would remark on every other.
            warnings.simplefilter("ignore")
            meta, found = pyogrio.read_arrow(content, **options)
    except (RuntimeError, ValueError, OSError, IndexError, pa.ArrowException) as error:
        msg = f"{name}: cannot be read as GML: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    at = meta["geometry_name"] or "wkb_geometry"
    if at not in found.column_names:
        msg = f"{name}: holds rows without geometry, expected features"
        raise LayerDataError(msg)
    columns = [GEOMETRY if c == at else c for c in found.column_names]
    texts = [
        column if name == GEOMETRY else column.cast(pa.string())
        for name, column in zip(columns, found.columns, strict=True)
    ]
    plain = pa.table(dict(zip(columns, texts, strict=True)))
    return plain, CRS.from_user_input(meta["crs"]) if meta["crs"] else None


def nothing(found: Sequence[Field]) -> pa.Table:
    """A table of no features, with the columns of a type."""
    columns = {one.name: pa.array([], pa.string()) for one in found if one.kind != "geometry"}
    return pa.table(columns | {GEOMETRY: pa.array([], pa.binary())})


def typed(table: pa.Table, found: Sequence[Field]) -> pa.Table:
    """Texts as the numbers that the schema declares, where every one of a column is one."""
    for field in found:
        if field.kind in _TYPES and field.name in table.column_names:
            at = table.column_names.index(field.name)
            try:
                numbers = table.column(at).cast(_TYPES[field.kind])
            except pa.ArrowInvalid:
                continue
            table = table.set_column(at, field.name, numbers)
    return table


def united(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Answers for areas that touch, each feature once.

    What lies in two areas comes twice. It is known by its attributes and its geometry and not
    by its id, which some servers make up anew for each answer; features that are the same in
    all are kept as often as one answer has them.
    """
    most: Counter[str] = Counter()
    kept = []
    for table in tables:
        here: Counter[str] = Counter()
        new = []
        for key in _contents(table):
            here[key] += 1
            new.append(here[key] > most[key])
        most |= here
        kept.append(table.filter(pa.array(new, pa.bool_())))
    return kept


def unlike(table: pa.Table, seen: set[str]) -> pa.Table:
    """The rows of a page that did not come before under the same id; `seen` learns them.

    An id alone says nothing: some servers number the features of each answer anew.
    """
    if ID not in table.column_names:
        return table
    new = []
    for name, content in zip(table.column(ID).to_pylist(), _contents(table), strict=True):
        row = hashlib.sha256(f"{name}\n{content}".encode()).hexdigest()
        new.append(not name or row not in seen)
        seen.add(row)
    return table.filter(pa.array(new, pa.bool_()))


def digest(table: pa.Table) -> str:
    """What a page holds, but for its ids, in short."""
    made = hashlib.sha256()
    for content in _contents(table):
        made.update(content.encode())
    return made.hexdigest()


def _contents(table: pa.Table) -> Iterator[str]:
    plain = table.drop_columns([ID]) if ID in table.column_names else table
    for batch in plain.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            yield _content(row)


def _content(row: dict[str, Any]) -> str:
    # Without a schema, a column that is empty in one answer is missing from it.
    return repr(sorted((name, value) for name, value in row.items() if value is not None))
